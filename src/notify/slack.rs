//! The Slack notifier: an incoming webhook, with a text and blocks
//! (<https://api.slack.com/messaging/webhooks>).

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use crate::domain::{Delivery, Occasion, Severity};
use crate::http;
use crate::notify::message::{
    ALSO, AlertText, Dated, DigestText, Line, Member, Mood, NamedLink, OperatorText, Rendered,
    ReportText, Section, TEST_MARK, TEST_SENTENCE, in_place_of, references,
};
use crate::notify::{
    Accepted, BuildError, Config, DeliveryError, FailureReason, MessageCopy, Notifier, ProbeFuture,
    SendFuture, SlackConfig, Template, Verdict, http_answer,
};
use crate::text::shortened;

/// Slack takes one message a second.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);
/// A section's text may have 3,000 characters.
const SECTION_CHARS: usize = 2_900;
/// Blocks together may have about 13,200 characters; the rest of the message takes its share.
const LIST_CHARS: usize = 11_000;
/// A report has no more lists than this, and shows no more lines of each.
const MOST_LISTS: usize = 5;
const MOST_LINES: usize = 5;
/// A message may have 50 blocks.
const MOST_BLOCKS: usize = 49;
/// How much of a name is shown where a digest would become too large.
const SHORT_NAME: usize = 24;

/// Posts to one incoming webhook.
pub(crate) struct Slack {
    client: reqwest::Client,
    url: Url,
    zone: TimeZone,
    own_body: Option<Template>,
}

impl Slack {
    pub(crate) fn build(config: &Config, slack: &SlackConfig) -> Result<Self, BuildError> {
        let url =
            Url::parse(slack.url.expose()).map_err(|_| BuildError::Url(config.name.clone()))?;
        let client = http::client(config.timeout).map_err(|error| BuildError::Tls {
            notifier: config.name.clone(),
            source: Box::new(error.without_url()),
        })?;
        Ok(Self {
            client,
            url,
            zone: config.time_zone.clone(),
            own_body: config.templates.body.clone(),
        })
    }

    async fn post(
        &self,
        delivery: &Delivery,
        now: Timestamp,
        copy: &MessageCopy,
    ) -> Result<Accepted, DeliveryError> {
        let own = self.own_body.as_ref().and_then(|body| {
            body.body_if_sound(&delivery.notifier, &delivery.message, &self.zone, now)
        });
        let body = payload(delivery, &self.zone, now, own.as_deref()).to_string();
        copy.keep(http_answer::copy_of(body.as_bytes(), http_answer::as_json()));
        let request = self
            .client
            .post(self.url.clone())
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(body);
        let mut response = http_answer::send(request).await?;
        let status = response.status();
        // The body decides here, so it is waited for.
        let answer = http::read_start(&mut response, http_answer::ANSWER_CAP).await;
        match (status, answer.as_str()) {
            (StatusCode::OK, "ok") => Ok(Accepted::saying("200 ok")),
            (status, _) if status.is_success() => {
                let detail = format!(
                    "{} without \"ok\" but \"{answer}\"; is this the url of a Slack webhook?",
                    status.as_u16()
                );
                Err(DeliveryError::new(
                    Verdict::DESTINATION,
                    FailureReason::UnexpectedAnswer,
                    detail,
                ))
            }
            _ => Err(http_answer::refused(status, response.headers(), &answer, now)),
        }
    }
}

impl Notifier for Slack {
    fn send<'a>(
        &'a self,
        delivery: &'a Delivery,
        now: Timestamp,
        copy: &'a MessageCopy,
    ) -> SendFuture<'a> {
        Box::pin(self.post(delivery, now, copy))
    }

    fn probe(&self) -> ProbeFuture<'_> {
        Box::pin(http_answer::reach(&self.client, &self.url))
    }
}

/// The message as Slack takes it.
fn payload(delivery: &Delivery, zone: &TimeZone, now: Timestamp, own: Option<&str>) -> Value {
    let (text, mut blocks) = match Rendered::new(&delivery.message, zone, now) {
        Rendered::Alert(text) => alert(&text),
        Rendered::Test(text) => {
            let (text, mut blocks) = alert(&text);
            let sentence = format!("*{TEST_MARK}* {TEST_SENTENCE}");
            blocks.insert(0, section(&sentence));
            (format!("{TEST_MARK} {text}"), blocks)
        }
        Rendered::Digest(text) => digest(&text),
        Rendered::Operator(text) => operator(&text),
        Rendered::Report(text) => report(&text),
    };
    if let Some(own) = own {
        let lines: Vec<_> = own.lines().map(|line| shortened(line, SECTION_CHARS / 2)).collect();
        blocks = sections(&lines);
        blocks.truncate(MOST_BLOCKS);
        if text.starts_with(TEST_MARK) {
            blocks.insert(0, section(&format!("*{TEST_MARK}* {TEST_SENTENCE}")));
        }
    }
    if let Some(sentence) = in_place_of(delivery) {
        blocks.truncate(MOST_BLOCKS);
        blocks.push(context(&[escaped(&sentence)]));
    }
    json!({ "text": text, "blocks": blocks, "unfurl_links": false, "unfurl_media": false })
}

fn alert(text: &AlertText) -> (String, Vec<Value>) {
    let plain = escaped(&text.chat);
    let head = |bold: &str, second: &str| {
        let name = listed(
            &escaped(&text.name),
            text.badge.as_deref(),
            &text.brief,
            occasion(text.occasion),
            bold,
        );
        format!("{} {name}\n{second}", mark(text.occasion, text.severity))
    };
    let mut small: Vec<_> = text.small.iter().map(|line| escaped(line)).collect();
    let page = text.partner_center.as_ref().filter(|_| text.links.is_empty());
    if let (Some(origin), Some(url)) = (small.last_mut(), page) {
        *origin = format!("<{url}|Partner Center> · {origin}");
    }
    let mut lines = vec![head("*", &in_own_time(&plain, &text.dated))];
    lines.extend(text.also.iter().map(|also| format!("{ALSO}: {}", escaped(also))));
    let mut blocks = sections(&lines);
    blocks.extend((!text.links.is_empty()).then(|| section(&linked(&text.links))));
    blocks.push(context(&small));
    (head("", &plain), blocks)
}

/// Links in a line. They are no buttons: Slack warns whoever presses one of a webhook's.
fn linked(links: &[NamedLink]) -> String {
    let all: Vec<_> = links.iter().map(|link| format!("*<{}|{}>*", link.url, link.name)).collect();
    all.join("   ·   ")
}

/// `text` with the date of the data as each reader's clock has it
/// (<https://docs.slack.dev/messaging/formatting-message-text>, "Date formatting"); who cannot be
/// shown that sees the words that were there.
fn in_own_time(text: &str, Dated { at, words }: &Dated) -> String {
    let words = escaped(words);
    // `|` ends the format and `^` its parts; the words of a date have neither.
    text.replacen(
        &words,
        &format!("<!date^{}^{{date_short_pretty}} {{time}}|{words}>", at.as_second()),
        1,
    )
}

/// `*Contoso Nord 900 %* — 45,000 of 5,000 SEK, 40,000 over`, with `bold` around what is bold.
fn listed(
    name: &str,
    badge: Option<&str>,
    brief: &str,
    (before, between): (&str, &str),
    bold: &str,
) -> String {
    let badge = badge.map(|badge| format!("{between} {}", escaped(badge))).unwrap_or_default();
    format!("{bold}{before}{name}{badge}{bold} — {}", escaped(brief))
}

/// What tells an alert told again, or over, from a new one: before the name and after it.
fn occasion(occasion: Occasion) -> (&'static str, &'static str) {
    match occasion {
        Occasion::New => ("", ""),
        Occasion::Reminder => ("REMINDER ", " still"),
        Occasion::Resolved => ("RESOLVED ", ""),
    }
}

fn digest(told: &DigestText<'_>) -> (String, Vec<Value>) {
    let lines = |name_chars: usize, whole: bool| -> Vec<String> {
        let of = |member: &Member| {
            let name = escaped(&member.called.cut(name_chars));
            let line = listed(&name, member.badge.as_deref(), &member.brief, ("", ""), "*");
            let news = member.news.as_deref().filter(|_| whole);
            let news = news
                .map(|news| format!(" · {}", escaped(news.trim_end_matches('.'))))
                .unwrap_or_default();
            let also = if whole { member.also.clone() } else { references(&member.also) };
            let also = also.iter().map(|also| format!("      {ALSO}: {}", escaped(also)));
            let line = format!(
                "{} {line}{news} · {}",
                mark(told.occasion, member.severity),
                escaped(&member.reference)
            );
            std::iter::once(line).chain(also).collect::<Vec<_>>()
        };
        told.members.iter().flat_map(of).collect()
    };
    let forms = [(usize::MAX, true), (SHORT_NAME, true), (SHORT_NAME, false)]
        .map(|(name_chars, whole)| lines(name_chars, whole));
    let fits =
        |list: &&Vec<String>| list.iter().map(|line| length(line) + 1).sum::<usize>() <= LIST_CHARS;
    let list = forms.iter().find(fits).or(forms.last()).map_or_else(Vec::new, Clone::clone);
    let text = format!("{}\n{}", escaped(&told.subject()), escaped(&told.second_line()));
    let mut blocks =
        vec![section(&format!("*{}*\n{}", escaped(&told.subject()), escaped(&told.second_line())))];
    blocks.extend(sections(&list));
    let totals: Vec<_> =
        told.totals().iter().map(|row| format!("{}: {}", row.label, escaped(&row.text))).collect();
    blocks.extend((!totals.is_empty()).then(|| context(&totals)));
    blocks.extend(told.note().map(|note| context(&[escaped(&note)])));
    (text, blocks)
}

fn operator(text: &OperatorText) -> (String, Vec<Value>) {
    let mark = if text.over { "🟢" } else { "🔴" };
    let (subject, second) = (escaped(&text.subject), escaped(&text.second));
    let bold = section(&format!("{mark} *{subject}*\n{second}"));
    (format!("{mark} {subject}\n{second}"), vec![bold, context(&[escaped(&text.origin)])])
}

/// The first lines of each list: a chat is no place for all of them.
fn report(text: &ReportText) -> (String, Vec<Value>) {
    let mark = match text.mood {
        Mood::Quiet => "🟢",
        Mood::Uneasy => "🔵",
        Mood::Alarmed => "🔴",
    };
    let (subject, alarms) = (
        escaped(&text.subject),
        text.alarms.iter().map(|alarm| format!("\n⚠️ {}", escaped(alarm))),
    );
    let two = format!(
        "{}\n{}{}",
        escaped(&text.first),
        escaped(&text.second),
        alarms.collect::<String>()
    );
    let mut blocks =
        vec![section(&shortened(&format!("{mark} *{subject}*\n{two}"), SECTION_CHARS))];
    blocks.extend(
        text.sections
            .iter()
            .map(|list| section(&shortened(&listed_section(list), LIST_CHARS / MOST_LISTS))),
    );
    let rows: Vec<String> =
        text.rows.iter().map(|row| format!("{}: {}", row.label, escaped(&row.text))).collect();
    blocks
        .extend((!rows.is_empty()).then(|| context(&[shortened(&rows.join("\n"), SECTION_CHARS)])));
    (shortened(&format!("{mark} {subject}\n{two}"), SECTION_CHARS), blocks)
}

fn listed_section(list: &Section) -> String {
    let line = |line: &Line| {
        let badge = if line.badge.is_empty() {
            String::new()
        } else {
            format!(" *{}*", escaped(&line.badge))
        };
        let detail = if line.detail.is_empty() {
            String::new()
        } else {
            format!(" — {}", escaped(&line.detail))
        };
        format!("\n• {}{badge}{detail}", escaped(&line.called.cut(SHORT_NAME)))
    };
    let lines: String = list.lines.iter().take(MOST_LINES).map(line).collect();
    format!("*{}* {}{lines}", list.title, escaped(&list.summary))
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
    let elements: Vec<_> = texts
        .iter()
        .map(|text| json!({ "type": "mrkdwn", "text": text, "verbatim": true }))
        .collect();
    json!({ "type": "context", "elements": elements })
}

fn mark(occasion: Occasion, severity: Severity) -> &'static str {
    match (occasion, severity) {
        (Occasion::Resolved, _) => "🟢",
        (Occasion::Reminder, Severity::Critical) => "🔁 🔴",
        (Occasion::Reminder, Severity::Warning) => "🔁 🟠",
        (Occasion::Reminder, Severity::Info) => "🔁 🔵",
        (Occasion::New, Severity::Critical) => "🔴",
        (Occasion::New, Severity::Warning) => "🟠",
        (Occasion::New, Severity::Info) => "🔵",
    }
}

/// Text from anywhere without markup: `<!channel>` mentions nobody, `*` and `` ` `` change no
/// style.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('*', "∗")
        .replace('`', "'")
}

/// The length as Slack counts it.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}
