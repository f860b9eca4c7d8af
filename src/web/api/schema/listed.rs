//! The rows of lists: alerts, deliveries, silences, security alerts.

use serde_json::{Value, json};

use crate::domain::MessageKind;
use crate::listings::schema::alert::{alert, security};
use crate::listings::schema::parts::{
    also, boolean, count, joined, list, optional_decimal, or_null, reference, text, texts, time,
    whole, words,
};

/// A schema for each.
pub(super) fn schemas() -> Value {
    json!({
        "ListedAlert": listed_alert(&list(&told(), "how many of its deliveries stand how")),
        "Acknowledgement": acknowledgement(),
        "SpikeMarking": marking(),
        "Delivery": delivery(),
        "ShownDelivery": shown_delivery(),
        "Silence": silence(),
        "ListedSilence": listed_silence(),
        "SecurityAlert": security_alert(),
    })
}

/// An alert, with who knows of it and its deliveries in this form.
pub(super) fn listed_alert(deliveries: &Value) -> Value {
    let known = whole(&json!({
        "acknowledged": or_null(&reference("Acknowledgement", "who knows of it")),
        "deliveries": deliveries,
    }));
    let marked = json!({ "marked": reference("SpikeMarking", "what somebody said of its spike") });
    also(joined(alert(), &known), marked)
}

fn told() -> Value {
    whole(&json!({
        "notifier": text("its name"),
        "pending": count("owed"),
        "sent": count("accepted by the receiver"),
        "dead": count("given up"),
    }))
}

fn acknowledgement() -> Value {
    whole(&json!({
        "at": time("since when"),
        "by": text("who"),
        "note": or_null(&text("what was noted")),
        "expected": boolean("whether its spike was to be expected"),
    }))
}

fn marking() -> Value {
    whole(&json!({
        "as": words(&["expected", "fraud"]),
        "at": time("when that was said"),
        "by": text("who said so"),
        "reason": or_null(&text("why")),
        "until": or_null(&day("the last day of the data, in UTC, up to which spikes are expected")),
    }))
}

/// A day.
pub(super) fn day(doc: &str) -> Value {
    json!({ "type": "string", "format": "date", "description": doc })
}

/// A delivery.
pub(super) fn delivery() -> Value {
    let kinds: Vec<&str> = MessageKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let delivery = whole(&json!({
        "id": uuid("of the delivery"),
        "identity": uuid("of the message, the same in every attempt"),
        "notifier": text("to which notifier"),
        "recipient": or_null(&text("to whom, where the notifier has several")),
        "kind": words(&kinds),
        "state": words(&["pending", "sent", "dead"]),
        "held": boolean("whether it waits to be released, or was discarded"),
        "alerts": list(&uuid("of an alert"), "what the message tells of"),
        "created_at": time("when it was recorded"),
        "ended_at": or_null(&time("when it was accepted or given up")),
        "attempts": count("how often it was tried"),
        "last_detail": or_null(&text("the last answer of the receiver, or why it was given up")),
    }));
    let of_some = json!({
        "fallback_for": text("the notifier in whose place it is"),
        "deferred_until": time("when its recipient is tried again"),
    });
    also(delivery, of_some)
}

fn uuid(doc: &str) -> Value {
    json!({ "type": "string", "format": "uuid", "description": doc })
}

fn shown_delivery() -> Value {
    let part = |doc| or_null(&text(doc));
    let message = whole(&json!({
        "subject": part("of a mail"),
        "text": part("as text"),
        "html": part("as HTML"),
        "body": part("of an HTTP request"),
        "headers": {
            "type": "object",
            "additionalProperties": { "type": "string" },
            "description": "without those that hold a secret",
        },
        "sha256": text("of the whole"),
    }));
    let attempt = whole(&json!({
        "at": time("when"),
        "outcome": text("what came of it, in a word"),
        "answer": text("what the receiver said"),
    }));
    whole(&json!({
        "delivery": reference("Delivery", "the delivery"),
        "message": or_null(&message),
        "attempts": list(&attempt, "the first first"),
    }))
}

fn silence() -> Value {
    whole(&json!({
        "id": count("its number"),
        "customers": texts("patterns of a customer's id, name or label; empty: all customers"),
        "rules": texts("patterns of rule names; empty: all rules"),
        "unless_above": optional_decimal("values above this are told all the same"),
        "created_at": time("when it was made"),
        "as_of": time("the newest date of the data then, which places it in billing periods"),
        "until": until(),
        "author": text("who made it"),
        "reason": text("why"),
        "expired_at": or_null(&time("when somebody ended it before its time")),
    }))
}

/// When a silence ends.
pub(super) fn until() -> Value {
    json!({
        "anyOf": [{ "type": "string", "format": "date-time" }, { "const": "period-end" }],
        "description": "when it ends: a time, or with each customer's billing period",
    })
}

fn listed_silence() -> Value {
    let more = whole(&json!({
        "in_force": boolean("whether it covers anything now"),
        "silenced": count("alerts it has hidden that are still silenced"),
    }));
    joined(silence(), &more)
}

fn security_alert() -> Value {
    let customer = whole(&json!({
        "id": text("the customer's tenant"),
        "name": text("as received; empty where nobody knows it"),
        "label": or_null(&text("the name the partner calls it by")),
    }));
    let more = whole(&json!({
        "ref": or_null(&text("of the newest alert about it")),
        "customer": customer,
        "since": time("since when its hours are counted"),
        "hours": reference("decimal", "how long it was, or has been, not answered"),
        "answered_by": or_null(&text("who answered it")),
        "answered_at": or_null(&time("when, or when it was found to be gone")),
        "reason": or_null(&text("how")),
        "unlisted": boolean("whether Microsoft no longer lists it"),
    }));
    joined(security(), &more)
}
