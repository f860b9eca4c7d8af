//! How far a daemon's workers are, for those who wait for the deliveries of a poll.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;

/// What a daemon's workers have done since it started.
#[derive(Debug, Clone, Default)]
pub struct DeliveryProgress {
    /// Deliveries accepted.
    pub sent: u64,
    /// Deliveries given up.
    pub dead: u64,
    /// By notifier: up to which call its worker has found nothing more to do. It is called whenever
    /// something new is owed.
    pub idle: BTreeMap<Box<str>, u64>,
}

impl DeliveryProgress {
    /// What was done after `before`: sent and given up.
    pub(crate) fn since(&self, before: &Self) -> (u64, u64) {
        (self.sent.saturating_sub(before.sent), self.dead.saturating_sub(before.dead))
    }
}

/// Waits until every worker has done all there was to do at `call`, or the time is over.
pub(crate) async fn settled(
    progress: &mut watch::Receiver<DeliveryProgress>,
    call: u64,
    clock: &dyn Clock,
    within: Duration,
) {
    let settled = progress.wait_for(|progress| progress.idle.values().all(|done| *done >= call));
    tokio::select! {
        biased;
        // Without workers, nothing more will come.
        _ = settled => {}
        () = clock.sleep(within) => {}
    }
}
