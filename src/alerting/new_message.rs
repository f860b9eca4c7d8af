//! A message to be owed: to whom it goes, and the one thing that it says.

use uuid::Uuid;

use crate::domain::{
    Audience, DigestTotals, Latest, MessageKind, Occasion, OperatorNews, Recipients, Report,
    Severity,
};

/// A message to be owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Its identity for every attempt and recipient. One that comes again as it is, as a reminder
    /// does, is given the next.
    pub identity: Uuid,
    /// The notifier's name.
    pub notifier: Box<str>,
    /// Whom it is for.
    pub audience: Audience,
    /// Whether it is owed, but not sent until somebody releases it.
    pub held: bool,
    /// To whom it goes.
    pub recipients: Recipients,
    /// What it says.
    pub content: Content,
    /// The worst severity in it; critical messages go first.
    pub severity: Severity,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// What one poll says of one customer, or of a subscription of it: its alerts, worst first.
    Alerts(Occasion, Vec<MessageAlert>),
    /// A part of a digest.
    Digest {
        /// Why its alerts are told.
        occasion: Occasion,
        /// The alerts of this part, worst first.
        alerts: Vec<MessageAlert>,
        /// Which part it is.
        part: DigestPart,
        /// What all alerts come to, where some are in no part.
        totals: Option<DigestTotals>,
    },
    /// News about the daemon itself.
    Operator(OperatorNews),
    /// The regular report.
    Report(Box<Report>),
}

/// An alert in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageAlert {
    /// The alert.
    pub id: Uuid,
    /// How it is now, where that is told later than it was raised.
    pub latest: Option<Latest>,
}

/// Which part of which digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigestPart {
    /// From 1.
    pub part: u32,
    /// How many parts.
    pub parts: u32,
    /// How many alerts in all parts.
    pub total: u32,
    /// How many of them are critical.
    pub criticals: u32,
    /// Whether it is the first account of a ledger or rule.
    pub baseline: bool,
}

impl Content {
    /// The kind of the message.
    pub fn kind(&self) -> MessageKind {
        match self {
            Self::Digest { occasion: Occasion::New, .. } => MessageKind::Digest,
            Self::Alerts(occasion, _) | Self::Digest { occasion, .. } => occasion.kind(),
            Self::Operator(news) if news.over => MessageKind::OperatorResolved,
            Self::Operator(_) => MessageKind::OperatorRaised,
            Self::Report(_) => MessageKind::Report,
        }
    }

    /// The alerts in it, worst first.
    pub fn alerts(&self) -> &[MessageAlert] {
        match self {
            Self::Alerts(_, alerts) | Self::Digest { alerts, .. } => alerts,
            Self::Operator(_) | Self::Report(_) => &[],
        }
    }

    /// Says how each alert is now, as far as `latest` knows.
    pub(crate) fn know_latest(&mut self, latest: impl Fn(Uuid) -> Option<Latest>) {
        let alerts = match self {
            Self::Alerts(_, alerts) | Self::Digest { alerts, .. } => alerts.as_mut_slice(),
            Self::Operator(_) | Self::Report(_) => &mut [],
        };
        for alert in alerts {
            alert.latest = latest(alert.id);
        }
    }
}
