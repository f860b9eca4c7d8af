//! What the API takes and gives, as JSON Schemas (2020-12). A test holds them against real answers.

mod answers;
mod listed;
mod requests;
mod status;
mod story;

use serde_json::{Map, Value, json};

use crate::listings::schema::alert::alert;
use crate::listings::schema::parts::{definitions, text, whole};

/// Every schema by its name.
pub(super) fn schemas() -> Map<String, Value> {
    let problem = whole(&json!({
        "type": text("about:blank: the status says what kind it is"),
        "title": text("the status in words"),
        "status": { "type": "integer" },
        "detail": text("why, one sentence")
    }));
    let common = definitions(&[("Problem", problem), ("Alert", alert())]);
    let own = [listed::schemas(), status::schemas(), story::schemas(), requests::schemas()];
    let all = own.into_iter().chain([answers::schemas(), common]);
    let all = all.filter_map(|schemas| schemas.as_object().cloned()).flatten();
    all.map(|(name, schema)| (name, in_components(schema))).collect()
}

/// The same, referring to where an `OpenAPI` document has its schemas.
fn in_components(schema: Value) -> Value {
    match schema {
        Value::Object(keys) => {
            let keys = keys.into_iter().map(|(key, value)| match (key.as_str(), value) {
                ("$ref", Value::String(to)) => {
                    (key, to.replace("#/$defs/", "#/components/schemas/").into())
                }
                (_, value) => (key, in_components(value)),
            });
            Value::Object(keys.collect())
        }
        Value::Array(items) => items.into_iter().map(in_components).collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}
