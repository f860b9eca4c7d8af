//! What the loops of one configuration share: when to stop, the lines to those who ask something,
//! and what the last poll came to.

use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::daemon::channels::Lines;

/// What the loops of one configuration share.
#[derive(Clone)]
pub(super) struct Signals {
    /// True once the loops must stop.
    pub(super) stop: watch::Receiver<bool>,
    /// To and from those who ask something.
    pub(super) lines: Lines,
    /// What the last poll came to, for the status line.
    pub(super) status: watch::Sender<PollStatus>,
}

/// What the status line says of polling.
#[derive(Debug, Clone, Default)]
pub(super) struct PollStatus {
    /// When the last poll ended, and what it came to.
    pub(super) last: Option<(jiff::Timestamp, String)>,
    /// When the next one is due.
    pub(super) next: Option<jiff::Timestamp>,
    /// Until when the source asked to be left alone, by the monotonic clock. It holds for the next
    /// configuration too.
    pub(super) not_before: Duration,
}

impl Signals {
    pub(super) fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits for a time, or until the loops must stop.
    pub(super) async fn wait(&mut self, clock: &dyn Clock, time: Duration) {
        if !self.stopping() {
            tokio::select! {
                () = clock.sleep(time) => {}
                _ = self.stop.changed() => {}
            }
        }
    }
}
