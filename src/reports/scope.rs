//! What a report is to tell: of which span, as of when.

use jiff::Timestamp;

use crate::domain::Every;

/// What a report is to tell.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// How often it comes.
    pub every: Every,
    /// The occasion before.
    pub since: Timestamp,
    /// Now.
    pub now: Timestamp,
}
