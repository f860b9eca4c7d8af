//! The regular report in the body that a webhook gets, as a JSON Schema.

use serde_json::{Value, json};

use crate::domain::{EventCode, Every};
use crate::listings::schema::parts::{
    boolean, optional_decimal, period, reference, text, whole, words,
};

/// The schema of `data.report`.
pub(super) fn report() -> Value {
    let mut report = whole(&json!({
        "every": words(Every::NAMES),
        "at": reference("time", "when it was put together"),
        "since": reference("time", "what it calls new is since then"),
        "trust": whole(&json!({
            "customers": number("in the last good poll"),
            "stale": number("of them with data more than three days old"),
            "last_good_poll": optional_time("when it ended"),
            "last_poll_good": boolean("whether the last poll was good"),
            "newest_data": optional_time("the newest date of the data"),
            "failing_notifiers": texts("notifiers that take no messages now"),
            "trouble": texts("what is wrong with the daemon itself, a sentence each"),
            "silences": number("silences in force: what they cover is not told")
        })),
        "alerts": whole(&json!({
            "critical": number("open critical alerts"),
            "critical_unacknowledged": number("of them not acknowledged"),
            "warning": number("open warnings"),
            "info": number("open alerts for information")
        })),
        "deliveries": whole(&json!({
            "owed": number("deliveries that are owed"),
            "oldest": optional_time("since when the oldest of them"),
            "dead": number("deliveries that were given up")
        })),
        "coverage": whole(&json!({
            "never": number("customers that can never alert"),
            "reasons": list(&whole(&json!({ "reason": text("the reason's word"), "customers": number("how many") })))
        })),
        "over_budget": top(&json!({
            "cost": decimal("the cost"),
            "budget": decimal("the budget"),
            "percent": optional_decimal("of the budget; null over a budget of zero"),
            "usd_over": optional_decimal("how much it is over, in US dollars"),
            "billing_period": period()
        })),
        "growth": top(&json!({
            "by": decimal("by how much the cost grew"),
            "from": optional_decimal("the cost before; null where the billing period began since \
                then"),
            "cost": decimal("the cost now"),
            "usd": optional_decimal("by how much in US dollars")
        })),
        "unbudgeted": top(&json!({ "cost": decimal("the cost"), "usd": optional_decimal("in US dollars") })),
        "repeatedly_over": top(&json!({
            "costs": list(&json!({ "$ref": "#/$defs/decimal" })),
            "budget": decimal("the budget now"),
            "suggested": decimal("a budget that would have held")
        })),
        "budgets_lost": listed(&whole(&json!({
            "id": text("the customer's id as received"),
            "name": text("what people call it"),
            "at": reference("time", "when it was noticed"),
            "code": words(&[EventCode::BudgetCut, EventCode::BudgetRemoved].map(EventCode::as_str)),
            "detail": text("in words")
        }))),
        "data": whole(&json!({
            "missing": number("customers without a record in the last good poll"),
            "skipped": number("records of the last poll that could not be used"),
            "currency_unknown": number("customers whose currency is unknown"),
            "costs_fell": number("costs that fell within their period since the last report"),
            "percents_disagree": number("percentages that began to disagree since the last report")
        })),
        "record": text("the first digits of the hash of all that is recorded; budget-alertd ledger verify --head takes them")
    }));
    if let Some(Value::Object(properties)) = report.get_mut("properties") {
        properties.insert("security".into(), security());
    }
    report
}

/// How security alerts of Microsoft stand, where they are read.
fn security() -> Value {
    whole(&json!({
        "open": number("security alerts that are not answered"),
        "oldest_hours": optional_decimal("for how long the oldest of them is not"),
        "answered_in_hours": optional_decimal("in how long those of 30 days were answered, in the \
            mean"),
        "microsoft_hours": optional_decimal("the same as Microsoft counts it"),
        "microsoft_compliant": { "type": ["boolean", "null"], "description": "whether that is fast \
            enough for Microsoft" },
        "read_at": reference("time", "when they were last read, well or not"),
        "good_at": optional_time("when they were last read whole")
    }))
}

/// A list of customers of which only the first are named.
fn top(item: &Value) -> Value {
    let mut keys = item.clone();
    if let Some(keys) = keys.as_object_mut() {
        keys.insert(
            "customer".into(),
            whole(&json!({ "id": text("as received"), "name": text("what people call it") })),
        );
        keys.insert("currency".into(), json!({ "$ref": "#/$defs/currency" }));
    }
    listed(&whole(&keys))
}

fn listed(item: &Value) -> Value {
    let mut listed = whole(&json!({ "total": number("how many there are"), "items": list(item) }));
    if let Some(keys) = listed.get_mut("properties").and_then(Value::as_object_mut) {
        let sum = whole(&json!({
            "currency": { "$ref": "#/$defs/currency" },
            "customers": number("how many"),
            "amount": optional_decimal("the sum; null where the currency is unknown")
        }));
        keys.insert("sums".into(), list(&sum));
        keys.insert(
            "usd".into(),
            decimal("what all of them come to in US dollars, as far as those are known"),
        );
    }
    listed
}

fn list(item: &Value) -> Value {
    json!({ "type": "array", "items": item })
}

fn texts(doc: &str) -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": doc })
}

fn number(doc: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": doc })
}

fn decimal(doc: &str) -> Value {
    reference("decimal", doc)
}

fn optional_time(doc: &str) -> Value {
    json!({ "anyOf": [{ "$ref": "#/$defs/time" }, { "type": "null" }], "description": doc })
}
