//! One application at the sign-in service: posts a form, reads the answer, and tells the kinds of
//! failure apart. What a failure means for whom is left to those that ask.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{StatusCode, Url};

use crate::clock::Clock;
use crate::entra::token_answer::{TokenAnswer, TokenRefusal};
use crate::http::{self, BodyError};
use crate::secret::{Redactor, Secret};

/// An answer may be this large, in bytes.
const ANSWER_CAP: usize = 1 << 20;

/// An application at the sign-in service.
pub(crate) struct Application {
    pub(crate) http: reqwest::Client,
    /// `{login_url}/{tenant}/oauth2/v2.0/token`.
    pub(crate) token_url: Url,
    pub(crate) client_id: String,
    /// None for a public client.
    pub(crate) client_secret: Option<Secret>,
    /// Knows the secrets that no refusal may repeat; tokens are made known to it before they are
    /// used.
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Is told the status of each answer; none where no answer came.
    pub(crate) on_answer: Box<dyn Fn(Option<StatusCode>) + Send + Sync>,
}

/// Why there is no token.
pub(crate) enum TokenError {
    /// There is no refresh token to ask with: none is kept, or it cannot be read.
    NoRefreshToken(Option<io::Error>),
    /// No answer, or one that broke off.
    Unanswered(reqwest::Error),
    /// Too many requests (429).
    Throttled { retry_after: Option<Duration> },
    /// An answer that is too large.
    TooLarge { status: StatusCode, error: BodyError },
    /// A success that holds no token.
    NoToken { status: StatusCode },
    /// Any other answer that is no success.
    Refused { status: StatusCode, refusal: TokenRefusal },
}

/// The address of a tenant's tokens.
pub(crate) fn token_url(login_url: &Url, tenant: &str) -> Option<Url> {
    let mut url = login_url.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend([tenant, "oauth2", "v2.0", "token"]);
    Some(url)
}

impl Application {
    /// The address of a door beside that of tokens: `devicecode`, `authorize`.
    pub(crate) fn beside(&self, door: &str) -> Url {
        self.token_url.join(door).unwrap_or_else(|_| self.token_url.clone())
    }

    /// Asks for tokens as this application, by its secret where it has one.
    pub(crate) async fn tokens(&self, grant: &[(&str, &str)]) -> Result<TokenAnswer, TokenError> {
        let mut form = grant.to_vec();
        form.extend(self.client_secret.as_ref().map(|secret| ("client_secret", secret.expose())));
        let (status, body) = self.ask(self.token_url.clone(), &form).await?;
        TokenAnswer::parse(&body).ok_or(TokenError::NoToken { status })
    }

    /// Posts a form, with the application's id; returns what a success says.
    pub(crate) async fn ask(
        &self,
        url: Url,
        fields: &[(&str, &str)],
    ) -> Result<(StatusCode, Vec<u8>), TokenError> {
        let form = [&[("client_id", self.client_id.as_str())], fields].concat();
        let request =
            self.http.post(url).header(reqwest::header::ACCEPT, "application/json").form(&form);
        let answered = request.send().await;
        (self.on_answer)(answered.as_ref().ok().map(reqwest::Response::status));
        let mut response = answered.map_err(TokenError::Unanswered)?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let retry_after = http::retry_after(response.headers(), self.clock.now());
            return Err(TokenError::Throttled { retry_after });
        }
        let body =
            http::read_capped(&mut response, ANSWER_CAP).await.map_err(|error| match error {
                BodyError::Broken(error) => TokenError::Unanswered(error),
                error @ BodyError::TooLarge(_) => TokenError::TooLarge { status, error },
            })?;
        if status.is_success() {
            return Ok((status, body));
        }
        Err(TokenError::Refused { status, refusal: TokenRefusal::parse(&body, &self.redactor) })
    }
}

impl TokenError {
    /// Whether it is a refusal that trying again cannot fix.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Refused { refusal, .. } if refusal.is_final())
    }
}
