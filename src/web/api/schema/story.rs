//! One customer with all that bears on it.

use serde_json::{Value, json};

use crate::domain::{Metric, Severity};
use crate::listings::schema::alert::{budget, customer, inputs, spike};
use crate::listings::schema::parts::{
    boolean, count, decimal, joined, list, optional_decimal, or_null, period, reference, text,
    texts, time, whole, words,
};
use crate::web::api::schema::listed::{delivery, listed_alert};

/// A schema for each.
pub(super) fn schemas() -> Value {
    json!({
        "CustomerStory": story(),
        "CustomerRule": rule(),
        "CustomerUsage": usage(),
        "CustomerAlert": listed_alert(&list(&tried(), "with every attempt")),
    })
}

fn story() -> Value {
    let pushed = whole(&json!({
        "at": time("when it was read back"),
        "before": optional_decimal("the amount that was there before"),
        "amount": decimal("the amount"),
        "currency": { "$ref": "#/$defs/currency" },
    }));
    whole(&json!({
        "at": or_null(&time("the earlier time that it is told of; null: now")),
        "customer": joined(customer(), &profile()),
        "usage": usage_reference(),
        "budget": or_null(&budget()),
        "other_budget": or_null(&budget()),
        "pushed": or_null(&pushed),
        "billing_period": period(),
        "carried_over": boolean("whether it is late data of the period before"),
        "missing_since": or_null(&time("since when polls have no record of it")),
        "history": list(&date(), "the dates of the data, the newest first"),
        "events": list(&reference("CustomerEvent", "one"), "what happened to its data"),
        "rules": list(&rule_reference(), "each rule"),
        "subscriptions": list(&subscription(), "those with a budget of their own"),
        "alerts": list(&reference("CustomerAlert", "one"), "of the billing period"),
        "alerts_in_other_periods": count("how many"),
    }))
}

fn usage_reference() -> Value {
    reference("CustomerUsage", "the latest usage")
}

fn rule_reference() -> Value {
    reference("CustomerRule", "how a rule judges it")
}

fn profile() -> Value {
    whole(&json!({
        "tags": texts("of the configuration"),
        "contacts": texts("addresses of the customer"),
        "notify": texts("notifiers beside those of rules"),
        "mute_rules": texts("rules that do not judge it"),
    }))
}

fn usage() -> Value {
    let cost = whole(&json!({
        "amount": decimal("exactly as read"),
        "currency": { "$ref": "#/$defs/currency" },
        "usd": optional_decimal("in US dollars"),
    }));
    whole(&json!({
        "usage_as_of": time("the date of the data"),
        "seen_at": time("when it was read"),
        "cost": cost,
        "reported_percent": optional_decimal("as Partner Center reports it"),
        "computed_percent": optional_decimal("from cost and budget"),
    }))
}

fn date() -> Value {
    whole(&json!({
        "usage_as_of": time("the date of the data"),
        "seen_at": time("when it was read"),
        "cost": decimal("then"),
        "usd_cost": optional_decimal("in US dollars"),
        "partner_center_budget": optional_decimal("the budget there"),
        "reported_percent": optional_decimal("as Partner Center reports it"),
        "carried_over": boolean("whether it is late data of the period before"),
    }))
}

fn subscription() -> Value {
    whole(&json!({
        "id": text("as received"),
        "name": text("as received"),
        "usage": usage_reference(),
        "budget": or_null(&budget()),
        "rules": list(&rule_reference(), "each rule"),
    }))
}

fn rule() -> Value {
    whole(&json!({
        "rule": text("its name"),
        "metric": words(Metric::NAMES),
        "applies": boolean("whether it judges the customer"),
        "reason": text("why or why not, in a word"),
        "because": text("the same as a sentence"),
        "value": optional_decimal("of the metric"),
        "over_zero": boolean("whether a budget of zero is exceeded"),
        "reached": optional_decimal("the highest step reached"),
        "next_at": optional_decimal("the next step"),
        "inputs": or_null(&inputs()),
        "spike": or_null(&spike()),
        "silences": list(&reference("Silence", "one"), "those that cover it"),
        "would_raise": or_null(&would_raise()),
        "spent": list(&spent(), "steps that are recorded already"),
    }))
}

fn would_raise() -> Value {
    whole(&json!({
        "threshold": decimal("the step"),
        "severity": words(Severity::NAMES),
        "notify": texts("who would be told"),
    }))
}

fn spent() -> Value {
    whole(&json!({
        "threshold": decimal("the step"),
        "raised": boolean("whether it alerted, rather than was passed"),
        "alert": { "type": "string", "format": "uuid" },
        "ref": text("the alert's reference"),
        "budget_amount": optional_decimal("the budget then"),
        "seen_below_under": optional_decimal("the budget under which it was seen below since"),
    }))
}

fn tried() -> Value {
    let attempt = whole(&json!({
        "at": time("when"),
        "outcome": text("what came of it, in a word"),
        "detail": text("what the receiver said"),
    }));
    joined(delivery(), &whole(&json!({ "tries": list(&attempt, "the first first") })))
}
