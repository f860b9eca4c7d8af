//! Reads an id token and decides whether to believe it (`OpenID` Connect Core 1.0, section
//! 3.1.3.7; Microsoft's claims are those of its v2.0 endpoint).

use jiff::Timestamp;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use crate::entra::openid::signature;
use crate::http::one_line;

/// How far two clocks may be apart, in seconds.
const SKEW: i64 = 120;
/// Longer names are cut.
const NAME: usize = 120;
/// No account has more roles of one application.
const ROLES: usize = 50;

/// Who has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// For the record: one line, not empty.
    pub(crate) name: String,
    /// The application's roles that the account has, as they are called there.
    pub(crate) roles: Vec<String>,
}

/// What a token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) tenant: &'a str,
    pub(super) audience: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: Timestamp,
}

/// Why it is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenFault {
    /// It is no token, or one without what it needs.
    #[error("it cannot be read")]
    Malformed,
    /// `none`, say.
    #[error("its algorithm is not RS256")]
    Algorithm,
    /// Nobody has published its key.
    #[error("the service has published no such key")]
    Key,
    /// Somebody else wrote it, or changed it.
    #[error("its signature is wrong")]
    Signature,
    /// Another service, or another tenant.
    #[error("its issuer is another one")]
    Issuer,
    /// It is for another application.
    #[error("its audience is another application")]
    Audience,
    /// Its time is over, or has not come.
    #[error("it is not valid at this time")]
    Time,
    /// It answers another sign-in.
    #[error("it belongs to another sign-in (nonce)")]
    Nonce,
    /// An account of another tenant.
    #[error("its tenant is another one")]
    Tenant,
    /// Nobody could be named in the record.
    #[error("it names nobody")]
    Name,
}

#[derive(Deserialize)]
struct Claims {
    exp: i64,
    nbf: Option<i64>,
    nonce: Option<String>,
    tid: Option<String>,
    preferred_username: Option<String>,
    name: Option<String>,
    oid: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
}

/// The name of the key that a token says to be signed with.
pub(super) fn key_name(token: &str) -> Result<String, TokenFault> {
    let header = decode_header(token).map_err(|error| fault(&error))?;
    if header.alg != Algorithm::RS256 {
        return Err(TokenFault::Algorithm);
    }
    header.kid.ok_or(TokenFault::Key)
}

/// Who it says has signed in, if it is to be believed.
pub(super) fn read(
    token: &str,
    key: &DecodingKey,
    expected: &Expected<'_>,
) -> Result<Person, TokenFault> {
    signature::install();
    let claims = decode::<Claims>(token, key, &validation(expected)).map_err(|e| fault(&e))?.claims;
    let now = expected.now.as_second();
    let has_begun = claims.nbf.is_none_or(|begin| begin.saturating_sub(SKEW) <= now);
    if claims.exp.saturating_add(SKEW) <= now || !has_begun {
        return Err(TokenFault::Time);
    }
    let nonce = claims.nonce.as_deref().unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        return Err(TokenFault::Nonce);
    }
    if !claims.tid.as_deref().is_some_and(|tid| tid.eq_ignore_ascii_case(expected.tenant)) {
        return Err(TokenFault::Tenant);
    }
    let names = [claims.preferred_username, claims.name, claims.oid];
    let name = names.into_iter().flatten().map(|name| clean(&name)).find(|name| !name.is_empty());
    let roles = claims.roles.into_iter().take(ROLES).collect();
    Ok(Person { name: name.ok_or(TokenFault::Name)?, roles })
}

/// Times are compared by the clock that everything goes by, not by the crate's.
fn validation(expected: &Expected<'_>) -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[expected.audience]);
    validation.set_issuer(&[expected.issuer]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.validate_exp = false;
    validation
}

/// One line of letters that can be seen, without those that change the direction of others.
fn clean(name: &str) -> String {
    let turning = |letter| matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
    let isolating = |letter| matches!(letter, '\u{2060}'..='\u{206f}' | '\u{feff}');
    let kept = one_line(name);
    kept.chars().filter(|letter| !turning(*letter) && !isolating(*letter)).take(NAME).collect()
}

fn fault(error: &Error) -> TokenFault {
    use ErrorKind::{
        InvalidAlgorithm, InvalidAudience, InvalidIssuer, InvalidSignature, UnsupportedAlgorithm,
    };
    let kind = error.kind();
    match () {
        () if matches!(kind, InvalidSignature) => TokenFault::Signature,
        () if matches!(kind, InvalidIssuer) => TokenFault::Issuer,
        () if matches!(kind, InvalidAudience) => TokenFault::Audience,
        () if matches!(kind, InvalidAlgorithm | UnsupportedAlgorithm) => TokenFault::Algorithm,
        () => TokenFault::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_bounded_line_without_letters_that_nobody_sees() {
        assert_eq!(clean(" Åsa\u{202e}\n\tBerg\u{200b} "), "Åsa Berg");
        assert_eq!(clean(&"x".repeat(1000)).len(), NAME);
    }
}
