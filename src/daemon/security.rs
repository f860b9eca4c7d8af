//! The loop that reads Microsoft's security alerts, beside the one that reads usage: neither waits
//! for the other for long.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::daemon::ledger_failure::{LEDGER_RETRY, causes};
use crate::daemon::pulse::{BEAT, Pulse};
use crate::daemon::signals::Signals;
use crate::daemon::writes::Writer;
use crate::ledger::LedgerError;
use crate::poll::{Cycle, SecurityReport};

/// What the loop is called where it is watched.
const NAME: &str = "security alerts";
/// How long a read may take before its loop counts as stuck.
const LONGEST_READ: Duration = Duration::from_hours(1);
/// How long a read may go on when the loop must stop.
const READ_GRACE: Duration = Duration::from_secs(1);
/// How long the first read waits for the first poll of usage, which says what customers are called
/// and what they spend.
const PATIENCE: Duration = Duration::from_mins(1);
/// The longest time that the source may ask to be left alone.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// Reads every `interval`, jittered by up to 10 %. A read under way when the loop must stop is soon
/// given up: what it has not recorded is found again.
pub(super) async fn read(cycle: Arc<Cycle>, interval: Duration, mut signals: Signals) {
    let clock = Arc::clone(&cycle.clock);
    let pulse = Pulse::new(&cycle.metrics.health, NAME);
    let writer = Writer::new(&cycle.metrics, NAME);
    wait_for_usage(&*clock, &pulse, &mut signals).await;
    while !signals.stopping() {
        pulse.beat(&*clock, LONGEST_READ);
        let mut stop = signals.stop.clone();
        let overstayed = async {
            drop(stop.wait_for(|stop| *stop).await);
            // Real time, not the clock's: it bounds what others take to answer.
            tokio::time::sleep(READ_GRACE).await;
        };
        let result = tokio::select! {
            biased;
            result = cycle.read_security() => result,
            () = overstayed => return,
        };
        signals.lines.call_couriers();
        match &result {
            Ok(report) => {
                writer.succeeded();
                report.iter().for_each(note);
            }
            Err(error) => {
                writer.failed(&*clock, error);
                tracing::error!(
                    "security alerts are not recorded, the next read finds them again: {}",
                    causes(error)
                );
            }
        }
        let until = clock.monotonic().saturating_add(pause(&result, interval));
        while let Some(left) = until.checked_sub(clock.monotonic()).filter(|left| !left.is_zero())
            && !signals.stopping()
        {
            pulse.beat(&*clock, BEAT * 6);
            signals.wait(&*clock, left.min(BEAT)).await;
        }
    }
}

async fn wait_for_usage(clock: &dyn Clock, pulse: &Pulse, signals: &mut Signals) {
    let mut status = signals.status.subscribe();
    let until = clock.monotonic().saturating_add(PATIENCE);
    while status.borrow().last.is_none() && clock.monotonic() < until && !signals.stopping() {
        pulse.beat(clock, BEAT * 6);
        tokio::select! {
            () = signals.wait(clock, BEAT) => {}
            _ = status.changed() => {}
        }
    }
}

/// How long until the next read: the interval, never before the source allows it.
fn pause(result: &Result<Option<SecurityReport>, LedgerError>, interval: Duration) -> Duration {
    let jitter = u32::try_from(uuid::Uuid::new_v4().as_u128() % 201).unwrap_or(100);
    let regular = (interval / 1000).saturating_mul(900 + jitter);
    match result {
        Ok(report) => {
            let asked = report.as_ref().and_then(|report| report.retry_after);
            regular.max(asked.unwrap_or_default().min(LONGEST_PAUSE))
        }
        Err(_) => regular.min(LEDGER_RETRY.saturating_mul(6)),
    }
}

fn note(report: &SecurityReport) {
    let state = if report.good { "good" } else { "failed" };
    let alerts = report.alerts.len();
    tracing::info!(
        security.result = state,
        security.alerts = alerts,
        "security alerts read: {state}"
    );
    for error in &report.errors {
        tracing::warn!(security.result = state, "{error}");
    }
}
