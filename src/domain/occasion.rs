//! Why a message tells of an alert.

use serde::Serialize;

use crate::domain::MessageKind;

/// Why an alert is told, in the order in which one poll tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    /// It is new.
    New,
    /// It is still true.
    Reminder,
    /// It is over.
    Resolved,
}

impl Occasion {
    /// The kind of a message that tells one alert.
    pub fn kind(self) -> MessageKind {
        match self {
            Self::New => MessageKind::Raised,
            Self::Reminder => MessageKind::Reminder,
            Self::Resolved => MessageKind::Resolved,
        }
    }

    /// The occasion of a message of this kind that tells one alert; none for other kinds.
    pub fn of_kind(kind: MessageKind) -> Option<Self> {
        match kind {
            MessageKind::Raised => Some(Self::New),
            MessageKind::Reminder => Some(Self::Reminder),
            MessageKind::Resolved => Some(Self::Resolved),
            MessageKind::Digest
            | MessageKind::Test
            | MessageKind::OperatorRaised
            | MessageKind::OperatorResolved
            | MessageKind::Report => None,
        }
    }
}
