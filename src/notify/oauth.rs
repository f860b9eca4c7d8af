//! Signs in at Microsoft Entra ID (OAuth 2.0) for destinations that take no password: an access
//! token, renewed before its end, as the application itself or as a user. What the token opens is
//! the destination's.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{StatusCode, Url};
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::entra::{StoredToken, TokenAnswer, TokenRefusal, TokenStore};
use crate::http;
use crate::http::BodyError;
use crate::notify::address::without_addresses;
use crate::notify::entra::{refused, throttled, unanswered, unreadable};
use crate::notify::{DeliveryError, FailureReason};
use crate::secret::{Redactor, Secret};

/// An answer may be this large, in bytes.
const ANSWER_CAP: usize = 1 << 20;
/// How long before its end an access token is not used any more.
const MARGIN: Duration = Duration::from_mins(5);
/// The same for a token that does not live long.
const LEAST_MARGIN: Duration = Duration::from_secs(30);

/// How a notifier signs in.
#[derive(Debug, Clone)]
pub struct OAuthConfig {
    /// `{login_url}/{tenant}/oauth2/v2.0/token`.
    pub token_url: Url,
    /// The application.
    pub client_id: String,
    /// As whom.
    pub grant: OAuthGrant,
    /// What the token is for.
    pub scope: String,
}

/// As whom a notifier signs in.
#[derive(Debug, Clone)]
pub enum OAuthGrant {
    /// As the application itself, by its secret (RFC 6749 section 4.4).
    Application {
        /// The application's secret.
        client_secret: Secret,
    },
    /// As a user, by a refresh token (RFC 6749 section 6).
    User {
        /// The first one; later ones are kept in `state_dir`.
        refresh_token: Secret,
        /// The application's secret; none for a public client.
        client_secret: Option<Secret>,
        /// The folder in which the newest refresh token is kept.
        state_dir: PathBuf,
        /// The name of its file there.
        file: String,
    },
}

/// The access tokens of one notifier: all its connections share one.
pub(crate) struct Tokens {
    config: OAuthConfig,
    http: reqwest::Client,
    redactor: Arc<Redactor>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    access: Option<Access>,
    /// A refresh token that could not be put on disk.
    unsaved: Option<StoredToken>,
}

struct Access {
    token: Secret,
    /// By the monotonic clock.
    usable_until: Duration,
}

impl Tokens {
    /// Prepares for `config`; nothing is asked yet. `limit` is the time-out of one attempt, of
    /// which a token takes at most half. Every token is made known to `redactor` before it is used.
    pub(crate) fn new(
        config: &OAuthConfig,
        limit: Duration,
        clock: Arc<dyn Clock>,
        redactor: &Arc<Redactor>,
    ) -> Result<Self, reqwest::Error> {
        let (http, redactor) = (http::client(limit / 2)?, Arc::clone(redactor));
        Ok(Self { config: config.clone(), http, redactor, clock, state: Mutex::default() })
    }

    /// An access token; a new one when there is none, it is about to end, or it is the one that was
    /// `refused`. Callers that come together wait for one renewal.
    pub(crate) async fn access(&self, refused: Option<&Secret>) -> Result<Secret, DeliveryError> {
        let mut state = self.state.lock().await;
        let now = self.clock.monotonic();
        if let Some(access) = &state.access
            && now < access.usable_until
            && refused != Some(&access.token)
        {
            return Ok(access.token.clone());
        }
        state.access = None;
        let answer = match &self.config.grant {
            OAuthGrant::Application { .. } => {
                self.ask(&[("grant_type", "client_credentials")]).await?
            }
            OAuthGrant::User { refresh_token, state_dir, file, .. } => {
                let store = TokenStore::new(state_dir, file.as_str());
                self.renewed(&mut state, &store, refresh_token).await?
            }
        };
        self.redactor.renew(&answer.access_token);
        let margin = (answer.expires_in / 10).clamp(LEAST_MARGIN, MARGIN);
        let usable_until = now.saturating_add(answer.expires_in.saturating_sub(margin));
        state.access = Some(Access { token: answer.access_token.clone(), usable_until });
        Ok(answer.access_token)
    }

    /// Asks by the newest refresh token. The one that comes with the answer is on disk before the
    /// access token is used.
    async fn renewed(
        &self,
        state: &mut State,
        store: &TokenStore,
        configured: &Secret,
    ) -> Result<TokenAnswer, DeliveryError> {
        let refresh = match &state.unsaved {
            Some(unsaved) => unsaved.clone(),
            None => in_force(store, configured).await,
        };
        self.redactor.renew(&refresh.token);
        let grant = [("grant_type", "refresh_token"), ("refresh_token", refresh.token.expose())];
        let answer = self.ask(&grant).await;
        if answer.as_ref().is_err_and(|error| error.reason == FailureReason::SignInRefused) {
            state.unsaved = None;
        }
        let answer = answer?;
        let rotated = answer.refresh_token.clone().map(|token| StoredToken {
            token,
            seed: refresh.seed,
            issued_at: Some(self.clock.now()),
        });
        if let Some(newest) = rotated.or_else(|| state.unsaved.take()) {
            state.unsaved = Self::save(store, &newest).await.is_err().then_some(newest);
        }
        Ok(answer)
    }

    /// Keeps a refresh token, or says in the log why not. The access token is used all the same:
    /// the refresh token before stays valid until it expires (Entra revokes none by use), so the
    /// alert goes out.
    async fn save(store: &TokenStore, token: &StoredToken) -> std::io::Result<()> {
        let (place, writing, token) = (store.path(), store.clone(), token.clone());
        let saved = tokio::task::spawn_blocking(move || writing.save(&token))
            .await
            .unwrap_or_else(|error| Err(error.into()));
        saved.inspect_err(|error| {
            let place = place.display();
            tracing::error!(
                "a notifier's renewed sign-in cannot be saved in {place} ({error}); \
                the one before expires after 90 days"
            );
        })
    }

    /// Posts a grant to the token endpoint.
    async fn ask(&self, grant: &[(&str, &str)]) -> Result<TokenAnswer, DeliveryError> {
        let OAuthConfig { token_url, client_id, scope, grant: by } = &self.config;
        let client_secret = match by {
            OAuthGrant::Application { client_secret } => Some(client_secret),
            OAuthGrant::User { client_secret, .. } => client_secret.as_ref(),
        };
        let mut form = vec![("client_id", client_id.as_str()), ("scope", scope.as_str())];
        form.extend(client_secret.map(|secret| ("client_secret", secret.expose())));
        form.extend_from_slice(grant);
        let request = self
            .http
            .post(token_url.clone())
            .header(reqwest::header::ACCEPT, "application/json")
            .form(&form);
        let mut response = request.send().await.map_err(unanswered)?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(throttled(response.headers(), self.clock.now()));
        }
        let body =
            http::read_capped(&mut response, ANSWER_CAP).await.map_err(|error| match error {
                BodyError::Broken(error) => unanswered(error),
                BodyError::TooLarge(_) => unreadable(status),
            })?;
        if status.is_success() {
            return TokenAnswer::parse(&body).ok_or_else(|| unreadable(status));
        }
        let refusal = TokenRefusal::parse(&body, &self.redactor);
        let refusal = TokenRefusal { reason: without_addresses(&refusal.reason), ..refusal };
        Err(refused(status, &refusal))
    }
}

/// The kept token, unless another one has been configured since.
async fn in_force(store: &TokenStore, configured: &Secret) -> StoredToken {
    let reading = store.clone();
    let stored = tokio::task::spawn_blocking(move || reading.load())
        .await
        .unwrap_or_else(|error| Err(error.into()));
    let seed = StoredToken::seed_of(configured);
    match stored {
        Ok(Some(stored)) if stored.seed == seed => stored,
        stored => {
            if let Err(error) = stored {
                tracing::error!(
                    "{} cannot be read ({error}); the configured refresh token is used",
                    store.path().display()
                );
            }
            StoredToken { token: configured.clone(), seed, issued_at: None }
        }
    }
}
