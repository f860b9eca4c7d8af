//! The description of the keys as a JSON Schema (2020-12), for editors that complete and check
//! `alert-rules.toml`.
//!
//! It knows names, types and words; what a value means beyond that is checked when the file is
//! read.

use serde_json::{Map, Value, json};

use crate::config::keys::{Choice, Kind, ROOT, Shape, Types};

/// The schema of the configuration: what this version supports, and nothing else.
pub fn schema() -> Value {
    let mut root = table(&[ROOT]);
    root.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    root.insert("title".into(), json!("budget-alertd: alert-rules.toml"));
    root.insert("required".into(), json!(["source", "rules", "notifiers"]));
    root.insert("$defs".into(), definitions());
    Value::Object(root)
}

/// What several keys have in common.
fn definitions() -> Value {
    let place = |name: &str, what: &str| json!({ "type": "object", "description": what, "properties": { name: reference("text") }, "required": [name], "additionalProperties": false });
    json!({
        "text": { "type": "string", "pattern": "\\S" },
        "number": {
            "description": "exact: an integer, a float or a text",
            "anyOf": [{ "type": "number" }, { "type": "string", "pattern": "^\\s*[+-]?[0-9][0-9_]*(\\.[0-9_]+)?([eE][+-]?[0-9]+)?\\s*$" }]
        },
        "amount": {
            "description": "a number, or for money a number for each currency: \
                { SEK = 5000, EUR = 450 }",
            "anyOf": [reference("number"), reference("amounts")]
        },
        "amounts": {
            "description": "a number for each currency: { SEK = 5000, EUR = 450 }",
            "type": "object",
            "minProperties": 1,
            "propertyNames": { "pattern": "^[A-Za-z]{3}$" },
            "additionalProperties": reference("number")
        },
        "duration": {
            "description": "\"90s\", \"15m\", \"1h30m\", \"2d\"",
            "type": "string",
            "pattern": "^\\s*([0-9]+[dhms])+\\s*$"
        },
        "secret": {
            "description": "{ credential = \"NAME\" }, { env = \"NAME\" }, { file = \"PATH\" }, or \
                the text itself",
            "anyOf": [
                reference("text"),
                place("credential", "a file of the systemd unit's credentials, else of \
                    /etc/budget-alertd/credentials"),
                place("env", "an environment variable"),
                place("file", "a file, relative to this one")
            ]
        },
        "template": {
            "description": "a text, or { file = \"PATH\" }",
            "anyOf": [reference("text"), place("file", "a file, relative to this one")]
        },
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// A table that holds the keys of these shapes and no others.
fn table(shapes: &[Shape]) -> Map<String, Value> {
    let keys = shapes.iter().flat_map(|shape| shape.iter());
    let properties: Map<String, Value> =
        keys.map(|key| (key.name.to_owned(), described(value(&key.kind), key.doc))).collect();
    let mut table = Map::new();
    table.insert("type".into(), json!("object"));
    table.insert("properties".into(), Value::Object(properties));
    table.insert("additionalProperties".into(), json!(false));
    table
}

fn described(mut schema: Value, doc: &str) -> Value {
    if let Value::Object(schema) = &mut schema {
        schema.insert("description".into(), json!(doc));
    }
    schema
}

/// What a key holds.
fn value(kind: &Kind) -> Value {
    match kind {
        Kind::Text => reference("text"),
        Kind::TextOrEmpty => json!({ "type": "string" }),
        Kind::Texts => list(&reference("text"), 1),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Whole => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
        Kind::Number => reference("number"),
        Kind::Numbers => list(&reference("number"), 0),
        Kind::Moment => json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}" }),
        Kind::Amount => reference("amount"),
        Kind::Amounts => reference("amounts"),
        Kind::Duration => reference("duration"),
        Kind::Secret => reference("secret"),
        Kind::Template => reference("template"),
        Kind::Secrets => json!({ "anyOf": [reference("secret"), list(&reference("secret"), 1)] }),
        Kind::DigestAbove => {
            json!({ "anyOf": [{ "type": "integer", "minimum": 0, "maximum": u32::MAX }, { "enum": [false, "off"] }] })
        }
        Kind::Choice(choice) => word(choice),
        Kind::Table(shape) => Value::Object(table(&[shape])),
        Kind::Tables(shape) => list(&Value::Object(table(&[shape])), 1),
        Kind::Rows(shape) => list(&Value::Object(table(&[shape])), 0),
        Kind::Named(shape) => named(&Value::Object(table(&[shape]))),
        Kind::Typed(types) => typed(types),
        Kind::NamedTyped(types) => named(&typed(types)),
        Kind::NamedSecrets => named(&reference("secret")),
    }
}

fn list(items: &Value, least: u32) -> Value {
    json!({ "type": "array", "items": items, "minItems": least })
}

fn named(items: &Value) -> Value {
    json!({ "type": "object", "additionalProperties": items })
}

fn word(choice: &Choice) -> Value {
    json!({ "type": "string", "enum": choice.names })
}

/// One table for each word that `type` may hold.
fn typed(types: &Types) -> Value {
    let one = |(name, own): (&&str, &Shape)| {
        let mut table = table(&[types.common, own]);
        if let Some(Value::Object(properties)) = table.get_mut("properties") {
            properties
                .insert("type".into(), json!({ "const": name, "description": types.choice.what }));
        }
        table.insert("title".into(), json!(format!("type = \"{name}\"")));
        table.insert("required".into(), json!(["type"]));
        Value::Object(table)
    };
    let tables: Vec<Value> = types.choice.names.iter().zip(types.own).map(one).collect();
    json!({ "oneOf": tables })
}
