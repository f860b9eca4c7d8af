//! One message owed to one recipient of one notifier, and what the message says.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use uuid::Uuid;

use crate::domain::{
    AlertSnapshot, Audience, CustomerKey, DigestTotals, FindingCode, OperatorFinding, Readers,
    Recipients, Report, Severity, bare_address,
};

/// What a message is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// One new alert.
    Alert(Box<AlertSnapshot>),
    /// The new alerts about one customer that one poll found by several rules, worst first.
    Alerts(Digest),
    /// Several alerts of one poll, worst first.
    Digest(Digest),
    /// A message that somebody asked for to try a notifier, with an alert that is made up.
    Test(Box<AlertSnapshot>),
    /// Alerts that are still true, told again; each has its latest numbers in its context. Those of
    /// one customer are a digest of one customer.
    Reminder(Digest),
    /// Alerts that are over; each has its latest numbers and why in its context. Those of one
    /// customer are a digest of one customer.
    Resolved(Digest),
    /// News about the daemon itself.
    Operator(OperatorNews),
    /// The regular report.
    Report(Box<Report>),
}

/// A finding as its operator is told of it: that it is there, or that it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorNews {
    /// What kind of trouble.
    pub code: FindingCode,
    /// What it is about where there can be several: a notifier's name; else empty.
    pub subject: String,
    /// What happened, or how it ended: one sentence.
    pub summary: String,
    /// What to do about it, one sentence; may be empty once it is over.
    pub action: String,
    /// Since when.
    pub since: Timestamp,
    /// Whether it is over.
    pub over: bool,
    /// Which daemon says so; none where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Origin>,
}

/// Which daemon it is, where there are several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The host that it runs on.
    pub host: String,
    /// Its configuration file.
    pub config: String,
}

impl OperatorNews {
    /// That a finding is there, as the daemon at `from` says.
    pub fn raised(finding: &OperatorFinding, since: Timestamp, from: Option<Origin>) -> Self {
        let OperatorFinding { code, subject, summary, action } = finding.clone();
        Self { code, subject, summary, action, since, over: false, from }
    }
}

/// A part of a digest. Its members never change once recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    /// The members of this part, worst first.
    pub alerts: Vec<AlertSnapshot>,
    /// Which part, from 1.
    pub part: u32,
    /// How many parts the digest has.
    pub parts: u32,
    /// How many alerts all parts have together.
    pub total: u32,
    /// How many of them are critical.
    pub criticals: u32,
    /// Whether it is the first account of a new ledger or rule.
    pub baseline: bool,
    /// What all alerts come to, where some are in no part.
    pub totals: Option<DigestTotals>,
}

impl Digest {
    /// What is told of one customer alone, or of one subscription: no part of a larger digest.
    pub fn of_one_customer(alerts: Vec<AlertSnapshot>) -> Self {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let criticals = alerts.iter().filter(|one| one.alert.severity == Severity::Critical);
        Self {
            part: 1,
            parts: 1,
            total: count(alerts.len()),
            criticals: count(criticals.count()),
            baseline: alerts.iter().all(|one| one.alert.baseline),
            totals: None,
            alerts,
        }
    }

    /// Whether it is such: then the worst alert is told, and the others as further reasons.
    pub fn is_of_one_customer(&self) -> bool {
        let mut customers = self.alerts.iter().map(|snapshot| snapshot.alert.key());
        self.parts <= 1
            && customers.next().is_some_and(|first| customers.all(|other| other == first))
    }
}

/// The kind of a message, as listings and payloads name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[derive(IntoStaticStr, VariantArray, EnumString)]
pub enum MessageKind {
    /// New alerts about one customer.
    #[serde(rename = "budget.alert.raised")]
    #[strum(to_string = "budget.alert.raised")]
    Raised,
    /// Several alerts in one.
    #[serde(rename = "budget.digest")]
    #[strum(to_string = "budget.digest")]
    Digest,
    /// A try.
    #[serde(rename = "budget.test")]
    #[strum(to_string = "budget.test")]
    Test,
    /// Alerts that are still true.
    #[serde(rename = "budget.alert.reminder")]
    #[strum(to_string = "budget.alert.reminder")]
    Reminder,
    /// Alerts that are over.
    #[serde(rename = "budget.alert.resolved")]
    #[strum(to_string = "budget.alert.resolved")]
    Resolved,
    /// Trouble with the daemon itself.
    #[serde(rename = "operator.raised")]
    #[strum(to_string = "operator.raised")]
    OperatorRaised,
    /// The end of it.
    #[serde(rename = "operator.resolved")]
    #[strum(to_string = "operator.resolved")]
    OperatorResolved,
    /// The regular report.
    #[serde(rename = "operator.report")]
    #[strum(to_string = "operator.report")]
    Report,
}

impl MessageKind {
    /// Every kind.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The `type` of a webhook payload.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Reads the name used in the ledger.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

impl Message {
    /// Its kind.
    pub fn kind(&self) -> MessageKind {
        match self {
            Self::Alert(_) | Self::Alerts(_) => MessageKind::Raised,
            Self::Digest(_) => MessageKind::Digest,
            Self::Test(_) => MessageKind::Test,
            Self::Reminder(_) => MessageKind::Reminder,
            Self::Resolved(_) => MessageKind::Resolved,
            Self::Operator(news) if news.over => MessageKind::OperatorResolved,
            Self::Operator(_) => MessageKind::OperatorRaised,
            Self::Report(_) => MessageKind::Report,
        }
    }

    /// The alerts it carries, worst first.
    pub fn alerts(&self) -> &[AlertSnapshot] {
        match self {
            Self::Alert(alert) | Self::Test(alert) => std::slice::from_ref(&**alert),
            Self::Alerts(digest)
            | Self::Digest(digest)
            | Self::Reminder(digest)
            | Self::Resolved(digest) => &digest.alerts,
            Self::Operator(_) | Self::Report(_) => &[],
        }
    }

    /// The same, to put into them what only one delivery has.
    pub fn alerts_mut(&mut self) -> &mut [AlertSnapshot] {
        match self {
            Self::Alert(alert) | Self::Test(alert) => std::slice::from_mut(&mut **alert),
            Self::Alerts(digest)
            | Self::Digest(digest)
            | Self::Reminder(digest)
            | Self::Resolved(digest) => &mut digest.alerts,
            Self::Operator(_) | Self::Report(_) => &mut [],
        }
    }

    /// Whether it tells of one customer alone, or of one subscription, for one reason or several.
    pub fn is_of_one_customer(&self) -> bool {
        match self {
            Self::Alert(_) | Self::Test(_) => true,
            Self::Alerts(digest) | Self::Reminder(digest) | Self::Resolved(digest) => {
                digest.is_of_one_customer()
            }
            Self::Digest(_) | Self::Operator(_) | Self::Report(_) => false,
        }
    }

    /// The worst severity it carries.
    pub fn severity(&self) -> Severity {
        self.alerts().iter().map(|snapshot| snapshot.alert.severity).max().unwrap_or_default()
    }
}

/// Whether a delivery is still owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[derive(IntoStaticStr, EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum DeliveryState {
    /// Owed.
    Pending,
    /// Accepted by the receiver.
    Sent,
    /// Given up; kept for `deliveries retry`.
    Dead,
}

impl DeliveryState {
    /// The name used in JSON and in the ledger.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Reads the name used in the ledger.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// A delivery as a notifier gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The delivery's own id, for the ledger and the log.
    pub id: Uuid,
    /// The identity of the message, the same for every attempt and every recipient: `webhook-id`,
    /// `Message-ID`.
    pub identity: Uuid,
    /// The notifier's name.
    pub notifier: String,
    /// The one recipient, for notifiers that have several (a mail address).
    pub recipient: Option<String>,
    /// The notifier in whose place it is sent, which did not take the message.
    pub stands_in_for: Option<String>,
    /// Whom it is for.
    pub audience: Audience,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// What it says.
    pub message: Message,
}

/// Where a rule's alerts go and how a poll's alerts are put into messages there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The notifier's name.
    pub notifier: Box<str>,
    /// Who reads its messages.
    pub readers: Readers,
    /// To whom its messages go.
    pub recipients: Recipients,
    /// New alerts about more customers than this in one poll become one digest; `None`: never. A
    /// subscription with a budget of its own counts as a customer.
    pub digest_above: Option<u32>,
    /// Whether it is told when an alert is over.
    pub send_resolved: bool,
    /// How many alerts one part of a digest holds within the destination's size limits.
    pub digest_part: u32,
    /// How many parts a digest has at most, where people read it: the worst, and what all come to;
    /// `None`: all that it takes.
    pub digest_parts: Option<u32>,
    /// What the destination keeps of what it takes.
    pub keeps: Keeps,
}

/// What a destination keeps of what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// Messages, each by itself.
    Messages,
    /// One incident for each customer and billing period, which ends with the last of its alerts.
    Incidents,
    /// What is open, as long as it is shown that: it is owed no messages.
    Mirror,
}

impl Route {
    /// Who is told about a customer with these contacts: the partner's own people of everybody, a
    /// customer of itself.
    pub fn recipients_about(&self, customer: &CustomerKey, contacts: &[String]) -> Recipients {
        match &self.readers {
            Readers::Contacts => {
                let mut seen = HashSet::new();
                let addresses = contacts
                    .iter()
                    .map(|contact| bare_address(contact))
                    .filter(|address| !address.is_empty());
                let once = addresses.filter(|address| seen.insert(address.to_lowercase()));
                Recipients::Addresses(once.map(str::to_owned).collect())
            }
            Readers::Addresses(own) => self.recipients.only(|to| own.may_get(to, customer)),
            Readers::Program | Readers::Partner => self.recipients.clone(),
        }
    }

    /// Whether messages are owed to it; else it is shown what is open.
    pub fn is_owed(&self) -> bool {
        self.keeps != Keeps::Mirror
    }

    /// Whether it keeps incidents.
    pub fn has_incidents(&self) -> bool {
        self.keeps == Keeps::Incidents
    }
}
