//! What a token says of whom it was made for. Its signature is not checked: it came straight from
//! the sign-in service, and what it says serves messages and warnings only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::http::one_line;

/// The claims that name an account, the most telling first.
const NAMES: [&str; 4] = ["preferred_username", "upn", "unique_name", "email"];

/// Whether the user of this token passed multi-factor authentication; `None` when the token does
/// not say (an access token is opaque to us by right).
pub(crate) fn was_multi_factor(token: &str) -> Option<bool> {
    let claims = claims(token)?;
    let methods = claims.get("amr")?.as_array()?;
    Some(methods.iter().any(|method| method == "mfa"))
}

/// The account that this token was made for, such as `robot@contoso.onmicrosoft.com`.
pub(crate) fn account(token: &str) -> Option<String> {
    let claims = claims(token)?;
    let name = NAMES
        .iter()
        .filter_map(|name| claims.get(*name)?.as_str())
        .find(|name| !name.is_empty())?;
    Some(one_line(name).chars().take(100).collect())
}

fn claims(token: &str) -> Option<Map<String, Value>> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&payload).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_token_says_whether_it_was_multi_factor() {
        assert_eq!(was_multi_factor(&token(r#"{"amr":["pwd","mfa"]}"#)), Some(true));
        assert_eq!(was_multi_factor(&token(r#"{"amr":["pwd"]}"#)), Some(false));
        assert_eq!(was_multi_factor(&token("{}")), None);
        assert_eq!(was_multi_factor("opaque"), None);
    }

    #[test]
    fn the_token_names_the_account() {
        assert_eq!(
            account(&token(r#"{"upn":"a@b.example","preferred_username":"","oid":"1"}"#))
                .as_deref(),
            Some("a@b.example")
        );
        assert_eq!(account(&token(r#"{"oid":"1"}"#)), None);
    }
}
