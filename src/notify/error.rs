//! How an attempt fails: what it means for the delivery, why, and what to do about it. When to try
//! again is decided elsewhere.

use strum::IntoStaticStr;

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::SentMessage;

/// What a failed attempt means for its delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[derive(IntoStaticStr)]
pub enum Verdict {
    /// The receiver will never take this message: the delivery is dead at once.
    #[strum(to_string = "message-refused")]
    Message,
    /// The receiver takes nothing for this recipient at the moment: what is owed to it waits, the
    /// other recipients' does not.
    #[strum(to_string = "recipient-deferred")]
    Recipient,
    /// The destination is at fault: it is left alone for a while, and every delivery to it waits.
    #[strum(to_string = "destination-failed")]
    Destination {
        /// How long the receiver wants to be left alone, at most an hour.
        retry_after: Option<Duration>,
    },
    /// The message may have arrived: the same delivery again, under the same identity.
    #[strum(to_string = "ambiguous")]
    Ambiguous,
}

impl Verdict {
    /// The destination is at fault and named no time to wait.
    pub(crate) const DESTINATION: Self = Self::Destination { retry_after: None };

    /// The outcome's name as the metric's label has it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[derive(IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum FailureReason {
    /// No connection: refused, unknown host, no route.
    CannotConnect,
    /// The certificate was not accepted, or TLS could not be agreed on.
    TlsFailed,
    /// The server offers no STARTTLS, which is configured.
    TlsMissing,
    /// Nothing came back in time.
    TimedOut,
    /// The connection broke.
    ConnectionLost,
    /// A redirect, which is not followed.
    Redirected,
    /// Sign-in refused: user name, password, token or key.
    SignInRefused,
    /// The address is unknown to the receiver.
    NotFound,
    /// Too many requests.
    Throttled,
    /// The receiver is in trouble.
    ServerError,
    /// The receiver cannot take it at the moment.
    Deferred,
    /// The receiver refuses this message.
    MessageRefused,
    /// The receiver refuses this recipient.
    RecipientRefused,
    /// An answer that no receiver of this type gives.
    UnexpectedAnswer,
}

impl FailureReason {
    /// The name used in the log and in listings.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A failed attempt.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct DeliveryError {
    /// What it means for the delivery.
    pub verdict: Verdict,
    /// Why.
    pub reason: FailureReason,
    /// What happened and what to do about it, one line without secrets and addresses.
    pub detail: String,
    /// What caused it.
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
    /// What the receiver was, or was to be, handed.
    pub message: Option<Arc<SentMessage>>,
}

impl DeliveryError {
    /// A failure that says all there is to say.
    pub(crate) fn new(verdict: Verdict, reason: FailureReason, detail: impl Into<String>) -> Self {
        Self { verdict, reason, detail: detail.into(), source: None, message: None }
    }

    /// The same failure with what caused it.
    pub(crate) fn caused_by(self, source: impl StdError + Send + Sync + 'static) -> Self {
        Self { source: Some(Box::new(source)), ..self }
    }
}

/// Why a notifier cannot be built from its configuration.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The address is no URL. It is not shown: it may be a secret.
    #[error("the url of notifier \"{0}\" is not a valid address")]
    Url(Box<str>),
    /// No TLS on this host.
    #[error("cannot set up TLS for notifier \"{notifier}\"")]
    Tls {
        /// The notifier.
        notifier: Box<str>,
        /// Why.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
}
