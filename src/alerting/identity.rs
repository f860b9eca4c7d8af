//! Identities are derived, not drawn: from the identity of the ledger and from what they name. A
//! ledger that is restored, or a second host over the same one, gives the same ones; two ledgers
//! never do.

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::{Builder, Uuid};

use crate::alerting::{Content, NewMessage, NewStep};
use crate::domain::{Origin, canonical, utc_day};
use crate::text::short_hash;

/// A `UUIDv8` of SHA-256 over all parts, each after its length.
fn derive(parts: &[&[u8]]) -> Uuid {
    let mut all = Vec::new();
    for part in parts {
        all.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        all.extend_from_slice(part);
    }
    Builder::from_custom_bytes(short_hash(all).to_be_bytes()).into_uuid()
}

/// Of an alert: by its key, which is that of the step it is raised at.
pub(crate) fn of_alert(ledger: Uuid, step: &NewStep) -> Uuid {
    derive(&[
        ledger.as_bytes(),
        b"alert",
        step.customer.as_str().as_bytes(),
        step.rule.as_bytes(),
        step.metric.as_str().as_bytes(),
        canonical(step.at).to_string().as_bytes(),
        amount(step).as_bytes(),
        day(step).as_bytes(),
        &step.period.start.as_nanosecond().to_be_bytes(),
        &step.period.end.as_nanosecond().to_be_bytes(),
    ])
}

/// Of an alert about a security alert: by Microsoft's id in lower case, the rule and the step.
pub(crate) fn of_security(ledger: Uuid, security: &str, rule: &str, at: Decimal) -> Uuid {
    derive(&[
        ledger.as_bytes(),
        b"security",
        security.as_bytes(),
        rule.as_bytes(),
        canonical(at).to_string().as_bytes(),
    ])
}

/// The budget amount of a step's key; empty for metrics that read no budget.
pub(crate) fn amount(step: &NewStep) -> String {
    step.amount.map(|amount| canonical(amount).to_string()).unwrap_or_default()
}

/// The day of a step's key; empty for metrics that alert once in a billing period.
pub(crate) fn day(step: &NewStep) -> String {
    if step.metric.is_daily() { utc_day(step.belongs_at).to_string() } else { String::new() }
}

/// Of a message: by its kind, its notifier and what it carries.
pub(crate) fn of_message(ledger: Uuid, message: &NewMessage) -> Uuid {
    let content = &message.content;
    let members: Vec<u8> =
        content.alerts().iter().flat_map(|alert| alert.id.into_bytes()).collect();
    let (part, news, report) = match content {
        Content::Alerts(..) => (0, String::new(), String::new()),
        Content::Digest { part, .. } => (part.part, String::new(), String::new()),
        Content::Operator(news) => {
            (0, format!("{}\n{}\n{}", news.code, news.since, news.subject), String::new())
        }
        Content::Report(report) => {
            (0, String::new(), format!("{} {}", report.every.as_str(), report.since))
        }
    };
    derive(&[
        ledger.as_bytes(),
        b"message",
        content.kind().as_str().as_bytes(),
        message.notifier.as_bytes(),
        &part.to_be_bytes(),
        &members,
        news.as_bytes(),
        report.as_bytes(),
    ])
}

impl NewMessage {
    /// The same with the identity that it has in a ledger: once all that it carries is there.
    #[must_use]
    pub fn identified(self, ledger: Uuid) -> Self {
        Self { identity: of_message(ledger, &self), ..self }
    }
}

/// Of a part, counted from 0, of a message that is too large for the notifier that stands in for
/// another.
pub(crate) fn of_part(message: Uuid, notifier: &str, part: i64) -> Uuid {
    derive(&[message.as_bytes(), b"part", notifier.as_bytes(), &part.to_be_bytes()])
}

/// Of a delivery: by its message and for whom it is.
pub(crate) fn of_delivery(message: Uuid, notifier: &str, recipient: Option<&str>) -> Uuid {
    derive(&[
        message.as_bytes(),
        b"delivery",
        notifier.as_bytes(),
        recipient.unwrap_or_default().as_bytes(),
    ])
}

/// Of the message that nothing can be recorded, of a command that cannot remember that it was told
/// before: the same on one UTC day, so that receivers that know identities take it once.
pub fn unrecorded_identity(origin: Option<&Origin>, at: Timestamp) -> Uuid {
    let (host, config) = origin.map_or(("", ""), |origin| (&*origin.host, &*origin.config));
    derive(&[b"unrecorded", host.as_bytes(), config.as_bytes(), utc_day(at).to_string().as_bytes()])
}

/// The next one for what comes again: a second reminder, an alert of a rule that was removed and is
/// back.
pub(crate) fn next(identity: Uuid) -> Uuid {
    derive(&[identity.as_bytes(), b"again"])
}

/// The first of an identity and those that follow it that is not taken.
pub(crate) fn free<E>(
    first: Uuid,
    mut is_taken: impl FnMut(Uuid) -> Result<bool, E>,
) -> Result<Uuid, E> {
    let mut identity = first;
    while is_taken(identity)? {
        identity = next(identity);
    }
    Ok(identity)
}
