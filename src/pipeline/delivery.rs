//! Delivers what the ledger owes to one notifier: what is due, one attempt after another, back off, mark. Notifiers don't
//! wait for each other: each has a courier of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use uuid::Uuid;

use crate::clock::Clock;
use crate::domain::{Delivery, FindingCode, OperatorFinding};
use crate::ledger::{AttemptRecord, GiveUp, Ledger, LedgerError, NotifierState};
use crate::metrics::Metrics;
use crate::notify::{Channel, DeliveryError, Verdict};
use crate::pipeline::desk::{Desk, Ending};
use crate::pipeline::fallback::Fallback;

/// Deliveries fetched at once while all goes well; few, so that a critical one does not wait behind many at a slow pace.
const BATCH: u32 = 10;
/// Probes that must have failed before a delivery is given up.
const LEAST_PROBES: u64 = 8;
/// The longest wait that a destination may ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);
/// The shortest one: a destination that asks for none is not hammered.
const SHORTEST_RETRY_AFTER: Duration = Duration::from_secs(1);

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Deliveries accepted.
    pub sent: u64,
    /// Deliveries given up.
    pub dead: u64,
    /// How long until there may be more to do: zero = at once, none = when something new is owed.
    pub wait: Option<Duration>,
}

/// What receivers accepted and the ledger does not know yet, by notifier: never sent again by this process. Cloning shares
/// it, so that it outlives the couriers of one configuration.
#[derive(Debug, Clone, Default)]
pub struct Unmarked(Arc<Mutex<HashMap<Box<str>, Vec<AttemptRecord>>>>);

impl Unmarked {
    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Vec<AttemptRecord>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, notifier: &str, attempt: AttemptRecord) {
        self.lock().entry(notifier.into()).or_default().push(attempt);
    }

    fn first(&self, notifier: &str) -> Option<AttemptRecord> {
        self.lock().get(notifier)?.first().cloned()
    }

    fn remove(&self, notifier: &str, delivery: Uuid) {
        if let Some(attempts) = self.lock().get_mut(notifier) {
            attempts.retain(|attempt| attempt.delivery != delivery);
        }
    }
}

/// Delivers to one notifier.
pub struct Courier {
    channel: Channel,
    desk: Desk,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    unmarked: Unmarked,
    fallback: Option<Fallback>,
    /// Failed last; the next probe is made with another delivery, unless the failure was ambiguous.
    last_failed: Option<Uuid>,
    state: Option<NotifierState>,
    /// When the next probe may be made, by the monotonic clock.
    probe_at: Duration,
    /// When the time in which probes are possible was last counted.
    counted_at: Duration,
}

impl Courier {
    /// A courier for one notifier, which tells at this desk what becomes of it.
    pub fn new(channel: Channel, desk: Desk, metrics: Metrics) -> Self {
        let (ledger, clock) = (desk.ledger.clone(), Arc::clone(&desk.clock));
        let counted_at = clock.monotonic();
        let (unmarked, probe_at) = (Unmarked::default(), Duration::ZERO);
        Self { channel, desk, ledger, clock, metrics, unmarked, fallback: None, last_failed: None, state: None, probe_at, counted_at }
    }

    /// The same, with others who stand in where the destination fails.
    #[must_use]
    pub fn with_fallback(self, fallback: Fallback) -> Self {
        Self { fallback: Some(fallback), ..self }
    }

    /// The same, knowing what couriers before it could not mark.
    #[must_use]
    pub fn with_unmarked(mut self, unmarked: Unmarked) -> Self {
        self.unmarked = unmarked;
        self
    }

    /// The notifier's name.
    pub fn name(&self) -> &str {
        self.channel.name()
    }

    /// Delivers what is due now, at most a batch; in backoff, probes with one delivery. `stop` is asked before each attempt
    /// and ends the batch. Then others stand in for what it does not take.
    pub async fn step(&mut self, stop: &(dyn Fn() -> bool + Sync)) -> Result<Progress, LedgerError> {
        let mut progress = self.deliver_due(stop).await?;
        if let Some(fallback) = &self.fallback {
            let failing = self.state.as_ref().is_some_and(|state| state.failures > 0);
            let wait = fallback.stand_in(self.channel.name(), failing, &self.desk).await?;
            progress.wait = progress.wait.into_iter().chain(wait).min();
        }
        Ok(progress)
    }

    async fn deliver_due(&mut self, stop: &(dyn Fn() -> bool + Sync)) -> Result<Progress, LedgerError> {
        self.mark_accepted().await?;
        let state = self.state().await?;
        let probing = state.failures > 0;
        let due = self.due(if probing { 1 } else { BATCH }).await?;
        if due.is_empty() {
            return Ok(Progress::default());
        }
        if let Some(wait) = self.until_probe(&state) {
            return Ok(Progress { wait: Some(wait), ..Progress::default() });
        }
        let mut progress = Progress { wait: Some(Duration::ZERO), ..Progress::default() };
        for delivery in due {
            if stop() {
                break;
            }
            if !self.deliver(&delivery, &mut progress).await? {
                break;
            }
        }
        Ok(progress)
    }

    /// One attempt; says whether the next delivery may follow at once.
    async fn deliver(&mut self, delivery: &Delivery, progress: &mut Progress) -> Result<bool, LedgerError> {
        match self.channel.attempt(delivery).await {
            Ok(accepted) => {
                progress.sent += 1;
                tracing::info!(notifier = self.channel.name(), delivery.id = %delivery.id, "delivered");
                self.unmarked.add(self.channel.name(), self.attempt(delivery, "accepted", accepted.detail));
                self.mark_accepted().await?;
                self.recovered().await?;
                Ok(true)
            }
            Err(error) if error.verdict == Verdict::Message => {
                progress.dead += 1;
                self.count("dead");
                self.refused(delivery, &error).await?;
                Ok(true)
            }
            Err(error) => {
                progress.dead += self.failed(delivery, &error).await?;
                Ok(false)
            }
        }
    }

    /// The receiver will never take this message: it is dead at once, and the receiver is there for the others.
    async fn refused(&mut self, delivery: &Delivery, error: &DeliveryError) -> Result<(), LedgerError> {
        self.ledger.mark_dead(self.attempt(delivery, "message-refused", error.to_string())).await?;
        self.tell_dead(1, &error.to_string()).await?;
        self.recovered().await
    }

    /// The destination fails: back off, and give up what has been tried for too long.
    async fn failed(&mut self, delivery: &Delivery, error: &DeliveryError) -> Result<u64, LedgerError> {
        let (outcome, retry_after) = match error.verdict {
            Verdict::Destination { retry_after } => ("destination-failed", retry_after),
            Verdict::Ambiguous | Verdict::Message => ("ambiguous", None),
        };
        let state = self.worse(error, retry_after).await?;
        self.last_failed = (outcome == "destination-failed").then_some(delivery.id);
        tracing::warn!(notifier = self.channel.name(), delivery.id = %delivery.id, failures = state.failures, outcome, "delivery failed: {error}");
        let give_up = GiveUp { after: self.channel.give_up_after(), probes: LEAST_PROBES };
        let attempt = self.attempt(delivery, outcome, error.to_string());
        let dead = self.ledger.mark_failed(attempt, self.channel.name(), state, give_up).await?;
        let finding = OperatorFinding {
            code: FindingCode::NotifierFailing,
            subject: self.channel.name().to_owned(),
            summary: format!("notifier \"{}\" does not take messages: {error}", self.channel.name()),
            action: "what is owed to it is kept and tried again; see budget-alertd deliveries".to_owned(),
        };
        self.desk.report(finding).await?;
        let number = u64::try_from(dead.len()).unwrap_or(u64::MAX);
        if number > 0 {
            self.metrics.deliveries.with_label_values(&[self.channel.name(), "dead"]).inc_by(number);
            self.tell_dead(number, &error.to_string()).await?;
        }
        Ok(number)
    }

    /// The state after one more failure.
    async fn worse(&mut self, error: &DeliveryError, retry_after: Option<Duration>) -> Result<NotifierState, LedgerError> {
        let before = self.state().await?;
        let now = self.clock.now();
        let elapsed = self.clock.monotonic().saturating_sub(self.counted_at);
        self.counted_at = self.clock.monotonic();
        let failures = before.failures.saturating_add(1);
        let wait =
            retry_after.map_or_else(|| backoff(failures, Uuid::new_v4()), |asked| asked.clamp(SHORTEST_RETRY_AFTER, LONGEST_RETRY_AFTER));
        self.probe_at = self.clock.monotonic().saturating_add(wait);
        let state = NotifierState {
            failures,
            failing_since: before.failing_since.or(Some(now)),
            next_probe_at: now.checked_add(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX)).ok(),
            probes: before.probes.saturating_add(1),
            // Time before the first failure was not spent on probing.
            possible: if before.failures == 0 { before.possible } else { before.possible.saturating_add(elapsed) },
            last_error: Some(error.to_string()),
        };
        self.metrics.notifier_in_backoff.with_label_values(&[self.channel.name()]).set(1);
        self.state = Some(state.clone());
        Ok(state)
    }

    /// One success frees all.
    async fn recovered(&mut self) -> Result<(), LedgerError> {
        self.last_failed = None;
        let before = self.state().await?;
        if before.failures == 0 {
            return Ok(());
        }
        // The finding first: were it left for later, being killed in between would leave it open for ever.
        let ending = Ending::of(format!("notifier \"{}\" takes messages again", self.channel.name()));
        self.desk.clear(FindingCode::NotifierFailing, self.channel.name(), ending).await?;
        let state = NotifierState { failures: 0, failing_since: None, next_probe_at: None, last_error: None, ..before };
        self.ledger.set_notifier_state(self.channel.name(), state.clone()).await?;
        self.state = Some(state);
        self.metrics.notifier_in_backoff.with_label_values(&[self.channel.name()]).set(0);
        tracing::info!(notifier = self.channel.name(), "the notifier takes messages again");
        Ok(())
    }

    /// Marks what was accepted: the last delivery, and those that could not be marked before.
    pub async fn mark_accepted(&self) -> Result<(), LedgerError> {
        let name = self.channel.name();
        while let Some(attempt) = self.unmarked.first(name) {
            let delivery = attempt.delivery;
            self.ledger.mark_sent(attempt).await?;
            self.unmarked.remove(name, delivery);
            self.count("sent");
        }
        Ok(())
    }

    async fn due(&self, limit: u32) -> Result<Vec<Delivery>, LedgerError> {
        let due = self.due_without(self.last_failed.into_iter().collect(), limit).await?;
        if due.is_empty() && self.last_failed.is_some() { self.due_without(Vec::new(), limit).await } else { Ok(due) }
    }

    async fn due_without(&self, except: Vec<Uuid>, limit: u32) -> Result<Vec<Delivery>, LedgerError> {
        let name = self.channel.name();
        if self.channel.route().incidents {
            self.ledger.due_by_incident(name, except, limit).await
        } else {
            self.ledger.due(name, except, limit).await
        }
    }

    /// How long until the next probe may be made; none when it may be made now.
    fn until_probe(&self, state: &NotifierState) -> Option<Duration> {
        let wait = self.probe_at.saturating_sub(self.clock.monotonic());
        (state.failures > 0 && !wait.is_zero()).then_some(wait)
    }

    async fn state(&mut self) -> Result<NotifierState, LedgerError> {
        if let Some(state) = &self.state {
            return Ok(state.clone());
        }
        let state = self.ledger.notifier_state(self.channel.name()).await?;
        self.metrics.notifier_in_backoff.with_label_values(&[self.channel.name()]).set(i64::from(state.failures > 0));
        self.counted_at = self.clock.monotonic();
        // The wall clock is asked this once: set back later, it must not keep a notifier silent.
        let wait = state.next_probe_at.map(|at| Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default());
        self.probe_at = self.counted_at.saturating_add(wait.unwrap_or_default().min(LONGEST_RETRY_AFTER));
        self.state = Some(state.clone());
        Ok(state)
    }

    async fn tell_dead(&self, number: u64, why: &str) -> Result<(), LedgerError> {
        let name = self.channel.name();
        let finding = OperatorFinding {
            code: FindingCode::DeliveryDead,
            subject: name.to_owned(),
            summary: if number == 1 {
                format!("a delivery of notifier \"{name}\" was given up: {why}")
            } else {
                format!("{number} deliveries of notifier \"{name}\" were given up: {why}")
            },
            action: format!("mend the destination, then run: budget-alertd deliveries retry --notifier {name}"),
        };
        self.desk.report_again(finding).await
    }

    fn attempt(&self, delivery: &Delivery, outcome: &'static str, detail: String) -> AttemptRecord {
        AttemptRecord { delivery: delivery.id, at: self.clock.now(), outcome, detail }
    }

    fn count(&self, result: &str) {
        self.metrics.deliveries.with_label_values(&[self.channel.name(), result]).inc();
    }
}

/// How long to wait after so many failures in a row: 5 s, 30 s, 2 min, 5 min, then 10 min, each ± 20 % by `chance`.
pub fn backoff(failures: u32, chance: Uuid) -> Duration {
    let seconds: u64 = match failures {
        0 | 1 => 5,
        2 => 30,
        3 => 120,
        4 => 300,
        _ => 600,
    };
    let tenths_of_percent = u64::try_from(chance.as_u128() % 401).unwrap_or(200);
    Duration::from_millis(seconds * (800 + tenths_of_percent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_to_ten_minutes_and_varies_by_a_fifth() {
        let range = |failures| (backoff(failures, Uuid::from_u128(0)), backoff(failures, Uuid::from_u128(400)));
        let seconds = |a, b| (Duration::from_secs(a), Duration::from_secs(b));
        assert_eq!(range(1), seconds(4, 6));
        assert_eq!(range(2), seconds(24, 36));
        assert_eq!(range(3), seconds(96, 144));
        assert_eq!(range(4), seconds(240, 360));
        assert_eq!(range(5), seconds(480, 720));
        assert_eq!(range(5000), seconds(480, 720));
    }
}
