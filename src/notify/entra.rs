//! What the sign-in service's failures mean for a notifier: always the destination's fault, and
//! what to do about it. What the codes mean is `entra`'s.

use reqwest::StatusCode;

use crate::entra::{NEW_REFRESH_TOKEN, TokenError, TokenRefusal, advice};
use crate::http;
use crate::notify::address::without_addresses;
use crate::notify::http_answer::{LONGEST_RETRY_AFTER, is_about_tls, tls_advice};
use crate::notify::{DeliveryError, FailureReason, Verdict};

/// The failure that a missing token means. No message was on its way yet.
pub(crate) fn failed(error: TokenError) -> DeliveryError {
    let (reason, detail) = match error {
        TokenError::NoRefreshToken(_) => {
            (FailureReason::SignInRefused, NEW_REFRESH_TOKEN.to_owned())
        }
        TokenError::Unanswered(error) => return unanswered(error),
        TokenError::Throttled { retry_after } => {
            let retry_after = retry_after.map(|after| after.min(LONGEST_RETRY_AFTER));
            return DeliveryError::new(
                Verdict::Destination { retry_after },
                FailureReason::Throttled,
                "Microsoft Entra gives no token: 429",
            );
        }
        TokenError::TooLarge { status, .. } | TokenError::NoToken { status } => (
            FailureReason::UnexpectedAnswer,
            format!(
                "the sign-in service's answer ({}) holds no access token; check oauth.login_url",
                status.as_u16()
            ),
        ),
        TokenError::Refused { status, refusal } => refused(status, &refusal),
    };
    DeliveryError::new(Verdict::DESTINATION, reason, detail)
}

fn refused(status: StatusCode, refusal: &TokenRefusal) -> (FailureReason, String) {
    let (status, said) = (status.as_u16(), without_addresses(&refusal.reason));
    let said = if said.is_empty() { format!("status {status}") } else { said };
    if refusal.is_final() {
        let detail = format!("Microsoft Entra refuses the sign-in: {said}; {}", fix(refusal));
        return (FailureReason::SignInRefused, detail);
    }
    let why =
        if status >= 500 { FailureReason::ServerError } else { FailureReason::UnexpectedAnswer };
    (why, format!("Microsoft Entra gives no token: {status} {said}"))
}

fn unanswered(error: reqwest::Error) -> DeliveryError {
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
    let detail = format!("no token from the sign-in service: {text}{hint}");
    DeliveryError::new(Verdict::DESTINATION, reason, detail).caused_by(error)
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
