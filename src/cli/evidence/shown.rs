//! What of the ledger a folder of evidence shows as it is: messages, silences, events of the chain.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::cli::evidence::redact::Shown;
use crate::domain::{DeliveryState, MessageKind, Silence};

/// One message to one receiver.
#[derive(Serialize)]
pub(super) struct Told {
    pub(super) id: Uuid,
    pub(super) identity: Uuid,
    pub(super) notifier: String,
    pub(super) recipient: Option<String>,
    pub(super) kind: MessageKind,
    pub(super) state: DeliveryState,
    pub(super) held: bool,
    pub(super) created_at: Timestamp,
    pub(super) ended_at: Option<Timestamp>,
    /// The references of the customer's alerts in it.
    pub(super) alerts: Vec<String>,
    /// How many alerts of other customers it told of.
    pub(super) other_alerts: usize,
    pub(super) attempts: Vec<Attempt>,
    /// What the last attempt handed over.
    pub(super) message: Option<Shown>,
    pub(super) last_detail: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Attempt {
    pub(super) at: Timestamp,
    pub(super) outcome: String,
    pub(super) answer: String,
}

/// A silence that covered the customer.
#[derive(Serialize)]
pub(super) struct Quiet {
    pub(super) id: i64,
    pub(super) rules: Vec<String>,
    pub(super) unless_above: Option<Decimal>,
    pub(super) created_at: Timestamp,
    pub(super) ends_at: Option<Timestamp>,
    pub(super) expired_at: Option<Timestamp>,
    pub(super) author: String,
    pub(super) reason: String,
}

/// An event of the ledger's chain.
#[derive(Serialize)]
pub(super) struct Recorded {
    pub(super) number: i64,
    pub(super) at: Timestamp,
    pub(super) kind: String,
    #[serde(rename = "ref")]
    pub(super) about: String,
    pub(super) content: Value,
    pub(super) hash: String,
}

impl Told {
    /// The notifier, and the recipient where there are several.
    pub(super) fn receiver(&self) -> String {
        self.recipient.as_ref().map_or_else(
            || self.notifier.clone(),
            |recipient| format!("{}, {recipient}", self.notifier),
        )
    }
}

impl Quiet {
    /// Which other customers it was for is not said.
    pub(super) fn of(silence: Silence) -> Self {
        Self {
            id: silence.id,
            rules: silence.rules.iter().map(|glob| glob.as_str().to_owned()).collect(),
            unless_above: silence.unless_above,
            created_at: silence.created_at,
            ends_at: silence.ends_at,
            expired_at: silence.expired_at,
            author: silence.author,
            reason: silence.reason,
        }
    }
}
