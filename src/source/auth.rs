//! Signs in as App+User: a refresh token becomes an access token, which lives in memory only. A rotated refresh token is
//! on disk before the access token that came with it is used. What Partner Center thinks of the token is `client`'s.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::{Response, StatusCode, Url};
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::outbound;
use crate::secret::Secret;
use crate::source::token_answer::{TokenAnswer, refusal, was_multi_factor};
use crate::source::token_store::{StoredToken, TokenStore};
use crate::source::{BuildError, PartnerCenterConfig, Place, SourceError};

/// What the token is for: Partner Center as this user, and further refresh tokens.
const SCOPE: &str = "https://api.partnercenter.microsoft.com/user_impersonation offline_access";
/// An answer of the token endpoint may be this large, in bytes.
const ANSWER_CAP: usize = 1 << 20;
/// Microsoft Entra ID lets an unused refresh token live for 90 days.
const REFRESH_TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How long before its end an access token is not used any more.
const MARGIN: Duration = Duration::from_mins(5);
/// The same for a token that does not live long.
const LEAST_MARGIN: Duration = Duration::from_secs(30);

/// The sign-in to Partner Center.
pub(crate) struct SignIn {
    http: reqwest::Client,
    url: Url,
    client_id: String,
    client_secret: Option<Secret>,
    configured: Option<Secret>,
    store: TokenStore,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    access: Option<Access>,
    /// A refresh token that could not be put on disk, and why.
    unsaved: Option<(StoredToken, String)>,
}

struct Access {
    token: Secret,
    /// By the monotonic clock.
    usable_until: Duration,
}

impl SignIn {
    pub(crate) fn new(
        config: &PartnerCenterConfig,
        http: reqwest::Client,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Result<Self, BuildError> {
        let mut url = config.login_url.clone();
        url.path_segments_mut().map_err(|()| BuildError::Address(config.login_url.clone()))?.pop_if_empty().extend([
            config.tenant_id.as_str(),
            "oauth2",
            "v2.0",
            "token",
        ]);
        Ok(Self {
            http,
            url,
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            configured: config.refresh_token.clone(),
            store: TokenStore::in_folder(&config.state_dir),
            clock,
            metrics,
            state: Mutex::default(),
        })
    }

    /// An access token; a new one when there is none, it is about to end, or it is the one that was `refused`. Callers
    /// that come together wait for one renewal.
    pub(crate) async fn access(&self, refused: Option<&Secret>) -> Result<Secret, SourceError> {
        let mut state = self.state.lock().await;
        let now = self.clock.monotonic();
        if let Some(access) = &state.access
            && now < access.usable_until
            && refused != Some(&access.token)
        {
            return Ok(access.token.clone());
        }
        state.access = None;
        let access = self.renew(&mut state).await?;
        let token = access.token.clone();
        state.access = Some(access);
        Ok(token)
    }

    /// Why the refresh token in force is not on disk, if it is not.
    pub(crate) async fn unsaved(&self) -> Option<String> {
        let state = self.state.lock().await;
        let (_, reason) = state.unsaved.as_ref()?;
        Some(format!("the renewed sign-in cannot be saved in the state folder: {reason}"))
    }

    /// Keeps a refresh token that a person has just signed in for: it is on disk when this returns, and the next access
    /// token comes of it.
    pub(crate) async fn keep(&self, token: Secret) -> std::io::Result<()> {
        let mut state = self.state.lock().await;
        // It stands for the configured one until another is configured.
        let seed = self.configured.as_ref().map(|token| sha256_hex(token.expose())).unwrap_or_default();
        let refresh = StoredToken { token, seed, issued_at: Some(self.clock.now()) };
        let (store, kept) = (self.store.clone(), refresh.clone());
        tokio::task::spawn_blocking(move || store.save(&kept)).await.unwrap_or_else(|error| Err(error.into()))?;
        self.tell_expiry(&refresh);
        *state = State::default();
        Ok(())
    }

    async fn renew(&self, state: &mut State) -> Result<Access, SourceError> {
        // The disk is asked each time: `login` may have put another token there.
        let refresh = match &state.unsaved {
            Some((refresh, _)) => refresh.clone(),
            None => self.look_up().await?,
        };
        self.tell_expiry(&refresh);
        let asked_at = self.clock.monotonic();
        let answer = self.ask(&refresh.token).await;
        if matches!(answer, Err(SourceError::SignInRefused { .. })) {
            state.unsaved = None;
        }
        let answer = answer?;
        let rotated = answer.refresh_token.map(|token| StoredToken { token, seed: refresh.seed, issued_at: Some(self.clock.now()) });
        if let Some(rotated) = rotated.or_else(|| state.unsaved.take().map(|(refresh, _)| refresh)) {
            self.tell_expiry(&rotated);
            state.unsaved = self.save(&rotated).await.map(|reason| (rotated, reason));
        }
        if was_multi_factor(answer.access_token.expose()) == Some(false) {
            tracing::warn!("the sign-in was made without multi-factor authentication; Partner Center refuses such sign-ins");
        }
        let margin = (answer.expires_in / 10).clamp(LEAST_MARGIN, MARGIN);
        Ok(Access { token: answer.access_token, usable_until: asked_at.saturating_add(answer.expires_in.saturating_sub(margin)) })
    }

    /// The kept token, unless another one has been configured since.
    async fn look_up(&self) -> Result<StoredToken, SourceError> {
        let store = self.store.clone();
        let stored = tokio::task::spawn_blocking(move || store.load()).await.unwrap_or_else(|error| Err(error.into()));
        let seed = self.configured.as_ref().map(|token| sha256_hex(token.expose()));
        match (stored, &self.configured, seed) {
            (Ok(Some(stored)), Some(_), Some(seed)) if stored.seed == seed => Ok(stored),
            (stored, Some(token), Some(seed)) => {
                if let Err(error) = stored {
                    tracing::error!("the kept sign-in cannot be read ({error}); the configured refresh token is used");
                }
                Ok(StoredToken { token: token.clone(), seed, issued_at: None })
            }
            (Ok(Some(stored)), ..) => Ok(stored),
            (Ok(None), ..) => Err(SourceError::SignInMissing),
            (Err(error), ..) => Err(SourceError::SignInUnreadable { reason: error.to_string() }),
        }
    }

    /// Keeps the token, or says why not. The access token is used all the same: the token before stays valid until it
    /// expires (Entra revokes none by use), while usage that is not read may hide an overspend.
    async fn save(&self, refresh: &StoredToken) -> Option<String> {
        let (store, refresh) = (self.store.clone(), refresh.clone());
        let saved = tokio::task::spawn_blocking(move || store.save(&refresh)).await.unwrap_or_else(|error| Err(error.into()));
        let reason = saved.err()?.to_string();
        tracing::error!("the renewed sign-in cannot be saved ({reason}); without it, the one on disk expires after 90 days");
        Some(reason)
    }

    async fn ask(&self, refresh: &Secret) -> Result<TokenAnswer, SourceError> {
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("client_id", self.client_id.as_str()),
            ("refresh_token", refresh.expose()),
            ("scope", SCOPE),
        ];
        form.extend(self.client_secret.as_ref().map(|secret| ("client_secret", secret.expose())));
        let request = self.http.post(self.url.clone()).header(reqwest::header::ACCEPT, "application/json").form(&form);
        let answered = request.send().await;
        let code = answered.as_ref().map_or_else(|_| "error".to_owned(), |response| response.status().as_u16().to_string());
        self.metrics.partner_center_requests.with_label_values(&["token", code.as_str()]).inc();
        let mut response = answered.map_err(|error| network(&error))?;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            let retry_after = outbound::retry_after(response.headers(), self.clock.now());
            return Err(SourceError::Throttled { place: Place::SignIn, retry_after });
        }
        let body = read(&mut response).await?;
        if response.status().is_success() {
            let garbled = || SourceError::Garbled { place: Place::SignIn, reason: "the answer holds no access token".into() };
            return TokenAnswer::parse(&body).ok_or_else(garbled);
        }
        let secrets = [Some(refresh), self.client_secret.as_ref()];
        Err(refusal(response.status(), &body, secrets.into_iter().flatten()))
    }

    fn tell_expiry(&self, refresh: &StoredToken) {
        let expires = refresh.issued_at.and_then(|issued| issued.checked_add(REFRESH_TOKEN_LIFE).ok());
        let seconds = expires.and_then(|at: Timestamp| u32::try_from(at.as_second()).ok()).unwrap_or(0);
        self.metrics.sign_in_expires.set(f64::from(seconds));
    }
}

async fn read(response: &mut Response) -> Result<Vec<u8>, SourceError> {
    outbound::read_capped(response, ANSWER_CAP).await.map_err(|error| match error {
        outbound::BodyError::Broken(error) => network(&error),
        too_large @ outbound::BodyError::TooLarge(_) => SourceError::Garbled { place: Place::SignIn, reason: too_large.to_string() },
    })
}

fn network(error: &reqwest::Error) -> SourceError {
    SourceError::Network { place: Place::SignIn, reason: outbound::describe(error), unanswered: true }
}

fn sha256_hex(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|nibble| char::from_digit(nibble.into(), 16)).collect()
}
