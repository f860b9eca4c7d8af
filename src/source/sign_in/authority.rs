//! The sign-in service for one tenant (Microsoft Entra ID, OAuth 2.0) as our application asks it:
//! its addresses, one question, one answer. Which questions make a sign-in is `auth`'s, `device`'s
//! and `browser`'s.

use std::sync::Arc;

use reqwest::{StatusCode, Url};

use crate::clock::Clock;
use crate::entra::{TokenAnswer, TokenRefusal};
use crate::http;
use crate::metrics::Metrics;
use crate::secret::Secret;
use crate::source::{BuildError, PartnerCenterConfig, Place, SourceError};

/// What a person signs in for: Partner Center as this user, further refresh tokens, and who the user
/// is.
pub(crate) const SCOPE: &str =
    "https://api.partnercenter.microsoft.com/user_impersonation offline_access openid profile";
/// An answer may be this large, in bytes.
const ANSWER_CAP: usize = 1 << 20;

/// The sign-in service and our application there.
pub(crate) struct Authority {
    http: reqwest::Client,
    /// `{login_url}/{tenant}/oauth2/v2.0`
    base: Url,
    client_id: String,
    client_secret: Option<Secret>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

/// An answer as it came.
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

impl Authority {
    pub(crate) fn new(
        config: &PartnerCenterConfig,
        http: reqwest::Client,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Result<Self, BuildError> {
        let mut base = config.login_url.clone();
        base.path_segments_mut()
            .map_err(|()| BuildError::Address(config.login_url.clone()))?
            .pop_if_empty()
            .extend([config.tenant_id.as_str(), "oauth2", "v2.0"]);
        let (client_id, client_secret) = (config.client_id.clone(), config.client_secret.clone());
        Ok(Self { http, base, client_id, client_secret, clock, metrics })
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The address of one of its doors: `token`, `devicecode`, `authorize`.
    pub(crate) fn address(&self, door: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(door);
        }
        url
    }

    /// Asks for tokens; `kept_secret` is what no error may repeat.
    pub(crate) async fn tokens(
        &self,
        grant: &[(&str, &str)],
        kept_secret: &Secret,
    ) -> Result<TokenAnswer, SourceError> {
        let answered = self.ask_for_tokens(grant).await?;
        self.tokens_of(&answered, kept_secret)
    }

    /// Asks for tokens as this application, by its secret where it has one.
    pub(crate) async fn ask_for_tokens(
        &self,
        grant: &[(&str, &str)],
    ) -> Result<Answered, SourceError> {
        let mut form = grant.to_vec();
        form.extend(self.client_secret.as_ref().map(|secret| ("client_secret", secret.expose())));
        self.ask("token", &form).await
    }

    /// The tokens of an answer, or its error.
    pub(crate) fn tokens_of(
        &self,
        answered: &Answered,
        kept_secret: &Secret,
    ) -> Result<TokenAnswer, SourceError> {
        if answered.status.is_success() {
            let garbled = || SourceError::Garbled {
                place: Place::SignIn,
                reason: "the answer holds no access token".into(),
            };
            return TokenAnswer::parse(&answered.body).ok_or_else(garbled);
        }
        Err(self.refusal(answered, Some(kept_secret)))
    }

    /// The error of an answer that is no success.
    pub(crate) fn refusal(&self, answered: &Answered, kept_secret: Option<&Secret>) -> SourceError {
        let mut redactor = http::redactor();
        [kept_secret, self.client_secret.as_ref()]
            .into_iter()
            .flatten()
            .for_each(|secret| redactor.add(secret.expose()));
        let refusal = TokenRefusal::parse(&answered.body, &redactor);
        let (place, status) = (Place::SignIn, answered.status.as_u16());
        if refusal.is_final() {
            SourceError::SignInRefused { reason: refusal.reason }
        } else if status >= 500 || status == 408 || refusal.error == "temporarily_unavailable" {
            SourceError::Unavailable { place, status, reason: refusal.reason }
        } else {
            SourceError::Refused { place, status, reason: refusal.reason }
        }
    }

    /// Posts a form, with the application's id, to one of the doors.
    pub(crate) async fn ask(
        &self,
        door: &str,
        fields: &[(&str, &str)],
    ) -> Result<Answered, SourceError> {
        let form: Vec<(&str, &str)> = [("client_id", self.client_id.as_str())]
            .into_iter()
            .chain(fields.iter().copied())
            .collect();
        let request = self
            .http
            .post(self.address(door))
            .header(reqwest::header::ACCEPT, "application/json")
            .form(&form);
        let answered = request.send().await;
        let code = answered
            .as_ref()
            .map_or_else(|_| "error".to_owned(), |response| response.status().as_u16().to_string());
        self.metrics.partner_center_requests.with_label_values(&["token", code.as_str()]).inc();
        let mut response = answered.map_err(|error| network(&error))?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let retry_after = http::retry_after(response.headers(), self.clock.now());
            return Err(SourceError::Throttled { place: Place::SignIn, retry_after });
        }
        let body =
            http::read_capped(&mut response, ANSWER_CAP).await.map_err(|error| match error {
                http::BodyError::Broken(error) => network(&error),
                too_large @ http::BodyError::TooLarge(_) => {
                    SourceError::Garbled { place: Place::SignIn, reason: too_large.to_string() }
                }
            })?;
        Ok(Answered { status, body })
    }
}

fn network(error: &reqwest::Error) -> SourceError {
    SourceError::Network { place: Place::SignIn, reason: http::describe(error), unanswered: true }
}
