//! The Teams notifier: Adaptive Cards to a workflow ("Post to a channel when a webhook request is
//! received"). What is said is `message`'s; a workflow answers before the card is posted, so that no
//! answer says that anybody saw it.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use crate::domain::{Delivery, Occasion, Severity};
use crate::http;
use crate::notify::message::{
    ALSO, AlertText, DigestText, Line, Member, Mood, NamedLink, OperatorText, Rendered, ReportText,
    Row, Section, TEST_MARK, TEST_SENTENCE, in_place_of, references,
};
use crate::notify::{
    Accepted, BuildError, Config, DeliveryError, FailureReason, MessageCopy, Notifier, ProbeFuture,
    SendFuture, TeamsConfig, Verdict, http_answer,
};
use crate::text::shortened;

/// More than four requests a second are throttled.
pub(crate) const INTERVAL: Duration = Duration::from_millis(250);
/// Teams refuses messages of 28 kB after encoding them again, and has refused one of 24,453 bytes.
const LARGEST: usize = 20_000;
/// Everything that the card needs is in this version; phones know it as well.
const CARD_VERSION: &str = "1.4";
/// Keeps what stands before it from belonging to what follows; it is not seen.
const JOINER: char = '\u{2060}';

/// How much of a message is shown: each form is smaller than the one before, and the last one
/// always fits.
const FORMS: [Form; 4] = [
    Form { name: usize::MAX, row: usize::MAX, news: true },
    Form { name: usize::MAX, row: 200, news: false },
    Form { name: 24, row: 80, news: false },
    Form { name: 24, row: 0, news: false },
];

/// What is left of a message.
#[derive(Clone, Copy)]
struct Form {
    /// Characters of a name in a list.
    name: usize,
    /// Characters of a detail; `None`: without details.
    row: usize,
    /// Whether a list says what else is new of its members.
    news: bool,
}

/// Posts to one workflow.
pub(crate) struct Teams {
    client: reqwest::Client,
    url: Url,
    zone: TimeZone,
}

impl Teams {
    pub(crate) fn build(config: &Config, teams: &TeamsConfig) -> Result<Self, BuildError> {
        let url =
            Url::parse(teams.url.expose()).map_err(|_| BuildError::Url(config.name.clone()))?;
        let client = http::client(config.timeout).map_err(|error| BuildError::Tls {
            notifier: config.name.clone(),
            source: Box::new(error.without_url()),
        })?;
        Ok(Self { client, url, zone: config.time_zone.clone() })
    }

    async fn post(
        &self,
        delivery: &Delivery,
        now: Timestamp,
        copy: &MessageCopy,
    ) -> Result<Accepted, DeliveryError> {
        let body = body(delivery, &self.zone, now);
        copy.keep(http_answer::copy_of(body.as_bytes(), http_answer::as_json()));
        let request = self
            .client
            .post(self.url.clone())
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(body);
        let mut response = http_answer::send(request).await?;
        let status = response.status();
        let answer = http_answer::start_of_body(&mut response).await;
        match status {
            StatusCode::ACCEPTED => {
                Ok(Accepted::saying("202 Accepted; the workflow posts the card"))
            }
            // A page for people is no workflow's answer.
            StatusCode::OK if !answer.starts_with('<') => Ok(Accepted::saying("200 OK")),
            status if status.is_success() => {
                let detail = format!(
                    "{} \"{answer}\"; is this the url of a Teams workflow?",
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

impl Notifier for Teams {
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

/// The request's body: the largest form of the message that Teams takes for sure.
fn body(delivery: &Delivery, zone: &TimeZone, now: Timestamp) -> String {
    let told = Rendered::new(&delivery.message, zone, now);
    let below = in_place_of(delivery).map(|sentence| small(&sentence, false));
    let mut body = String::new();
    for form in FORMS {
        body = envelope(&card(&told, below.as_ref(), form)).to_string();
        if body.len() <= LARGEST {
            break;
        }
    }
    body
}

fn envelope(card: &Value) -> Value {
    json!({
        "type": "message",
        "attachments": [{ "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card }],
    })
}

fn card(told: &Rendered<'_>, below: Option<&Value>, form: Form) -> Value {
    let (subject, mut items) = match told {
        Rendered::Alert(text) => (text.subject.clone(), alert(text, None, form)),
        Rendered::Test(text) => (
            format!("{TEST_MARK} {}", text.subject),
            alert(text, Some(&format!("{TEST_MARK} {TEST_SENTENCE}")), form),
        ),
        Rendered::Digest(text) => (text.subject(), digest(text, form)),
        Rendered::Operator(text) => (text.subject.clone(), operator(text, form)),
        Rendered::Report(text) => (text.subject.clone(), report(text, form)),
    };
    items.extend(below.cloned());
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": CARD_VERSION,
        "msteams": { "width": "Full" },
        "fallbackText": escaped(&subject),
        "body": items,
    });
    if let Rendered::Alert(text) = told
        && let Some(card) = card.as_object_mut().filter(|_| !text.links.is_empty())
    {
        let open = |link: &NamedLink| json!({ "type": "Action.OpenUrl", "title": link.name, "url": link.url });
        card.insert("actions".to_owned(), text.links.iter().map(open).collect());
    }
    card
}

fn alert(text: &AlertText, above: Option<&str>, form: Form) -> Vec<Value> {
    let mut head: Vec<_> =
        above.into_iter().chain(text.banner.as_deref()).map(|line| small(line, false)).collect();
    head.push(small(&text.label, true));
    head.push(heading(&text.name, "Large"));
    head.extend(text.figure.as_ref().map(|figure| {
        let words = [figure.lead, &figure.number, &figure.unit]
            .map(str::trim)
            .into_iter()
            .filter(|word| !word.is_empty());
        heading(&words.collect::<Vec<_>>().join(" "), "ExtraLarge")
    }));
    let lines = [line(&text.first), line(&text.second)];
    let link = text
        .partner_center
        .iter()
        .filter(|_| text.links.is_empty())
        .map(|url| line_of(&format!("[Customer in Partner Center]({url})")));
    // A detail that is cut has lost its reference.
    let cut = if form.news { Vec::new() } else { references(&text.also) };
    let cut = cut.iter().map(|references| small(&format!("{ALSO}: {references}"), false));
    let facts = facts(&text.rows, form).into_iter().chain(cut).chain(link);
    std::iter::once(container(style(text.occasion, text.severity), &head))
        .chain(lines)
        .chain(facts)
        .collect()
}

fn digest(text: &DigestText<'_>, form: Form) -> Vec<Value> {
    let worst = text.members.iter().map(|member| member.severity).max().unwrap_or_default();
    let title = [text.title()].into_iter().chain(text.part()).collect::<Vec<_>>().join(", ");
    let head = [heading(&title, "Large"), line(&text.first_line()), line(&text.second_line())];
    let members = text.members.iter().map(|member| listed(member, text.occasion, form));
    let note = text.note().map(|note| small(&note, false));
    std::iter::once(container(style(text.occasion, worst), &head))
        .chain(members)
        .chain(note)
        .collect()
}

/// `🔴 Contoso Nord 900 % — 45,000 of 5,000 SEK, 40,000 over · 5F0C1C3E`.
fn listed(member: &Member, occasion: Occasion, form: Form) -> Value {
    let name = escaped(&member.called.cut(form.name));
    let badge =
        member.badge.as_deref().map(|badge| format!(" {}", escaped(badge))).unwrap_or_default();
    let news = member
        .news
        .as_deref()
        .filter(|_| form.news)
        .map(|news| format!(" · {}", escaped(news.trim_end_matches('.'))));
    let also = if form.news { member.also.clone() } else { references(&member.also) };
    let also = also.iter().fold(String::new(), |mut lines, also| {
        // Writing to a text never fails.
        let _written = write!(lines, "\n\n{ALSO}: {}", escaped(also));
        lines
    });
    let (mark, news) = (mark(occasion, member.severity), news.unwrap_or_default());
    let text = format!(
        "{mark} **{name}{badge}** — {}{news} · {}{also}",
        escaped(&member.brief),
        escaped(&member.reference)
    );
    line_of(&text)
}

fn operator(text: &OperatorText, form: Form) -> Vec<Value> {
    let head = [heading(&text.subject, "Medium")];
    let style = if text.over { "good" } else { "attention" };
    let below = [line(&text.first), line(&text.second)].into_iter().chain(facts(&text.rows, form));
    std::iter::once(container(style, &head))
        .chain(below)
        .chain([small(&text.origin, false)])
        .collect()
}

fn report(text: &ReportText, form: Form) -> Vec<Value> {
    let style = match text.mood {
        Mood::Quiet => "good",
        Mood::Uneasy => "accent",
        Mood::Alarmed => "attention",
    };
    let head = [small(&text.kind, true), heading(&text.title, "Large")];
    let lines = [line(&text.first), line(&text.second)]
        .into_iter()
        .chain(text.alarms.iter().map(|alarm| line(alarm)));
    let section = |section: &Section| {
        let above = heading(section.title, "Medium");
        let of = |one: &Line| {
            let name = escaped(&one.called.cut(form.name));
            line_of(&format!("**{name} {}** — {}", escaped(&one.badge), escaped(&one.detail)))
        };
        let more = section.more.iter().map(|more| small(more, false));
        [above, small(&section.summary, false)]
            .into_iter()
            .chain(section.lines.iter().map(of))
            .chain(more)
            .collect::<Vec<_>>()
    };
    let sections = text.sections.iter().filter(|_| form.row > 0).flat_map(section);
    std::iter::once(container(style, &head))
        .chain(lines)
        .chain(facts(&text.rows, form))
        .chain(sections)
        .collect()
}

/// A line that is escaped already.
fn line_of(markdown: &str) -> Value {
    json!({ "type": "TextBlock", "text": markdown, "wrap": true, "spacing": "Small" })
}

fn container(style: &str, items: &[Value]) -> Value {
    json!({ "type": "Container", "style": style, "bleed": true, "items": items })
}

fn heading(text: &str, size: &str) -> Value {
    json!({ "type": "TextBlock", "text": escaped(text), "size": size, "weight": "Bolder", "wrap": true, "spacing": "None" })
}

fn line(text: &str) -> Value {
    json!({ "type": "TextBlock", "text": escaped(text), "wrap": true })
}

fn small(text: &str, bold: bool) -> Value {
    let weight = if bold { "Bolder" } else { "Default" };
    json!({ "type": "TextBlock", "text": escaped(text), "size": "Small", "weight": weight, "wrap": true })
}

fn facts(rows: &[Row], form: Form) -> Option<Value> {
    let fact = |row: &Row| json!({ "title": row.label, "value": escaped(&shortened(&row.text, form.row)) });
    let facts: Vec<_> = rows.iter().filter(|_| form.row > 0).map(fact).collect();
    (!facts.is_empty()).then(|| json!({ "type": "FactSet", "facts": facts, "separator": true }))
}

/// The colours that cards have names for.
fn style(occasion: Occasion, severity: Severity) -> &'static str {
    match (occasion, severity) {
        (Occasion::Resolved, _) => "good",
        (_, Severity::Critical) => "attention",
        (_, Severity::Warning) => "warning",
        (_, Severity::Info) => "accent",
    }
}

fn mark(occasion: Occasion, severity: Severity) -> &'static str {
    match (occasion, severity) {
        (Occasion::Resolved, _) => "🟢",
        (_, Severity::Critical) => "🔴",
        (_, Severity::Warning) => "🟠",
        (_, Severity::Info) => "🔵",
    }
}

/// Text from anywhere as it is to be read: no Markdown, no link, no mention and no template in it
/// means anything. Letters that look alike take the place of those that do, because clients differ
/// in what a backslash is.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    if begins_a_list(text) {
        safe.push(JOINER);
    }
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied().unwrap_or(' ');
        match letter {
            '*' => safe.push('∗'),
            '`' => safe.push('\''),
            '~' => safe.push('∼'),
            '\\' => safe.push('∖'),
            '<' => safe.push('‹'),
            '>' => safe.push('›'),
            // Within a word it means nothing.
            '_' if !(before.is_alphanumeric() && next.is_alphanumeric()) => safe.push('＿'),
            ']' | '{' | '$' => safe.extend([letter, JOINER]),
            // No address becomes a link.
            ':' if next == '/' => safe.extend([letter, JOINER]),
            '.' if before.eq_ignore_ascii_case(&'w') => safe.extend([letter, JOINER]),
            other => safe.push(other),
        }
        before = letter;
    }
    safe
}

/// Whether a line that begins so would become a list, a heading or a table.
fn begins_a_list(text: &str) -> bool {
    let rest = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
    text.starts_with(['-', '+', '#', '=', '|'])
        || (rest.len() < text.len() && [". ", ") "].iter().any(|mark| rest.starts_with(mark)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_means_anything() {
        let all = [
            ("[x](http://evil.example)", "[x]\u{2060}(http:\u{2060}//evil.example)"),
            ("**b** _i_ snake_case ~~s~~ `c`", "∗∗b∗∗ ＿i＿ snake_case ∼∼s∼∼ 'c'"),
            (
                "{{7*7}} ${x} it@contoso.example",
                "{\u{2060}{\u{2060}7∗7}} $\u{2060}{\u{2060}x} it@contoso.example",
            ),
            ("<at>everyone</at> \\*", "‹at›everyone‹/at› ∖∗"),
            ("1. one", "\u{2060}1. one"),
            ("www.evil.example", "www.\u{2060}evil.example"),
            ("82.5 % of Contoso Nord: 1,000 SEK (4 h)", "82.5 % of Contoso Nord: 1,000 SEK (4 h)"),
        ];
        for (text, expected) in all {
            assert_eq!(escaped(text), expected);
        }
    }
}
