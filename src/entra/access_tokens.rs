//! The access tokens of one sign-in, as an application or as a user. They live in memory only, and
//! each is renewed before its end. What they open is left to those that ask.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::entra::application::{Application, TokenError};
use crate::entra::refresh_tokens::RefreshTokens;
use crate::entra::token_answer::TokenAnswer;
use crate::secret::Secret;

/// How long before its end an access token is not used any more.
const MARGIN: Duration = Duration::from_mins(5);
/// The same for a token that does not live long.
const LEAST_MARGIN: Duration = Duration::from_secs(30);

/// The access tokens of one sign-in: all that use it share one.
pub(crate) struct AccessTokens {
    application: Application,
    scope: String,
    state: Mutex<State>,
}

struct State {
    /// By what they are for.
    access: HashMap<String, Access>,
    /// As a user; none where the application signs in itself.
    refresh: Option<RefreshTokens>,
}

struct Access {
    token: Secret,
    /// By the monotonic clock.
    usable_until: Duration,
}

/// An access token that is good.
pub(crate) struct Given {
    pub(crate) token: Secret,
    /// Whether it was asked for just now.
    pub(crate) is_new: bool,
}

impl AccessTokens {
    /// As the user of these refresh tokens, else as the application itself; nothing is asked yet.
    pub(crate) fn new(
        application: Application,
        scope: &str,
        refresh: Option<RefreshTokens>,
    ) -> Self {
        let state = Mutex::new(State { access: HashMap::new(), refresh });
        Self { application, scope: scope.to_owned(), state }
    }

    pub(crate) fn application(&self) -> &Application {
        &self.application
    }

    /// An access token; a new one when there is none, it is about to end, or it is the one that was
    /// `refused`. Callers that come together wait for one renewal.
    pub(crate) async fn access(&self, refused: Option<&Secret>) -> Result<Given, TokenError> {
        self.access_to(&self.scope, refused).await
    }

    /// The same for another purpose of the same sign-in.
    pub(crate) async fn access_to(
        &self,
        scope: &str,
        refused: Option<&Secret>,
    ) -> Result<Given, TokenError> {
        let mut state = self.state.lock().await;
        let now = self.application.clock.monotonic();
        if let Some(access) = state.access.get(scope)
            && now < access.usable_until
            && refused != Some(&access.token)
        {
            return Ok(Given { token: access.token.clone(), is_new: false });
        }
        state.access.remove(scope);
        let (asked_at, answer) = match &mut state.refresh {
            None => (now, self.ask(scope, &[("grant_type", "client_credentials")]).await?),
            Some(refresh) => self.renew(scope, refresh).await?,
        };
        let token = answer.access_token;
        self.application.redactor.renew(&token);
        let margin = (answer.expires_in / 10).clamp(LEAST_MARGIN, MARGIN);
        let usable_until = asked_at.saturating_add(answer.expires_in.saturating_sub(margin));
        state.access.insert(scope.to_owned(), Access { token: token.clone(), usable_until });
        Ok(Given { token, is_new: true })
    }

    /// Why the refresh token in force is not on disk, if it is not.
    pub(crate) async fn unsaved(&self) -> Option<String> {
        let state = self.state.lock().await;
        state.refresh.as_ref()?.unsaved.as_ref().map(|(_, reason)| reason.clone())
    }

    /// When the refresh token in force was issued, if anybody looked for it yet and it is known.
    pub(crate) async fn issued_at(&self) -> Option<Timestamp> {
        self.state.lock().await.refresh.as_ref()?.issued_at
    }

    /// Keeps a refresh token that a person has just signed in for: it is on disk when this returns,
    /// and the next access token comes of it.
    pub(crate) async fn keep(&self, token: Secret) -> io::Result<()> {
        let state = &mut *self.state.lock().await;
        if let Some(refresh) = &mut state.refresh {
            refresh.keep(token, self.application.clock.now()).await?;
            state.access.clear();
        }
        Ok(())
    }

    /// Asks by the newest refresh token; says when, by the monotonic clock. The one that comes with
    /// the answer is on disk before the access token is used.
    async fn renew(
        &self,
        scope: &str,
        refresh: &mut RefreshTokens,
    ) -> Result<(Duration, TokenAnswer), TokenError> {
        let used = refresh.in_force().await?;
        self.application.redactor.renew(&used.token);
        let asked_at = self.application.clock.monotonic();
        let answer = self
            .ask(scope, &[("grant_type", "refresh_token"), ("refresh_token", used.token.expose())])
            .await;
        // What is refused for another purpose may be good for this one.
        if scope == self.scope && answer.as_ref().is_err_and(TokenError::is_final) {
            refresh.unsaved = None;
        }
        let mut answer = answer?;
        refresh.follow(used, answer.refresh_token.take(), self.application.clock.now()).await;
        Ok((asked_at, answer))
    }

    async fn ask(&self, scope: &str, grant: &[(&str, &str)]) -> Result<TokenAnswer, TokenError> {
        self.application.tokens(&[grant, &[("scope", scope)]].concat()).await
    }
}
