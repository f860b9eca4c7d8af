//! An SMTP conversation (RFC 5321), stage by stage, so that each reply can be judged by where it came. The connection is
//! kept for the next message. What the message says is not looked at here.

mod bearer;
mod envelope;
mod judge;
mod stream;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::Ehlo;
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Severity;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::fs;
use crate::notify::oauth::Tokens;
use crate::notify::{Accepted, AuthMechanism, DeliveryError, FailureReason, SmtpConfig, SmtpSignIn, SmtpTls, Verdict};

use envelope::Envelope;
pub(crate) use judge::one_line;
use judge::{Stage, failed};
use stream::Connector;

/// A connection unused for longer is not trusted any more.
const IDLE_LIFE: Duration = Duration::from_secs(30);
/// Servers limit the messages of a connection, often to 100.
const MESSAGES_OF_A_CONNECTION: u32 = 90;

/// Sends messages to one server, each over a connection of its own while it takes; connections are kept for the next.
pub(crate) struct Smtp {
    config: SmtpConfig,
    connector: Connector,
    starttls: Option<TlsParameters>,
    /// For the sign-in by a token: the mailbox, and its tokens.
    tokens: Option<(String, Tokens)>,
    hello: ClientId,
    /// How long everything up to handing over the message may take.
    patience: Duration,
    /// Idle connections, the one used last at the end.
    kept: Mutex<Vec<Kept>>,
    clock: Arc<dyn Clock>,
}

/// A connection that may be used again.
struct Kept {
    connection: AsyncSmtpConnection,
    /// Whether the server takes several commands at once (RFC 2920).
    at_once: bool,
    /// When it was last used, by the monotonic clock.
    used_at: Duration,
    messages: u32,
}

/// TLS cannot be set up.
pub(crate) type TlsError = Box<dyn std::error::Error + Send + Sync>;

impl Smtp {
    /// Prepares for `config`; nothing is connected yet. `limit` is the time-out of one attempt.
    pub(crate) fn build(config: &SmtpConfig, limit: Duration, clock: Arc<dyn Clock>) -> Result<Self, TlsError> {
        let starttls = (config.tls == SmtpTls::Starttls).then(|| TlsParameters::new(config.host.clone())).transpose()?;
        let connector = if config.tls == SmtpTls::Implicit { Connector::tls(&config.host)? } else { Connector::plain() };
        let tokens = match &config.sign_in {
            Some(SmtpSignIn::Token { user, oauth }) => Some((user.clone(), Tokens::new(oauth, limit, Arc::clone(&clock))?)),
            _ => None,
        };
        let patience = limit * 3 / 4;
        Ok(Self { config: config.clone(), connector, starttls, tokens, hello: own_name(), patience, kept: Mutex::default(), clock })
    }

    /// Sends one message to one recipient. What comes before the message itself is bounded in time here, so that a
    /// caller's later time-out can only mean that the message may have been taken.
    pub(crate) async fn send(&self, from: &Address, to: &Address, message: &str) -> Result<Accepted, DeliveryError> {
        let handed_over = timeout(self.patience, self.announced(from, to));
        let mut kept = handed_over.await.unwrap_or_else(|_| Err(self.too_slow()))?;
        // Dropped here, the connection is dropped with it and not kept.
        match kept.connection.command(envelope::to_its_final_dot(message)).await {
            Ok(reply) if reply.code().severity == Severity::PositiveCompletion => {
                kept.messages += 1;
                self.keep(kept);
                let text = reply.message().collect::<Vec<_>>().join(" ");
                Ok(Accepted { detail: judge::one_line(&format!("{} {text}", reply.code())) })
            }
            Ok(_) => Err(judge::out_of_step(Stage::Content).error),
            Err(error) => Err(self.after(failed(Stage::Content, &error), kept)),
        }
    }

    /// Connects, protects the connection and signs in, as before a message, and takes leave.
    pub(crate) async fn probe(&self) -> Result<String, DeliveryError> {
        let (mut connection, _) = self.connect().await?;
        // It has answered what it was asked; how it takes the farewell does not matter.
        let _parted_or_not = connection.quit().await;
        let SmtpConfig { host, port, tls, sign_in } = &self.config;
        let secured = if *tls == SmtpTls::None { "without TLS" } else { "with TLS" };
        let signed_in = if sign_in.is_some() { ", and takes the sign-in" } else { "" };
        Ok(format!("{host}:{port} is reached {secured}{signed_in}; no mail was sent"))
    }

    /// Keeps the connection that a refusal leaves.
    fn after(&self, refusal: judge::Refusal, kept: Kept) -> DeliveryError {
        if refusal.leaves_connection {
            self.keep(kept);
        }
        refusal.error
    }

    fn keep(&self, kept: Kept) {
        let used_at = self.clock.monotonic();
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(Kept { used_at, ..kept });
    }

    /// An idle connection that may still answer. The others that waited too long go.
    fn idle(&self) -> Option<Kept> {
        let now = self.clock.monotonic();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.messages < MESSAGES_OF_A_CONNECTION && now.saturating_sub(kept.used_at) < IDLE_LIFE);
        kept.pop()
    }

    fn too_slow(&self) -> DeliveryError {
        let detail = format!("the mail server was not ready for the message within {} s", self.patience.as_secs_f32());
        DeliveryError::new(Verdict::DESTINATION, FailureReason::TimedOut, detail)
    }

    /// A connection whose server waits for the message: a kept one if it still answers, else a new one.
    async fn announced(&self, from: &Address, to: &Address) -> Result<Kept, DeliveryError> {
        if let Some(mut kept) = self.idle() {
            let mut envelope = match Envelope::new(&kept.connection, from, to, kept.at_once) {
                Ok(envelope) => envelope,
                Err(refusal) => return Err(self.after(refusal, kept)),
            };
            let answers = timeout(self.patience / 4, envelope.clear(&mut kept.connection)).await;
            if answers.is_ok_and(|reply| reply.is_ok()) {
                return self.told(envelope, kept).await;
            }
        }
        let (connection, at_once) = self.connect().await?;
        let kept = Kept { connection, at_once, used_at: self.clock.monotonic(), messages: 0 };
        match Envelope::new(&kept.connection, from, to, at_once) {
            Ok(envelope) => self.told(envelope, kept).await,
            Err(refusal) => Err(self.after(refusal, kept)),
        }
    }

    async fn told(&self, envelope: Envelope, mut kept: Kept) -> Result<Kept, DeliveryError> {
        match envelope.announce(&mut kept.connection).await {
            Ok(()) => Ok(kept),
            Err(refusal) => Err(self.after(refusal, kept)),
        }
    }

    /// Connects, protects the connection and signs in. Says too whether the server takes several commands at once.
    async fn connect(&self) -> Result<(AsyncSmtpConnection, bool), DeliveryError> {
        if let Some((user, tokens)) = &self.tokens {
            return self.connect_by_token(user, tokens).await;
        }
        let (mut connection, at_once) = self.greeted().await?;
        if let Some(SmtpSignIn::Password { user, password, mechanism }) = &self.config.sign_in {
            let mechanism = match mechanism {
                AuthMechanism::Plain => Mechanism::Plain,
                AuthMechanism::Login => Mechanism::Login,
            };
            let credentials = Credentials::new(user.clone(), password.expose().to_owned());
            connection.auth(&[mechanism], &credentials).await.map_err(|error| failed(Stage::SignIn, &error).error)?;
        }
        Ok((connection, at_once))
    }

    /// The same by an access token. One that is refused is renewed once: it may have been revoked before its time.
    async fn connect_by_token(&self, user: &str, tokens: &Tokens) -> Result<(AsyncSmtpConnection, bool), DeliveryError> {
        let token = tokens.access(None).await?;
        let (mut connection, mut at_once) = self.greeted().await?;
        bearer::offered(&connection)?;
        match bearer::sign_in(&mut connection, user, &token).await {
            Err(error) if error.reason == FailureReason::SignInRefused => {
                let token = tokens.access(Some(&token)).await?;
                (connection, at_once) = self.greeted().await?;
                bearer::sign_in(&mut connection, user, &token).await?;
            }
            other => other?,
        }
        Ok((connection, at_once))
    }

    /// Connects and protects the connection.
    async fn greeted(&self) -> Result<(AsyncSmtpConnection, bool), DeliveryError> {
        let stream = self.connector.connect(&self.config.host, self.config.port).await?;
        let greeted = AsyncSmtpConnection::connect_with_transport(stream, &self.hello).await;
        let mut connection = greeted.map_err(|error| failed(Stage::Greeting, &error).error)?;
        if let Some(parameters) = &self.starttls {
            if !connection.can_starttls() {
                let detail = "the mail server offers no STARTTLS, and nothing is sent without; check the port, or who is in between";
                return Err(DeliveryError::new(Verdict::DESTINATION, FailureReason::TlsMissing, detail));
            }
            connection.starttls(parameters.clone(), &self.hello).await.map_err(|error| failed(Stage::Tls, &error).error)?;
        }
        // The library has read the first answer and keeps nothing of this extension.
        let at_once = match connection.command(Ehlo::new(self.hello.clone())).await {
            Ok(reply) => reply.message().any(|line| line.eq_ignore_ascii_case("PIPELINING")),
            Err(error) if failed(Stage::Greeting, &error).leaves_connection => false,
            Err(error) => return Err(failed(Stage::Greeting, &error).error),
        };
        Ok((connection, at_once))
    }
}

/// The name of this host for EHLO; the loopback address, as a literal, where it has none that is a domain name.
fn own_name() -> ClientId {
    let name = fs::read_text(Path::new("/proc/sys/kernel/hostname"), 1 << 10).unwrap_or_default();
    let name = name.trim();
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.');
    if letters && !name.is_empty() && name != "(none)" { ClientId::Domain(name.to_owned()) } else { ClientId::default() }
}
