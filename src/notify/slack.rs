//! The Slack notifier: an incoming webhook, with a text and blocks (<https://api.slack.com/messaging/webhooks>).

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use crate::domain::{Delivery, Digest, Message, Severity};
use crate::notify::channel::{ProbeFuture, SendFuture};
use crate::notify::render::{DigestText, TEST_MARK, TEST_SENTENCE, Telling, shortened};
use crate::notify::{Accepted, BuildError, Config, DeliveryError, FailureReason, Notifier, SlackConfig, Verdict, http};
use crate::outbound;

/// Slack takes one message a second.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);
/// A section's text may have 3,000 characters.
const SECTION_CHARS: usize = 2_900;
/// Blocks together may have about 13,200 characters; the rest of the message takes its share.
const LIST_CHARS: usize = 11_000;
/// How much of a name is shown where a digest would become too large.
const SHORT_NAME: usize = 24;

/// Posts to one incoming webhook.
pub(crate) struct Slack {
    client: reqwest::Client,
    url: Url,
    zone: TimeZone,
}

impl Slack {
    pub(crate) fn build(config: &Config, slack: &SlackConfig) -> Result<Self, BuildError> {
        let url = Url::parse(slack.url.expose()).map_err(|_| BuildError::Url(config.name.clone()))?;
        let client = outbound::client(config.timeout)
            .map_err(|error| BuildError::Tls { notifier: config.name.clone(), source: Box::new(error.without_url()) })?;
        Ok(Self { client, url, zone: config.time_zone.clone() })
    }

    async fn post(&self, delivery: &Delivery, now: Timestamp) -> Result<Accepted, DeliveryError> {
        let body = payload(&delivery.message, &self.zone, now).to_string();
        let request = self.client.post(self.url.clone()).header(reqwest::header::CONTENT_TYPE, "application/json").body(body);
        let mut response = http::send(request).await?;
        let status = response.status();
        // The body decides here, so it is waited for.
        let answer = outbound::read_start(&mut response, http::ANSWER_CAP).await;
        match (status, answer.as_str()) {
            (StatusCode::OK, "ok") => Ok(Accepted { detail: "200 ok".into() }),
            (status, _) if status.is_success() => {
                let detail = format!("{} without \"ok\" but \"{answer}\"; is this the url of a Slack webhook?", status.as_u16());
                Err(DeliveryError::new(Verdict::DESTINATION, FailureReason::UnexpectedAnswer, detail))
            }
            _ => Err(http::refused(status, response.headers(), &answer, now)),
        }
    }
}

impl Notifier for Slack {
    fn send<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> SendFuture<'a> {
        Box::pin(self.post(delivery, now))
    }

    fn probe(&self) -> ProbeFuture<'_> {
        Box::pin(http::reach(&self.client, &self.url))
    }
}

/// The message as Slack takes it.
fn payload(message: &Message, zone: &TimeZone, now: Timestamp) -> Value {
    let (text, blocks) = match message {
        Message::Alert(snapshot) => alert(&Telling::new(snapshot, zone), now),
        Message::Test(snapshot) => {
            let (text, mut blocks) = alert(&Telling::new(snapshot, zone), now);
            let sentence = format!("*{TEST_MARK}* {TEST_SENTENCE}");
            blocks.insert(0, section(&sentence));
            (format!("{TEST_MARK} {text}"), blocks)
        }
        Message::Digest(parts) | Message::Reminder(parts) | Message::Resolved(parts) => digest(parts, zone, now),
        Message::Operator(news) => (escaped(&news.summary), vec![section(&escaped(&format!("{}\n{}", news.summary, news.action)))]),
    };
    json!({ "text": text, "blocks": blocks, "unfurl_links": false, "unfurl_media": false })
}

fn alert(telling: &Telling<'_>, now: Timestamp) -> (String, Vec<Value>) {
    let second = escaped(&telling.chat_line());
    let text = format!("{} {}\n{second}", mark(telling.alert.severity), listed(telling, usize::MAX, ""));
    let blocks = format!("{} {}\n{second}", mark(telling.alert.severity), listed(telling, usize::MAX, "*"));
    let notes = telling.budget_news().map(|news| format!("Budget {news}.")).into_iter().chain(telling.notes(now));
    let notes: Vec<_> = notes.map(|note| escaped(&note)).collect();
    let mut small = Vec::new();
    if !notes.is_empty() {
        small.push(notes.join(" "));
    }
    small.push(escaped(&telling.origin()));
    (text, vec![section(&blocks), context(&small)])
}

/// `*Contoso Nord 900 %* — 45,000 of 5,000 SEK, 40,000 over`, with `bold` around what is bold.
fn listed(telling: &Telling<'_>, name_chars: usize, bold: &str) -> String {
    let badge = telling.badge().map(|badge| format!(" {badge}")).unwrap_or_default();
    let name = escaped(&shortened(&telling.who, name_chars));
    format!("{bold}{name}{badge}{bold} — {}", escaped(&telling.brief()))
}

fn digest(digest: &Digest, zone: &TimeZone, now: Timestamp) -> (String, Vec<Value>) {
    let told = DigestText::new(digest, zone);
    let lines = |name_chars: usize| -> Vec<String> {
        let line = |telling: &Telling<'_>| {
            let origin = escaped(&telling.reference());
            format!("{} {} · {origin}", mark(telling.alert.severity), listed(telling, name_chars, "*"))
        };
        told.members.iter().map(line).collect()
    };
    let mut list = lines(usize::MAX);
    if list.iter().map(|line| length(line) + 1).sum::<usize>() > LIST_CHARS {
        list = lines(SHORT_NAME);
    }
    let head = format!("*{}*\n{}", escaped(&told.subject()), escaped(&told.second_line()));
    let mut blocks = vec![section(&head)];
    blocks.extend(sections(&list));
    blocks.extend(told.note(now).map(|note| context(&[escaped(&note)])));
    (format!("{}\n{}", escaped(&told.subject()), escaped(&told.second_line())), blocks)
}

/// Packs lines into as few sections as their limit allows.
fn sections(lines: &[String]) -> Vec<Value> {
    let mut texts: Vec<String> = Vec::new();
    for line in lines {
        match texts.last_mut() {
            Some(text) if length(text) + 1 + length(line) <= SECTION_CHARS => {
                text.push('\n');
                text.push_str(line);
            }
            _ => texts.push(line.clone()),
        }
    }
    texts.iter().map(|text| section(text)).collect()
}

/// `verbatim`: Slack makes no links, channels or mentions of what stands in the text.
fn section(text: &str) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } })
}

fn context(texts: &[String]) -> Value {
    let elements: Vec<_> = texts.iter().map(|text| json!({ "type": "mrkdwn", "text": text, "verbatim": true })).collect();
    json!({ "type": "context", "elements": elements })
}

fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "🔴",
        Severity::Warning => "🟠",
        Severity::Info => "🔵",
    }
}

/// Text from anywhere without markup: `<!channel>` mentions nobody, `*` and `` ` `` change no style.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('*', "∗").replace('`', "'")
}

/// The length as Slack counts it.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}
