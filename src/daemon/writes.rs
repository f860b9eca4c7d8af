//! Watches whether what must be kept can be written: a disk may be full for hours before there is
//! anything to write. What the operator is told of it is `delivery`'s.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::daemon::disk;
use crate::daemon::ledger_failure::causes;
use crate::daemon::pulse::{LONGEST_ATTEMPT, Pulse};
use crate::daemon::signals::Signals;
use crate::delivery::Emergency;
use crate::ledger::{Ledger, LedgerError};
use crate::metrics::{Metrics, WriteFailure, Writes};

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How often it is tried whether the ledger can be written while nothing speaks against it: seldom,
/// since a disk that sleeps may go on sleeping.
const TRY_EVERY: Duration = Duration::from_mins(10);
/// The poll: it writes much at once, so that only a poll shows that polls can be recorded.
pub(super) const POLL: &str = "poll";

/// Somebody whose writes may fail; no longer once it is gone.
pub(super) struct Writer {
    writes: Writes,
    name: String,
}

impl Writer {
    /// The writer of this name.
    pub(super) fn new(metrics: &Metrics, name: &str) -> Self {
        Self { writes: metrics.writes.clone(), name: name.to_owned() }
    }

    /// It could not write.
    pub(super) fn failed(&self, clock: &dyn Clock, error: &LedgerError) {
        self.writes.failed(
            &self.name,
            WriteFailure { since: clock.now(), began: clock.monotonic(), why: causes(error) },
        );
    }

    /// It has written.
    pub(super) fn succeeded(&self) {
        self.writes.succeeded(&self.name);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.succeeded();
    }
}

/// What watches it.
pub struct WriteWatch {
    /// The ledger's file.
    pub(super) path: PathBuf,
    /// The ledger.
    pub(super) ledger: Ledger,
    /// Whom to tell.
    pub(super) emergency: Emergency,
}

/// Looks every few seconds.
pub(super) async fn watch(
    watch: WriteWatch,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    mut signals: Signals,
) {
    let pulse = Pulse::new(&metrics.health, "watching whether the ledger can be written");
    let writer = Writer::new(&metrics, "trial");
    let mut tried_at = clock.monotonic();
    while !signals.stopping() {
        pulse.beat(&*clock, LONGEST_ATTEMPT);
        let doubtful =
            metrics.writes.failure().is_some() || disk::is_scarce(folder_of(&watch.path));
        if doubtful || clock.monotonic().saturating_sub(tried_at) >= TRY_EVERY {
            tried_at = clock.monotonic();
            try_to_write(&watch.ledger, &writer, &*clock).await;
        }
        if let Err(error) = watch.emergency.step(metrics.writes.failure().as_ref()).await {
            tracing::error!(
                "that the ledger can be written again cannot be recorded: {}",
                causes(&error)
            );
        }
        signals.wait(&*clock, LOOK).await;
    }
}

/// Whoever writes as little as this can write too, once it works.
async fn try_to_write(ledger: &Ledger, writer: &Writer, clock: &dyn Clock) {
    match ledger.try_to_write().await {
        Ok(()) => writer.writes.succeeded_all(|name| name != POLL),
        Err(error) => writer.failed(clock, &error),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}
