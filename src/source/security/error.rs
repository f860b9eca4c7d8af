//! Why security alerts could not be read or answered: in words, with what to do. None of it says
//! anything of the sign-in that usage is read by.

use std::time::Duration;

use crate::domain::{FindingCode, OperatorFinding};
use crate::source::error::{after_colon, sentences};
use crate::source::{Place, SourceError};

/// The signs that nobody has consented to what is asked for, in a refusal of the sign-in service.
const CONSENT: [&str; 5] =
    ["AADSTS65001", "AADSTS65004", "AADSTS90094", "AADSTS650056", "consent_required"];

/// The subject of the finding that access to security alerts is refused.
pub const ACCESS: &str = "access";

/// Why security alerts could not be read or answered. No text holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum SecurityError {
    /// Nobody has consented that the application reads them.
    #[error("nobody has consented that this application reads security alerts{}", after_colon(.reason))]
    ConsentMissing {
        /// The sign-in service's code and sentence.
        reason: String,
    },
    /// The sign-in was made without multi-factor authentication.
    #[error("{place} wants a sign-in with multi-factor authentication{}", after_colon(.reason))]
    MfaMissing {
        /// Who was asked.
        place: Place,
        /// What the answer says.
        reason: String,
    },
    /// The account or the application may not do it.
    #[error("{place} denies access (403){}", after_colon(.reason))]
    Denied {
        /// Who was asked.
        place: Place,
        /// What the answer says.
        reason: String,
    },
    /// 401 even with a new token.
    #[error("{place} refuses the sign-in (401){}", after_colon(.reason))]
    Unauthorized {
        /// Who was asked.
        place: Place,
        /// What the answer says.
        reason: String,
    },
    /// It cannot be answered with this reason.
    #[error(
        "Partner Center takes \"fraud\" or \"ignore\" only: \"{0}\" can be said in Microsoft's \
        portal, or by source = \"graph\""
    )]
    ReasonRefused(&'static str),
    /// It names no subscription, and is answered by that only.
    #[error("the alert names no subscription, and Partner Center can be answered by it only")]
    NoSubscription,
    /// Anything else that goes wrong with a source.
    #[error(transparent)]
    Source(SourceError),
}

impl SecurityError {
    /// What a failure of a call to `place` means here.
    pub(crate) fn of(error: SourceError, place: Place) -> Self {
        match error {
            SourceError::SignInRefused { reason }
                if CONSENT.iter().any(|sign| reason.contains(sign)) =>
            {
                Self::ConsentMissing { reason }
            }
            SourceError::MfaRequired { reason } => Self::MfaMissing { place, reason },
            SourceError::RoleMissing { reason } => Self::Denied { place, reason },
            SourceError::Unauthorized { reason } => Self::Unauthorized { place, reason },
            other @ (SourceError::Network { .. }
            | SourceError::Garbled { .. }
            | SourceError::Unavailable { .. }
            | SourceError::Throttled { .. }
            | SourceError::Refused { .. }
            | SourceError::SignInMissing
            | SourceError::SignInUnreadable { .. }
            | SourceError::SignInRefused { .. }
            | SourceError::Link { .. }
            | SourceError::TooLarge { .. }
            | SourceError::File { .. }) => Self::Source(other),
        }
    }

    /// How long the source asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Source(error) = self { error.retry_after() } else { None }
    }

    /// Whether the other side says that it does not know what was asked for.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Source(SourceError::Refused { status: 404, .. }))
    }

    /// What to do about it, a sentence.
    pub fn action(&self) -> String {
        match self {
            Self::ConsentMissing { .. } => "Add the delegated permission \
                PartnerSecurity.ReadWrite.All of Microsoft Graph to the application (Entra admin \
                center, App registrations, API permissions) and grant admin consent there."
                .to_owned(),
            Self::MfaMissing { .. } => "Sign in again and complete multi-factor authentication: \
                `budget-alertd login`, or a new token where source.refresh_token reads it."
                .to_owned(),
            Self::Denied { place: Place::Graph, .. } => {
                "Give the account the role \"Admin agent\" \
                in Partner Center, and the application the delegated permission \
                PartnerSecurity.ReadWrite.All of Microsoft Graph with admin consent."
                    .to_owned()
            }
            Self::Denied { .. } => {
                "Give the account the role \"Admin agent\" in Partner Center.".to_owned()
            }
            Self::Unauthorized { .. } => "Sign in again: `budget-alertd login`, or a new token \
                where source.refresh_token reads it."
                .to_owned(),
            Self::ReasonRefused(_) | Self::NoSubscription => {
                "Answer it in Microsoft's portal.".to_owned()
            }
            Self::Source(SourceError::Refused { place: Place::Graph, .. }) => "Check \
                security_alerts.url and source.cloud: Microsoft Graph tells of security alerts \
                under /beta."
                .to_owned(),
            Self::Source(SourceError::Throttled { .. }) => "Nothing, unless it stays: then make \
                security_alerts.poll_interval longer."
                .to_owned(),
            Self::Source(
                SourceError::Network { .. }
                | SourceError::Garbled { .. }
                | SourceError::Unavailable { .. },
            ) => "Nothing if it passes; meanwhile look at security alerts in Microsoft's portal."
                .to_owned(),
            Self::Source(error) => {
                let means = error.advice().map(|advice| format!("{} ", advice.means));
                format!("{}{}", means.unwrap_or_default(), error.finding().action)
            }
        }
    }

    /// What happened and what to do about it.
    pub fn in_full(&self) -> String {
        sentences(&self.to_string(), &self.action())
    }

    /// Whether only a person can fix it. That the sign-in itself is refused is said where usage is
    /// read.
    fn needs_person(&self) -> bool {
        matches!(
            self,
            Self::ConsentMissing { .. }
                | Self::MfaMissing { .. }
                | Self::Denied { .. }
                | Self::Unauthorized { .. }
        )
    }

    /// The news for the operator: at once where its subject is [`ACCESS`], else once it lasts.
    pub fn finding(&self) -> OperatorFinding {
        OperatorFinding {
            code: FindingCode::SecuritySourceFailing,
            subject: if self.needs_person() { ACCESS } else { "" }.to_owned(),
            summary: format!(
                "Security alerts cannot be read: {}.",
                self.to_string().trim_end_matches('.')
            ),
            action: self.action(),
        }
    }
}
