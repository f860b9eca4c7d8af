//! The authorization code flow with proof key (RFC 7636) and a redirect to this machine (RFC 8252):
//! for tenants that block device codes. The person's browser brings the code; how it arrives is
//! `redirect`'s.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::entra::{Application, TokenAnswer, first_sentence};
use crate::secret::Secret;
use crate::source::sign_in::SCOPE;
use crate::source::sign_in::redirect::{Landing, Returned};
use crate::source::{Place, SourceError};
use crate::text::sha256;

/// How long a person may take.
const PATIENCE: Duration = Duration::from_mins(15);

/// What to tell the person who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserPrompt {
    /// The page to open, in a browser that reaches this machine's loopback.
    pub address: String,
    /// The port on 127.0.0.1 that the browser is sent back to.
    pub port: u16,
    /// How long there is.
    pub good_for: Duration,
}

/// Signs a person in; `show` is called once, with what they have to do.
pub(crate) async fn sign_in(
    application: &Application,
    show: impl FnOnce(&BrowserPrompt),
) -> Result<TokenAnswer, SourceError> {
    let closed = |error: std::io::Error| here(format!("no port to be called back on: {error}"));
    let landing = Landing::open().await.map_err(closed)?;
    // Without a slash at its end: so it equals the registered "http://localhost" but for the port,
    // which is not compared.
    let redirect = format!("http://localhost:{}", landing.port());
    let (state, verifier) = (random()?, Secret::new(random()?));
    let address = address(application, &redirect, &state, &verifier);
    show(&BrowserPrompt { address: address.into(), port: landing.port(), good_for: PATIENCE });
    let returned = tokio::time::timeout(PATIENCE, landing.returned(&state)).await;
    let late = |_| SourceError::SignInRefused {
        reason: "expired_token: no browser came back in time".into(),
    };
    let code = match returned.map_err(late)?.map_err(closed)? {
        Returned::Code(code) => code,
        Returned::Refused { error, description } => {
            return Err(SourceError::SignInRefused {
                reason: first_sentence(&error, &description),
            });
        }
    };
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", code.expose()),
        ("redirect_uri", redirect.as_str()),
        ("code_verifier", verifier.expose()),
        ("scope", SCOPE),
    ];
    application.redactor.renew(&code);
    Ok(application.tokens(&grant).await?)
}

fn address(application: &Application, redirect: &str, state: &str, verifier: &Secret) -> Url {
    let mut url = application.beside("authorize");
    url.query_pairs_mut().extend_pairs([
        ("client_id", application.client_id.as_str()),
        ("response_type", "code"),
        ("redirect_uri", redirect),
        ("response_mode", "query"),
        ("scope", SCOPE),
        ("state", state),
        ("code_challenge", challenge(verifier.expose()).as_str()),
        ("code_challenge_method", "S256"),
        // Else a browser that knows one account would use it without asking: here it is to be the
        // one for this program.
        ("prompt", "select_account"),
    ]);
    url
}

/// The proof key's challenge by the method S256 (RFC 7636 section 4.2).
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(verifier))
}

/// 256 random bits as 43 characters that need no escaping.
fn random() -> Result<String, SourceError> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| here("this machine has no random numbers".into()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Something that this machine lacks.
fn here(reason: String) -> SourceError {
    SourceError::Network { place: Place::SignIn, reason, unanswered: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_the_specification() {
        // RFC 7636, appendix B.
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
