//! What a failed SMTP stage means for the delivery: up to the sender it is the destination's fault,
//! at the recipient the code says whether it is about the recipient, for now or for good, or about
//! us, and from there on a permanent refusal is the message's; once the message was written,
//! silence says nothing.

use crate::notify::address::without_addresses;
use crate::notify::http_answer::tls_advice;
use crate::notify::smtp::connection::Trouble;
use crate::notify::smtp::reply::Reply;
use crate::notify::{DeliveryError, FailureReason, Verdict};

/// What Exchange Online's 535 5.7.139, 530 5.7.57 and 550 5.7.30 ask for.
const BASIC_IS_OFF: &str = "; basic authentication (user name and password) is switched off for \
    this mailbox at Microsoft 365: use auth = \"xoauth2\" or type = \"graph-mail\" \
    (docs/microsoft-365-mail.md)";
/// 535 5.7.3 is also a wrong password.
const PERHAPS_BASIC_IS_OFF: &str = "; check user name and password; at Microsoft 365, basic \
    authentication may be switched off for this mailbox: use auth = \"xoauth2\" or type = \
    \"graph-mail\" (docs/microsoft-365-mail.md)";
/// The same codes where no password was given.
const SMTP_IS_OFF: &str = "; authenticated SMTP is switched off for this mailbox at Microsoft 365: \
    switch it on in its admin center (Active users, Mail, Manage email apps), or use type = \
    \"graph-mail\"";
const TOKEN_IS_REFUSED: &str = "; check that `username` is the mailbox, and that the application \
    may send for it (docs/microsoft-365-mail.md)";
const NAME_IS_REFUSED: &str =
    "; set `hello_name` of the notifier's `smtp` to the full name of this host";
const WE_ARE_REFUSED: &str = "; the server refuses us, not the recipient: check whether it wants a \
    sign-in, the notifier's `from`, and `hello_name` of its `smtp`";

/// Where in the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// The banner.
    Greeting,
    /// EHLO.
    Hello,
    /// STARTTLS.
    Tls,
    /// AUTH by a password.
    SignIn,
    /// AUTH by a token.
    Token,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA.
    Data,
    /// The message, to its final dot.
    Content,
}

impl Stage {
    fn in_words(self) -> &'static str {
        match self {
            Self::Greeting => "its greeting",
            Self::Hello => "our greeting (EHLO)",
            Self::Tls => "STARTTLS",
            Self::SignIn | Self::Token => "the sign-in",
            Self::Sender => "the sender",
            Self::Recipient => "the recipient",
            Self::Data => "DATA",
            Self::Content => "the message",
        }
    }
}

/// A failed stage.
pub(crate) struct Refusal {
    pub(crate) error: DeliveryError,
    /// Whether the connection can take another message.
    pub(crate) leaves_connection: bool,
    /// Whether a connection that was used before may be all that is wrong: servers end them and
    /// limit what goes over each.
    pub(crate) may_be_its_age: bool,
}

impl Refusal {
    /// What is not even tried.
    pub(crate) fn untried(verdict: Verdict, reason: FailureReason, detail: &str) -> Self {
        Self {
            error: DeliveryError::new(verdict, reason, detail),
            leaves_connection: true,
            may_be_its_age: false,
        }
    }
}

/// Judges a failure of a stage.
pub(crate) fn refusal(stage: Stage, trouble: &Trouble) -> Refusal {
    let (closes, is_brief) = match trouble {
        Trouble::Refused(reply) => (reply.code == 421, !reply.is_permanent()),
        Trouble::TooSlow(_) => (true, false),
        Trouble::OutOfStep
        | Trouble::NoReply(_)
        | Trouble::Endless(_)
        | Trouble::BeforeTls
        | Trouble::Tls(_)
        | Trouble::Broken(_) => (true, true),
    };
    // Once the message was handed over, only a server that takes leave is sure not to have taken
    // it.
    let said_no = matches!(trouble, Trouble::Refused(_));
    let may_be_its_age = if stage == Stage::Content { said_no && closes } else { is_brief };
    Refusal { error: judged(stage, trouble), leaves_connection: !closes, may_be_its_age }
}

/// The error that a failure of a stage is.
pub(crate) fn judged(stage: Stage, trouble: &Trouble) -> DeliveryError {
    let in_words = stage.in_words();
    let (reason, detail) = match trouble {
        Trouble::Refused(reply) | Trouble::Endless(Some(reply)) if reply.is_refusal() => {
            return refused(stage, reply);
        }
        Trouble::Refused(_) | Trouble::OutOfStep => (
            FailureReason::UnexpectedAnswer,
            format!("the mail server's answer to {in_words} does not fit"),
        ),
        Trouble::Endless(_) => (
            FailureReason::UnexpectedAnswer,
            format!("the mail server's answer to {in_words} does not end"),
        ),
        Trouble::NoReply(text) => (
            FailureReason::UnexpectedAnswer,
            format!("not the answer of a mail server at {in_words}: {}", without_addresses(text)),
        ),
        Trouble::BeforeTls => {
            let detail = "more came behind the answer to STARTTLS before TLS began: nothing of it \
                is believed, and nothing is sent; look who is in between";
            (FailureReason::TlsFailed, detail.to_owned())
        }
        Trouble::Tls(error) => {
            let text = without_addresses(&error.to_string());
            (
                FailureReason::TlsFailed,
                format!("no TLS with the mail server: {text}{}", tls_advice(&text)),
            )
        }
        Trouble::Broken(error) => {
            let text = without_addresses(&error.to_string());
            (
                FailureReason::ConnectionLost,
                format!("the connection to the mail server broke at {in_words}: {text}"),
            )
        }
        Trouble::TooSlow(patience) => {
            let text = format!(
                "the mail server was not ready for the message within {} s: it hung at {in_words}",
                patience.as_secs_f32()
            );
            (FailureReason::TimedOut, text)
        }
    };
    if stage == Stage::Content {
        return DeliveryError::new(
            Verdict::Ambiguous,
            reason,
            format!("{detail}; the message may have arrived"),
        );
    }
    DeliveryError::new(Verdict::DESTINATION, reason, detail)
}

fn refused(stage: Stage, reply: &Reply) -> DeliveryError {
    let said = without_addresses(&reply.text());
    let permanent = reply.is_permanent();
    let words = said.split(|c: char| !c.is_ascii_digit() && c != '.');
    let basic_auth_is_off =
        words.clone().any(|word| matches!(word, "5.7.139" | "5.7.57" | "5.7.30"));
    // Nobody else's servers give this code to a wrong password.
    let is_of_exchange = words.clone().any(|word| word == "5.7.3");
    let may_not_send_as = words.clone().any(|word| matches!(word, "5.7.60" | "5.2.252"));
    let (verdict, reason) = match stage {
        _ if permanent && basic_auth_is_off => (Verdict::DESTINATION, FailureReason::SignInRefused),
        _ if permanent && may_not_send_as => (Verdict::DESTINATION, FailureReason::SignInRefused),
        Stage::Recipient if !permanent && reply.code != 421 => {
            (Verdict::Recipient, FailureReason::Deferred)
        }
        _ if !permanent => (Verdict::DESTINATION, FailureReason::Deferred),
        Stage::SignIn | Stage::Token => (Verdict::DESTINATION, FailureReason::SignInRefused),
        Stage::Recipient if is_about_recipient(reply) => {
            (Verdict::Message, FailureReason::RecipientRefused)
        }
        Stage::Data | Stage::Content => (Verdict::Message, FailureReason::MessageRefused),
        Stage::Greeting | Stage::Hello | Stage::Tls | Stage::Sender | Stage::Recipient => {
            (Verdict::DESTINATION, FailureReason::ServerError)
        }
    };
    let advice = match (reason, stage) {
        (FailureReason::SignInRefused, Stage::Token) if basic_auth_is_off => SMTP_IS_OFF,
        (FailureReason::SignInRefused, _) if basic_auth_is_off => BASIC_IS_OFF,
        (FailureReason::SignInRefused, _) if may_not_send_as => {
            "; the mailbox that signs in may not send as the notifier's `from`"
        }
        (FailureReason::SignInRefused, Stage::Token) => TOKEN_IS_REFUSED,
        (FailureReason::SignInRefused, _) if is_of_exchange => PERHAPS_BASIC_IS_OFF,
        (FailureReason::SignInRefused, _) => "; check user name and password",
        (FailureReason::RecipientRefused, _) => "; check the notifier's `to`",
        (FailureReason::ServerError, Stage::Hello) => NAME_IS_REFUSED,
        (FailureReason::ServerError, Stage::Sender) => {
            "; check the notifier's `from` and whether the server wants a sign-in"
        }
        (FailureReason::ServerError, Stage::Recipient) if reply.code == 504 => NAME_IS_REFUSED,
        (FailureReason::ServerError, Stage::Recipient) => WE_ARE_REFUSED,
        _ => "",
    };
    let code = reply.code;
    DeliveryError::new(
        verdict,
        reason,
        format!("the mail server refused {}: {code} {said}{advice}", stage.in_words()),
    )
}

/// Whether a permanent refusal at RCPT is about the recipient. Servers check there too who we are,
/// how we say hello and whether they relay for us: that is said by other codes, and would be said
/// of every recipient.
fn is_about_recipient(reply: &Reply) -> bool {
    match reply.enhanced() {
        // 5.1.7 and 5.1.8 are about the sender's address (RFC 3463 section 3.2).
        Some((1, detail)) => !matches!(detail, 7 | 8),
        Some((subject, _)) => subject == 2,
        None => (550..=553).contains(&reply.code),
    }
}
