//! Signs in as App+User: a refresh token becomes an access token, which lives in memory only. A
//! rotated refresh token is on disk before the access token that came with it is used. What Partner
//! Center thinks of the token is `client`'s.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::entra::{StoredToken, TokenAnswer, TokenStore};
use crate::metrics::Metrics;
use crate::secret::Secret;
use crate::source::sign_in::{Authority, was_multi_factor};
use crate::source::{BuildError, PartnerCenterConfig, SourceError};

/// What the token is for: Partner Center as this user, and further refresh tokens.
const SCOPE: &str = "https://api.partnercenter.microsoft.com/user_impersonation offline_access";
/// Microsoft Entra ID lets an unused refresh token live for 90 days.
const REFRESH_TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How long before its end an access token is not used any more.
const MARGIN: Duration = Duration::from_mins(5);
/// The same for a token that does not live long.
const LEAST_MARGIN: Duration = Duration::from_secs(30);

/// The sign-in to Partner Center.
pub(crate) struct SignIn {
    authority: Authority,
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
    /// When the refresh token in force was issued, as far as known.
    issued_at: Option<Timestamp>,
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
        let authority = Authority::new(config, http, Arc::clone(&clock), metrics.clone())?;
        Ok(Self {
            authority,
            configured: config.refresh_token.clone(),
            store: config.token_store(),
            clock,
            metrics,
            state: Mutex::default(),
        })
    }

    /// An access token; a new one when there is none, it is about to end, or it is the one that was
    /// `refused`. Callers that come together wait for one renewal.
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

    /// The sign-in service that it is made at.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Whether a refresh token can be kept here.
    pub(crate) async fn can_keep(&self) -> io::Result<()> {
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || store.try_out())
            .await
            .unwrap_or_else(|error| Err(error.into()))
    }

    /// Why the refresh token in force is not on disk, if it is not.
    pub(crate) async fn unsaved(&self) -> Option<String> {
        let state = self.state.lock().await;
        let (_, reason) = state.unsaved.as_ref()?;
        Some(format!("the renewed sign-in cannot be saved in the state folder: {reason}"))
    }

    /// Keeps a refresh token that a person has just signed in for: it is on disk when this returns,
    /// and the next access token comes of it.
    pub(crate) async fn keep(&self, token: Secret) -> std::io::Result<()> {
        let mut state = self.state.lock().await;
        // It stands for the configured one until another is configured; with none at hand, for the
        // one before.
        let seed = self.configured.as_ref().map(StoredToken::seed_of);
        let (store, issued_at) = (self.store.clone(), Some(self.clock.now()));
        let kept = tokio::task::spawn_blocking(move || {
            let seed = seed.or_else(|| Some(store.load().ok()??.seed)).unwrap_or_default();
            let refresh = StoredToken { token, seed, issued_at };
            store.save(&refresh).map(|()| refresh)
        });
        let refresh = kept.await.unwrap_or_else(|error| Err(error.into()))?;
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
        state.issued_at = self.tell_expiry(&refresh);
        let asked_at = self.clock.monotonic();
        let answer = self.ask(&refresh.token).await;
        if matches!(answer, Err(SourceError::SignInRefused { .. })) {
            state.unsaved = None;
        }
        let answer = answer?;
        let rotated = answer.refresh_token.map(|token| StoredToken {
            token,
            seed: refresh.seed,
            issued_at: Some(self.clock.now()),
        });
        if let Some(rotated) = rotated.or_else(|| state.unsaved.take().map(|(refresh, _)| refresh))
        {
            state.issued_at = self.tell_expiry(&rotated);
            state.unsaved = self.save(&rotated).await.map(|reason| (rotated, reason));
        }
        if was_multi_factor(answer.access_token.expose()) == Some(false) {
            tracing::warn!(
                "the sign-in was made without multi-factor authentication; Partner Center refuses \
                    such sign-ins"
            );
        }
        let margin = (answer.expires_in / 10).clamp(LEAST_MARGIN, MARGIN);
        Ok(Access {
            token: answer.access_token,
            usable_until: asked_at.saturating_add(answer.expires_in.saturating_sub(margin)),
        })
    }

    /// The kept token, unless another one has been configured since.
    async fn look_up(&self) -> Result<StoredToken, SourceError> {
        let store = self.store.clone();
        let stored = tokio::task::spawn_blocking(move || store.load())
            .await
            .unwrap_or_else(|error| Err(error.into()));
        let seed = self.configured.as_ref().map(StoredToken::seed_of);
        match (stored, &self.configured, seed) {
            (Ok(Some(stored)), Some(_), Some(seed)) if stored.seed == seed => Ok(stored),
            (stored, Some(token), Some(seed)) => {
                if let Err(error) = stored {
                    tracing::error!(
                        "the kept sign-in cannot be read ({error}); the configured refresh token \
                            is used"
                    );
                }
                Ok(StoredToken { token: token.clone(), seed, issued_at: None })
            }
            (Ok(Some(stored)), ..) => Ok(stored),
            (Ok(None), ..) => Err(SourceError::SignInMissing),
            (Err(error), ..) => Err(SourceError::SignInUnreadable { reason: error.to_string() }),
        }
    }

    /// Keeps the token, or says why not. The access token is used all the same: the token before
    /// stays valid until it expires (Entra revokes none by use), while usage that is not read may
    /// hide an overspend.
    async fn save(&self, refresh: &StoredToken) -> Option<String> {
        let (store, refresh) = (self.store.clone(), refresh.clone());
        let saved = tokio::task::spawn_blocking(move || store.save(&refresh))
            .await
            .unwrap_or_else(|error| Err(error.into()));
        let reason = saved.err()?.to_string();
        tracing::error!(
            "the renewed sign-in cannot be saved ({reason}); without it, the one on disk expires \
                after 90 days"
        );
        Some(reason)
    }

    async fn ask(&self, refresh: &Secret) -> Result<TokenAnswer, SourceError> {
        let grant = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose()),
            ("scope", SCOPE),
        ];
        self.authority.tokens(&grant, refresh).await
    }

    /// When the refresh token in force was issued, if anybody looked for it yet and it is known.
    pub(crate) async fn issued_at(&self) -> Option<Timestamp> {
        self.state.lock().await.issued_at
    }

    /// Sets the gauge; returns when the token was issued.
    fn tell_expiry(&self, refresh: &StoredToken) -> Option<Timestamp> {
        let expires =
            refresh.issued_at.and_then(|issued| issued.checked_add(REFRESH_TOKEN_LIFE).ok());
        let seconds =
            expires.and_then(|at: Timestamp| u32::try_from(at.as_second()).ok()).unwrap_or(0);
        self.metrics.sign_in_expires.set(f64::from(seconds));
        refresh.issued_at
    }
}
