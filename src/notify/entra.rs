//! What the sign-in service's failures mean for a notifier: always the destination's fault, and
//! what to do about it. The codes are those of "Microsoft Entra authentication and authorization
//! error codes" (AADSTS…).

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::entra::TokenRefusal;
use crate::http;
use crate::notify::http_answer::{LONGEST_RETRY_AFTER, is_about_tls, tls_advice};
use crate::notify::{DeliveryError, FailureReason, Verdict};

/// Signs of a refusal, `AADSTS` codes without these letters or words of OAuth, and what to do about
/// it.
const ADVICE: &[(&[&str], &str)] = &[
    (
        &["7000215"],
        "put the secret's value, not its id, where oauth.client_secret reads it; if it is lost, \
            make a new one in the Entra admin center (App registrations, Certificates & secrets)",
    ),
    (
        &["7000222"],
        "the application's secret has expired: make a new one in the Entra admin center (App \
            registrations, Certificates & secrets) and put it where oauth.client_secret reads it",
    ),
    (
        &["700016", "7000112"],
        "check oauth.client_id and oauth.tenant_id: they must be of the same registration",
    ),
    (
        &["90002", "900023", "90019", "50059", "900021"],
        "there is no such tenant: check oauth.tenant_id",
    ),
    (&["7000218"], "the application is a confidential one: set oauth.client_secret"),
    (&["700025"], "the application is a public one: leave oauth.client_secret out"),
    (
        &["70008", "700081", "700082", "700084", "50173", "50132", "50133", "70043", "70044"],
        "the refresh token has expired or was revoked: put a new one where oauth.refresh_token \
            reads it",
    ),
    (
        &["50076", "50074", "50078", "50079", "50072", "53000", "53001", "53002", "53003", "50158"],
        "the tenant's Conditional Access does not let this user pass: sign in again for a refresh \
            token, or leave oauth.refresh_token out and let the application sign in by its secret",
    ),
    (
        &[
            "65001",
            "65004",
            "90094",
            "650056",
            "consent_required",
            "1002012",
            "70011",
            "500011",
            "650052",
            "650057",
            "invalid_scope",
        ],
        "give the application its permission (SMTP.SendAsApp of Office 365 Exchange Online, or \
            Mail.Send of Microsoft Graph) in the Entra admin center (App registrations, API \
            permissions), and grant admin consent there",
    ),
    (
        &["unauthorized_client", "invalid_client"],
        "check oauth.client_id, oauth.client_secret and what the application may do (App \
            registrations)",
    ),
    (
        &["invalid_grant", "interaction_required"],
        "put a new refresh token where oauth.refresh_token reads it",
    ),
];

/// What to do about anything else.
const LOOK_UP: &str = "look the code up at https://login.microsoftonline.com/error";

/// The failure that a refusal of the token endpoint means.
pub(crate) fn refused(status: StatusCode, refusal: &TokenRefusal) -> DeliveryError {
    let status = status.as_u16();
    let reason =
        if refusal.reason.is_empty() { format!("status {status}") } else { refusal.reason.clone() };
    if refusal.is_final() {
        let detail = format!("Microsoft Entra refuses the sign-in: {reason}; {}", advice(&reason));
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

/// What to do about a refusal such as `invalid_client: AADSTS7000215: …`; codes say more than
/// words.
fn advice(reason: &str) -> &'static str {
    let words = || {
        reason
            .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
            .filter(|word| !word.is_empty())
    };
    let of = |sign: &str| {
        ADVICE.iter().find(|(signs, _)| signs.contains(&sign)).map(|(_, advice)| *advice)
    };
    let coded = words().filter_map(|word| word.strip_prefix("AADSTS")).find_map(of);
    coded.or_else(|| of(words().next()?)).unwrap_or(LOOK_UP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sign_has_one_advice_and_the_code_counts_before_the_word() {
        let mut seen = std::collections::HashSet::new();
        assert!(ADVICE.iter().flat_map(|(signs, _)| *signs).all(|sign| seen.insert(sign)));
        assert!(
            advice("invalid_client: AADSTS7000222: The provided client secret keys are expired.")
                .contains("has expired")
        );
        assert!(advice("invalid_grant: AADSTS1: 7000222").contains("a new refresh token"));
        assert_eq!(advice("access_denied"), LOOK_UP);
        assert_eq!(advice(""), LOOK_UP);
    }
}
