//! What goes to the daemon's poll loop when somebody asks for a poll, and what comes back. Who asks,
//! and what is told of it, is left to the actions.

use std::sync::Arc;

use tokio::sync::{oneshot, watch};

use crate::actions::DeliveryProgress;
use crate::poll::CycleReport;

/// Somebody asks the poll loop to poll now.
pub struct PollTicket {
    /// Take an answer without any item for the truth.
    pub accept_empty: bool,
    /// A poll that is under way is none for this: it began with what is out of date now.
    pub fresh: bool,
    /// Where the poll goes that answers this, or why there is none.
    pub answer: oneshot::Sender<Result<Polled, String>>,
}

/// A poll that is over, and whose deliveries are under way.
#[derive(Clone)]
pub struct Polled {
    /// What it did.
    pub report: Arc<CycleReport>,
    /// How far the workers were when it began.
    pub before: DeliveryProgress,
    /// How far they are.
    pub progress: watch::Receiver<DeliveryProgress>,
    /// The call that tells them what this poll owes.
    pub call: u64,
}
