//! The loop that reports at its times. What a report says is `reports`'s.

use std::sync::Arc;
use std::time::Duration;

use crate::daemon::ledger_failure::{LEDGER_RETRY, causes};
use crate::daemon::pulse::{BEAT, Pulse};
use crate::daemon::signals::Signals;
use crate::daemon::writes::Writer;
use crate::reports::ReportScheduler;

/// A report that is due when the daemon starts waits for the first poll, but no longer than this.
const FIRST_POLL: Duration = Duration::from_mins(10);

/// Looks at the clock every few seconds, which may be set, and reports when an occasion has come.
pub(super) async fn report(scheduler: Arc<ReportScheduler>, mut signals: Signals) {
    let clock = Arc::clone(&scheduler.cycle.clock);
    let pulse = Pulse::new(&scheduler.cycle.metrics.health, "report");
    let writer = Writer::new(&scheduler.cycle.metrics, "report");
    let started = clock.monotonic();
    while !signals.stopping() {
        pulse.beat(&*clock, BEAT * 60);
        let polled = signals.status.borrow().last.is_some()
            || clock.monotonic().saturating_sub(started) >= FIRST_POLL;
        let wait = match if polled { scheduler.step().await } else { Ok(false) } {
            Ok(false) => {
                writer.succeeded();
                BEAT
            }
            Ok(true) => {
                tracing::info!(
                    "the regular report is owed to {} notifiers",
                    scheduler.routes.len()
                );
                let _call = signals.lines.call_couriers();
                writer.succeeded();
                BEAT
            }
            Err(error) => {
                writer.failed(&*clock, &error);
                tracing::error!("the regular report waits: {}", causes(&error));
                LEDGER_RETRY
            }
        };
        pulse.beat(&*clock, BEAT * 6);
        signals.wait(&*clock, wait).await;
    }
}
