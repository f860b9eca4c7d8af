//! The health of the daemon, and customers as they were last seen.

use serde_json::{Value, json};

use crate::listings::schema::alert::customer;
use crate::listings::schema::parts::{
    also, boolean, count, decimal, joined, list, optional_decimal, or_null, period, reference,
    text, texts, time, whole, words,
};

/// A schema for each.
pub(super) fn schemas() -> Value {
    json!({ "Status": status(), "Customer": seen(), "CustomerEvent": event() })
}

fn status() -> Value {
    let poll = || or_null(&poll());
    whole(&json!({
        "health": words(&["ok", "degraded", "failing"]),
        "why": texts("why it is not ok, in codes"),
        "daemon": daemon(),
        "owed": count("deliveries that are owed, those held included"),
        "held": count("of them, those that wait to be released"),
        "dead": count("deliveries that were given up"),
        "silences": count("silences in force"),
        "changed_files": texts("files of the configuration changed since the daemon read them"),
        "last_poll": poll(),
        "last_good_poll": poll(),
        "newest_usage_as_of": or_null(&time("the newest date of the data")),
        "findings": list(&finding(), "trouble of the daemon itself"),
        "data": data(),
        "security": or_null(&security()),
        "notifiers": list(&notifier(), "how each stands"),
        "customers": list(&reference("Customer", "a customer"), "the 20 worst"),
    }))
}

fn daemon() -> Value {
    let daemon = whole(&json!({
        "running": boolean("whether one runs"),
        "pid": or_null(&count("its process")),
        "leader": boolean("whether it polls and delivers"),
    }));
    also(daemon, json!({ "leading_host": text("the host that leads in its place") }))
}

fn poll() -> Value {
    whole(&json!({
        "at": time("when it ended"),
        "source": words(&["ok", "failed"]),
        "records": count("usable records"),
        "skipped": count("records that could not be used"),
        "alerts": count("alerts raised"),
        "newest_usage_as_of": or_null(&time("the newest date of its data")),
        "errors": texts("what went wrong or was odd"),
    }))
}

fn finding() -> Value {
    whole(&json!({
        "code": text("what kind of trouble"),
        "subject": text("what it is about where there can be several: a notifier, a customer"),
        "summary": text("what happened"),
        "action": text("what to do"),
        "since": time("since when"),
        "told": boolean("whether the operator was told"),
    }))
}

fn data() -> Value {
    let of_customer = whole(&json!({
        "customer": whole(&json!({ "id": text("as received"), "name": text("what it is called") })),
        "event": reference("CustomerEvent", "what happened"),
    }));
    whole(&json!({
        "customers_without_record": count("in the last good poll"),
        "events": list(&of_customer, "of the last 24 hours"),
    }))
}

fn event() -> Value {
    whole(&json!({
        "at": time("when it was noticed"),
        "code": text("what, in a word"),
        "detail": text("in words, with the numbers"),
    }))
}

fn security() -> Value {
    whole(&json!({
        "open": count("security alerts that are not answered"),
        "oldest_hours": optional_decimal("for how long the oldest is not"),
        "answered_in_hours": optional_decimal("the mean of those answered in 30 days"),
        "microsoft_hours": optional_decimal("the same as Microsoft counts it"),
        "microsoft_compliant": { "type": ["boolean", "null"] },
        "read_at": time("when they were last read, well or not"),
        "good_at": or_null(&time("when they were last read whole")),
    }))
}

fn notifier() -> Value {
    let times = json!({
        "failing_since": or_null(&time("since when it takes nothing")),
        "next_probe_at": or_null(&time("when it is tried again")),
        "last_error": or_null(&text("what it said")),
    });
    let notifier = whole(&json!({
        "name": text("its name"),
        "configured": boolean("whether the configuration has it"),
        "pending": count("deliveries that are owed"),
        "oldest_pending": or_null(&time("since when the oldest of them")),
        "dead": count("deliveries that were given up"),
    }));
    let times = whole(&times);
    let recipient = whole(&json!({ "recipient": text("for whom it takes nothing now") }));
    let deferred = list(&joined(recipient, &times), "recipients");
    also(joined(notifier, &times), json!({ "deferred": deferred }))
}

fn seen() -> Value {
    let usage = whole(&json!({
        "percent_used": optional_decimal("of the budget; null without one, and over one of zero"),
        "over_zero": boolean("whether a budget of zero is exceeded"),
        "cost": decimal("of the billing period"),
        "currency": { "$ref": "#/$defs/currency" },
        "usd_cost": optional_decimal("in US dollars"),
        "budget": optional_decimal("in force"),
        "usage_as_of": time("the date of the data"),
        "seen_at": time("when it was read"),
        "billing_period": period(),
    }));
    joined(customer(), &usage)
}
