//! An SMTP conversation (RFC 5321), stage by stage, so that each reply can be judged by where it
//! came. The connection is kept for the next message. What the message says is not looked at here.

mod bearer;
mod connection;
mod dial;
mod envelope;
mod judge;
mod own_name;
mod reply;
mod sign_in;
mod stream;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::Address;

use crate::clock::Clock;
use crate::notify::address::{domain_in_ascii, without_addresses};
use crate::notify::oauth::Tokens;
use crate::notify::{
    Accepted, DeliveryError, FailureReason, SmtpConfig, SmtpSignIn, SmtpTls, Verdict,
};
use crate::secret::Redactor;

use connection::{Connection, Deadline, Trouble};
use envelope::Envelope;
use judge::{Refusal, Stage, judged, refusal};
use stream::{Connector, Stream};

/// A connection unused for longer is not trusted any more.
const IDLE_LIFE: Duration = Duration::from_secs(30);
/// Servers limit the messages of a connection, often to 100.
const MESSAGES_OF_A_CONNECTION: u32 = 90;

/// Sends messages to one server, each over a connection of its own while it takes; connections are
/// kept for the next.
pub(crate) struct Smtp {
    config: SmtpConfig,
    /// Its host, as name servers and certificates have it.
    host: String,
    tls: Option<Connector>,
    /// For the sign-in by a token: the mailbox, and its tokens.
    tokens: Option<(String, Tokens)>,
    /// For EHLO; `None`: the address that the connection speaks from.
    own_name: Option<String>,
    /// How long everything up to handing over the message may take.
    patience: Duration,
    /// Idle connections, the one used last at the end.
    kept: Mutex<Vec<Kept>>,
    clock: Arc<dyn Clock>,
}

/// A connection that may be used again.
struct Kept {
    connection: Connection,
    /// When it was last used, by the monotonic clock; none while it is new.
    used_at: Option<Duration>,
    messages: u32,
}

/// TLS cannot be set up.
pub(crate) type TlsError = Box<dyn std::error::Error + Send + Sync>;

impl Smtp {
    /// Prepares for `config`; nothing is connected yet. `limit` is the time-out of one attempt.
    pub(crate) fn build(
        config: &SmtpConfig,
        limit: Duration,
        clock: Arc<dyn Clock>,
        redactor: &Arc<Redactor>,
    ) -> Result<Self, TlsError> {
        let host = domain_in_ascii(&config.host).into_owned();
        let tls = (config.tls != SmtpTls::None).then(|| Connector::to(&host)).transpose()?;
        let tokens = match &config.sign_in {
            Some(SmtpSignIn::Token { user, oauth }) => {
                Some((user.clone(), Tokens::new(oauth, limit, Arc::clone(&clock), redactor)?))
            }
            _ => None,
        };
        let own_name = config.hello_name.clone().or_else(own_name::own_name);
        Ok(Self {
            config: config.clone(),
            host,
            tls,
            tokens,
            own_name,
            patience: limit * 3 / 4,
            kept: Mutex::default(),
            clock,
        })
    }

    /// Until when an attempt that begins now must have come to its message.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::within(self.patience)
    }

    /// Sends one message from here to there. What comes before the message itself is bounded in
    /// time, so that a caller's later time-out can only mean that the message may have been taken.
    /// Where a connection that was used before is all that may be wrong, it is sent over a new one
    /// at once.
    pub(crate) async fn send(
        &self,
        deadline: Deadline,
        (from, to): (&Address, &Address),
        message: &str,
    ) -> Result<Accepted, DeliveryError> {
        if let Some(kept) = self.idle() {
            match self.over(kept, deadline, (from, to), message).await {
                Err(refusal) if refusal.may_be_its_age => {}
                result => return result.map_err(|refusal| refusal.error),
            }
        }
        let connection = self.connect(deadline).await?;
        let new = Kept { connection, used_at: None, messages: 0 };
        self.over(new, deadline, (from, to), message).await.map_err(|refusal| refusal.error)
    }

    /// Connects, protects the connection and signs in, as before a message, and takes leave. The
    /// server must take addresses `beyond_ascii` where there are any.
    pub(crate) async fn probe(&self, beyond_ascii: bool) -> Result<String, DeliveryError> {
        let mut connection = self.connect(self.deadline()).await?;
        if beyond_ascii && !connection.offers.has("SMTPUTF8") {
            let detail = "the mail server takes no addresses beyond ASCII (no SMTPUTF8), and the \
                notifier has some in `from` or `to`";
            return Err(DeliveryError::new(
                Verdict::DESTINATION,
                FailureReason::ServerError,
                detail,
            ));
        }
        // It has answered what it was asked; how it takes the farewell does not matter.
        let _parted_or_not = connection.command("QUIT\r\n").await;
        let SmtpConfig { host, port, tls, sign_in, .. } = &self.config;
        let secured = if *tls == SmtpTls::None { "without TLS" } else { "with TLS" };
        let signed_in = if sign_in.is_some() { ", and takes the sign-in" } else { "" };
        Ok(format!("{host}:{port} is reached {secured}{signed_in}; no mail was sent"))
    }

    /// Sends over this connection, which is kept where it can take another message.
    async fn over(
        &self,
        mut kept: Kept,
        deadline: Deadline,
        (from, to): (&Address, &Address),
        message: &str,
    ) -> Result<Accepted, Refusal> {
        let sent = kept.send(deadline, self.patience, (from, to), message).await;
        if sent.as_ref().map_or_else(|refusal| refusal.leaves_connection, |_| true)
            && kept.connection.is_clean()
        {
            self.keep(kept);
        }
        sent
    }

    fn keep(&self, kept: Kept) {
        let used_at = Some(self.clock.monotonic());
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(Kept { used_at, ..kept });
    }

    /// An idle connection that may still answer. The others that waited too long go.
    fn idle(&self) -> Option<Kept> {
        let now = self.clock.monotonic();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh =
            |kept: &Kept| kept.used_at.is_some_and(|at| now.saturating_sub(at) < IDLE_LIFE);
        kept.retain(|kept| kept.messages < MESSAGES_OF_A_CONNECTION && is_fresh(kept));
        kept.pop()
    }

    /// Connects, protects the connection and signs in.
    async fn connect(&self, deadline: Deadline) -> Result<Connection, DeliveryError> {
        if let Some((user, tokens)) = &self.tokens {
            return self.connect_by_token(user, tokens, deadline).await;
        }
        let mut connection = self.greeted(deadline).await?;
        if let Some(SmtpSignIn::Password { user, password, mechanism }) = &self.config.sign_in {
            sign_in::sign_in(&mut connection, *mechanism, user, password).await?;
        }
        Ok(connection)
    }

    /// The same by an access token. One that is refused is renewed once: it may have been revoked
    /// before its time.
    async fn connect_by_token(
        &self,
        user: &str,
        tokens: &Tokens,
        deadline: Deadline,
    ) -> Result<Connection, DeliveryError> {
        let access = async |refused| {
            let too_slow = || judged(Stage::Token, &Trouble::TooSlow(deadline.patience));
            deadline.keep(tokens.access(refused)).await.unwrap_or_else(|| Err(too_slow()))
        };
        let token = access(None).await?;
        let mut connection = self.greeted(deadline).await?;
        bearer::offered(&connection)?;
        match bearer::sign_in(&mut connection, user, &token).await {
            Err(error) if error.reason == FailureReason::SignInRefused => {
                let token = access(Some(&token)).await?;
                connection = self.greeted(deadline).await?;
                bearer::sign_in(&mut connection, user, &token).await?;
            }
            other => other?,
        }
        Ok(connection)
    }

    /// Connects and protects the connection.
    async fn greeted(&self, deadline: Deadline) -> Result<Connection, DeliveryError> {
        let at = |stage: Stage| move |trouble: Trouble| judged(stage, &trouble);
        let tcp = dial::connect(&self.host, self.config.port, deadline).await?;
        let mut connection = match &self.tls {
            Some(tls) if self.config.tls == SmtpTls::Implicit => {
                Connection::behind_tls(tls, tcp, deadline).await.map_err(at(Stage::Greeting))?
            }
            _ => Connection::over(Stream::Plain(tcp), deadline),
        };
        if !connection.reply().await.map_err(at(Stage::Greeting))?.is_done() {
            return Err(judged(Stage::Greeting, &Trouble::OutOfStep));
        }
        connection.hello(self.own_name.as_deref()).await.map_err(at(Stage::Hello))?;
        if let Some(tls) = self.tls.as_ref().filter(|_| self.config.tls == SmtpTls::Starttls) {
            if !connection.offers.has("STARTTLS") {
                let detail = "the mail server offers no STARTTLS, and nothing is sent without; \
                    check the port, or who is in between";
                return Err(DeliveryError::new(
                    Verdict::DESTINATION,
                    FailureReason::TlsMissing,
                    detail,
                ));
            }
            connection = connection.starttls(tls).await.map_err(at(Stage::Tls))?;
            connection.hello(self.own_name.as_deref()).await.map_err(at(Stage::Hello))?;
        }
        Ok(connection)
    }
}

impl Kept {
    async fn send(
        &mut self,
        deadline: Deadline,
        patience: Duration,
        (from, to): (&Address, &Address),
        message: &str,
    ) -> Result<Accepted, Refusal> {
        let connection = &mut self.connection;
        let envelope = Envelope::new(connection, from, to)?;
        if self.used_at.is_some() {
            // What an earlier message left behind is cleared (RFC 5321 section 4.1.1.5). One that
            // does not answer soon is gone, and there is time for a new one.
            connection.deadline = Some(Deadline::within(patience / 4));
            let gone = |trouble| Refusal {
                leaves_connection: false,
                may_be_its_age: true,
                ..refusal(Stage::Sender, &trouble)
            };
            connection.command("RSET\r\n").await.map_err(gone)?;
        }
        connection.deadline = Some(deadline);
        envelope.announce(connection).await?;
        // From here on nothing is known without an answer: the caller bounds the wait.
        connection.deadline = None;
        let reply = match connection.command(&envelope::to_its_final_dot(message)).await {
            // What it means is known, though it does not end.
            Err(Trouble::Endless(Some(reply))) if reply.is_done() => reply,
            other => other.map_err(|trouble| refusal(Stage::Content, &trouble))?,
        };
        if !reply.is_done() {
            return Err(refusal(Stage::Content, &Trouble::OutOfStep));
        }
        self.messages += 1;
        Ok(Accepted::saying(without_addresses(&format!("{} {}", reply.code, reply.text()))))
    }
}
