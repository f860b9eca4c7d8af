//! Parts that the JSON Schemas of messages share.

use serde_json::{Value, json};

use crate::domain::PeriodSource;

pub(super) fn reference(name: &str, doc: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}"), "description": doc })
}

/// A decimal, or null.
pub(super) fn optional_decimal(doc: &str) -> Value {
    json!({ "anyOf": [{ "$ref": "#/$defs/decimal" }, { "type": "null" }], "description": doc })
}

pub(super) fn text(doc: &str) -> Value {
    json!({ "type": "string", "description": doc })
}

pub(super) fn boolean(doc: &str) -> Value {
    json!({ "type": "boolean", "description": doc })
}

pub(super) fn words(words: &[&str]) -> Value {
    json!({ "enum": words })
}

/// An object all of whose keys are there.
pub(super) fn whole(properties: &Value) -> Value {
    let required: Vec<&String> =
        properties.as_object().map(|keys| keys.keys().collect()).unwrap_or_default();
    json!({ "type": "object", "required": required, "properties": properties })
}

/// A billing period.
pub(super) fn period() -> Value {
    whole(&json!({
        "start": reference("time", "the first instant"),
        "end": reference("time", "the first instant after it"),
        "source": words(PeriodSource::NAMES)
    }))
}
