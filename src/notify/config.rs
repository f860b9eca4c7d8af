//! How each destination is reached.

use std::time::Duration;

use lettre::message::Mailbox;
use reqwest::Url;

use crate::domain::{Audience, Readers};
use crate::notify::message::Partner;
use crate::notify::{OAuthConfig, Templates};
use crate::secret::Secret;

/// A configured destination.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its name in the configuration.
    pub name: Box<str>,
    /// What it is.
    pub kind: Kind,
    /// New alerts about more customers than this in one poll become one digest; `None`: never.
    pub digest_above: Option<u32>,
    /// Whether it is told when an alert is over.
    pub send_resolved: bool,
    /// How long a delivery is tried before it is dead.
    pub give_up_after: Duration,
    /// One attempt, end to end.
    pub timeout: Duration,
    /// Notifiers that are sent what it does not take, by name.
    pub fallback: Vec<Box<str>>,
    /// How long a delivery is owed before they are.
    pub fallback_after: Duration,
    /// For times in messages.
    pub time_zone: jiff::tz::TimeZone,
    /// Who reads its messages.
    pub readers: Readers,
    /// Whether customers see amounts, not only percentages.
    pub show_cost: bool,
    /// The user's own words in place of the built-in ones.
    pub templates: Templates,
    /// Who the customers' provider is, in messages to them; none where nobody says so.
    pub partner: Option<Partner>,
}

impl Config {
    /// Whom a mail goes to, in words.
    fn addressees(&self, to: &[Mailbox]) -> String {
        match to.len() {
            _ if self.readers == Readers::Contacts => "the contacts of each customer".to_owned(),
            1 => "1 address".to_owned(),
            many => format!("{many} addresses"),
        }
    }

    /// What it is, in words without secrets, for `check`.
    pub fn sentence(&self) -> String {
        format!("{}{}", self.destination(), self.others())
    }

    /// Who is told in its place, and when.
    fn others(&self) -> String {
        if self.fallback.is_empty() {
            return String::new();
        }
        let after = jiff::SignedDuration::try_from(self.fallback_after).unwrap_or_default();
        format!("; what it has not taken after {after:#} is told to {}", self.fallback.join(", "))
    }

    fn destination(&self) -> String {
        let name = &self.name;
        match &self.kind {
            Kind::Email(email) => {
                format!(
                    "{name}: mail to {} by {}:{}{}",
                    self.addressees(&email.to),
                    email.smtp.host,
                    email.smtp.port,
                    self.audience()
                )
            }
            Kind::GraphMail(mail) => {
                format!(
                    "{name}: mail to {} by Microsoft Graph{}",
                    self.addressees(&mail.to),
                    self.audience()
                )
            }
            Kind::Slack(_) => format!("{name}: a Slack channel"),
            Kind::Teams(_) => format!("{name}: a Teams channel by a workflow"),
            Kind::PagerDuty(pagerduty) => {
                format!(
                    "{name}: incidents of PagerDuty by {}",
                    pagerduty.url.host_str().unwrap_or_default()
                )
            }
            Kind::Alertmanager(alertmanager) => {
                format!(
                    "{name}: what is open is shown to the Alertmanager at {}",
                    alertmanager.url.host_str().unwrap_or_default()
                )
            }
            Kind::Webhook(webhook) => {
                let signed = if webhook.keys.is_empty() { "unsigned" } else { "signed" };
                format!(
                    "{name}: {signed} webhooks to {}{}",
                    webhook.url.host_str().unwrap_or_default(),
                    self.audience()
                )
            }
        }
    }
}

impl Config {
    /// What customers see, where they read it.
    fn audience(&self) -> &'static str {
        match (self.readers.audience(), self.show_cost) {
            (Audience::Partner, _) => "",
            (Audience::Customer, false) => "; customers read it: percentages only",
            (Audience::Customer, true) => "; customers read it, with amounts",
        }
    }
}

/// The types of destinations.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Mail by SMTP.
    Email(Box<EmailConfig>),
    /// Mail by Microsoft Graph.
    GraphMail(Box<GraphMailConfig>),
    /// A Slack incoming webhook.
    Slack(SlackConfig),
    /// Any HTTP endpoint, by the Standard Webhooks specification.
    Webhook(WebhookConfig),
    /// A workflow of Teams.
    Teams(TeamsConfig),
    /// PagerDuty's Events API v2.
    PagerDuty(PagerDutyConfig),
    /// An Alertmanager, which is shown what is open.
    Alertmanager(AlertmanagerConfig),
}

/// Mail.
#[derive(Debug, Clone)]
pub struct EmailConfig {
    /// The sender.
    pub from: Mailbox,
    /// The recipients; none where they are each customer's contacts, else at least one.
    pub to: Vec<Mailbox>,
    /// Who gets the answers; the sender where nobody else is named.
    pub reply_to: Option<Mailbox>,
    /// The server.
    pub smtp: SmtpConfig,
}

/// Mail by Microsoft Graph.
#[derive(Debug, Clone)]
pub struct GraphMailConfig {
    /// The sender, whose mailbox it goes out from.
    pub from: Mailbox,
    /// The recipients, at least one.
    pub to: Vec<Mailbox>,
    /// Who gets the answers; the sender where nobody else is named.
    pub reply_to: Option<Mailbox>,
    /// Base of the API with its version, such as `https://graph.microsoft.com/v1.0`.
    pub url: Url,
    /// How one signs in.
    pub oauth: OAuthConfig,
}

/// An SMTP server.
#[derive(Debug, Clone)]
pub struct SmtpConfig {
    /// Its host name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// The name by which it is greeted (EHLO); `None`: this host's own.
    pub hello_name: Option<String>,
    /// How one signs in, where it asks for that.
    pub sign_in: Option<SmtpSignIn>,
}

/// A sign-in to an SMTP server.
#[derive(Debug, Clone)]
pub enum SmtpSignIn {
    /// By a password.
    Password {
        /// The user name.
        user: String,
        /// The password.
        password: Secret,
        /// How they are given.
        mechanism: AuthMechanism,
    },
    /// By an access token (AUTH XOAUTH2).
    Token {
        /// The mailbox.
        user: String,
        /// Where the tokens come from.
        oauth: Box<OAuthConfig>,
    },
}

/// How an SMTP connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// Plain until STARTTLS, which must succeed.
    Starttls,
    /// TLS from the first byte.
    Implicit,
    /// None.
    None,
}

/// How user name and password are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMechanism {
    /// AUTH PLAIN (RFC 4616).
    Plain,
    /// AUTH LOGIN.
    Login,
}

/// A Slack incoming webhook.
#[derive(Debug, Clone)]
pub struct SlackConfig {
    /// Its address, which is its secret.
    pub url: Secret,
}

/// A workflow of Teams that posts what it is sent.
#[derive(Debug, Clone)]
pub struct TeamsConfig {
    /// Its address, which is its secret.
    pub url: Secret,
}

/// An integration of PagerDuty.
#[derive(Debug, Clone)]
pub struct PagerDutyConfig {
    /// Its key.
    pub routing_key: Secret,
    /// Where events are taken.
    pub url: Url,
}

/// An Alertmanager.
#[derive(Debug, Clone)]
pub struct AlertmanagerConfig {
    /// Its address, without the path of its API.
    pub url: Url,
    /// Headers added to each request.
    pub headers: Vec<(reqwest::header::HeaderName, reqwest::header::HeaderValue)>,
}

/// An HTTP endpoint.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// Its address.
    pub url: Url,
    /// Keys that sign, decoded from `whsec_…`; several while rotating.
    pub keys: Vec<SigningKey>,
    /// Headers added to each request.
    pub headers: Vec<(reqwest::header::HeaderName, reqwest::header::HeaderValue)>,
}

/// A key that signs webhooks. It never prints.
#[derive(Clone)]
pub struct SigningKey(Vec<u8>);

/// The text is no signing key.
#[derive(Debug, thiserror::Error)]
#[error("a signing key is \"whsec_\" followed by 24 to 64 bytes in base64")]
pub struct InvalidSigningKey;

impl SigningKey {
    /// Decodes `whsec_` + base64 of 24 to 64 bytes (Standard Webhooks, "Signature scheme").
    pub fn try_new(secret: &Secret) -> Result<Self, InvalidSigningKey> {
        use base64::Engine as _;
        let encoded = secret.expose().strip_prefix("whsec_").ok_or(InvalidSigningKey)?;
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(encoded)
            .map_err(|_| InvalidSigningKey)?;
        if (24..=64).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(InvalidSigningKey) }
    }

    /// The bytes, for the one place that signs.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(***)")
    }
}
