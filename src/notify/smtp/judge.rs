//! What a failed SMTP stage means for the delivery: up to the sender it is the destination's fault, from the recipient
//! on a permanent refusal is the message's; once the message was written, silence says nothing.

use lettre::transport::smtp::Error;
use lettre::transport::smtp::response::Severity;

use crate::notify::http::{is_about_tls, tls_advice};
use crate::notify::{DeliveryError, FailureReason, Verdict};
use crate::outbound;

/// What Exchange Online's 535 5.7.139, 530 5.7.57 and 550 5.7.30 ask for.
const BASIC_IS_OFF: &str = "; basic authentication (user name and password) is switched off for this mailbox at Microsoft 365: use \
    auth = \"xoauth2\" or type = \"graph-mail\" (README, \"Mail through Microsoft 365\")";
/// 535 5.7.3 is also a wrong password.
const PERHAPS_BASIC_IS_OFF: &str = "; check user name and password; at Microsoft 365, basic authentication may be switched off for this \
    mailbox: use auth = \"xoauth2\" or type = \"graph-mail\" (README, \"Mail through Microsoft 365\")";
/// The same codes where no password was given.
const SMTP_IS_OFF: &str = "; authenticated SMTP is switched off for this mailbox at Microsoft 365: switch it on in its admin center \
    (Active users, Mail, Manage email apps), or use type = \"graph-mail\"";
const TOKEN_IS_REFUSED: &str = "; check that `username` is the mailbox, and that the application may send for it (README, \"Mail through \
    Microsoft 365\")";

/// Where in the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// The banner and EHLO.
    Greeting,
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
    pub error: DeliveryError,
    /// Whether the connection can take another message.
    pub leaves_connection: bool,
}

impl Refusal {
    /// A recipient that is not even tried.
    pub(crate) fn of_recipient(detail: &str) -> Self {
        let error = DeliveryError::new(Verdict::Message, FailureReason::RecipientRefused, detail);
        Self { error, leaves_connection: true }
    }
}

/// Judges a failure of a stage.
pub(crate) fn failed(stage: Stage, error: &Error) -> Refusal {
    let leaves_connection = error.status().is_some_and(|code| code.to_string() != "421");
    Refusal { error: judged(stage, error), leaves_connection }
}

/// A positive answer that does not fit the stage.
pub(crate) fn out_of_step(stage: Stage) -> Refusal {
    let verdict = if stage == Stage::Content { Verdict::Ambiguous } else { Verdict::DESTINATION };
    let detail = format!("the mail server's answer to {} does not fit", stage.in_words());
    Refusal { error: DeliveryError::new(verdict, FailureReason::UnexpectedAnswer, detail), leaves_connection: false }
}

/// A server's answer as one short line without mail addresses.
pub(crate) fn one_line(text: &str) -> String {
    let word = |word: &str| match word.contains('@') {
        true if word.ends_with(':') => "<address>:".to_owned(),
        true => "<address>".to_owned(),
        false => word.to_owned(),
    };
    let words: Vec<_> = outbound::one_line(text).split(' ').map(word).collect();
    words.join(" ").chars().take(300).collect()
}

fn judged(stage: Stage, error: &Error) -> DeliveryError {
    let cause = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    let said = one_line(&cause);
    let Some(code) = error.status() else {
        return without_reply(stage, error, &said);
    };
    let permanent = code.severity == Severity::PermanentNegativeCompletion;
    let words = said.split(|c: char| !c.is_ascii_digit() && c != '.');
    let basic_auth_is_off = words.clone().any(|word| matches!(word, "5.7.139" | "5.7.57" | "5.7.30"));
    // Nobody else's servers give this code to a wrong password.
    let is_of_exchange = words.clone().any(|word| word == "5.7.3");
    let may_not_send_as = words.clone().any(|word| matches!(word, "5.7.60" | "5.2.252"));
    let (verdict, reason) = match stage {
        _ if permanent && basic_auth_is_off => (Verdict::DESTINATION, FailureReason::SignInRefused),
        _ if permanent && may_not_send_as => (Verdict::DESTINATION, FailureReason::SignInRefused),
        _ if !permanent => (Verdict::DESTINATION, FailureReason::Deferred),
        Stage::SignIn | Stage::Token => (Verdict::DESTINATION, FailureReason::SignInRefused),
        Stage::Recipient => (Verdict::Message, FailureReason::RecipientRefused),
        Stage::Data | Stage::Content => (Verdict::Message, FailureReason::MessageRefused),
        Stage::Greeting | Stage::Tls | Stage::Sender => (Verdict::DESTINATION, FailureReason::ServerError),
    };
    let advice = match (reason, stage) {
        (FailureReason::SignInRefused, Stage::Token) if basic_auth_is_off => SMTP_IS_OFF,
        (FailureReason::SignInRefused, _) if basic_auth_is_off => BASIC_IS_OFF,
        (FailureReason::SignInRefused, _) if may_not_send_as => "; the mailbox that signs in may not send as the notifier's `from`",
        (FailureReason::SignInRefused, Stage::Token) => TOKEN_IS_REFUSED,
        (FailureReason::SignInRefused, _) if is_of_exchange => PERHAPS_BASIC_IS_OFF,
        (FailureReason::SignInRefused, _) => "; check user name and password",
        (FailureReason::RecipientRefused, _) => "; check the notifier's `to`",
        (FailureReason::ServerError, Stage::Sender) => "; check the notifier's `from` and whether the server wants a sign-in",
        _ => "",
    };
    DeliveryError::new(verdict, reason, format!("the mail server refused {}: {code} {said}{advice}", stage.in_words()))
}

/// Judges a conversation that broke off, or went wrong on this side.
fn without_reply(stage: Stage, error: &Error, said: &str) -> DeliveryError {
    let after = stage == Stage::Content;
    let verdict = if after { Verdict::Ambiguous } else { Verdict::DESTINATION };
    let cut = error.is_response() && said.contains("incomplete response");
    let (reason, what) = match () {
        () if is_about_tls(said) => (FailureReason::TlsFailed, "no TLS with the mail server"),
        () if error.is_client() && stage == Stage::SignIn => (FailureReason::SignInRefused, "no sign-in that both sides know"),
        () if error.is_response() && !cut => (FailureReason::UnexpectedAnswer, "not the answer of a mail server"),
        () => (FailureReason::ConnectionLost, "the connection to the mail server broke"),
    };
    let advice = match reason {
        FailureReason::TlsFailed => tls_advice(said),
        FailureReason::SignInRefused => "; try the other `auth`",
        _ if after => "; the message may have arrived",
        _ => "",
    };
    DeliveryError::new(verdict, reason, format!("{what} at {}: {said}{advice}", stage.in_words()))
}
