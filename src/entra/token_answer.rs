//! What the token endpoint answers (OAuth 2.0, RFC 6749 section 5, as Microsoft Entra ID writes
//! it): tokens, or why not. What a refusal means to whom is left to those that ask.

use std::time::Duration;

use serde_json::Value;

use crate::http::one_line;
use crate::secret::{Redactor, Secret};

/// How long an access token lives when the answer does not say.
const USUAL_LIFE: Duration = Duration::from_hours(1);
/// The errors that trying again cannot fix.
const FINAL_ERRORS: [&str; 16] = [
    "invalid_grant",
    "interaction_required",
    "consent_required",
    "login_required",
    "invalid_client",
    "unauthorized_client",
    "invalid_request",
    "invalid_scope",
    "invalid_resource",
    "invalid_tenant",
    "unsupported_grant_type",
    "access_denied",
    "authorization_declined",
    "expired_token",
    "code_expired",
    "bad_verification_code",
];

/// The tokens of a good answer.
pub(crate) struct TokenAnswer {
    pub(crate) access_token: Secret,
    pub(crate) expires_in: Duration,
    /// The next refresh token; `None`: the old one stays.
    pub(crate) refresh_token: Option<Secret>,
    /// Who the user is by its claims, where that was asked for.
    pub(crate) id_token: Option<Secret>,
}

impl TokenAnswer {
    /// Reads an answer; the older endpoint writes its numbers in quotes.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let answer = json(body)?;
        let token = |name: &str| {
            answer
                .get(name)
                .and_then(Value::as_str)
                .filter(|token| !token.is_empty())
                .map(Secret::new)
        };
        let expires_in = answer
            .get("expires_in")
            .and_then(|life| life.as_u64().or_else(|| life.as_str()?.trim().parse().ok()));
        Some(Self {
            access_token: token("access_token")?,
            expires_in: expires_in.map_or(USUAL_LIFE, Duration::from_secs),
            refresh_token: token("refresh_token"),
            id_token: token("id_token"),
        })
    }
}

/// Why an answer that is no success refuses.
pub(crate) struct TokenRefusal {
    /// The word of RFC 6749 or RFC 8628, such as `invalid_grant`; empty where there is none.
    pub(crate) error: String,
    /// The word and what is said about it, one line without secrets.
    pub(crate) reason: String,
}

impl TokenRefusal {
    /// Reads an answer; the reason holds none of the secrets that `redactor` knows.
    pub(crate) fn parse(body: &[u8], redactor: &Redactor) -> Self {
        let answer = json(body).unwrap_or_default();
        let field = |name: &str| {
            redactor.redact(answer.get(name).and_then(Value::as_str).unwrap_or_default())
        };
        let error = field("error");
        let reason = first_sentence(&error, &field("error_description"));
        Self { error, reason }
    }

    /// Whether trying again cannot fix it.
    pub(crate) fn is_final(&self) -> bool {
        FINAL_ERRORS.contains(&self.error.as_str())
    }
}

/// The code and the first line of the description, which begins with the AADSTS code; trace ids
/// follow after it.
pub(crate) fn first_sentence(error: &str, description: &str) -> String {
    let line = description.lines().next().unwrap_or_default();
    let line = line.split(" Trace ID:").next().unwrap_or_default();
    let clipped: String = one_line(line).chars().take(300).collect();
    match (error, clipped.as_str()) {
        ("", text) => text.to_owned(),
        (code, "") => one_line(code).chars().take(100).collect(),
        (code, text) => format!("{}: {text}", one_line(code)),
    }
}

fn json(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)).ok()
}
