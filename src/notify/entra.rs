//! What the sign-in service's failures mean for a notifier: always the destination's fault, and
//! what to do about it. What the codes mean is `entra`'s.

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::entra::{NEW_REFRESH_TOKEN, TokenRefusal, advice};
use crate::http;
use crate::notify::http_answer::{LONGEST_RETRY_AFTER, is_about_tls, tls_advice};
use crate::notify::{DeliveryError, FailureReason, Verdict};

/// The failure that a refusal of the token endpoint means.
pub(crate) fn refused(status: StatusCode, refusal: &TokenRefusal) -> DeliveryError {
    let status = status.as_u16();
    let reason =
        if refusal.reason.is_empty() { format!("status {status}") } else { refusal.reason.clone() };
    if refusal.is_final() {
        let detail = format!("Microsoft Entra refuses the sign-in: {reason}; {}", fix(refusal));
        return DeliveryError::new(Verdict::DESTINATION, FailureReason::SignInRefused, detail);
    }
    let why =
        if status >= 500 { FailureReason::ServerError } else { FailureReason::UnexpectedAnswer };
    DeliveryError::new(
        Verdict::DESTINATION,
        why,
        format!("Microsoft Entra gives no token: {status} {reason}"),
    )
}

/// Too many sign-ins.
pub(crate) fn throttled(headers: &HeaderMap, now: Timestamp) -> DeliveryError {
    let retry_after = http::retry_after(headers, now).map(|after| after.min(LONGEST_RETRY_AFTER));
    DeliveryError::new(
        Verdict::Destination { retry_after },
        FailureReason::Throttled,
        "Microsoft Entra gives no token: 429",
    )
}

/// No token in an answer that should have one.
pub(crate) fn unreadable(status: StatusCode) -> DeliveryError {
    let detail = format!(
        "the sign-in service's answer ({}) holds no access token; check oauth.login_url",
        status.as_u16()
    );
    DeliveryError::new(Verdict::DESTINATION, FailureReason::UnexpectedAnswer, detail)
}

/// No answer. No message was on its way yet.
pub(crate) fn unanswered(error: reqwest::Error) -> DeliveryError {
    let text = http::describe(&error);
    let error = error.without_url();
    let (reason, hint) = match () {
        () if error.is_connect() && is_about_tls(&text) => {
            (FailureReason::TlsFailed, tls_advice(&text))
        }
        () if error.is_timeout() => (FailureReason::TimedOut, ""),
        () if error.is_connect() => {
            (FailureReason::CannotConnect, "; check the network and oauth.login_url")
        }
        () => (FailureReason::ConnectionLost, ""),
    };
    DeliveryError::new(
        Verdict::DESTINATION,
        reason,
        format!("no token from the sign-in service: {text}{hint}"),
    )
    .caused_by(error)
}

/// What to do about a refusal; codes say more than words.
fn fix(refusal: &TokenRefusal) -> &'static str {
    match (advice(&refusal.reason), refusal.error.as_str()) {
        (Some(advice), _) => advice.for_notifier,
        (None, "unauthorized_client" | "invalid_client") => {
            "check oauth.client_id, oauth.client_secret and what the application may do (App \
                registrations)"
        }
        (None, "invalid_grant" | "interaction_required") => NEW_REFRESH_TOKEN,
        (None, _) => "look the code up at https://login.microsoftonline.com/error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_counts_before_the_word() {
        let fix = |error: &str, said: &str| {
            fix(&TokenRefusal { error: error.into(), reason: format!("{error}: {said}") })
        };
        assert!(
            fix("invalid_client", "AADSTS7000222: The provided client secret keys are expired.")
                .contains("has expired")
        );
        assert!(fix("invalid_grant", "AADSTS1: 7000222").contains("a new refresh token"));
        assert!(fix("invalid_request", "").contains("look the code up"));
        assert!(fix("", "").contains("look the code up"));
    }
}
