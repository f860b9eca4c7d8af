//! The PagerDuty notifier: events to its Events API v2
//! (<https://developer.pagerduty.com/docs/events-api-v2-overview>). A customer's alerts of one
//! billing period are one incident: each message triggers it again, and it is resolved with the
//! last of them. Which messages that takes is planned by the ledger; here each message becomes its
//! events.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use crate::domain::SentMessage;
use crate::domain::{
    Alert, AlertSnapshot, Delivery, Digest, Message, Occasion, OperatorNews, Severity,
};
use crate::http;
use crate::notify::message::{
    ALSO, AlertText, DigestText, Member, NamedLink, OperatorText, ReportText, Row, TEST_MARK,
    TEST_SENTENCE, in_place_of,
};
use crate::notify::{
    Accepted, BuildError, Config, DeliveryError, FailureReason, MessageCopy, Notifier,
    PagerDutyConfig, ProbeFuture, SendFuture, Verdict, http_answer,
};
use crate::text::{bare, clean, sha256, shortened};

/// A key takes 120 events a minute before it is throttled.
pub(crate) const INTERVAL: Duration = Duration::from_millis(500);
/// An event may have 512 kB.
const LARGEST: usize = 500_000;
/// A summary may have 1,024 characters.
const SUMMARY_CHARS: usize = 1_024;
/// A deduplication key may have 255 characters.
const KEY_BYTES: usize = 255;
/// Sets our incidents apart from those of others with the same key.
const OURSELVES: &str = "budget-alertd";

/// Sends events for one integration.
pub(crate) struct PagerDuty {
    client: reqwest::Client,
    config: PagerDutyConfig,
    zone: TimeZone,
}

/// What an event does to its incident.
enum Action {
    /// Opens it, or adds to it; with what is shown.
    Trigger(Value),
    /// Ends it.
    Resolve,
}

/// An event without the key that says whose it is.
struct Event {
    dedup_key: String,
    action: Action,
    links: Vec<NamedLink>,
}

impl Event {
    /// One without links.
    fn new(dedup_key: String, action: Action) -> Self {
        Self { dedup_key, action, links: Vec::new() }
    }

    /// Says one more thing among the details, where it says anything.
    fn say(&mut self, name: &str, text: &str) {
        if let Action::Trigger(payload) = &mut self.action
            && let Some(details) = payload.get_mut("custom_details")
        {
            insert(details, name, text.into());
        }
    }
}

impl PagerDuty {
    pub(crate) fn build(config: &Config, pagerduty: &PagerDutyConfig) -> Result<Self, BuildError> {
        let client = http::client(config.timeout).map_err(|error| BuildError::Tls {
            notifier: config.name.clone(),
            source: Box::new(error.without_url()),
        })?;
        Ok(Self { client, config: pagerduty.clone(), zone: config.time_zone.clone() })
    }

    /// Sends the events of a message, in their order. One that is refused does not keep back the
    /// others; those that were taken before the destination failed are sent again with them, which
    /// changes nothing: their keys are the same.
    async fn deliver(
        &self,
        delivery: &Delivery,
        now: Timestamp,
        copy: &MessageCopy,
    ) -> Result<Accepted, DeliveryError> {
        let mut events = events(delivery, &self.zone, now);
        if let Some(sentence) = in_place_of(delivery) {
            for event in &mut events {
                event.say("Fallback", &sentence);
            }
        }
        let number = events.len();
        let bodies: Vec<String> = events.into_iter().map(|event| self.body(event)).collect();
        copy.keep(self.copy_of(&bodies));
        let mut refused = None;
        for body in bodies {
            match self.post(body, now).await {
                Ok(()) => {}
                Err(error) if error.verdict == Verdict::Message => {
                    refused = refused.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        match refused {
            Some(error) => Err(error),
            None if number == 1 => Ok(Accepted::saying("202 Accepted")),
            None => Ok(Accepted::saying(format!("202 Accepted, {number} events"))),
        }
    }

    /// The events as they are kept: without the key that lets anybody send some.
    fn copy_of(&self, bodies: &[String]) -> SentMessage {
        let all = bodies.join("\n");
        let key = Value::from(self.config.routing_key.expose()).to_string();
        SentMessage {
            body: Some(all.replace(&key, "\"***\"")),
            ..http_answer::copy_of(all.as_bytes(), http_answer::as_json())
        }
    }

    async fn post(&self, body: String, now: Timestamp) -> Result<(), DeliveryError> {
        let request = self
            .client
            .post(self.config.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let mut response = http_answer::send(request).await?;
        let status = response.status();
        let answer = http_answer::start_of_body(&mut response).await;
        match status {
            StatusCode::ACCEPTED => Ok(()),
            // With a key that is not known, no event would be taken: the key is at fault, not this
            // one.
            StatusCode::BAD_REQUEST if is_about_the_key(&answer) => {
                let detail = format!(
                    "400 \"{answer}\"; check the routing_key: it is that of an Events API v2 \
                        integration"
                );
                Err(DeliveryError::new(Verdict::DESTINATION, FailureReason::SignInRefused, detail))
            }
            status if status.is_success() => {
                let detail =
                    format!("{} \"{answer}\" in place of 202; check the url", status.as_u16());
                Err(DeliveryError::new(
                    Verdict::DESTINATION,
                    FailureReason::UnexpectedAnswer,
                    detail,
                ))
            }
            _ => Err(http_answer::refused(status, response.headers(), &answer, now)),
        }
    }

    fn body(&self, event: Event) -> String {
        let mut body = json!({ "routing_key": self.config.routing_key.expose(), "dedup_key": event.dedup_key });
        let Event { action: Action::Trigger(payload), links, .. } = event else {
            insert(&mut body, "event_action", "resolve".into());
            return body.to_string();
        };
        insert(&mut body, "event_action", "trigger".into());
        insert(&mut body, "client", OURSELVES.into());
        insert(&mut body, "payload", payload);
        if !links.is_empty() {
            let link = |one: &NamedLink| json!({ "href": one.url, "text": one.name });
            insert(&mut body, "links", links.iter().map(link).collect());
        }
        let text = body.to_string();
        if text.len() <= LARGEST {
            return text;
        }
        // Everything that people read is short; what is left out is for machines.
        if let Some(details) =
            body.pointer_mut("/payload/custom_details").and_then(Value::as_object_mut)
        {
            details.remove("alert");
            details.remove("alerts");
        }
        body.to_string()
    }
}

impl Notifier for PagerDuty {
    fn send<'a>(
        &'a self,
        delivery: &'a Delivery,
        now: Timestamp,
        copy: &'a MessageCopy,
    ) -> SendFuture<'a> {
        Box::pin(self.deliver(delivery, now, copy))
    }

    fn probe(&self) -> ProbeFuture<'_> {
        Box::pin(http_answer::reach(&self.client, &self.config.url))
    }
}

fn insert(body: &mut Value, key: &str, value: Value) {
    if let Some(object) = body.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

fn is_about_the_key(answer: &str) -> bool {
    let answer = answer.to_ascii_lowercase();
    answer.contains("routing_key") || answer.contains("routing key")
}

/// The events that a message becomes, in the order in which they are sent.
fn events(delivery: &Delivery, zone: &TimeZone, now: Timestamp) -> Vec<Event> {
    let text = |occasion, snapshot| AlertText::new(occasion, snapshot, zone, now);
    match &delivery.message {
        Message::Alert(_) => triggers(Occasion::New, delivery.message.alerts(), zone, now),
        Message::Alerts(digest) => triggers(Occasion::New, &digest.alerts, zone, now),
        Message::Test(snapshot) => vec![test(&text(Occasion::New, snapshot), snapshot)],
        Message::Digest(digest) => vec![list(delivery, digest, zone, now)],
        Message::Reminder(digest) => triggers(Occasion::Reminder, &digest.alerts, zone, now),
        Message::Resolved(digest) => {
            let resolve = |(dedup_key, _)| Event::new(dedup_key, Action::Resolve);
            by_incident(&digest.alerts).into_iter().map(resolve).collect()
        }
        Message::Operator(news) => vec![operator(news, &OperatorText::new(news, zone, now))],
        Message::Report(report) => vec![self::report(delivery, &ReportText::new(report, zone))],
    }
}

/// One event for each incident: the worst of its alerts, with the others as further reasons.
fn triggers(
    occasion: Occasion,
    alerts: &[AlertSnapshot],
    zone: &TimeZone,
    now: Timestamp,
) -> Vec<Event> {
    let mut events = Vec::new();
    for (dedup_key, alerts) in by_incident(alerts) {
        let Some((worst, others)) = alerts.split_first() else { continue };
        let others: Vec<AlertSnapshot> = others.iter().map(|one| (*one).clone()).collect();
        let text = AlertText::of_reasons(occasion, worst, &others, zone, now);
        let mut payload = payload(&text.subject, &text, worst);
        if let Some(details) = payload.get_mut("custom_details").filter(|_| !others.is_empty()) {
            let shown: Vec<Value> = alerts.iter().filter_map(|one| numbers(&one.alert)).collect();
            insert(details, "alerts", shown.into());
        }
        events.push(Event { links: text.links, ..Event::new(dedup_key, Action::Trigger(payload)) });
    }
    events
}

/// The alerts of each incident, in their order.
fn by_incident(alerts: &[AlertSnapshot]) -> Vec<(String, Vec<&AlertSnapshot>)> {
    let mut incidents: Vec<(String, Vec<&AlertSnapshot>)> = Vec::new();
    for one in alerts {
        let dedup_key = incident(one);
        match incidents.iter_mut().find(|(known, _)| *known == dedup_key) {
            Some((_, alerts)) => alerts.push(one),
            None => incidents.push((dedup_key, vec![one])),
        }
    }
    incidents
}

fn test(text: &AlertText, snapshot: &AlertSnapshot) -> Event {
    let mut payload = payload(&format!("{TEST_MARK} {}", text.subject), text, snapshot);
    if let Some(details) = payload.get_mut("custom_details") {
        insert(details, "Test", TEST_SENTENCE.into());
    }
    let dedup_key = key(&format!("{OURSELVES}/test/{}", snapshot.alert.id.simple()));
    Event::new(dedup_key, Action::Trigger(payload))
}

/// The first look at many customers: one incident that lists them. Each of them has one of its own
/// from its next step on.
fn list(delivery: &Delivery, digest: &Digest, zone: &TimeZone, now: Timestamp) -> Event {
    let text = DigestText::new(Occasion::New, digest, zone, now);
    let worst = text.members.iter().map(|member| member.severity).max().unwrap_or_default();
    let line = |member: &Member| {
        let badge = member.badge.as_deref().map(|badge| format!(" {badge}")).unwrap_or_default();
        let news = member
            .news
            .as_deref()
            .map(|news| format!(" · {}", news.trim_end_matches('.')))
            .unwrap_or_default();
        let worst = format!(
            "{} {}{badge} — {}{news} · {}",
            member.label, member.name, member.brief, member.origin
        );
        let also = member.also.iter().map(|also| format!("{ALSO}: {also}"));
        std::iter::once(worst).chain(also).collect::<Vec<_>>().join(" · ")
    };
    let mut details = details(&text.first_line(), &text.second_line(), &[]);
    details.insert("Alerts".into(), text.members.iter().map(line).collect());
    if let Some(note) = text.note() {
        details.insert("Note".into(), note.into());
    }
    let payload = json!({
        "summary": shortened(&text.subject(), SUMMARY_CHARS),
        "source": OURSELVES,
        "severity": severity(worst),
        "timestamp": delivery.created_at,
        "class": "digest",
        "custom_details": details,
    });
    Event::new(
        key(&format!("{OURSELVES}/digest/{}", delivery.identity.simple())),
        Action::Trigger(payload),
    )
}

fn operator(news: &OperatorNews, text: &OperatorText) -> Event {
    let dedup_key = key(&format!("{OURSELVES}/operator/{}/{}", news.code.as_str(), news.subject));
    if news.over {
        return Event::new(dedup_key, Action::Resolve);
    }
    let worst = if news.code.hides_overspends() { Severity::Critical } else { Severity::Warning };
    let payload = json!({
        "summary": shortened(&text.subject, SUMMARY_CHARS),
        "source": OURSELVES,
        "severity": severity(worst),
        "timestamp": news.since,
        "class": news.code.as_str(),
        "custom_details": details(&text.first, &text.second, &text.rows),
    });
    Event::new(dedup_key, Action::Trigger(payload))
}

/// A report wakes nobody: it is an event of its own that asks for nothing.
fn report(delivery: &Delivery, text: &ReportText) -> Event {
    let payload = json!({
        "summary": shortened(&text.subject, SUMMARY_CHARS),
        "source": OURSELVES,
        "severity": severity(Severity::Info),
        "timestamp": delivery.created_at,
        "class": "report",
        "custom_details": details(&text.first, &text.second, &text.rows),
    });
    Event::new(
        key(&format!("{OURSELVES}/report/{}", delivery.identity.simple())),
        Action::Trigger(payload),
    )
}

/// What is shown of an alert, and its numbers for machines.
fn payload(summary: &str, text: &AlertText, snapshot: &AlertSnapshot) -> Value {
    let alert = &snapshot.alert;
    let mut details = details(&text.first, &text.second, &text.rows);
    details.extend(
        text.partner_center.iter().map(|url| ("Partner Center".to_owned(), url.as_str().into())),
    );
    details.extend(numbers(alert).map(|shown| ("alert".to_owned(), shown)));
    // It must not be blank.
    let source = Some(bare(alert.customer.id.as_str(), 200))
        .filter(|id| !id.is_empty())
        .unwrap_or_else(|| text.name.clone());
    let subscription = snapshot
        .context
        .subscription_name
        .as_deref()
        .map(|name| clean(name, 80))
        .filter(|name| !name.is_empty());
    json!({
        "summary": shortened(summary, SUMMARY_CHARS),
        "source": source,
        "severity": severity(alert.severity),
        "timestamp": alert.raised_at,
        "component": subscription.unwrap_or_else(|| alert.customer.plan.as_str().to_owned()),
        "group": text.name,
        "class": bare(&alert.rule, 100),
        "custom_details": details,
    })
}

/// An alert for machines. PagerDuty shows it to people as well.
fn numbers(alert: &Alert) -> Option<Value> {
    let mut shown = serde_json::to_value(alert).ok()?;
    for (path, name) in [
        ("/customer/name", Some(&alert.customer.name)),
        ("/customer/label", alert.customer.label.as_ref()),
    ] {
        if let (Some(place), Some(name)) = (shown.pointer_mut(path), name) {
            *place = bare(name, 200).into();
        }
    }
    Some(shown)
}

/// The lines and rows by their names; rows of one name are a list.
fn details(first: &str, second: &str, rows: &[Row]) -> Map<String, Value> {
    let mut details = Map::from_iter([
        ("Summary".to_owned(), Value::from(first)),
        ("Data".to_owned(), second.into()),
    ]);
    for row in rows {
        let text = Value::from(row.text.as_str());
        match details.get_mut(row.label) {
            Some(Value::Array(all)) => all.push(text),
            Some(before) => *before = vec![before.take(), text].into(),
            None => {
                details.insert(row.label.to_owned(), text);
            }
        }
    }
    details
}

/// The words that PagerDuty has.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// The key of the incident that an alert belongs to.
fn incident(snapshot: &AlertSnapshot) -> String {
    key(&format!("{OURSELVES}/{}", snapshot.incident()))
}

/// A text as a key of letters that travel well; the hash of one that is too long or has others.
fn key(text: &str) -> String {
    if text.len() <= KEY_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return text.to_owned();
    }
    format!("{OURSELVES}/{}", URL_SAFE_NO_PAD.encode(sha256(text)))
}
