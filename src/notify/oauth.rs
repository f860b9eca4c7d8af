//! How a notifier signs in at Microsoft Entra ID (OAuth 2.0) where its destination takes no
//! password: as the application itself or as a user. How tokens are renewed is `entra`'s, what one
//! opens the destination's.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use crate::clock::Clock;
use crate::entra::{AccessTokens, Application, RefreshTokens, TokenStore};
use crate::http;
use crate::notify::DeliveryError;
use crate::notify::entra::failed;
use crate::secret::{Redactor, Secret};

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
    tokens: AccessTokens,
    /// Where the refresh token of a user is kept.
    place: PathBuf,
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
        let (client_secret, refresh, place) = match &config.grant {
            OAuthGrant::Application { client_secret } => {
                (Some(client_secret), None, PathBuf::new())
            }
            OAuthGrant::User { refresh_token, client_secret, state_dir, file } => {
                let store = TokenStore::new(state_dir, file.as_str());
                let (place, configured) = (store.path(), Some(refresh_token.clone()));
                let refresh = RefreshTokens::new(store, place.display().to_string(), configured);
                (client_secret.as_ref(), Some(refresh), place)
            }
        };
        let application = Application {
            http: http::client(limit / 2)?,
            token_url: config.token_url.clone(),
            client_id: config.client_id.clone(),
            client_secret: client_secret.cloned(),
            redactor: Arc::clone(redactor),
            clock,
            on_answer: Box::new(|_| ()),
        };
        Ok(Self { tokens: AccessTokens::new(application, &config.scope, refresh), place })
    }

    /// An access token, and not the one that was `refused`.
    pub(crate) async fn access(&self, refused: Option<&Secret>) -> Result<Secret, DeliveryError> {
        let given = self.tokens.access(refused).await.map_err(failed)?;
        if given.is_new
            && let Some(reason) = self.tokens.unsaved().await
        {
            let place = self.place.display();
            tracing::error!(
                "a notifier's renewed sign-in cannot be saved in {place} ({reason}); \
                the one before expires after 90 days"
            );
        }
        Ok(given.token)
    }
}
