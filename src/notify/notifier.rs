//! What every destination is: one that takes messages, or one that mirrors what is open; either says
//! how that went. What wraps it is `channel`'s.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::domain::{AlertSnapshot, Delivery, OperatorNews, SentMessage};
use crate::notify::DeliveryError;

/// An attempt under way. Dropping it cancels the attempt.
pub type SendFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Accepted, DeliveryError>> + Send + 'a>>;

/// A look at a destination: what was found, one line without secrets.
pub type ProbeFuture<'a> = Pin<Box<dyn Future<Output = Result<String, DeliveryError>> + Send + 'a>>;

/// A destination, by what it takes.
pub(crate) enum Destination {
    /// It is owed messages.
    Messages(Box<dyn Notifier>),
    /// It is shown what is open, and owed nothing.
    Mirror(Arc<dyn Mirroring>),
}

impl Destination {
    /// What takes one message: to a mirror, only one that somebody asked for goes.
    pub(crate) fn notifier(&self) -> &dyn Notifier {
        match self {
            Self::Messages(notifier) => &**notifier,
            Self::Mirror(mirror) => &**mirror,
        }
    }
}

/// A destination that takes a message.
pub trait Notifier: Send + Sync {
    /// Makes one attempt. What precedes handing the message over takes at most three quarters of
    /// the time-out, so that an attempt cut off by the time-out is always one whose message may
    /// have arrived.
    ///
    /// What is handed over is left in `copy` before it is, so that it is known also where nobody
    /// waits for the answer any more.
    fn send<'a>(
        &'a self,
        delivery: &'a Delivery,
        now: Timestamp,
        copy: &'a MessageCopy,
    ) -> SendFuture<'a>;

    /// Goes as far as it can without handing over any message: connects, agrees on TLS, signs in
    /// where that is apart.
    fn probe(&self) -> ProbeFuture<'_>;
}

/// A destination that mirrors what is open. A message to it is a try, and ends by itself.
pub trait Mirroring: Notifier {
    /// Shows how things are.
    fn show<'a>(&'a self, open: &'a [Shown], now: Timestamp) -> SendFuture<'a>;
}

/// A message was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What the receiver said, one line for the record, without secrets.
    pub detail: String,
    /// What it was handed.
    pub message: Option<Arc<SentMessage>>,
}

impl Accepted {
    /// Taken with these words.
    pub(crate) fn saying(detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), message: None }
    }
}

/// Where a destination leaves what it hands over.
#[derive(Debug, Default)]
pub struct MessageCopy(Mutex<Option<SentMessage>>);

impl MessageCopy {
    /// Keeps it, in place of what was kept before.
    pub(crate) fn keep(&self, message: SentMessage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
    }

    /// What was handed over, if anything was.
    pub(crate) fn take(&self) -> Option<SentMessage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Something that is so, or was.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// What.
    pub fact: MirroredFact,
    /// When it ends if nothing more is said of it, or ended.
    pub ends_at: Timestamp,
}

/// What can be so.
#[derive(Debug, Clone, PartialEq)]
pub enum MirroredFact {
    /// An alert, and who knows of it.
    Alert(Box<AlertSnapshot>, Option<String>),
    /// Trouble with the daemon itself.
    Trouble(OperatorNews),
}
