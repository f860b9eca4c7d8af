//! Signs in to Partner Center as App+User, and tells how that stands: when the sign-in expires, and
//! whether it was made with multi-factor authentication. How tokens are renewed and kept is
//! `entra`'s, what Partner Center thinks of one `client`'s.

use std::io;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::entra::{self, AccessTokens, RefreshTokens, TokenStore};
use crate::http;
use crate::metrics::Metrics;
use crate::secret::Secret;
use crate::source::sign_in::was_multi_factor;
use crate::source::{BuildError, PartnerCenterConfig, SourceError};

/// What the token is for: Partner Center as this user, and further refresh tokens.
const SCOPE: &str = "https://api.partnercenter.microsoft.com/user_impersonation offline_access";
/// Microsoft Entra ID lets an unused refresh token live for 90 days.
const REFRESH_TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The sign-in to Partner Center.
pub(crate) struct SignIn {
    tokens: AccessTokens,
    store: TokenStore,
    metrics: Metrics,
}

impl SignIn {
    pub(crate) fn new(
        config: &PartnerCenterConfig,
        http: reqwest::Client,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Result<Self, BuildError> {
        let token_url = entra::token_url(&config.login_url, &config.tenant_id)
            .ok_or_else(|| BuildError::Address(config.login_url.clone()))?;
        let (client_id, client_secret) = (config.client_id.clone(), config.client_secret.clone());
        let mut redactor = http::redactor();
        if let Some(secret) = &client_secret {
            redactor.add(secret.expose());
        }
        let requests = metrics.partner_center_requests.clone();
        let application = entra::Application {
            http,
            token_url,
            client_id,
            client_secret,
            redactor: Arc::new(redactor),
            clock,
            on_answer: Box::new(move |status| {
                let code = status.as_ref().map_or("error", reqwest::StatusCode::as_str);
                requests.with_label_values(&["token", code]).inc();
            }),
        };
        let store = config.token_store();
        let refresh = RefreshTokens::new(
            store.clone(),
            "the kept sign-in".into(),
            config.refresh_token.clone(),
        );
        Ok(Self { tokens: AccessTokens::new(application, SCOPE, Some(refresh)), store, metrics })
    }

    /// An access token, and not the one that was `refused`.
    pub(crate) async fn access(&self, refused: Option<&Secret>) -> Result<Secret, SourceError> {
        let given = match self.tokens.access(refused).await {
            Ok(given) if !given.is_new => return Ok(given.token),
            given => given,
        };
        self.tell_expiry().await;
        let token = given?.token;
        if let Some(reason) = self.tokens.unsaved().await {
            tracing::error!(
                "the renewed sign-in cannot be saved ({reason}); without it, the one on disk \
                    expires after 90 days"
            );
        }
        if was_multi_factor(token.expose()) == Some(false) {
            tracing::warn!(
                "the sign-in was made without multi-factor authentication; Partner Center refuses \
                    such sign-ins"
            );
        }
        Ok(token)
    }

    /// An access token of the same sign-in for another API.
    pub(crate) async fn access_to(
        &self,
        scope: &str,
        refused: Option<&Secret>,
    ) -> Result<Secret, SourceError> {
        let given = self.tokens.access_to(scope, refused).await;
        if !matches!(&given, Ok(given) if !given.is_new) {
            self.tell_expiry().await;
        }
        Ok(given?.token)
    }

    /// The application that it is made for.
    pub(crate) fn application(&self) -> &entra::Application {
        self.tokens.application()
    }

    /// Whether a refresh token can be kept here.
    pub(crate) async fn can_keep(&self) -> io::Result<()> {
        self.store.on_disk(TokenStore::try_out).await
    }

    /// Why the refresh token in force is not on disk, if it is not.
    pub(crate) async fn unsaved(&self) -> Option<String> {
        let reason = self.tokens.unsaved().await?;
        Some(format!("the renewed sign-in cannot be saved in the state folder: {reason}"))
    }

    /// Keeps a refresh token that a person has just signed in for: it is on disk when this returns,
    /// and the next access token comes of it.
    pub(crate) async fn keep(&self, token: Secret) -> io::Result<()> {
        self.tokens.keep(token).await?;
        self.tell_expiry().await;
        Ok(())
    }

    /// When the refresh token in force was issued, if anybody looked for it yet and it is known.
    pub(crate) async fn issued_at(&self) -> Option<Timestamp> {
        self.tokens.issued_at().await
    }

    /// Sets the gauge.
    async fn tell_expiry(&self) {
        let expires = self.issued_at().await.and_then(|at| at.checked_add(REFRESH_TOKEN_LIFE).ok());
        let seconds = expires.and_then(|at| u32::try_from(at.as_second()).ok()).unwrap_or(0);
        self.metrics.sign_in_expires.set(f64::from(seconds));
    }
}
