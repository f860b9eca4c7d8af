//! Parts that the JSON Schemas of messages, listings and the API share.

use serde_json::{Value, json};

use crate::domain::PeriodSource;

/// One of the [`definitions`].
pub(crate) fn reference(name: &str, doc: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}"), "description": doc })
}

/// A decimal.
pub(crate) fn decimal(doc: &str) -> Value {
    reference("decimal", doc)
}

/// A time in UTC.
pub(crate) fn time(doc: &str) -> Value {
    reference("time", doc)
}

/// A number of things.
pub(crate) fn count(doc: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": doc })
}

/// A list.
pub(crate) fn list(item: &Value, doc: &str) -> Value {
    json!({ "type": "array", "items": item, "description": doc })
}

/// A list of texts.
pub(crate) fn texts(doc: &str) -> Value {
    list(&json!({ "type": "string" }), doc)
}

/// An object all of whose keys may be missing.
pub(crate) fn partial(properties: &Value) -> Value {
    json!({ "type": "object", "properties": properties })
}

/// A decimal, or null.
pub(crate) fn optional_decimal(doc: &str) -> Value {
    json!({ "anyOf": [{ "$ref": "#/$defs/decimal" }, { "type": "null" }], "description": doc })
}

/// A text.
pub(crate) fn text(doc: &str) -> Value {
    json!({ "type": "string", "description": doc })
}

/// Yes or no.
pub(crate) fn boolean(doc: &str) -> Value {
    json!({ "type": "boolean", "description": doc })
}

/// One of these words.
pub(crate) fn words(words: &[&str]) -> Value {
    json!({ "enum": words })
}

/// An object all of whose keys are there.
pub(crate) fn whole(properties: &Value) -> Value {
    let required: Vec<&String> =
        properties.as_object().map(|keys| keys.keys().collect()).unwrap_or_default();
    json!({ "type": "object", "required": required, "properties": properties })
}

/// A billing period.
pub(crate) fn period() -> Value {
    whole(&json!({
        "start": reference("time", "the first instant"),
        "end": reference("time", "the first instant after it"),
        "source": words(PeriodSource::NAMES)
    }))
}

/// The same, or null.
pub(crate) fn or_null(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

/// The same with keys that may be missing.
pub(crate) fn also(mut schema: Value, optional: Value) -> Value {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    if let (Some(properties), Value::Object(optional)) = (properties, optional) {
        properties.extend(optional);
    }
    schema
}

/// The same with the keys of another one.
pub(crate) fn joined(mut schema: Value, other: &Value) -> Value {
    let properties = other.get("properties").cloned().unwrap_or_default();
    let required = other.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(all) = schema.get_mut("required").and_then(Value::as_array_mut) {
        all.extend(required);
    }
    also(schema, properties)
}

/// What schemas refer to: decimals, currencies, times, and these.
pub(crate) fn definitions(more: &[(&str, Value)]) -> Value {
    const TIME: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z$";
    let mut all = json!({
        "decimal": { "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$" },
        "currency": { "type": ["string", "null"], "pattern": "^[A-Z]{3}$" },
        "time": { "type": "string", "format": "date-time", "pattern": TIME }
    });
    if let Some(all) = all.as_object_mut() {
        all.extend(more.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())));
    }
    all
}
