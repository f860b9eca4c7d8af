//! A message as it was sent, without what it told of other customers. Only what is known to be
//! harmless is shown: a text that nobody foresaw must not give a name away.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::evidence::shared::{ANOTHER, Sharing};
use crate::domain::SentMessage;

/// What stands before the names in the subject of a digest.
const AFTER_COUNTS: &str = "] ";
/// How the lines begin that tell no customer's news.
const COMMON: [&str; 4] = ["Usage as of ", "CRITICAL", "WARNING", "INFO"];
/// The headers of a message to several customers' people that name nobody.
const HEADERS: [&str; 8] = [
    "date",
    "from",
    "to",
    "message-id",
    "reply-to",
    "content-type",
    "webhook-id",
    "webhook-timestamp",
];

/// A message as evidence shows it.
#[derive(Serialize)]
pub(super) struct Shown {
    pub(super) subject: Option<String>,
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
    pub(super) body: Option<String>,
    /// Those of one name are one, as in HTTP.
    pub(super) headers: BTreeMap<String, String>,
    /// Whether other customers were left out.
    pub(super) redacted: bool,
    /// Of the whole message, as it was sent.
    pub(super) sha256: String,
}

impl Shown {
    /// Of a message to one customer's people everything, else what is the customer's.
    pub(super) fn of(message: SentMessage, sharing: &Sharing) -> Self {
        let is_shared = sharing.is_shared();
        let is_shown =
            |name: &str| !is_shared || HEADERS.contains(&name.to_ascii_lowercase().as_str());
        let headers = message.headers_by_name().into_iter().filter(|(name, _)| is_shown(name));
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).collect();
        let SentMessage { subject, text, html, body, sha256, .. } = message;
        if !is_shared {
            return Self { subject, text, html, body, headers, redacted: false, sha256 };
        }
        Self {
            subject: subject.map(|subject| self::subject(&subject, sharing)),
            text: text.map(|text| lines(&text, sharing)),
            // The same in other clothes; the text is easier to trust.
            html: None,
            body: body.map(|body| self::body(&body, sharing)),
            headers,
            redacted: true,
            sha256,
        }
    }
}

/// `[7 alerts, 6 CRITICAL] [another customer]`.
fn subject(subject: &str, sharing: &Sharing) -> String {
    match subject.split_once(AFTER_COUNTS) {
        Some((counts, _)) if counts.starts_with('[') && !sharing.names_another(counts) => {
            format!("{counts}{AFTER_COUNTS}{ANOTHER}")
        }
        Some(_) | None => ANOTHER.to_owned(),
    }
}

/// The lines that are the customer's or everybody's; others in a row are left out as one.
fn lines(text: &str, sharing: &Sharing) -> String {
    let mut shown: Vec<&str> = Vec::new();
    for line in text.lines() {
        let begins = |common: &&str| line.trim_start().starts_with(*common);
        let is_common = line.trim().is_empty() || COMMON.iter().any(begins);
        let is_shown = sharing.is_own_line(line) || (is_common && !sharing.names_another(line));
        if is_shown {
            shown.push(line);
        } else if shown.last() != Some(&ANOTHER) {
            shown.push(ANOTHER);
        }
    }
    shown.join("\n")
}

/// A body by its structure; what is no JSON, by its lines.
fn body(body: &str, sharing: &Sharing) -> String {
    let Ok(content) = serde_json::from_str::<Value>(body) else { return lines(body, sharing) };
    value(content, sharing).to_string()
}

fn value(content: Value, sharing: &Sharing) -> Value {
    match content {
        Value::Object(fields) => match customer_of(&fields) {
            Some(id) if sharing.is_customer(id) => Value::Object(fields),
            Some(_) => ANOTHER.into(),
            None => {
                let each = fields
                    .into_iter()
                    .map(|(key, field)| (sharing.without_others(&key), value(field, sharing)));
                Value::Object(each.collect())
            }
        },
        Value::Array(items) => {
            let mut items: Vec<_> = items.into_iter().map(|item| value(item, sharing)).collect();
            items.dedup_by(|item, before| item == before && item == ANOTHER);
            items.into()
        }
        Value::String(text) => string(text, sharing).into(),
        Value::Number(_) => ANOTHER.into(),
        plain @ (Value::Null | Value::Bool(_)) => plain,
    }
}

/// The customer of an alert in JSON.
fn customer_of(fields: &Map<String, Value>) -> Option<&str> {
    fields.get("customer")?.get("id")?.as_str()
}

/// A text as it is where it is a word of the format or a time, else by its lines.
fn string(text: String, sharing: &Sharing) -> String {
    let of_word = |letter: char| letter.is_ascii_alphabetic() || "._-/:$".contains(letter);
    let is_plain = text.chars().all(of_word) || text.parse::<jiff::Timestamp>().is_ok();
    if is_plain && !sharing.names_another(&text) { text } else { lines(&text, sharing) }
}
