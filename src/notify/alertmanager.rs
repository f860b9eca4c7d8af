//! The Alertmanager notifier: state as its v2 API takes it (`POST {url}/api/v2/alerts`). What an
//! alert is about is its labels, which are its identity there; numbers are annotations, so that
//! they can change. Which alerts are shown, and until when, is `delivery`'s.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{StatusCode, Url};
use serde::Serialize;
use serde_json::Value;

use crate::domain::{AlertSnapshot, Delivery, Message, Occasion, OperatorNews, Severity};
use crate::http;
use crate::notify::message::{
    AlertText, AlertWording, DigestText, OperatorText, TEST_MARK, TEST_SENTENCE,
};
use crate::notify::{
    Accepted, AlertmanagerConfig, BuildError, Config, DeliveryError, FailureReason, MessageCopy,
    MirroredFact, Mirroring, Notifier, ProbeFuture, SendFuture, Shown, Verdict, http_answer,
};
use crate::text::bare;

/// What alerts about customers are called there.
const BUDGET_ALERT: &str = "BudgetAlert";
/// What news about the daemon itself are called there.
const TROUBLE: &str = "BudgetAlertdTrouble";
/// A single message ends by itself after this.
const ALONE: SignedDuration = SignedDuration::from_mins(5);
/// An answer to a probe is longer than this only if it is none of Alertmanager's.
const STATUS_CAP: usize = 64 * 1024;
/// How much of a name is a label.
const LABEL_CHARS: usize = 200;

/// Posts to one Alertmanager.
pub(crate) struct Alertmanager {
    client: reqwest::Client,
    alerts: Url,
    status: Url,
    headers: HeaderMap,
    zone: TimeZone,
}

/// An alert as the API has it (`postableAlert`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    labels: BTreeMap<&'static str, String>,
    annotations: BTreeMap<&'static str, String>,
    starts_at: Timestamp,
    ends_at: Timestamp,
}

impl Alertmanager {
    pub(crate) fn build(
        config: &Config,
        alertmanager: &AlertmanagerConfig,
    ) -> Result<Self, BuildError> {
        let client = http::client(config.timeout).map_err(|error| BuildError::Tls {
            notifier: config.name.clone(),
            source: Box::new(error.without_url()),
        })?;
        let below = |last: &str| {
            let mut url = alertmanager.url.clone();
            url.path_segments_mut()
                .map_err(|()| BuildError::Url(config.name.clone()))?
                .pop_if_empty()
                .extend(["api", "v2", last]);
            Ok(url)
        };
        let headers = alertmanager.headers.iter().cloned().collect();
        Ok(Self {
            client,
            alerts: below("alerts")?,
            status: below("status")?,
            headers,
            zone: config.time_zone.clone(),
        })
    }

    async fn post(&self, alerts: &[Posted], now: Timestamp) -> Result<Accepted, DeliveryError> {
        let body = serde_json::to_vec(alerts).map_err(|error| {
            DeliveryError::new(
                Verdict::Message,
                FailureReason::MessageRefused,
                "the alerts cannot be written as JSON",
            )
            .caused_by(error)
        })?;
        let request = self
            .client
            .post(self.alerts.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, "application/json");
        let mut response = http_answer::send(request.body(body)).await?;
        let status = response.status();
        let answer = http_answer::start_of_body(&mut response).await;
        match status {
            StatusCode::OK => Ok(Accepted::saying(format!("200 OK, {} shown", alerts.len()))),
            status if status.is_success() => Err(unexpected(status, &answer)),
            _ => Err(http_answer::refused(status, response.headers(), &answer, now)),
        }
    }

    /// Asks for the status, which says what answers there.
    async fn ask(&self) -> Result<String, DeliveryError> {
        let mut response =
            http_answer::send(self.client.get(self.status.clone()).headers(self.headers.clone()))
                .await?;
        let status = response.status();
        let body = http::read_capped(&mut response, STATUS_CAP).await.unwrap_or_default();
        let start: String =
            String::from_utf8_lossy(&body).chars().take(http_answer::ANSWER_CAP).collect();
        let answer = http::one_line(&start);
        if !status.is_success() {
            return Err(http_answer::refused(
                status,
                response.headers(),
                &answer,
                Timestamp::UNIX_EPOCH,
            ));
        }
        let version = serde_json::from_slice::<Value>(&body).ok();
        let version = version
            .as_ref()
            .and_then(|status| status.pointer("/versionInfo/version"))
            .and_then(Value::as_str);
        version
            .map(|version| format!("Alertmanager {} answers", bare(version, 40)))
            .ok_or_else(|| unexpected(status, &answer))
    }

    fn posted(&self, open: &Shown, now: Timestamp) -> Posted {
        match &open.fact {
            MirroredFact::Alert(snapshot, acknowledged_by) => {
                self.alert(snapshot, acknowledged_by.as_deref(), open.ends_at, now)
            }
            MirroredFact::Trouble(news) => self.trouble(news, open.ends_at, now),
        }
    }

    fn alert(
        &self,
        snapshot: &AlertSnapshot,
        acknowledged_by: Option<&str>,
        ends_at: Timestamp,
        now: Timestamp,
    ) -> Posted {
        let alert = &snapshot.alert;
        let text = AlertText::new(Occasion::New, snapshot, &self.zone, now);
        let label = |text: &str| Some(bare(text, LABEL_CHARS));
        let security = alert.security.as_ref();
        // A security alert belongs to no billing period.
        let of_usage = |text: String| Some(text).filter(|_| security.is_none());
        let known = |text: String| Some(text).filter(|_| alert.has_usage());
        let labels = [
            ("alertname", Some(BUDGET_ALERT.to_owned())),
            ("severity", Some(alert.severity.as_str().to_owned())),
            ("customer", label(&AlertWording::new(snapshot, &self.zone).customer())),
            ("customer_id", label(alert.customer.id.as_str())),
            ("subscription", alert.subscription.as_deref().and_then(label)),
            (
                "subscription_name",
                snapshot
                    .context
                    .subscription_name
                    .as_deref()
                    .filter(|_| alert.subscription.is_some())
                    .and_then(label),
            ),
            ("rule", label(&alert.rule)),
            ("metric", Some(alert.metric.as_str().to_owned())),
            ("threshold", Some(alert.threshold.to_string())),
            ("billing_period", of_usage(alert.billing_period.start.strftime("%F").to_string())),
            ("security_alert", security.and_then(|security| label(&security.id))),
            ("alert_type", security.and_then(|security| label(&security.kind))),
        ];
        let rows = |wanted: &str| {
            text.rows.iter().find(|row| row.label == wanted).map(|row| row.text.clone())
        };
        let annotations = [
            ("summary", Some(text.subject.clone())),
            ("description", Some(format!("{} {}", text.first, text.second))),
            ("value", alert.number().map(|value| value.to_string())),
            (
                "percent",
                alert
                    .reported_percent
                    .max(alert.computed_percent)
                    .map(|percent| percent.to_string()),
            ),
            ("cost", known(alert.cost.amount.to_string())),
            ("currency", alert.cost.currency.map(|currency| currency.to_string())),
            ("usd_cost", alert.cost.usd.map(|usd| usd.to_string())),
            ("budget", alert.budget.as_ref().map(|budget| budget.amount.to_string())),
            ("usage_as_of", known(alert.usage_as_of.to_string())),
            ("where", rows("Where")),
            ("contact", rows("Contact")),
            ("owner", rows("Owner")),
            ("do", rows("Do")),
            ("ref", Some(bare(&alert.reference, 16))),
            ("acknowledged_by", acknowledged_by.and_then(label)),
        ];
        posted(&labels, &annotations, alert.raised_at, ends_at)
    }

    fn trouble(&self, news: &OperatorNews, ends_at: Timestamp, now: Timestamp) -> Posted {
        let text = OperatorText::new(news, &self.zone, now);
        let severity =
            if news.code.hides_overspends() { Severity::Critical } else { Severity::Warning };
        let labels = [
            ("alertname", Some(TROUBLE.to_owned())),
            ("severity", Some(severity.as_str().to_owned())),
            ("code", Some(news.code.as_str().to_owned())),
            ("subject", Some(bare(&news.subject, LABEL_CHARS))),
        ];
        let annotations = [
            ("summary", Some(text.subject)),
            ("description", Some(format!("{} {}", text.first, text.second))),
        ];
        posted(&labels, &annotations, news.since, ends_at)
    }

    /// A message that was asked for: it ends by itself.
    fn alone(&self, delivery: &Delivery, now: Timestamp) -> Vec<Posted> {
        let ends_at = now.saturating_add(ALONE).unwrap_or(now);
        let mut all: Vec<Posted> = match &delivery.message {
            Message::Operator(news) => {
                vec![self.trouble(news, if news.over { now } else { ends_at }, now)]
            }
            Message::Resolved(digest) => {
                digest.alerts.iter().map(|one| self.alert(one, None, now, now)).collect()
            }
            message @ (Message::Alert(_)
            | Message::Alerts(_)
            | Message::Digest(_)
            | Message::Test(_)
            | Message::Reminder(_)
            | Message::Report(_)) => {
                message.alerts().iter().map(|one| self.alert(one, None, ends_at, now)).collect()
            }
        };
        if let Message::Test(_) = delivery.message {
            for posted in &mut all {
                posted.labels.insert("test", "true".to_owned());
                let summary = posted.annotations.remove("summary").unwrap_or_default();
                posted.annotations.insert("summary", format!("{TEST_MARK} {summary}"));
                posted.annotations.insert("test", TEST_SENTENCE.to_owned());
            }
        }
        if let Message::Digest(digest) = &delivery.message {
            let subject = DigestText::new(Occasion::New, digest, &self.zone, now).subject();
            for posted in &mut all {
                posted.annotations.insert("together", subject.clone());
            }
        }
        all
    }
}

impl Notifier for Alertmanager {
    fn send<'a>(
        &'a self,
        delivery: &'a Delivery,
        now: Timestamp,
        _copy: &'a MessageCopy,
    ) -> SendFuture<'a> {
        Box::pin(async move { self.post(&self.alone(delivery, now), now).await })
    }

    fn probe(&self) -> ProbeFuture<'_> {
        Box::pin(self.ask())
    }
}

impl Mirroring for Alertmanager {
    fn show<'a>(&'a self, open: &'a [Shown], now: Timestamp) -> SendFuture<'a> {
        Box::pin(async move {
            let posted: Vec<Posted> = open.iter().map(|one| self.posted(one, now)).collect();
            self.post(&posted, now).await
        })
    }
}

fn unexpected(status: StatusCode, answer: &str) -> DeliveryError {
    let detail = format!("{} \"{answer}\"; is this the url of an Alertmanager?", status.as_u16());
    DeliveryError::new(Verdict::DESTINATION, FailureReason::UnexpectedAnswer, detail)
}

/// Those that have a text; an end before the beginning, by a clock that was set, would be refused.
fn posted(
    labels: &[(&'static str, Option<String>)],
    annotations: &[(&'static str, Option<String>)],
    starts_at: Timestamp,
    ends_at: Timestamp,
) -> Posted {
    let known = |all: &[(&'static str, Option<String>)]| {
        let texts = all.iter().filter_map(|(name, text)| {
            Some((*name, text.clone().filter(|text| !text.is_empty())?))
        });
        texts.collect()
    };
    Posted {
        labels: known(labels),
        annotations: known(annotations),
        starts_at: starts_at.min(ends_at),
        ends_at,
    }
}
