//! The loops that live as long as a configuration: one polls, one for each notifier delivers. They
//! stop between two steps when told to.

use std::sync::Arc;
use std::time::Duration;

use crate::actions::Polled;
use crate::clock::Clock;
use crate::daemon::Heartbeat;
use crate::daemon::ledger_failure::{LEDGER_RETRY, causes};
use crate::daemon::poll_requests::PollRequests;
use crate::daemon::pulse::{BEAT, LONGEST_ATTEMPT, Pulse};
use crate::daemon::signals::{PollStatus, Signals};
use crate::daemon::writes::{POLL, Writer};
use crate::delivery::{DeliveryWorker, Mirror};
use crate::domain::{FindingCode, OperatorFinding};
use crate::ledger::LedgerError;
use crate::metrics::Metrics;
use crate::poll::{Cycle, CycleReport};

/// How long a poll may take before its loop counts as stuck: generous requests, each with its retries, for a collection of several
/// pages.
const LONGEST_POLL: Duration = Duration::from_hours(1);
/// How long a poll may go on when the loop must stop: a sign-in that is being renewed should reach
/// the disk, since the old one may be worth nothing any more.
const POLL_GRACE: Duration = Duration::from_secs(1);
/// How soon a failed poll is tried again; doubled with each failure, up to the poll interval.
const POLL_RETRY: Duration = Duration::from_mins(5);

/// The longest time that the source may ask to be left alone: an overspend must not hide behind an
/// absurd number.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// Polls as soon as the source allows it, then every `interval`, jittered by up to 10 %, and when
/// somebody asks for it. A poll under way when the loop must stop is soon given up: what it has
/// not recorded is found again.
pub(super) async fn poll(
    cycle: Arc<Cycle>,
    heartbeat: Option<Heartbeat>,
    interval: Duration,
    mut signals: Signals,
) {
    let clock = Arc::clone(&cycle.clock);
    let pulse = Pulse::new(&cycle.metrics.health, "poll");
    let writer = Writer::new(&cycle.metrics, POLL);
    let poll_requests = Arc::clone(&signals.lines.poll_requests);
    let mut poll_requests = poll_requests.lock().await;
    let mut failures = 0_u32;
    let mut until = signals.status.borrow().not_before;
    loop {
        while let Some(left) = left(until, &*clock) {
            pulse.beat(&*clock, BEAT * 6);
            let asked = tokio::select! {
                () = signals.wait(&*clock, left.min(BEAT)) => false,
                () = poll_requests.wait() => true,
            };
            if signals.stopping() {
                return;
            }
            if asked && is_welcome(&mut poll_requests, &signals, &*clock) {
                break;
            }
        }
        pulse.beat(&*clock, LONGEST_POLL);
        let accept_empty = poll_requests.poll_begins();
        let before = signals.lines.progress.borrow().clone();
        let mut stop = signals.stop.clone();
        let overstayed = async {
            drop(stop.wait_for(|stop| *stop).await);
            // Real time, not the clock's: it bounds what others take to answer.
            tokio::time::sleep(POLL_GRACE).await;
        };
        let result = tokio::select! {
            biased;
            result = cycle.run(accept_empty) => result.map(Arc::new),
            () = overstayed => return,
        };
        let call = signals.lines.call_couriers();
        match &result {
            Ok(report) => {
                writer.succeeded();
                let progress = signals.lines.progress.subscribe();
                poll_requests.answer(
                    accept_empty,
                    &Polled { report: Arc::clone(report), before, progress, call },
                );
            }
            Err(error) => {
                writer.failed(&*clock, error);
                poll_requests.refuse(&causes(error));
            }
        }
        failures = if matches!(&result, Ok(report) if report.good) {
            0
        } else {
            failures.saturating_add(1)
        };
        let pause = pause(&result, interval, failures);
        note(&cycle, &result, pause, &signals);
        until = clock.monotonic().saturating_add(pause);
        if let Some(heartbeat) =
            heartbeat.as_ref().filter(|_| failures == 0 && can_be_written(&cycle.metrics))
        {
            heartbeat.beat(&cycle.ledger, &*clock).await;
        }
    }
}

/// Whether what is found can be recorded; else whoever watches the heartbeat should miss it.
fn can_be_written(metrics: &Metrics) -> bool {
    let failure = metrics.writes.failure();
    if let Some(failure) = &failure {
        tracing::warn!("no heartbeat: the ledger cannot be written: {}", failure.why);
    }
    failure.is_none()
}

/// How long it is until an instant of the monotonic clock that is not over.
fn left(until: Duration, clock: &dyn Clock) -> Option<Duration> {
    until.checked_sub(clock.monotonic()).filter(|left| !left.is_zero())
}

/// Whether there may be a poll now; those who ask for one are told otherwise.
fn is_welcome(poll_requests: &mut PollRequests, signals: &Signals, clock: &dyn Clock) -> bool {
    let Some(rest) = left(signals.status.borrow().not_before, clock) else { return true };
    poll_requests.refuse(&format!(
        "polling rests for another {} s: the source asked to be left alone, or polling broke \
            before; see the daemon's log",
        rest.as_secs().max(1)
    ));
    false
}

/// How long until the next poll: the interval, sooner after a failure, never before the source
/// allows it.
fn pause(
    result: &Result<Arc<CycleReport>, LedgerError>,
    interval: Duration,
    failures: u32,
) -> Duration {
    let jitter = u32::try_from(uuid::Uuid::new_v4().as_u128() % 201).unwrap_or(100);
    let jittered = (interval / 1000).saturating_mul(900 + jitter);
    let regular = if failures == 0 {
        jittered
    } else {
        jittered.min(
            POLL_RETRY.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(16))),
        )
    };
    match result {
        Ok(report) => regular.max(report.retry_after.unwrap_or_default().min(LONGEST_PAUSE)),
        Err(_) => regular.min(LEDGER_RETRY.saturating_mul(6)),
    }
}

fn note(
    cycle: &Cycle,
    result: &Result<Arc<CycleReport>, LedgerError>,
    pause: Duration,
    signals: &Signals,
) {
    let now = cycle.clock.now();
    let text = match result {
        Ok(report) => {
            let state = if report.good { "good" } else { "failed" };
            let (alerts, seconds) = (report.raised, pause.as_secs());
            tracing::info!(
                poll.result = state,
                poll.records = report.records,
                poll.skipped = report.skipped,
                poll.alerts = alerts,
                poll.next_s = seconds,
                "poll {state}: {} records, {alerts} new alerts",
                report.records
            );
            for error in &report.errors {
                tracing::warn!(poll.result = state, "{error}");
            }
            format!("{} customers read, {alerts} new alerts", report.records)
                + if report.good { "" } else { " (poll failed)" }
        }
        Err(error) => {
            tracing::error!(
                "poll failed, its alerts are found again by the next: {}",
                causes(error)
            );
            format!("poll failed: {error}")
        }
    };
    let next =
        jiff::SignedDuration::try_from(pause).ok().and_then(|pause| now.checked_add(pause).ok());
    let asked = result
        .as_ref()
        .ok()
        .and_then(|report| report.retry_after)
        .unwrap_or_default()
        .min(LONGEST_PAUSE);
    let not_before = cycle.clock.monotonic().saturating_add(asked);
    signals.status.send_replace(PollStatus { last: Some((now, text)), next, not_before });
}

/// Delivers to one notifier whenever something is due.
pub(super) async fn deliver(
    mut worker: DeliveryWorker,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    mut signals: Signals,
) {
    let pulse = Pulse::new(&metrics.health, &format!("delivery to {}", worker.name()));
    let writer = Writer::new(&metrics, &format!("delivery to {}", worker.name()));
    let mut owed = signals.lines.owed.subscribe();
    while !signals.stopping() {
        pulse.beat(&*clock, LONGEST_ATTEMPT);
        let call = *owed.borrow_and_update();
        // What is newly owed may be worse than the rest of the batch: the batch ends, and the next
        // one begins with it.
        let stop = || {
            pulse.beat(&*clock, LONGEST_ATTEMPT);
            *signals.stop.borrow() || owed.has_changed().unwrap_or(false)
        };
        let (wait, in_backoff) = match worker.step(&stop).await {
            Ok(progress) => {
                // Only what was written shows that it can be.
                if progress.sent > 0 || progress.dead > 0 {
                    writer.succeeded();
                }
                signals.lines.note_progress(worker.name(), call, progress);
                (progress.wait, progress.in_backoff)
            }
            Err(error) => {
                writer.failed(&*clock, &error);
                tracing::error!(notifier = worker.name(), "delivery waits: {}", causes(&error));
                (Some(LEDGER_RETRY), true)
            }
        };
        if wait.is_some_and(|wait| wait.is_zero()) {
            continue;
        }
        pulse.beat(&*clock, BEAT * 6);
        let time = wait.unwrap_or(BEAT).min(BEAT);
        tokio::select! {
            () = signals.wait(&*clock, time) => {}
            // In backoff nothing new makes the destination better.
            _ = owed.changed(), if wait.is_none() || !in_backoff => {}
        }
    }
    if let Err(error) = worker.mark_accepted().await {
        tracing::error!(
            notifier = worker.name(),
            "what was accepted last stays unmarked and will be repeated: {}",
            causes(&error)
        );
    }
}

/// Shows one notifier what is open: at once, after each poll and whatever else changes it, and at
/// least once in a poll interval.
pub(super) async fn mirror(
    mut mirror: Mirror,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    mut signals: Signals,
) {
    let name = format!("showing {} what is open", mirror.name());
    let pulse = Pulse::new(&metrics.health, &name);
    let writer = Writer::new(&metrics, &name);
    let mut changed = signals.lines.owed.subscribe();
    while !signals.stopping() {
        changed.borrow_and_update();
        let stop = || {
            pulse.beat(&*clock, LONGEST_ATTEMPT);
            *signals.stop.borrow()
        };
        let wait = mirror.step(&stop).await.unwrap_or_else(|error| {
            writer.failed(&*clock, &error);
            tracing::error!(
                notifier = mirror.name(),
                "what is open is not shown: {}",
                causes(&error)
            );
            LEDGER_RETRY
        });
        let until = clock.monotonic().saturating_add(wait);
        while let Some(left) = left(until, &*clock)
            && !signals.stopping()
        {
            pulse.beat(&*clock, BEAT * 6);
            tokio::select! {
                () = signals.wait(&*clock, left.min(BEAT)) => {}
                // In backoff nothing new makes the destination better.
                _ = changed.changed(), if mirror.failure().is_none() => break,
            }
        }
    }
}

/// The finding of a reload that was refused; `why` on one line.
pub(super) fn reload_refused(why: &str) -> OperatorFinding {
    OperatorFinding {
        code: FindingCode::ReloadRefused,
        subject: String::new(),
        summary: format!(
            "the configuration was not reloaded, the one before stays in force: {why}"
        ),
        action: "run budget-alertd check, fix the file, reload again".to_owned(),
    }
}
