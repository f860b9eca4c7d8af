//! What the receivers got, in the words that a person there reads. It looks at the simulated
//! servers alone, never at what the pipeline believes to have sent.

use jiff::Timestamp;
use serde_json::Value;

use crate::cli::demo::stage::Stage;
use crate::cli::demo::words::harmless;
use crate::simulator::{ReceivedMail, Request};

/// What stands in every message that is sent as a test, as its customer's name has it.
const MADE_UP: &str = "(made up)";

/// Where a message came in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Door {
    /// The mailbox of this address.
    Mail(String),
    /// The Slack channel.
    Slack,
    /// The webhook.
    Webhook,
}

/// One message that a receiver took.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) door: Door,
    pub(super) at: Timestamp,
    /// What makes a repetition known as one; Slack has no such thing.
    pub(super) identity: Option<String>,
    /// What its reader sees first.
    pub(super) lines: Vec<String>,
    /// What it says of a changed budget, or of its own lateness.
    pub(super) notes: Vec<String>,
    /// Everything in it that could name an alert.
    pub(super) text: String,
}

/// Reads each message once.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    mails: usize,
    slack: usize,
    webhooks: usize,
}

impl Inbox {
    /// What came since the last time.
    pub(super) fn collect(&mut self, stage: &Stage) -> Vec<Received> {
        let mails = stage.mail.received();
        let (slack, webhooks) = (stage.slack.received(), stage.webhook.received());
        let mut new: Vec<Received> = mails.iter().skip(self.mails).flat_map(mail).collect();
        new.extend(slack.iter().skip(self.slack).map(chat));
        new.extend(webhooks.iter().skip(self.webhooks).map(webhook));
        *self = Self { mails: mails.len(), slack: slack.len(), webhooks: webhooks.len() };
        // What a visitor has sent as a test is no part of the month.
        new.retain(|received| !received.text.contains(MADE_UP));
        new
    }
}

/// Subject and first two lines, once for each mailbox it went into.
fn mail(mail: &ReceivedMail) -> Vec<Received> {
    let first = mail.text.lines().filter(|line| !line.trim().is_empty()).take(2);
    let lines: Vec<_> = std::iter::once(mail.subject.as_str()).chain(first).map(harmless).collect();
    let identity = mail.message_id.split('@').next().map(ToOwned::to_owned);
    let text = format!("{}\n{}", mail.header("X-Budget-Alert-Ref").unwrap_or_default(), mail.text);
    let notes =
        mail.text.lines().filter(|line| line.starts_with("Budget  ") || line.starts_with("Note  "));
    let notes: Vec<_> = notes
        .map(|line| harmless(&line.split_whitespace().collect::<Vec<_>>().join(" ")))
        .collect();
    let one = |to: &String| Received {
        door: Door::Mail(to.clone()),
        at: mail.at,
        identity: identity.clone(),
        lines: lines.clone(),
        notes: notes.clone(),
        text: text.clone(),
    };
    mail.recipients.iter().map(one).collect()
}

/// The text of a notification, without the coloured dot, which terminals measure differently.
fn chat(request: &Request) -> Received {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let text = |path: &str| body.pointer(path).and_then(Value::as_str).map(plain);
    let lines = text("/text").unwrap_or_default();
    let lines = lines
        .lines()
        .map(|line| harmless(line.trim_start_matches(['🔴', '🟠', '🔵', ' '])))
        .collect();
    // Of the small print, what must be known to read the numbers right: neither what to do nor, at
    // its end, where it comes from.
    let small = body
        .pointer("/blocks/1/elements")
        .and_then(Value::as_array)
        .and_then(|small| small.split_last());
    let small = small
        .into_iter()
        .flat_map(|(_, rest)| rest)
        .filter_map(|one| one.get("text").and_then(Value::as_str));
    let notes = small
        .filter(|note| !note.contains("budget-alertd "))
        .map(|note| harmless(&plain(note)))
        .collect();
    Received {
        door: Door::Slack,
        at: request.at,
        identity: None,
        lines,
        notes,
        text: request.text(),
    }
}

/// As Slack shows it.
fn plain(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace('∗', "*")
}

/// The gist of the payload, as it stands there.
fn webhook(request: &Request) -> Received {
    let identity = request.header("webhook-id").map(|id| id.trim_start_matches("msg_").to_owned());
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let gist = [
        "/type",
        "/data/alerts/0/severity",
        "/data/alerts/0/threshold",
        "/data/alerts/0/value",
        "/data/alerts/0/cost/amount",
    ];
    let field =
        |path: &str| Some(format!("\"{}\": {}", path.rsplit('/').next()?, body.pointer(path)?));
    let lines = vec![harmless(&format!(
        "{{{}, …}}",
        gist.into_iter().filter_map(field).collect::<Vec<_>>().join(", ")
    ))];
    Received {
        door: Door::Webhook,
        at: request.at,
        identity,
        lines,
        notes: Vec::new(),
        text: request.text(),
    }
}
