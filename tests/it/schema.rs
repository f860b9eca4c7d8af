//! The JSON Schema of the configuration says what the program says: of the shipped file, of sound
//! ones, and of mistakes in names, types and words.

use std::path::PathBuf;

use budget_alertd::config;
use serde_json::Value;

use crate::documents::configurations;
use crate::support::Schema;

const KEPT: &str = "docs/alert-rules.schema.json";

fn schema() -> Schema {
    Schema::new(config::schema())
}

/// What the schema finds wrong with a configuration, a line each; none where the text is no TOML at
/// all.
fn found(schema: &Schema, text: &str) -> Option<Vec<String>> {
    let document: Value = toml::from_str(text).ok()?;
    Some(schema.violations(&document))
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

/// `UPDATE_FIXTURES=1 cargo test` writes it anew.
#[test]
fn the_schema_that_the_shipped_file_refers_to_is_up_to_date() {
    let now = format!("{}\n", serde_json::to_string_pretty(&config::schema()).unwrap());
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(KEPT, &now).unwrap();
    }
    assert!(
        std::fs::read_to_string(KEPT).unwrap_or_default() == now,
        "run: budget-alertd schema config > {KEPT}"
    );
    let shipped = std::fs::read_to_string("alert-rules.toml").unwrap();
    assert!(shipped.starts_with(&format!("#:schema {KEPT}\n")));
}

#[test]
fn sound_configurations_are_sound() {
    let files =
        ["alert-rules.toml", "tests/real/alert-rules.toml", "benches/poll/alert-rules.toml"]
            .map(|file| (file.to_owned(), std::fs::read_to_string(file).unwrap()));
    let whole: Vec<(String, String)> = files.into_iter().chain(configurations()).collect();
    assert!(whole.len() >= 18, "{}", whole.len());
    let schema = schema();
    for (place, text) in whole {
        assert_eq!(found(&schema, &text), Some(Vec::new()), "{place}\n{text}");
    }
}

#[test]
fn what_the_shipped_file_has_commented_out_is_sound_too() {
    let text = std::fs::read_to_string("alert-rules.toml").unwrap();
    let key = |line: &str| {
        line.split_once(" = ").is_some_and(|(key, _)| {
            key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        })
    };
    let shown: Vec<&str> = text
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| key(rest)).unwrap_or(line))
        .collect();
    assert_eq!(found(&schema(), &shown.join("\n")), Some(Vec::new()));
}

#[test]
fn mistakes_in_names_types_and_words_are_found_without_the_program() {
    let structural = [
        "unknown key",
        "must be a ",
        "must be true",
        "must not be empty",
        "unknown type",
        "unknown severity",
        "unknown metric",
        "unknown plan",
        "unknown rearm",
        "unknown cloud",
        "unknown preference",
        "unknown audience",
        "unknown span",
        "unknown place",
        "needs exactly one of",
        "is no duration",
        "floor is money",
        "has no type",
    ];
    let (schema, mut seen) = (schema(), 0);
    for file in files("tests/fixtures/config", "toml") {
        let said = std::fs::read_to_string(file.with_extension("txt")).unwrap();
        let Some(found) = found(&schema, &std::fs::read_to_string(&file).unwrap()) else {
            continue;
        };
        // What is written to the ledger's address is for the program to judge.
        if structural.iter().any(|words| said.contains(words)) && !said.contains("postgres") {
            assert!(!found.is_empty(), "{}: {said}", file.display());
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn each_key_has_a_description_for_the_editor() {
    fn properties<'a>(schema: &'a Value, found: &mut Vec<(&'a String, &'a Value)>) {
        match schema {
            Value::Object(keys) => {
                found.extend(
                    keys.get("properties").and_then(Value::as_object).into_iter().flatten(),
                );
                keys.values().for_each(|value| properties(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| properties(item, found)),
            _ => {}
        }
    }
    let schema = config::schema();
    let mut found = Vec::new();
    properties(&schema, &mut found);
    let silent: Vec<&String> = found
        .iter()
        .filter(|(name, key)| {
            key["description"].is_null() && !["env", "file", "credential"].contains(&name.as_str())
        })
        .map(|(name, _)| *name)
        .collect();
    assert!(found.len() > 60 && silent.is_empty(), "{silent:?}");
}
