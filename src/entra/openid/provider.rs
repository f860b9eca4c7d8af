//! The sign-in service as it is asked: what it says of itself and its keys, which are kept for a
//! day, and the exchange of a code (RFC 6749 section 4.1, with PKCE, RFC 7636).

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use tokio::sync::{Mutex, Semaphore};

use crate::clock::Clock;
use crate::entra::application::{Application, TokenError};
use crate::entra::openid::fault::SignInFault;
use crate::entra::openid::id_token::{self, Expected, Person, TokenFault};
use crate::entra::openid::keys::Keys;
use crate::entra::openid::metadata::Metadata;
use crate::entra::openid::settings::OpenIdConfig;
use crate::http::{client, read_capped};
use crate::secret::Redactor;
use crate::text::sha256;

/// One request, end to end: a person waits.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A document may be this large, in bytes.
const CAP: usize = 256 << 10;
/// How long keys are kept.
const KEPT: Duration = Duration::from_hours(24);
/// How soon they are asked for again, by tokens with names that nobody knows or after a failure.
const PAUSE: Duration = Duration::from_secs(30);
/// So many codes are exchanged at a time.
const TURNS: usize = 4;

/// What one sign-in asks with, and is held to.
pub(crate) struct Asked<'a> {
    /// Where the answer goes to.
    pub(crate) redirect: &'a Url,
    /// Comes back with the answer.
    pub(crate) state: &'a str,
    /// Comes back in the id token.
    pub(crate) nonce: &'a str,
    /// Known to nobody else; its hash goes ahead.
    pub(crate) verifier: &'a str,
    /// The time.
    pub(crate) clock: &'a Arc<dyn Clock>,
}

/// The service.
pub(crate) struct Provider {
    settings: OpenIdConfig,
    known: Mutex<State>,
    turns: Semaphore,
}

#[derive(Default)]
struct State {
    known: Option<Known>,
    /// When it was asked for the last time, and what went wrong, if it did.
    asked: Option<(Duration, Option<String>)>,
}

#[derive(Clone)]
struct Known {
    metadata: Metadata,
    keys: Arc<Keys>,
}

#[derive(Deserialize)]
struct Answer {
    id_token: String,
}

impl Provider {
    /// Asks nothing yet.
    pub(crate) fn new(settings: OpenIdConfig) -> Self {
        let (known, turns) = (Mutex::default(), Semaphore::new(TURNS));
        Self { settings, known, turns }
    }

    /// The application that people sign in to.
    pub(crate) fn settings(&self) -> &OpenIdConfig {
        &self.settings
    }

    /// Where a person is sent to sign in.
    pub(crate) async fn address(&self, asked: &Asked<'_>) -> Result<Url, SignInFault> {
        let mut url = self.known(asked.clock, None).await?.metadata.authorization_endpoint;
        url.query_pairs_mut().extend_pairs([
            ("client_id", self.settings.client_id.as_str()),
            ("response_type", "code"),
            ("response_mode", "query"),
            ("scope", "openid profile"),
            ("redirect_uri", asked.redirect.as_str()),
            ("state", asked.state),
            ("nonce", asked.nonce),
            ("code_challenge", &URL_SAFE_NO_PAD.encode(sha256(asked.verifier))),
            ("code_challenge_method", "S256"),
        ]);
        Ok(url)
    }

    /// Who has signed in, for the code that came back.
    pub(crate) async fn person(
        &self,
        code: &str,
        asked: &Asked<'_>,
    ) -> Result<Person, SignInFault> {
        let _turn = self.turns.acquire().await;
        let token = self.exchange(code, asked).await?;
        let name = id_token::key_name(&token)?;
        let known = self.known(asked.clock, Some(&name)).await?;
        let key: &DecodingKey = known.keys.get(&name).ok_or(TokenFault::Key)?;
        let tenant = known.metadata.tenant(&self.settings).unwrap_or_default();
        let expected = Expected {
            issuer: &known.metadata.issuer,
            tenant,
            audience: &self.settings.client_id,
            nonce: asked.nonce,
            now: asked.clock.now(),
        };
        Ok(id_token::read(&token, key, &expected)?)
    }

    /// The id token of a code.
    async fn exchange(&self, code: &str, asked: &Asked<'_>) -> Result<String, SignInFault> {
        let url = self.known(asked.clock, None).await?.metadata.token_endpoint;
        let application = self.application(url, asked.clock)?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", asked.redirect.as_str()),
            ("code_verifier", asked.verifier),
            ("client_secret", self.settings.client_secret.expose()),
        ];
        let (status, body) = application.ask(application.token_url.clone(), &form).await?;
        let answer: Option<Answer> = serde_json::from_slice(&body).ok();
        Ok(answer.ok_or(TokenError::NoToken { status })?.id_token)
    }

    fn application(
        &self,
        token_url: Url,
        clock: &Arc<dyn Clock>,
    ) -> Result<Application, SignInFault> {
        Ok(Application {
            http: client(TIMEOUT).map_err(|error| SignInFault::unavailable(&error))?,
            token_url,
            client_id: self.settings.client_id.clone(),
            client_secret: None,
            redactor: Arc::new(Redactor::of([&self.settings.client_secret])),
            clock: Arc::clone(clock),
            on_answer: Box::new(|_| {}),
        })
    }

    /// What the service says of itself, and its keys: asked for once a day, and again for a key that
    /// is `wanted` and not among them, though not at once.
    async fn known(
        &self,
        clock: &Arc<dyn Clock>,
        wanted: Option<&str>,
    ) -> Result<Known, SignInFault> {
        let mut state = self.known.lock().await;
        let now = clock.monotonic();
        let age = state.asked.as_ref().map(|(at, _)| now.saturating_sub(*at));
        let rests = age.is_some_and(|age| age < PAUSE);
        if let Some(known) = &state.known {
            let suffices = wanted.is_none_or(|name| known.keys.get(name).is_some());
            if rests || (suffices && age.is_some_and(|age| age < KEPT)) {
                return Ok(known.clone());
            }
        } else if let Some((_, Some(why))) = state.asked.as_ref().filter(|_| rests) {
            return Err(SignInFault::Unavailable(why.clone()));
        }
        let read = self.read().await;
        let why = read.as_ref().err().map(ToString::to_string);
        state.asked = Some((now, why));
        let known = read?;
        state.known = Some(known.clone());
        Ok(known)
    }

    async fn read(&self) -> Result<Known, SignInFault> {
        let http = client(TIMEOUT).map_err(|error| SignInFault::unavailable(&error))?;
        let description = self.settings.below(&["v2.0", ".well-known", "openid-configuration"]);
        let metadata = Metadata::parse(&document(&http, description).await?, &self.settings)?;
        let keys = Keys::parse(&document(&http, metadata.jwks_uri.clone()).await?);
        let keys = keys.ok_or(SignInFault::Foreign("its keys cannot be read"))?;
        Ok(Known { metadata, keys: Arc::new(keys) })
    }
}

async fn document(http: &reqwest::Client, url: Url) -> Result<Vec<u8>, SignInFault> {
    let request = http.get(url).header(reqwest::header::ACCEPT, "application/json");
    let mut response = request.send().await.map_err(|error| SignInFault::unavailable(&error))?;
    if response.status() != StatusCode::OK {
        return Err(SignInFault::Unavailable(format!("it answers {}", response.status())));
    }
    let body = read_capped(&mut response, CAP).await;
    body.map_err(|error| SignInFault::Unavailable(error.to_string()))
}
