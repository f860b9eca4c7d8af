//! Somebody who waits for a reload to end, and what is answered.

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// Somebody who waits for a reload to end.
pub type ReloadTicket = oneshot::Sender<Reloaded>;

/// What came of a reload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// Why the configuration was refused, in the words of `check`; `None` where it is in force.
    pub refused: Option<String>,
}
