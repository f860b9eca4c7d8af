//! Reads `[notifiers]`.

use std::path::Path;
use std::time::Duration;

use lettre::message::Mailbox;
use reqwest::header::{HeaderName, HeaderValue};
use toml::de::DeValue;

use crate::config::addresses::{addresses, mailbox};
use crate::config::names::Names;
use crate::config::oauth::{self, Entra};
use crate::config::reader::Table;
use crate::config::url::endpoint;
use crate::config::value::short;
use crate::config::{notifier_readers, process, smtp, templates};
use crate::domain::Audience;
use crate::notify::{
    AlertmanagerConfig, Config, EmailConfig, GraphMailConfig, Kind, PagerDutyConfig, Partner,
    SigningKey, SlackConfig, TeamsConfig, WebhookConfig,
};
use crate::secret::Secret;

const GIVE_UP_AFTER: Duration = Duration::from_hours(72);
const FALLBACK_AFTER: Duration = Duration::from_mins(10);
const TIMEOUT: Duration = Duration::from_secs(20);
const DIGEST_ABOVE: u32 = 5;
/// Where PagerDuty's global service region takes events.
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";
const ROUTING_KEY_LETTERS: usize = 32;
/// In place of a signing key that is not read.
const UNREAD_KEY: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Microsoft Graph, in the global cloud and in that of the United States' government.
const GRAPH_URL: [&str; 2] =
    ["https://graph.microsoft.com/v1.0", "https://graph.microsoft.us/v1.0"];

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
pub(crate) fn read<'a>(
    root: &Table<'a>,
    names: &Names<'a>,
    time_zone: &jiff::tz::TimeZone,
    state_dir: &Path,
) -> Vec<Config> {
    let partner = root.table("partner").and_then(|table| process::partner(&table));
    let around = Around { root, names, time_zone, partner, entra: Entra::of(root, state_dir) };
    root.named("notifiers")
        .iter()
        .filter_map(|(name, table)| notifier(name, table, &around))
        .collect()
}

/// What every notifier is read with.
struct Around<'a, 'n> {
    root: &'n Table<'a>,
    names: &'n Names<'a>,
    time_zone: &'n jiff::tz::TimeZone,
    partner: Option<Partner>,
    entra: Entra,
}

fn notifier<'a>(name: &str, table: &Table<'a>, around: &Around<'a, '_>) -> Option<Config> {
    let Around { root, names, time_zone, partner, entra } = around;
    let fallback = fallback(name, table, names);
    refuse_shown(root, table, "fallback");
    let (readers, show_cost) = notifier_readers::read(table);
    let kind = match table.text("type")?.value {
        "email" => Kind::Email(Box::new(email(name, table, entra)?)),
        "graph-mail" => Kind::GraphMail(Box::new(graph_mail(name, table, entra)?)),
        "slack" => Kind::Slack(SlackConfig { url: secret_url(table)? }),
        "webhook" => Kind::Webhook(webhook(table)?),
        "teams" => Kind::Teams(TeamsConfig { url: secret_url(table)? }),
        "alertmanager" => Kind::Alertmanager(alertmanager(table)?),
        "pagerduty" => Kind::PagerDuty(pagerduty(table)?),
        _ => return None,
    };
    Some(Config {
        name: name.into(),
        digest_above: digest_above(table, &kind),
        send_resolved: table.boolean("send_resolved").unwrap_or(matches!(kind, Kind::PagerDuty(_))),
        kind,
        give_up_after: table.duration("give_up_after", GIVE_UP_AFTER),
        timeout: table.duration("timeout", TIMEOUT),
        fallback,
        fallback_after: table.duration("fallback_after", FALLBACK_AFTER),
        time_zone: (*time_zone).clone(),
        templates: templates::read(table),
        partner: partner.clone().filter(|_| readers.audience() == Audience::Customer),
        readers,
        show_cost,
    })
}

/// Messages cannot go to a notifier that is only shown what is open.
pub(crate) fn refuse_shown(root: &Table<'_>, table: &Table<'_>, key: &str) {
    let notifiers = root.named("notifiers");
    let shown =
        |name: &str| notifiers.iter().any(|(known, table)| *known == name && is_shown(table));
    for name in table.texts(key).into_iter().filter(|name| shown(name.value)) {
        let text = format!(
            "\"{}\" is shown what is open and takes no messages: name another notifier",
            short(name.value)
        );
        table.reader.mistake(name.span, text);
    }
}

/// Who is sent what this notifier does not take.
fn fallback<'a>(name: &str, table: &Table<'a>, names: &Names<'a>) -> Vec<Box<str>> {
    for own in table.texts("fallback").into_iter().filter(|other| other.value == name) {
        table.reader.mistake(own.span, "a notifier cannot stand in for itself: name another one");
    }
    if let Some(entry) = table.entry("fallback").filter(|_| is_shown(table)) {
        let text = "nobody stands in for a notifier that is shown what is open and owed nothing: \
            let the rules name the others too";
        table.reader.warning(entry.key, text);
    }
    names.own_notifiers(table, "fallback", "what another notifier does not take")
}

/// Whether a notifier is shown what is open, in place of being sent messages.
fn is_shown(table: &Table<'_>) -> bool {
    table.text("type").is_some_and(|kind| kind.value == "alertmanager")
}

fn digest_above(table: &Table<'_>, kind: &Kind) -> Option<u32> {
    match table.entry("digest_above").map(|entry| entry.value) {
        Some(DeValue::Integer(_)) => table.whole("digest_above").map(|number| number.value),
        Some(_) => None,
        None => (!matches!(kind, Kind::Webhook(_) | Kind::PagerDuty(_))).then_some(DIGEST_ABOVE),
    }
}

fn email(name: &str, table: &Table<'_>, entra: &Entra) -> Option<EmailConfig> {
    let to = recipients(table);
    table.require("smtp");
    let from = table
        .required_text("from")
        .and_then(|from| table.reader.accept(&from.span, mailbox(from.value)));
    let smtp = table.table("smtp").and_then(|server| smtp::read(name, &server, entra));
    name_beyond_ascii(table);
    let reply_to = reply_to(table);
    Some(EmailConfig { from: from?, to, reply_to, smtp: smtp? })
}

/// Names the addresses that only some mail servers take. A domain is written in ASCII for them, a
/// name before the `@` cannot be.
fn name_beyond_ascii(table: &Table<'_>) {
    for text in table.text("from").into_iter().chain(table.texts("to")) {
        if let Ok(mailbox) = mailbox(text.value)
            && !mailbox.email.user().is_ascii()
        {
            let name = short(mailbox.email.user());
            let warning = format!(
                "\"{name}\" before the @ is beyond ASCII: only mail servers with SMTPUTF8 take it; \
                    check --live asks yours"
            );
            table.reader.warning(text.span, warning);
        }
    }
}

/// Whom mail goes to; nobody here where it goes to each customer's contacts.
fn recipients(table: &Table<'_>) -> Vec<Mailbox> {
    let to_contacts = notifier_readers::to_contacts(table);
    if !to_contacts {
        table.require("to");
    }
    let to = addresses(table, "to");
    if to_contacts { Vec::new() } else { to }
}

/// Who gets the answers, where it is not the sender.
fn reply_to(table: &Table<'_>) -> Option<Mailbox> {
    table.text("reply_to").and_then(|text| table.reader.accept(&text.span, mailbox(text.value)))
}

fn graph_mail(name: &str, table: &Table<'_>, entra: &Entra) -> Option<GraphMailConfig> {
    let to = recipients(table);
    table.require("oauth");
    let from = table
        .required_text("from")
        .and_then(|from| table.reader.accept(&from.span, mailbox(from.value)));
    let url = match table.text("url") {
        Some(url) => table.reader.accept(&url.span, endpoint(url.value)),
        None => endpoint(entra.pick(GRAPH_URL)).ok(),
    };
    let oauth =
        table.table("oauth").and_then(|table| oauth::read(name, &table, entra, &oauth::GRAPH));
    let reply_to = reply_to(table);
    Some(GraphMailConfig { from: from?, to, reply_to, url: url?, oauth: oauth? })
}

/// An address that is a secret as a whole.
fn secret_url(table: &Table<'_>) -> Option<Secret> {
    table.require("url");
    table.secret_url("url")
}

fn pagerduty(table: &Table<'_>) -> Option<PagerDutyConfig> {
    table.require("routing_key");
    let url = table.text("url").map(|url| table.reader.accept(&url.span, endpoint(url.value)));
    let key = table.secret("routing_key")?;
    let routing_key = Secret::new(key.value.expose().trim());
    let looks_right = routing_key.expose().len() == ROUTING_KEY_LETTERS
        && routing_key.expose().bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !looks_right && !routing_key.is_unread() {
        // PagerDuty may lengthen them one day: whoever knows better is not kept from starting.
        let text = "a routing key usually is 32 letters and digits: the \"Integration Key\" of an \
            Events API v2 integration";
        table.reader.warning(key.span, text);
    }
    Some(PagerDutyConfig { routing_key, url: url.unwrap_or_else(|| endpoint(PAGERDUTY).ok())? })
}

fn alertmanager(table: &Table<'_>) -> Option<AlertmanagerConfig> {
    let url = table.required_text("url").and_then(|url| {
        let base = table.reader.accept(&url.span, endpoint(url.value))?;
        let is_whole =
            base.path().trim_end_matches('/').ends_with("/api/v2/alerts") || base.query().is_some();
        if is_whole {
            table.reader.mistake(
                url.span,
                "leave out /api/v2/alerts and whatever follows \"?\": the url \
                    is the address of the Alertmanager",
            );
        }
        Some(base).filter(|_| !is_whole)
    });
    Some(AlertmanagerConfig { headers: headers(table), url: url? })
}

fn webhook(table: &Table<'_>) -> Option<WebhookConfig> {
    let url = table
        .required_text("url")
        .and_then(|url| table.reader.accept(&url.span, endpoint(url.value)));
    let keys = table.secrets("secret");
    let keys = keys
        .iter()
        .filter_map(|key| {
            let unread = key.value.is_unread().then(|| Secret::new(UNREAD_KEY));
            table
                .reader
                .accept(&key.span, SigningKey::try_new(&unread.unwrap_or(key.value.clone())))
        })
        .collect();
    Some(WebhookConfig { keys, headers: headers(table), url: url? })
}

fn headers(table: &Table<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    for (name, value) in table.headers("headers") {
        let Ok(header) = HeaderName::from_bytes(name.value.as_bytes()) else {
            table
                .reader
                .mistake(name.span, format!("\"{}\" is no name of a header", short(name.value)));
            continue;
        };
        if RESERVED.contains(&header.as_str()) {
            table.reader.mistake(
                name.span.clone(),
                format!("the header \"{}\" is set by budget-alertd itself", short(name.value)),
            );
        }
        match HeaderValue::from_str(value.value.expose()) {
            Ok(mut text) => {
                text.set_sensitive(true);
                headers.push((header, text));
            }
            Err(_) => table
                .reader
                .mistake(value.span, "a header's value is one line of visible ASCII letters"),
        }
    }
    headers
}
