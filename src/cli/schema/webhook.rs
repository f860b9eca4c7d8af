//! The body that a webhook gets, as a JSON Schema. Receivers must expect more: keys are added in
//! later versions, and none is taken away.

use serde_json::{Value, json};

use crate::cli::schema::parts::{boolean, optional_decimal, period, reference, text, whole, words};
use crate::cli::schema::report;
use crate::domain::{AlertState, BudgetSource, Metric, Plan, SecuritySource, Severity};

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
        "$defs": {
            "decimal": { "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$" },
            "currency": { "type": ["string", "null"], "pattern": "^[A-Z]{3}$" },
            "time": { "type": "string", "format": "date-time", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z$" },
            "alert": alert()
        }
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
    let mut latest = whole(&json!({
        "usage_as_of": reference("time", "the date of the latest data"),
        "cost": optional_decimal("the cost then; null where a customer must not see it"),
        "value": optional_decimal("the metric's value, where it has one"),
        "budget": { "anyOf": [budget(), { "type": "null" }] },
        "ended": { "enum": ["budget", "period", "usual", "expected", "new-normal", "new-series", "answered", "unlisted", null], "description": "why \
            the alert is over; the first two of the billing period, the last two of security alerts, the others of spikes" }
    }));
    let day = |doc: &str| json!({ "type": "string", "format": "date", "description": doc });
    let of_run = json!({
        "spike": spike(),
        "first_day": day("of a run of spikes that is over: its first day"),
        "last_day": day("its last day that was a spike"),
        "days": { "type": "integer", "minimum": 1, "description": "how many of its days were spikes" },
        "excess": reference("decimal", "how much more than usual was spent on them")
    });
    if let (Some(Value::Object(properties)), Value::Object(of_run)) =
        (latest.get_mut("properties"), of_run)
    {
        properties.extend(of_run);
        properties.insert("security".into(), security_end());
        properties.insert("security_now".into(), security_now());
    }
    latest
}

fn operator() -> Value {
    let mut operator = whole(&json!({
        "code": text("what is wrong, as a stable word"),
        "summary": text("what is wrong, in words"),
        "action": text("what to do"),
        "since": reference("time", "when it began")
    }));
    let from =
        whole(&json!({ "host": text("the host of the daemon that says so"), "config": text("its \
            configuration file") }));
    if let Some(properties) = operator.pointer_mut("/properties").and_then(Value::as_object_mut) {
        properties.insert("from".to_owned(), from);
    }
    operator
}

fn alert() -> Value {
    let mut alert = whole(&json!({
        "id": { "type": "string", "format": "uuid" },
        "ref": { "type": "string", "pattern": "^[0-9A-F]{8}$", "description": "the start of the \
            id, for people" },
        "rule": { "type": ["string", "null"], "description": "the rule's name; null in messages to \
            customers" },
        "metric": words(Metric::NAMES),
        "threshold": optional_decimal("the step; null where a customer must not see the amount"),
        "passed": { "type": "array", "items": { "$ref": "#/$defs/decimal" }, "description": "lower steps passed by the same jump, ascending" },
        "value": optional_decimal("null over a budget of zero"),
        "over_zero": boolean("whether a budget of zero is exceeded"),
        "severity": words(Severity::NAMES),
        "baseline": boolean("whether it is of the first poll of its rule"),
        "customer": customer(),
        "budget": { "anyOf": [budget(), { "type": "null" }] },
        "cost": { "description": "null where a customer must not see it, or where nothing is known of usage", "anyOf": [{ "type": "null" }, whole(&json!({
            "amount": reference("decimal", "exactly as read"),
            "currency": { "$ref": "#/$defs/currency" },
            "usd": optional_decimal("in US dollars")
        }))] },
        "reported_percent": optional_decimal("as Partner Center reports it"),
        "computed_percent": optional_decimal("from cost and budget"),
        "billing_period": or_null(&period()),
        "subscriptions": {
            "type": "array",
            "items": whole(&json!({ "id": text("as received"), "name": text("as received"), "cost": { "$ref": "#/$defs/decimal" } }))
        },
        "usage_as_of": or_null(&reference("time", "the date of the data")),
        "raised_at": reference("time", "when it was raised"),
        "state": words(AlertState::NAMES)
    }));
    if let Some(Value::Object(properties)) = alert.get_mut("properties") {
        properties.insert("resources".into(), resources());
        properties.insert(
            "subscription".into(),
            text("the subscription, where the alert is about one only"),
        );
        properties.insert("inputs".into(), inputs());
        properties.insert("spike".into(), spike());
        properties.insert("security".into(), security());
    }
    alert
}

/// Where the money goes.
fn resources() -> Value {
    let name = |doc: &str| json!({ "type": ["string", "null"], "description": doc });
    json!({
        "type": "array",
        "description": "of a critical alert of an Azure plan, where it is known: the costliest \
            resource groups of the costliest subscription",
        "items": whole(&json!({
            "subscription": name("the Azure subscription by name, else by id"),
            "resource_group": name("null for a resource that names none"),
            "name": name("its costliest resource"),
            "cost": optional_decimal("in the customer's currency; null where the answer's currency \
                is not surely that one"),
            "percent": reference("decimal", "its share of all resources of that subscription")
        }))
    })
}

/// What the formula of a metric on time or history was given; each metric has its own.
fn inputs() -> Value {
    let decimal = |doc: &str| reference("decimal", doc);
    json!({
        "type": "object",
        "description": "what the metric's formula was given beside cost and budget",
        "properties": {
            "elapsed_hours": decimal("hours of the period that were over"),
            "period_hours": decimal("the length of the period"),
            "forecast_cost": decimal("the cost at the end of the period if it goes on as on \
                average"),
            "percent_used": decimal("percent of the budget used"),
            "percent_elapsed": decimal("percent of the period elapsed"),
            "since": reference("time", "the earlier of the last two dates of the data"),
            "since_cost": decimal("the cost at that date"),
            "hours": decimal("between the two dates"),
            "daily_cost": decimal("the rise of the cost per 24 hours")
        }
    })
}

/// The numbers of a spike.
fn spike() -> Value {
    let decimal = |doc: &str| reference("decimal", doc);
    whole(&json!({
        "day": { "type": "string", "format": "date", "description": "of the data, in UTC" },
        "rate": decimal("what was spent in 24 hours"),
        "usual": decimal("what is usual"),
        "excess": decimal("how much more than usual it is"),
        "highest_earlier_excess": decimal("how far above the usual the highest of the days \
            before was"),
        "floor": decimal("the smallest excess that matters to the rule"),
        "days": { "type": "integer", "minimum": 7, "description": "how many days the usual is \
            the median of" },
        "times": optional_decimal("how many times the usual it is; null where nothing was spent \
            before")
    }))
}

/// A security alert of Microsoft.
fn security() -> Value {
    let time = |doc: &str| or_null(&reference("time", doc));
    whole(&json!({
        "id": text("Microsoft's id"),
        "source": { "enum": [SecuritySource::Graph, SecuritySource::PartnerCenter] },
        "type": text("what was seen, in Microsoft's word"),
        "severity": text("Microsoft's word: informational, low, medium, high, or another"),
        "confidence": text("Microsoft's word: low, medium, high, or another"),
        "status": text("Microsoft's word: active, investigating, resolved, or another"),
        "is_test": boolean("whether it is a test"),
        "detected_at": time("when it was detected"),
        "first_observed": time("when it was first observed"),
        "last_observed": time("when it was last observed"),
        "subscription": { "type": ["string", "null"], "description": "the subscription by its id" },
        "resources": { "type": "array", "items": { "type": "string" }, "description": "by their ids" }
    }))
}

/// How a security alert ended, in what is told of that.
fn security_end() -> Value {
    whole(&json!({
        "reason": { "type": ["string", "null"], "description": "fraud, legitimate, ignore, or another word" },
        "by": { "type": ["string", "null"], "description": "who answered it" },
        "at": reference("time", "when it was answered, or found to be gone"),
        "unlisted": boolean("whether Microsoft no longer lists it"),
        "hours": reference("decimal", "from its beginning to its end")
    }))
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

/// The same, or null where nothing is known of the customer's usage.
fn or_null(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn customer() -> Value {
    whole(&json!({
        "id": text("as received"),
        "name": text("as received"),
        "label": { "type": ["string", "null"], "description": "the name the partner calls it by" },
        "plan": words(Plan::NAMES)
    }))
}

fn budget() -> Value {
    whole(&json!({
        "amount": reference("decimal", "exactly as read"),
        "currency": { "$ref": "#/$defs/currency" },
        "source": { "enum": [BudgetSource::PartnerCenter, BudgetSource::Local] },
        "previous_amount": optional_decimal("of a step that alerts again: the amount it alerted \
            under before")
    }))
}
