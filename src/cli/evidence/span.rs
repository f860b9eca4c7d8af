//! What time evidence is about.

use jiff::Timestamp;
use serde::Serialize;

/// What time it is about.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// When it was gathered.
    pub(super) made_at: Timestamp,
}

impl Span {
    /// Whether an instant is in it.
    pub(super) fn holds(&self, at: Timestamp) -> bool {
        (self.from..self.until).contains(&at)
    }
}
