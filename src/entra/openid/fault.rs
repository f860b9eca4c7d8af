//! Why nobody is signed in.

use crate::entra::application::TokenError;
use crate::entra::openid::id_token::TokenFault;
use crate::http::describe;

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInFault {
    /// No answer, or an error of the service.
    #[error("the sign-in service cannot be used now: {0}")]
    Unavailable(String),
    /// It describes itself in another way than it should.
    #[error("the sign-in service is not the one of the tenant: {0}")]
    Foreign(&'static str),
    /// The code is not good, or the application is not.
    #[error("the sign-in service refuses: {0}")]
    Refused(String),
    /// Its word on who this is must not be trusted.
    #[error("the id token is not accepted: {0}")]
    Token(#[from] TokenFault),
}

impl SignInFault {
    pub(super) fn unavailable(error: &reqwest::Error) -> Self {
        Self::Unavailable(describe(error))
    }
}

impl From<TokenError> for SignInFault {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Unanswered(error) => Self::unavailable(&error),
            TokenError::Throttled { .. } => Self::Unavailable("too many requests (429)".to_owned()),
            TokenError::TooLarge { error, .. } => Self::Unavailable(error.to_string()),
            TokenError::Refused { status, refusal } if status.is_server_error() => {
                Self::Unavailable(format!("{status} {}", refusal.reason).trim().to_owned())
            }
            TokenError::Refused { refusal, .. } => Self::Refused(refusal.reason),
            TokenError::NoToken { .. } | TokenError::NoRefreshToken(_) => {
                Self::Refused("it answers without an id token".to_owned())
            }
        }
    }
}
