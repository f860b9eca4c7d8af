//! Why usage could not be read: what may pass by itself, what a person has to fix, and how.

use std::path::PathBuf;
use std::time::Duration;

use crate::domain::{FindingCode, OperatorFinding};
use crate::entra::{Advice, TokenError, advice};
use crate::http;

/// Who was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Partner Center's REST API.
    PartnerCenter,
    /// The token endpoint of Microsoft Entra ID.
    SignIn,
    /// Microsoft Graph.
    Graph,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::PartnerCenter => "Partner Center",
            Self::SignIn => "the sign-in service",
            Self::Graph => "Microsoft Graph",
        })
    }
}

/// Why usage could not be read. No text holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No connection, no answer in time, or one that broke off.
    #[error("{place}: {reason}")]
    Network {
        /// Who was asked.
        place: Place,
        /// What went wrong.
        reason: String,
        /// Whether nobody knows if the request arrived: no connection, or no answer in time.
        unanswered: bool,
    },
    /// An answer that is cut off or makes no sense.
    #[error("{place}: {reason}")]
    Garbled {
        /// Who was asked.
        place: Place,
        /// What is wrong with it.
        reason: String,
    },
    /// A 5xx status.
    #[error("{place} answered {status}{}", after_colon(.reason))]
    Unavailable {
        /// Who was asked.
        place: Place,
        /// The status code.
        status: u16,
        /// What the answer says.
        reason: String,
    },
    /// Too many requests (429).
    #[error("{place} limits the rate of requests{}", .retry_after.map(|wait| format!("; it asks to \
        wait {} s", wait.as_secs())).unwrap_or_default())]
    Throttled {
        /// Who was asked.
        place: Place,
        /// How long to leave it alone, if it said so.
        retry_after: Option<Duration>,
    },
    /// 401 even with a new token.
    #[error("Partner Center refuses the sign-in (401){}", after_colon(.reason))]
    Unauthorized {
        /// What the answer says.
        reason: String,
    },
    /// The sign-in was made without multi-factor authentication.
    #[error("Partner Center wants a sign-in with multi-factor authentication{}", after_colon(.reason))]
    MfaRequired {
        /// What the answer says.
        reason: String,
    },
    /// The account may not read usage (403).
    #[error("Partner Center denies access (403){}", after_colon(.reason))]
    RoleMissing {
        /// What the answer says.
        reason: String,
    },
    /// Any other status that is no success.
    #[error("{place} answered {status}{}", after_colon(.reason))]
    Refused {
        /// Who was asked.
        place: Place,
        /// The status code.
        status: u16,
        /// What the answer says.
        reason: String,
    },
    /// There is no refresh token, neither configured nor kept.
    #[error("there is no sign-in yet")]
    SignInMissing,
    /// The kept refresh token cannot be read, and none is configured.
    #[error("the kept sign-in cannot be read: {reason}")]
    SignInUnreadable {
        /// Why.
        reason: String,
    },
    /// The refresh token or the application is refused; only a person can fix that.
    #[error("the sign-in is refused{}", after_colon(.reason))]
    SignInRefused {
        /// The sign-in service's code and sentence.
        reason: String,
    },
    /// The link to the next page is not followed.
    #[error("the link to the next page is not followed: {reason}")]
    Link {
        /// Why.
        reason: String,
    },
    /// More than a body may unpack to.
    #[error("{place}: the answer is larger than {cap} bytes")]
    TooLarge {
        /// Who was asked.
        place: Place,
        /// The limit in bytes.
        cap: u64,
    },
    /// A saved collection cannot be read, or not to its end.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

pub(crate) fn sentences(first: &str, second: &str) -> String {
    format!("{}. {second}", first.trim_end_matches('.'))
}

pub(crate) fn after_colon(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

impl SourceError {
    /// How long the source asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Throttled { retry_after, .. } = self { *retry_after } else { None }
    }

    /// Whether only a person can fix it, so that asking anything more is pointless.
    pub fn needs_operator(&self) -> bool {
        matches!(
            self,
            Self::SignInMissing
                | Self::SignInRefused { .. }
                | Self::Unauthorized { .. }
                | Self::MfaRequired { .. }
                | Self::RoleMissing { .. }
        )
    }

    /// Whether asking anything more now is unwelcome or pointless. A single customer's refusal is
    /// neither.
    pub fn ends_asking(&self) -> bool {
        matches!(self, Self::Throttled { .. })
            || self.needs_operator() && !matches!(self, Self::RoleMissing { .. })
    }

    /// Whether it may pass by itself, so that trying again at once makes sense.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Network { .. } | Self::Garbled { .. } | Self::Unavailable { .. })
    }

    /// What the sign-in service's refusal means, where it is known.
    pub(crate) fn advice(&self) -> Option<Advice> {
        if let Self::SignInRefused { reason } = self { advice(reason) } else { None }
    }

    /// Whether it is a refusal that a sign-in by a browser may pass, for all that is known: one
    /// that has another meaning it does not.
    pub fn may_pass_by_browser(&self) -> bool {
        matches!(self, Self::Refused { .. })
            || matches!(self, Self::SignInRefused { .. })
                && self.advice().is_none_or(|advice| advice.for_source.contains("--browser"))
    }

    /// What happened and, where only a person can fix it, what that means and how.
    pub fn in_full(&self) -> String {
        let finding = self.finding();
        if finding.code == FindingCode::SourceFailing {
            return self.to_string();
        }
        let means = self.advice().map(|advice| format!("{} ", advice.means)).unwrap_or_default();
        sentences(&self.to_string(), &format!("{means}{}", finding.action))
    }

    /// The news for the operator: what happened, and what to do about it.
    pub fn finding(&self) -> OperatorFinding {
        let (code, action) = match self {
            Self::SignInMissing => (
                FindingCode::SignInRefused,
                "Sign in (`budget-alertd login`), or put a refresh token where \
                    source.refresh_token reads it.",
            ),
            Self::SignInUnreadable { .. } => (
                FindingCode::SignInRefused,
                "Make sign-in.json in the state folder readable for the daemon, or sign in again: \
                    `budget-alertd login`.",
            ),
            Self::SignInRefused { .. } if self.advice().is_some() => {
                (FindingCode::SignInRefused, self.advice().map_or("", |advice| advice.for_source))
            }
            Self::SignInRefused { .. } | Self::Unauthorized { .. } => (
                FindingCode::SignInRefused,
                "Sign in again (`budget-alertd login`, or a new token where source.refresh_token \
                    reads it); check source.tenant_id, client_id and client_secret if that does \
                    not help.",
            ),
            Self::MfaRequired { .. } => (
                FindingCode::MfaRequired,
                "Enable multi-factor authentication for the account, then sign in again \
                    (`budget-alertd login`, or a new token where source.refresh_token reads it) \
                    and complete it there.",
            ),
            Self::RoleMissing { .. } => (
                FindingCode::RoleMissing,
                "Give the account the role \"Admin agent\" in Partner Center, then sign in again \
                    (`budget-alertd login`, or a new token where source.refresh_token reads it) if \
                    access is still denied.",
            ),
            Self::Throttled { .. } => (
                FindingCode::SourceFailing,
                "Nothing, unless it stays: then make source.poll_interval longer.",
            ),
            Self::Link { .. } | Self::TooLarge { .. } => (
                FindingCode::SourceFailing,
                "Check source.api_url and what stands between this machine and Partner Center.",
            ),
            Self::File { .. } => (
                FindingCode::SourceFailing,
                "Check source.path: it must be one saved collection of usage records.",
            ),
            Self::Refused { .. } => (
                FindingCode::SourceFailing,
                "Check source.cloud, api_url, login_url and tenant_id; the log has the request \
                    ids.",
            ),
            Self::Network { .. } | Self::Garbled { .. } | Self::Unavailable { .. } => (
                FindingCode::SourceFailing,
                "Nothing if it passes; else check the network and the health of Partner Center; \
                    the log has the request ids.",
            ),
        };
        let summary = format!("Usage cannot be read: {}.", self.to_string().trim_end_matches('.'));
        OperatorFinding { code, subject: String::new(), summary, action: action.to_owned() }
    }
}

impl From<TokenError> for SourceError {
    fn from(error: TokenError) -> Self {
        let place = Place::SignIn;
        match error {
            TokenError::NoRefreshToken(None) => Self::SignInMissing,
            TokenError::NoRefreshToken(Some(error)) => {
                Self::SignInUnreadable { reason: error.to_string() }
            }
            TokenError::Unanswered(error) => {
                Self::Network { place, reason: http::describe(&error), unanswered: true }
            }
            TokenError::Throttled { retry_after } => Self::Throttled { place, retry_after },
            TokenError::TooLarge { error, .. } => {
                Self::Garbled { place, reason: error.to_string() }
            }
            TokenError::NoToken { .. } => {
                Self::Garbled { place, reason: "the answer holds no access token".into() }
            }
            TokenError::Refused { refusal, .. } if refusal.is_final() => {
                Self::SignInRefused { reason: refusal.reason }
            }
            TokenError::Refused { status, refusal } => {
                let (status, reason) = (status.as_u16(), refusal.reason);
                if status >= 500 || status == 408 || refusal.error == "temporarily_unavailable" {
                    Self::Unavailable { place, status, reason }
                } else {
                    Self::Refused { place, status, reason }
                }
            }
        }
    }
}
