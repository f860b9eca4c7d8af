//! Renders messages and sends them: one file for each destination, one attempt, one verdict. It
//! reads nothing but the delivery it is given, and retries nothing.

mod address;
mod alertmanager;
mod channel;
mod config;
mod email;
mod entra;
mod error;
mod graph_mail;
mod http_answer;
mod letters;
pub(crate) mod message;
mod mirror_channel;
mod notifier;
mod oauth;
mod pagerduty;
mod sample;
mod secrets;
mod slack;
mod smtp;
mod teams;
mod template;
mod webhook;

pub use channel::Channel;
pub use config::{
    AlertmanagerConfig, AuthMechanism, Config, EmailConfig, GraphMailConfig, Kind, PagerDutyConfig,
    SigningKey, SlackConfig, SmtpConfig, SmtpSignIn, SmtpTls, TeamsConfig, WebhookConfig,
};
pub use error::{BuildError, DeliveryError, FailureReason, Verdict};
pub use message::Partner;
pub use mirror_channel::MirrorChannel;
pub use notifier::{
    Accepted, MessageCopy, MirroredFact, Mirroring, Notifier, ProbeFuture, SendFuture, Shown,
};
pub use oauth::{OAuthConfig, OAuthGrant};
pub use sample::{SampleKind, sample_alert, sample_message};
pub use template::{Escape, Template, TemplateError, Templates};

#[cfg(test)]
mod tests;
