//! What the daemon answers when it does not do what is asked, as commands read it.

use serde::Deserialize;

/// A refusal: of problem+json its sentence; older daemons answer `{"error": text}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Refused {
    /// Why, in words.
    #[serde(alias = "error")]
    pub detail: String,
}
