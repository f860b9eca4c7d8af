//! The body that a webhook gets, as a JSON Schema. Receivers must expect more: keys are added in
//! later versions, and none is taken away.

use serde_json::{Value, json};

use crate::cli::schema::report;
use crate::listings::schema::alert::{alert, budget, security_end, spike};
use crate::listings::schema::parts::{
    also, boolean, definitions, optional_decimal, reference, text, whole,
};

/// The schema of the payload.
pub(super) fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "budget-alertd: webhook payload",
        "type": "object",
        "properties": {
            "type": { "enum": TYPES },
            "timestamp": reference("time", "when the message was recorded"),
            "data": {
                "type": "object",
                "properties": {
                    "alerts": { "type": "array", "items": { "$ref": "#/$defs/alert" }, "description": "worst first" },
                    "latest": {
                        "type": "array",
                        "items": { "anyOf": [latest(), { "type": "null" }] },
                        "description": "in reminders and resolutions: how each of alerts is now, \
                            in their order"
                    },
                    "digest": digest(),
                    "links": links(),
                    "operator": operator(),
                    "fallback_for": text("the notifier in whose place this is sent, because it has \
                        not taken the message"),
                    "report": report::report()
                }
            }
        },
        "required": ["type", "timestamp", "data"],
        "allOf": [
            needs("^operator\\.(raised|resolved)$", "operator"),
            needs("^operator\\.report$", "report"),
            needs("^budget\\.", "alerts")
        ],
        "$defs": definitions(&[("alert", alert())])
    })
}

/// Every type of message that the payload has room for.
const TYPES: [&str; 8] = [
    "budget.alert.raised",
    "budget.alert.reminder",
    "budget.alert.resolved",
    "budget.digest",
    "budget.test",
    "operator.raised",
    "operator.resolved",
    "operator.report",
];

/// That data of types like this has this key.
fn needs(types: &str, key: &str) -> Value {
    json!({
        "if": { "properties": { "type": { "pattern": types } } },
        "then": { "properties": { "data": { "required": [key] } } }
    })
}

fn links() -> Value {
    let of_alert = json!({
        "type": "object",
        "properties": {
            "acknowledge": text("says that somebody knows of it"),
            "silence": text("silences its rule for the customer until the period ends"),
            "explain": text("shows what is known of the customer"),
            "customer": text("the customer in Partner Center")
        },
        "required": ["acknowledge", "explain"]
    });
    json!({
        "type": "object",
        "additionalProperties": of_alert,
        "description": "where somebody acts without signing in, by the alert's id; only with \
            public_url, never for customers"
    })
}

fn digest() -> Value {
    let count = |doc: &str| json!({ "type": "integer", "minimum": 1, "description": doc });
    whole(
        &json!({ "part": count("from 1"), "parts": count("how many parts"), "total": count("how many alerts in all parts") }),
    )
}

fn latest() -> Value {
    let latest = whole(&json!({
        "usage_as_of": reference("time", "the date of the latest data"),
        "cost": optional_decimal("the cost then; null where a customer must not see it"),
        "value": optional_decimal("the metric's value, where it has one"),
        "budget": { "anyOf": [budget(), { "type": "null" }] },
        "ended": { "enum": ["budget", "period", "usual", "expected", "new-normal", "new-series", "answered", "unlisted", null], "description": "why \
            the alert is over; the first two of the billing period, the last two of security alerts, the others of spikes" }
    }));
    let day = |doc: &str| json!({ "type": "string", "format": "date", "description": doc });
    let of_some = json!({
        "spike": spike(),
        "first_day": day("of a run of spikes that is over: its first day"),
        "last_day": day("its last day that was a spike"),
        "days": { "type": "integer", "minimum": 1, "description": "how many of its days were spikes" },
        "excess": reference("decimal", "how much more than usual was spent on them"),
        "security": security_end(),
        "security_now": security_now()
    });
    also(latest, of_some)
}

fn operator() -> Value {
    let operator = whole(&json!({
        "code": text("what is wrong, as a stable word"),
        "summary": text("what is wrong, in words"),
        "action": text("what to do"),
        "since": reference("time", "when it began")
    }));
    let from =
        whole(&json!({ "host": text("the host of the daemon that says so"), "config": text("its \
            configuration file") }));
    also(operator, json!({ "from": from }))
}

fn security_now() -> Value {
    let spent = whole(&json!({
        "of": { "enum": ["subscription", "customer"], "description": "whose costs are meant" },
        "since": reference("decimal", "since it was detected, in the customer's currency"),
        "usual": optional_decimal("what is usual in a day; null where too little is known")
    }));
    whole(&json!({
        "status": text("active, investigating, resolved, or another word"),
        "last_listed": { "anyOf": [reference("time", "when it was last seen, where later reads failed"), { "type": "null" }] },
        "spent": { "anyOf": [spent, { "type": "null" }] },
        "reopened": boolean("whether it was over before, and is active again")
    }))
}
