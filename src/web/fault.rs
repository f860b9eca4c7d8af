//! Why a page or a list cannot be shown.

use axum::http::StatusCode;
use axum::response::Response;

use crate::ledger::LedgerError;
use crate::listings::story::StoryError;
use crate::web::refused::{Reads, refused};

/// Why there is nothing better to answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// What is asked makes no sense.
    #[error("{0}")]
    Query(String),
    /// There is nothing of that name.
    #[error("{0}")]
    Missing(String),
    /// Others ask too much already.
    #[error("too much is asked at the same time; try again in a moment")]
    Busy,
    /// The ledger cannot be read.
    #[error("the ledger cannot be read: {0}")]
    Ledger(#[from] LedgerError),
}

impl From<StoryError> for Fault {
    fn from(error: StoryError) -> Self {
        match error {
            StoryError::Ledger(error) => Self::Ledger(error),
            StoryError::BeforeHistory(text) => Self::Query(text),
        }
    }
}

impl Fault {
    /// As an answer.
    pub(super) fn answer(&self, reads: Reads) -> Response {
        let status = match self {
            Self::Query(_) => StatusCode::BAD_REQUEST,
            Self::Missing(_) => StatusCode::NOT_FOUND,
            Self::Busy | Self::Ledger(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        if let Self::Ledger(error) = self {
            tracing::warn!(%error, "a page cannot read the ledger");
        }
        refused(reads, status, &self.to_string())
    }
}
