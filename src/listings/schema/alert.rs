//! An alert as a JSON Schema, as messages, listings and the API have it.

use serde_json::{Value, json};

use crate::domain::{AlertState, BudgetSource, Metric, Plan, SecuritySource, Severity};
use crate::listings::schema::parts::{
    also, boolean, optional_decimal, or_null, period, reference, text, whole, words,
};

/// An alert.
pub(crate) fn alert() -> Value {
    let alert = whole(&json!({
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
    let of_some = json!({
        "resources": resources(),
        "subscription": text("the subscription, where the alert is about one only"),
        "inputs": inputs(),
        "spike": spike(),
        "security": security()
    });
    also(alert, of_some)
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
pub(crate) fn inputs() -> Value {
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
pub(crate) fn spike() -> Value {
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
pub(crate) fn security() -> Value {
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
pub(crate) fn security_end() -> Value {
    whole(&json!({
        "reason": { "type": ["string", "null"], "description": "fraud, legitimate, ignore, or another word" },
        "by": { "type": ["string", "null"], "description": "who answered it" },
        "at": reference("time", "when it was answered, or found to be gone"),
        "unlisted": boolean("whether Microsoft no longer lists it"),
        "hours": reference("decimal", "from its beginning to its end")
    }))
}

/// A customer, as it was when the alert was raised.
pub(crate) fn customer() -> Value {
    whole(&json!({
        "id": text("as received"),
        "name": text("as received"),
        "label": { "type": ["string", "null"], "description": "the name the partner calls it by" },
        "plan": words(Plan::NAMES)
    }))
}

/// A budget.
pub(crate) fn budget() -> Value {
    whole(&json!({
        "amount": reference("decimal", "exactly as read"),
        "currency": { "$ref": "#/$defs/currency" },
        "source": { "enum": [BudgetSource::PartnerCenter, BudgetSource::Local] },
        "previous_amount": optional_decimal("of a step that alerts again: the amount it alerted \
            under before")
    }))
}
