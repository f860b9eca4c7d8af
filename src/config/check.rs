//! Compares a file with the description of the keys: unknown keys, wrong types, unknown words.
//!
//! What the values mean is left to the readers of the tables, which stay silent where this has
//! spoken.

use toml::de::{DeTable, DeValue};

use crate::config::keys::{Choice, Kind, ROOT, Shape, Types};
use crate::config::reader::{Entry, Reader, by_place};
use crate::config::value::joined;
use crate::config::value::{called, duration, hint, moment, number, quoted, short};

/// The keys that name the place of a secret.
const PLACES: [&str; 3] = ["env", "file", "credential"];

/// Checks a table against the keys of `shapes`.
pub(crate) fn table(reader: &Reader<'_>, table: &DeTable<'_>, shapes: &[Shape], path: &str) {
    for entry in by_place(table) {
        let name = entry.name;
        match shapes.iter().flat_map(|shape| shape.iter()).find(|key| key.name == name) {
            None => {
                let known = shapes.iter().flat_map(|shape| shape.iter()).map(|key| key.name);
                let text =
                    format!("unknown key \"{}\" {}{}", short(name), place(path), hint(name, known));
                reader.mistake(entry.key, text);
            }
            Some(key) => value(reader, &entry, &key.kind, &joined(path, name)),
        }
    }
}

/// Checks only the tables of these names at the top level; what else is there is left alone.
pub(crate) fn tables(reader: &Reader<'_>, root: &DeTable<'_>, names: &[&str]) {
    for entry in by_place(root).iter().filter(|entry| names.contains(&entry.name)) {
        if let Some(key) = ROOT.iter().find(|key| key.name == entry.name) {
            value(reader, entry, &key.kind, key.name);
        }
    }
}

fn place(path: &str) -> String {
    if path.is_empty() { "at the top level".to_owned() } else { format!("in [{path}]") }
}

fn value(reader: &Reader<'_>, entry: &Entry<'_>, kind: &Kind, path: &str) {
    match kind {
        Kind::Text => text(reader, entry),
        Kind::TextOrEmpty => {
            expect(reader, entry, "a text in quotes", entry.value.as_str().is_some());
        }
        Kind::Texts => list(reader, entry, "a list of texts", |item| text(reader, item)),
        Kind::Boolean => expect(reader, entry, "true or false", entry.value.is_bool()),
        Kind::Whole => whole(reader, entry),
        Kind::Number => numeric(reader, entry),
        Kind::Numbers => {
            expect_list(reader, entry, "a list of numbers", |item| numeric(reader, item));
        }
        Kind::Moment => reader.check(entry, moment(entry.value)),
        Kind::Amount | Kind::Amounts => amount(reader, entry),
        Kind::Duration => match entry.value.as_str() {
            Some(text) => reader.check(entry, duration(text)),
            None => expect(reader, entry, "a duration such as \"15m\"", false),
        },
        Kind::Template => template(reader, entry, path),
        Kind::Secrets if entry.value.is_array() => {
            list(reader, entry, "a list of secrets", |item| secret(reader, item));
        }
        Kind::Secret | Kind::Secrets => secret(reader, entry),
        Kind::DigestAbove => digest_above(reader, entry),
        Kind::Choice(choice) => word(reader, entry, choice),
        Kind::Table(shape) => {
            with_table(reader, entry, |inner| table(reader, inner, &[shape], path));
        }
        Kind::Tables(shape) => {
            list(reader, entry, "a list of tables", |item| {
                with_table(reader, item, |inner| table(reader, inner, &[shape], path));
            });
        }
        Kind::Rows(shape) => {
            let row = |item: &Entry<'_>| {
                with_table(reader, item, |inner| table(reader, inner, &[shape], path));
            };
            expect_list(reader, entry, "a list of tables", row);
        }
        Kind::Named(shape) => {
            each(reader, entry, path, |item, path| {
                with_table(reader, item, |inner| table(reader, inner, &[shape], path));
            });
        }
        Kind::Typed(types) => {
            with_table(reader, entry, |inner| typed(reader, entry, inner, types, path));
        }
        Kind::NamedTyped(types) => {
            each(reader, entry, path, |item, path| {
                with_table(reader, item, |inner| typed(reader, item, inner, types, path));
            });
        }
        Kind::NamedSecrets => each(reader, entry, path, |item, _| secret(reader, item)),
    }
}

fn expect(reader: &Reader<'_>, entry: &Entry<'_>, expected: &str, holds: bool) {
    if !holds {
        reader.mistake(
            entry.span.clone(),
            format!("\"{}\" must be {expected}, found {}", short(entry.name), called(entry.value)),
        );
    }
}

fn text(reader: &Reader<'_>, entry: &Entry<'_>) {
    match entry.value.as_str() {
        Some(text) if text.trim().is_empty() => {
            reader.mistake(
                entry.span.clone(),
                format!("\"{}\" must not be empty", short(entry.name)),
            );
        }
        text => expect(reader, entry, "a text in quotes", text.is_some()),
    }
}

fn list(reader: &Reader<'_>, entry: &Entry<'_>, expected: &str, item: impl Fn(&Entry<'_>)) {
    match entry.value.as_array() {
        Some(items) if items.is_empty() => {
            reader.mistake(
                entry.span.clone(),
                format!("\"{}\" must not be empty", short(entry.name)),
            );
        }
        _ => expect_list(reader, entry, expected, item),
    }
}

/// A list that may be empty.
fn expect_list(reader: &Reader<'_>, entry: &Entry<'_>, expected: &str, item: impl Fn(&Entry<'_>)) {
    match entry.value.as_array() {
        Some(items) => items.iter().for_each(|value| item(&entry.item(value))),
        None => expect(reader, entry, expected, false),
    }
}

fn with_table(reader: &Reader<'_>, entry: &Entry<'_>, check: impl FnOnce(&DeTable<'_>)) {
    match entry.value.as_table() {
        Some(table) => check(table),
        None => expect(reader, entry, "a table", false),
    }
}

fn each(reader: &Reader<'_>, entry: &Entry<'_>, path: &str, check: impl Fn(&Entry<'_>, &str)) {
    with_table(reader, entry, |table| {
        for item in by_place(table) {
            check(&item, &joined(path, item.name));
        }
    });
}

fn typed(reader: &Reader<'_>, entry: &Entry<'_>, inner: &DeTable<'_>, types: &Types, path: &str) {
    let named = inner.get("type").and_then(|value| value.get_ref().as_str());
    let shape = types.choice.names.iter().zip(types.own).find(|(name, _)| Some(**name) == named);
    match (shape, by_place(inner).iter().find(|entry| entry.name == "type")) {
        (_, None) => {
            reader.mistake(
                entry.key.clone(),
                format!(
                    "[{}] has no type: add type = \"…\", one of {}",
                    short(path),
                    quoted(types.choice.names)
                ),
            );
        }
        (None, Some(found)) => word(reader, found, types.choice),
        (Some((_, own)), Some(_)) => table(reader, inner, &[TYPE, types.common, own], path),
    }
}

/// The key that [`typed`] has looked at.
const TYPE: Shape = &[crate::config::keys::TYPE_KEY];

fn word(reader: &Reader<'_>, entry: &Entry<'_>, choice: &Choice) {
    let DeValue::String(name) = entry.value else {
        return expect(reader, entry, "a text in quotes", false);
    };
    if !choice.names.contains(&&**name) {
        let nearest = meant(choice.what, name)
            .map_or_else(|| hint(name, choice.names.iter().copied()), str::to_owned);
        reader.mistake(
            entry.span.clone(),
            format!("unknown {} \"{}\"{nearest}", choice.what, short(name)),
        );
    }
}

/// What other programs call a word of ours.
fn meant(what: &str, name: &str) -> Option<&'static str> {
    match (what, name.to_lowercase().as_str()) {
        ("tls", "ssl" | "smtps" | "ssl/tls" | "tls") => Some(
            "; write \"implicit\" for TLS from the first byte (port 465), or \"starttls\" (port \
                587)",
        ),
        ("tls", "false" | "off" | "no" | "plain") => Some("; write \"none\""),
        _ => None,
    }
}

fn template(reader: &Reader<'_>, entry: &Entry<'_>, path: &str) {
    const FILE: Shape =
        &[crate::config::keys::key("file", Kind::Text, "the file, relative to this one")];
    const EXPECTED: &str = "a text, or { file = \"PATH\" }";
    match entry.value.as_table() {
        Some(place) if !place.is_empty() => table(reader, place, &[FILE], path),
        None if entry.value.is_str() => text(reader, entry),
        _ => expect(reader, entry, EXPECTED, false),
    }
}

fn whole(reader: &Reader<'_>, entry: &Entry<'_>) {
    let fits = entry
        .value
        .as_integer()
        .is_some_and(|integer| u32::from_str_radix(integer.as_str(), integer.radix()).is_ok());
    expect(reader, entry, "a whole number of zero or more", fits);
}

fn digest_above(reader: &Reader<'_>, entry: &Entry<'_>) {
    if entry.value.is_integer() {
        return whole(reader, entry);
    }
    let is_off = entry.value.as_bool() == Some(false) || entry.value.as_str() == Some("off");
    expect(reader, entry, "a whole number of zero or more, or \"off\"", is_off);
}

fn numeric(reader: &Reader<'_>, entry: &Entry<'_>) {
    if matches!(entry.value, DeValue::Integer(_) | DeValue::Float(_) | DeValue::String(_)) {
        reader.check(entry, number(entry.value));
    } else {
        expect(reader, entry, "a number", false);
    }
}

fn amount(reader: &Reader<'_>, entry: &Entry<'_>) {
    let DeValue::Table(amounts) = entry.value else { return numeric(reader, entry) };
    for amount in by_place(amounts) {
        if let Err(error) = crate::domain::Currency::try_new(amount.name) {
            reader.mistake(amount.key.clone(), error.to_string());
        }
        numeric(reader, &amount);
    }
}

fn secret(reader: &Reader<'_>, entry: &Entry<'_>) {
    let DeValue::Table(places) = entry.value else {
        let expected =
            "a text, { env = \"NAME\" }, { file = \"PATH\" } or { credential = \"NAME\" }";
        return if entry.value.is_str() {
            text(reader, entry);
        } else {
            expect(reader, entry, expected, false);
        };
    };
    let places = by_place(places);
    for place in &places {
        if PLACES.contains(&place.name) {
            text(reader, place);
        } else {
            let text = format!(
                "unknown place \"{}\" of a secret{}",
                short(place.name),
                hint(place.name, PLACES)
            );
            reader.mistake(place.key.clone(), text);
        }
    }
    if places.is_empty() || places.iter().filter(|place| PLACES.contains(&place.name)).count() > 1 {
        reader.mistake(
            entry.span.clone(),
            format!("\"{}\" needs exactly one of env, file and credential", short(entry.name)),
        );
    }
}
