//! Reads `[notifiers]`.

use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use toml::de::DeValue;

use crate::config::customers::{addresses, mailbox};
use crate::config::names::Names;
use crate::config::reader::Table;
use crate::config::smtp;
use crate::config::url::endpoint;
use crate::config::value::short;
use crate::notify::{Config, EmailConfig, Kind, SigningKey, SlackConfig, WebhookConfig};
use crate::secret::Secret;

const GIVE_UP_AFTER: Duration = Duration::from_hours(72);
const FALLBACK_AFTER: Duration = Duration::from_mins(10);
const TIMEOUT: Duration = Duration::from_secs(20);
const DIGEST_ABOVE: u32 = 5;

/// Headers that the daemon sets itself.
const RESERVED: [&str; 9] = [
    "content-length",
    "content-type",
    "connection",
    "host",
    "transfer-encoding",
    "user-agent",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
];

/// Every notifier, in the order of the file.
pub(crate) fn read<'a>(root: &Table<'a>, names: &Names<'a>, time_zone: &jiff::tz::TimeZone) -> Vec<Config> {
    root.named("notifiers").iter().filter_map(|(name, table)| notifier(name, table, names, time_zone)).collect()
}

fn notifier<'a>(name: &str, table: &Table<'a>, names: &Names<'a>, time_zone: &jiff::tz::TimeZone) -> Option<Config> {
    let fallback = fallback(name, table, names);
    let kind = match table.text("type")?.value {
        "email" => Kind::Email(Box::new(email(table)?)),
        "slack" => Kind::Slack(slack(table)?),
        "webhook" => Kind::Webhook(webhook(table)?),
        _ => return None,
    };
    Some(Config {
        name: name.into(),
        digest_above: digest_above(table, &kind),
        send_resolved: table.boolean("send_resolved").unwrap_or(false),
        kind,
        give_up_after: table.duration("give_up_after", GIVE_UP_AFTER),
        timeout: table.duration("timeout", TIMEOUT),
        fallback,
        fallback_after: table.duration("fallback_after", FALLBACK_AFTER),
        time_zone: time_zone.clone(),
    })
}

/// Who is sent what this notifier does not take.
fn fallback<'a>(name: &str, table: &Table<'a>, names: &Names<'a>) -> Vec<Box<str>> {
    for own in table.texts("fallback").into_iter().filter(|other| other.value == name) {
        table.reader.mistake(own.span, "a notifier cannot stand in for itself: name another one");
    }
    if let Some(entry) = table.entry("fallback_after").filter(|_| table.entry("fallback").is_none()) {
        table.reader.mistake(entry.key, "fallback_after says when others are told: name them with fallback = [\"…\"]");
    }
    names.notifiers(table, "fallback")
}

fn digest_above(table: &Table<'_>, kind: &Kind) -> Option<u32> {
    match table.entry("digest_above").map(|entry| entry.value) {
        Some(DeValue::Integer(_)) => table.whole("digest_above").map(|number| number.value),
        Some(_) => None,
        None => (!matches!(kind, Kind::Webhook(_))).then_some(DIGEST_ABOVE),
    }
}

fn email(table: &Table<'_>) -> Option<EmailConfig> {
    table.require("to");
    table.require("smtp");
    let from = table.required_text("from").and_then(|from| table.reader.accept(&from.span, mailbox(from.value)));
    let to = addresses(table, "to");
    let smtp = table.table("smtp").and_then(|server| smtp::read(&server));
    Some(EmailConfig { from: from?, to, smtp: smtp? })
}

fn slack(table: &Table<'_>) -> Option<SlackConfig> {
    table.require("url");
    let url = table.secret("url")?;
    table.reader.accept(&url.span, endpoint(url.value.expose()))?;
    Some(SlackConfig { url: Secret::new(url.value.expose().trim()) })
}

fn webhook(table: &Table<'_>) -> Option<WebhookConfig> {
    let url = table.required_text("url").and_then(|url| table.reader.accept(&url.span, endpoint(url.value)));
    let keys = table.secrets("secret");
    let keys = keys.iter().filter_map(|key| table.reader.accept(&key.span, SigningKey::try_new(&key.value))).collect();
    Some(WebhookConfig { keys, headers: headers(table), url: url? })
}

fn headers(table: &Table<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    for (name, value) in table.headers("headers") {
        let Ok(header) = HeaderName::from_bytes(name.value.as_bytes()) else {
            table.reader.mistake(name.span, format!("\"{}\" is no name of a header", short(name.value)));
            continue;
        };
        if RESERVED.contains(&header.as_str()) {
            table.reader.mistake(name.span.clone(), format!("the header \"{}\" is set by budget-alertd itself", short(name.value)));
        }
        match HeaderValue::from_str(value.value.expose()) {
            Ok(mut text) => {
                text.set_sensitive(true);
                headers.push((header, text));
            }
            Err(_) => table.reader.mistake(value.span, "a header's value is one line of visible ASCII letters"),
        }
    }
    headers
}
