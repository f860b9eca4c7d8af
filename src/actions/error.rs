//! Why an action was not done. What a command or an HTTP status makes of it is theirs.

use crate::ledger::LedgerError;

/// Why an action was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// What was asked for makes no sense here; asking the same again changes nothing.
    #[error("{0}")]
    Invalid(String),
    /// Another user may ask for it.
    #[error("{0}")]
    Forbidden(String),
    /// It cannot be done now.
    #[error("{0}")]
    Unavailable(String),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Something in the state folder cannot be written.
    #[error("{what} cannot be saved in the state folder")]
    Unsaved {
        /// What.
        what: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}
