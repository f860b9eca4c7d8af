//! An alert in JSON as the customer it is about may have it: what is not named here is left out,
//! and amounts are null where the customer must not see them.

use serde_json::{Map, Value, json};

use crate::domain::{Alert, Latest, Metric};

/// What a customer may always know.
const ALWAYS: [&str; 16] = [
    "id",
    "ref",
    "metric",
    "threshold",
    "passed",
    "value",
    "over_zero",
    "severity",
    "baseline",
    "subscription",
    "reported_percent",
    "computed_percent",
    "billing_period",
    "usage_as_of",
    "raised_at",
    "state",
];
/// What it may know of the numbers behind a metric.
const INPUTS: [&str; 6] =
    ["elapsed_hours", "period_hours", "percent_used", "percent_elapsed", "since", "hours"];

/// What it may know of how a spike goes on, where it may see amounts.
const OF_SPIKE: [&str; 6] = ["spike", "first_day", "last_day", "days", "excess", "over_on"];

/// The alert for its customer; with amounts where `show_cost`.
pub(crate) fn alert(alert: &Alert, show_cost: bool) -> Result<Value, serde_json::Error> {
    let Value::Object(mut all) = serde_json::to_value(alert)? else { return Ok(Value::Null) };
    let mut told: Map<String, Value> =
        ALWAYS.iter().filter_map(|key| Some(((*key).to_owned(), all.remove(*key)?))).collect();
    let customer = &alert.customer;
    told.insert(
        "customer".into(),
        json!({ "id": customer.id, "name": customer.name, "label": null, "plan": customer.plan }),
    );
    told.insert("rule".into(), Value::Null);
    let mut inputs = all.remove("inputs");
    if show_cost {
        told.extend(
            ["budget", "cost", "subscriptions", "spike"]
                .into_iter()
                .filter_map(|key| Some((key.to_owned(), all.remove(key)?))),
        );
    } else {
        told.extend([
            ("budget".to_owned(), Value::Null),
            ("cost".to_owned(), Value::Null),
            ("subscriptions".to_owned(), json!([])),
        ]);
        if is_money(alert.metric) {
            told.extend([
                ("threshold".to_owned(), Value::Null),
                ("passed".to_owned(), json!([])),
                ("value".to_owned(), Value::Null),
            ]);
        }
        if let Some(Value::Object(inputs)) = &mut inputs {
            inputs.retain(|key, _| INPUTS.contains(&key.as_str()));
        }
    }
    told.extend(inputs.map(|inputs| ("inputs".to_owned(), inputs)));
    Ok(Value::Object(told))
}

/// How it is now, likewise.
pub(crate) fn latest(
    alert: &Alert,
    latest: &Latest,
    show_cost: bool,
) -> Result<Value, serde_json::Error> {
    let mut told = serde_json::to_value(latest)?;
    if let Value::Object(told) = &mut told {
        told.retain(|key, _| {
            ["usage_as_of", "cost", "value", "budget", "ended"].contains(&key.as_str())
                || (show_cost && OF_SPIKE.contains(&key.as_str()))
        });
        let hidden: &[&str] = match (show_cost, is_money(alert.metric)) {
            (true, _) => &[],
            (false, true) => &["cost", "budget", "value"],
            (false, false) => &["cost", "budget"],
        };
        told.extend(hidden.iter().map(|key| ((*key).to_owned(), Value::Null)));
    }
    Ok(told)
}

/// Whether the metric's values are amounts, in whatever currency.
fn is_money(metric: Metric) -> bool {
    metric.is_money() || metric == Metric::UsdTotalCost
}
