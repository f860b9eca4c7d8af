//! The webhook notifier: JSON to any HTTP endpoint, signed by the Standard Webhooks specification
//! (<https://www.standardwebhooks.com>).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::header::{
    CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
    USER_AGENT,
};
use ring::hmac;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::{
    Alert, AlertLinks, Audience, Delivery, Digest, FindingCode, Latest, Message, OperatorNews,
    Origin, Report,
};
use crate::http;
use crate::notify::message::{disclosed, is_about_one};
use crate::notify::{
    Accepted, BuildError, Config, DeliveryError, FailureReason, MessageCopy, Notifier, ProbeFuture,
    SendFuture, SigningKey, Template, Verdict, WebhookConfig, http_answer,
};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Headers that are ours: a configured one of the same name is left out.
const OURS: [HeaderName; 8] =
    [ID, TIMESTAMP, SIGNATURE, CONTENT_TYPE, USER_AGENT, CONTENT_LENGTH, TRANSFER_ENCODING, HOST];

/// Posts JSON to one endpoint.
pub(crate) struct Webhook {
    client: reqwest::Client,
    config: WebhookConfig,
    show_cost: bool,
    own_body: Option<Template>,
    zone: TimeZone,
}

impl Webhook {
    pub(crate) fn build(config: &Config, webhook: &WebhookConfig) -> Result<Self, BuildError> {
        let client = http::client(config.timeout).map_err(|error| BuildError::Tls {
            notifier: config.name.clone(),
            source: Box::new(error.without_url()),
        })?;
        let (own_body, zone) = (config.templates.body.clone(), config.time_zone.clone());
        Ok(Self { client, config: webhook.clone(), show_cost: config.show_cost, own_body, zone })
    }

    async fn post(
        &self,
        delivery: &Delivery,
        now: Timestamp,
        copy: &MessageCopy,
    ) -> Result<Accepted, DeliveryError> {
        if delivery.audience == Audience::Customer && !is_about_one(&delivery.message) {
            let detail = "a message that is not about one customer is for no customer";
            return Err(DeliveryError::new(
                Verdict::Message,
                FailureReason::MessageRefused,
                detail,
            ));
        }
        // A template sees all of an alert: it is for the partner only.
        let own = self.own_body.as_ref().filter(|_| delivery.audience == Audience::Partner);
        let own = own.and_then(|body| {
            body.render_if_sound(&delivery.notifier, &delivery.message, &self.zone, now)
        });
        let body = own
            .map_or_else(|| body(delivery, self.show_cost), |own| Ok(own.into_bytes()))
            .map_err(|error| {
            DeliveryError::new(
                Verdict::Message,
                FailureReason::MessageRefused,
                "the message cannot be written as JSON",
            )
            .caused_by(error)
        })?;
        let headers = self.headers(delivery, now, &body);
        copy.keep(http_answer::copy_of(&body, shown(&headers)));
        let mut response = http_answer::send(
            self.client.post(self.config.url.clone()).headers(headers).body(body),
        )
        .await?;
        let status = response.status();
        // Read in any case, so that the connection can be used again.
        let answer = http_answer::start_of_body(&mut response).await;
        if status.is_success() {
            let name = status.canonical_reason().unwrap_or_default();
            return Ok(Accepted::saying(
                format!("{} {name}", status.as_u16()).trim_end().to_owned(),
            ));
        }
        Err(http_answer::refused(status, response.headers(), &answer, now))
    }

    fn headers(&self, delivery: &Delivery, now: Timestamp, body: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in self.config.headers.iter().filter(|(name, _)| !OURS.contains(name)) {
            headers.append(name, value.clone());
        }
        let id = format!("msg_{}", delivery.identity.simple());
        let timestamp = now.as_second().to_string();
        let signatures: Vec<_> =
            self.config.keys.iter().map(|key| signature(key, &id, &timestamp, body)).collect();
        let mut set = |name: HeaderName, text: &str| {
            // Ids, numbers and base64 are valid header values.
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name, value);
            }
        };
        set(CONTENT_TYPE, "application/json");
        set(ID, &id);
        set(TIMESTAMP, &timestamp);
        if !signatures.is_empty() {
            set(SIGNATURE, &signatures.join(" "));
        }
        headers
    }
}

impl Notifier for Webhook {
    fn send<'a>(
        &'a self,
        delivery: &'a Delivery,
        now: Timestamp,
        copy: &'a MessageCopy,
    ) -> SendFuture<'a> {
        Box::pin(self.post(delivery, now, copy))
    }

    fn probe(&self) -> ProbeFuture<'_> {
        Box::pin(http_answer::reach(&self.client, &self.config.url))
    }
}

/// Our own headers as they are kept: those of the configuration may be secrets, all of them.
fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let own = headers.iter().filter(|(name, _)| OURS.contains(name));
    own.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect()
}

/// `v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64 (Standard Webhooks, "Signature
/// scheme").
fn signature(key: &SigningKey, id: &str, timestamp: &str, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()));
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        context.update(part);
    }
    format!("v1,{}", STANDARD.encode(context.sign()))
}

#[derive(Serialize)]
struct Payload<'a> {
    r#type: &'static str,
    timestamp: Timestamp,
    data: Whole<'a>,
}

#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    data: Data<'a>,
    /// The notifier in whose place this is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback_for: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Alerts(Told<'a>),
    Customer(Value),
    Operator { operator: News<'a> },
    Report { report: &'a Report },
}

#[derive(Serialize)]
struct Told<'a> {
    alerts: Vec<&'a Alert>,
    /// In reminders and resolutions: how things are now, one for each of `alerts`, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<Vec<Option<&'a Latest>>>,
    /// Where several alerts are told together: which part this is.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Part>,
    /// Where somebody acts by a link, by the alert's id; never for customers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    links: BTreeMap<Uuid, &'a AlertLinks>,
}

#[derive(Serialize)]
struct News<'a> {
    code: FindingCode,
    summary: &'a str,
    action: &'a str,
    since: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a Origin>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the payload")]
struct Part {
    part: u32,
    parts: u32,
    total: u32,
}

/// The payload: the same bytes on each attempt.
pub(super) fn body(delivery: &Delivery, show_cost: bool) -> Result<Vec<u8>, serde_json::Error> {
    let message = &delivery.message;
    let part =
        |digest: &Digest| Part { part: digest.part, parts: digest.parts, total: digest.total };
    let data = match message {
        Message::Alerts(digest) if !digest.is_of_one_customer() => {
            Data::Alerts(alerts(message, Some(part(digest))))
        }
        Message::Alert(_) | Message::Alerts(_) | Message::Test(_) => {
            Data::Alerts(alerts(message, None))
        }
        Message::Digest(digest) => Data::Alerts(alerts(message, Some(part(digest)))),
        Message::Reminder(digest) | Message::Resolved(digest) => {
            let latest =
                digest.alerts.iter().map(|snapshot| snapshot.context.latest.as_ref()).collect();
            let several = (!digest.is_of_one_customer()).then(|| part(digest));
            Data::Alerts(Told { latest: Some(latest), ..alerts(message, several) })
        }
        Message::Operator(OperatorNews { code, summary, action, since, from, .. }) => {
            Data::Operator {
                operator: News { code: *code, summary, action, since: *since, from: from.as_ref() },
            }
        }
        Message::Report(report) => Data::Report { report },
    };
    let data = match (data, delivery.audience) {
        (Data::Alerts(told), Audience::Customer) => Data::Customer(told.for_customer(show_cost)?),
        (data, _) => data,
    };
    let data = Whole { data, fallback_for: delivery.stands_in_for.as_deref() };
    serde_json::to_vec(&Payload {
        r#type: message.kind().as_str(),
        timestamp: delivery.created_at,
        data,
    })
}

impl Told<'_> {
    /// The same as the customer that it is about may have it.
    fn for_customer(self, show_cost: bool) -> Result<Value, serde_json::Error> {
        let alerts: Vec<Value> = self
            .alerts
            .iter()
            .map(|alert| disclosed::alert(alert, show_cost))
            .collect::<Result<_, _>>()?;
        let mut told = Map::from_iter([("alerts".to_owned(), Value::Array(alerts))]);
        if let Some(all) = self.latest {
            let of = |(alert, latest): (&&Alert, Option<&Latest>)| {
                latest.map_or(Ok(Value::Null), |latest| disclosed::latest(alert, latest, show_cost))
            };
            told.insert(
                "latest".to_owned(),
                self.alerts.iter().zip(all).map(of).collect::<Result<_, _>>()?,
            );
        }
        told.extend(
            self.digest
                .map(|part| serde_json::to_value(part).map(|part| ("digest".to_owned(), part)))
                .transpose()?,
        );
        Ok(Value::Object(told))
    }
}

fn alerts(message: &Message, digest: Option<Part>) -> Told<'_> {
    Told {
        alerts: message.alerts().iter().map(|snapshot| &snapshot.alert).collect(),
        latest: None,
        digest,
        links: message
            .alerts()
            .iter()
            .filter_map(|one| Some((one.alert.id, one.context.links.as_ref()?)))
            .collect(),
    }
}
