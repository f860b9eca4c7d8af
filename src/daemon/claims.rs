//! The loop that reminds of claims. What is due, and what is said, is `reports`'s.

use std::sync::Arc;
use std::time::Duration;

use crate::daemon::ledger_failure::{LEDGER_RETRY, causes};
use crate::daemon::pulse::{BEAT, Pulse};
use crate::daemon::signals::Signals;
use crate::daemon::writes::Writer;
use crate::metrics::Metrics;
use crate::reports::ClaimReminders;

/// How often it looks what is due.
const EVERY: Duration = Duration::from_mins(1);

/// Looks every minute what people have said and what time it is.
pub(super) async fn remind(reminders: Arc<ClaimReminders>, metrics: Metrics, mut signals: Signals) {
    let clock = Arc::clone(&reminders.findings.clock);
    let pulse = Pulse::new(&metrics.health, "claims");
    let writer = Writer::new(&metrics, "claims");
    while !signals.stopping() {
        pulse.beat(&*clock, BEAT * 60);
        let wait = match reminders.step().await {
            Ok(()) => {
                writer.succeeded();
                EVERY
            }
            Err(error) => {
                writer.failed(&*clock, &error);
                tracing::error!("reminders of claims wait: {}", causes(&error));
                LEDGER_RETRY
            }
        };
        pulse.beat(&*clock, wait.saturating_add(BEAT * 6));
        signals.wait(&*clock, wait).await;
    }
}
