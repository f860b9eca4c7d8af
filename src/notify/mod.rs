//! Renders messages and sends them: one file for each destination, one attempt, one verdict. It reads nothing but the
//! delivery it is given, and retries nothing.

mod channel;
mod config;
mod email;
mod error;
mod http;
pub(crate) mod render;
mod sample;
mod slack;
mod smtp;
mod webhook;

pub use channel::{Accepted, Channel, Notifier, ProbeFuture, SendFuture};
pub use config::{AuthMechanism, Config, EmailConfig, Kind, SigningKey, SlackConfig, SmtpConfig, SmtpTls, WebhookConfig};
pub use error::{BuildError, DeliveryError, FailureReason, Verdict};
pub use sample::{SampleKind, sample_alert, sample_message};
