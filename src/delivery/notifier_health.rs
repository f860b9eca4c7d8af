//! How a destination is doing: whether and when it may be tried, what was given up because of it.
//! Who tries is not looked at here.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::delivery::attempt::DeliveryAttempts;
use crate::delivery::operator_findings::FindingClosure;
use crate::domain::{Delivery, FindingCode, OperatorFinding};
use crate::ledger::{GiveUp, LedgerError, NotifierState};
use crate::notify::{DeliveryError, Verdict};
use crate::text::{clean, log_words};

/// Probes that must have failed before a delivery is given up.
pub(crate) const LEAST_PROBES: u64 = 8;
/// The longest wait that a destination may ask for.
pub(crate) const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);
/// The shortest one: a destination that asks for none is not hammered.
const SHORTEST_RETRY_AFTER: Duration = Duration::from_secs(1);

/// How a destination is doing, as far as this process knows; the rest is in the ledger.
#[derive(Default)]
pub(crate) struct NotifierHealth {
    state: Option<NotifierState>,
    /// Failed last; the next probe is made with another delivery. Ambiguous failures are not among
    /// them: they are repeated.
    last_failed: Vec<Uuid>,
    /// When the next probe may be made, by the monotonic clock.
    probe_at: Duration,
    /// When the time in which probes are possible was last counted.
    counted_at: Duration,
}

impl NotifierHealth {
    /// The state, from the ledger when first asked.
    pub(crate) async fn state(
        &mut self,
        attempts: &DeliveryAttempts,
    ) -> Result<NotifierState, LedgerError> {
        if let Some(state) = &self.state {
            return Ok(state.clone());
        }
        let state = attempts.ledger().notifier_state(attempts.name()).await?;
        self.counted_at = attempts.clock().monotonic();
        // The wall clock is asked this once: set back later, it must not keep a notifier silent. A
        // wait longer than any was written down by a clock that was ahead.
        let wait = state.next_probe_at.map(|at| {
            Duration::try_from(at.duration_since(attempts.clock().now())).unwrap_or_default()
        });
        self.probe_at = self
            .counted_at
            .saturating_add(wait.filter(|wait| *wait <= LONGEST_RETRY_AFTER).unwrap_or_default());
        self.keep(state.clone(), attempts);
        Ok(state)
    }

    /// How long until the next probe may be made; none when it may be made now.
    pub(crate) fn until_probe(
        &self,
        state: &NotifierState,
        attempts: &DeliveryAttempts,
    ) -> Option<Duration> {
        let wait = self.probe_at.saturating_sub(attempts.clock().monotonic());
        (state.failures > 0 && !wait.is_zero()).then_some(wait)
    }

    /// What is due, without what failed last where there is anything else.
    pub(crate) async fn due(
        &self,
        limit: usize,
        attempts: &DeliveryAttempts,
    ) -> Result<Vec<Delivery>, LedgerError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let due = attempts.due(self.last_failed.clone(), limit).await?;
        if due.is_empty() && !self.last_failed.is_empty() {
            return attempts.due(Vec::new(), limit).await;
        }
        Ok(due)
    }

    /// Why the destination failed last; none while it takes what it is sent.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.state
            .as_ref()
            .filter(|state| state.failures > 0)
            .map(|state| state.last_error.as_deref().unwrap_or("it failed before"))
    }

    /// The destination takes messages: one success frees all.
    pub(crate) async fn recovered(
        &mut self,
        attempts: &DeliveryAttempts,
    ) -> Result<(), LedgerError> {
        self.last_failed.clear();
        if self.state.as_ref().is_some_and(|state| state.failures == 0) {
            return Ok(());
        }
        let before = self.state(attempts).await?;
        // The finding first: were it left for later, being killed in between would leave it open
        // for ever.
        let ending =
            FindingClosure::of(format!("notifier \"{}\" takes messages again", attempts.name()));
        attempts.findings.clear(FindingCode::NotifierFailing, attempts.name(), ending).await?;
        let state = after_success(&before);
        attempts.ledger().set_notifier_state(attempts.name(), state.clone()).await?;
        self.keep(state, attempts);
        tracing::info!(notifier = attempts.name(), "the notifier takes messages again");
        Ok(())
    }

    /// The destination failed these, which were under way together: backs off by one step, and
    /// gives up what has been tried for too long; returns how many.
    pub(crate) async fn failed(
        &mut self,
        failures: &[(Arc<Delivery>, DeliveryError)],
        attempts: &DeliveryAttempts,
    ) -> Result<u64, LedgerError> {
        let Some((_, first)) = failures.first() else { return Ok(0) };
        let retry_after = failures.iter().filter_map(|(_, error)| asked_for(error)).max();
        let state = self.worse(first, retry_after, attempts).await?;
        let give_up = GiveUp { after: attempts.channel.give_up_after(), probes: LEAST_PROBES };
        self.last_failed.clear();
        let mut dead = 0_usize;
        for (delivery, error) in failures {
            let ambiguous = error.verdict == Verdict::Ambiguous;
            let outcome = if ambiguous { "ambiguous" } else { "destination-failed" };
            if !ambiguous {
                self.last_failed.push(delivery.id);
            }
            tracing::warn!(
                notifier = attempts.name(), delivery.id = %delivery.id, failures = state.failures, outcome,
                "delivery failed: {} has not taken {}: {error}",
                clean(attempts.name(), 60), log_words::message(&delivery.message)
            );
            let attempt =
                attempts.record(delivery, outcome, error.to_string(), error.message.clone());
            dead += attempts
                .ledger()
                .mark_failed(attempt, attempts.name(), state.clone(), give_up)
                .await?
                .len();
        }
        let finding = OperatorFinding {
            code: FindingCode::NotifierFailing,
            subject: attempts.name().to_owned(),
            summary: format!("notifier \"{}\" does not take messages: {first}", attempts.name()),
            action: "what is owed to it is kept and tried again; see budget-alertd deliveries"
                .to_owned(),
        };
        attempts.findings.report(finding).await?;
        let dead = u64::try_from(dead).unwrap_or(u64::MAX);
        attempts.tell_dead(dead, &first.to_string()).await?;
        Ok(dead)
    }

    /// The state after one more failure; not in the ledger yet.
    pub(crate) async fn worse(
        &mut self,
        error: &DeliveryError,
        retry_after: Option<Duration>,
        attempts: &DeliveryAttempts,
    ) -> Result<NotifierState, LedgerError> {
        let before = self.state(attempts).await?;
        let (now, monotonic) = (attempts.clock().now(), attempts.clock().monotonic());
        let elapsed = monotonic.saturating_sub(self.counted_at);
        self.counted_at = monotonic;
        // Time before the first failure was not spent on probing.
        let possible = if before.failures == 0 { Duration::ZERO } else { elapsed };
        let asked = retry_after.map(|asked| asked.clamp(SHORTEST_RETRY_AFTER, LONGEST_RETRY_AFTER));
        let (state, wait) = after_failure(&before, error, possible, asked, now);
        self.probe_at = monotonic.saturating_add(wait);
        self.keep(state.clone(), attempts);
        Ok(state)
    }

    fn keep(&mut self, state: NotifierState, attempts: &DeliveryAttempts) {
        attempts
            .metrics
            .notifier_in_backoff
            .with_label_values(&[attempts.name()])
            .set(i64::from(state.failures > 0));
        self.state = Some(state);
    }
}

fn asked_for(error: &DeliveryError) -> Option<Duration> {
    match error.verdict {
        Verdict::Destination { retry_after } => retry_after,
        Verdict::Ambiguous | Verdict::Message | Verdict::Recipient => None,
    }
}

/// The state after one more failure, and how long until the next probe: as `asked`, else longer
/// after each failure. Since the failure before, probes were possible for so long.
pub(crate) fn after_failure(
    before: &NotifierState,
    error: &DeliveryError,
    possible: Duration,
    asked: Option<Duration>,
    now: Timestamp,
) -> (NotifierState, Duration) {
    let failures = before.failures.saturating_add(1);
    let wait = asked.unwrap_or_else(|| backoff(failures, Uuid::new_v4()));
    let state = NotifierState {
        failures,
        failing_since: before.failing_since.or(Some(now)),
        next_probe_at: now
            .checked_add(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX))
            .ok(),
        probes: before.probes.saturating_add(1),
        possible: before.possible.saturating_add(possible),
        last_error: Some(error.to_string()),
    };
    (state, wait)
}

/// The state once messages are taken again.
pub(crate) fn after_success(before: &NotifierState) -> NotifierState {
    NotifierState { probes: before.probes, possible: before.possible, ..NotifierState::default() }
}

/// How long to wait after so many failures in a row: 5 s, 30 s, 2 min, 5 min, then 10 min, each ±
/// 20 % by `chance`.
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
        let range = |failures| {
            (backoff(failures, Uuid::from_u128(0)), backoff(failures, Uuid::from_u128(400)))
        };
        let seconds = |a, b| (Duration::from_secs(a), Duration::from_secs(b));
        assert_eq!(range(1), seconds(4, 6));
        assert_eq!(range(2), seconds(24, 36));
        assert_eq!(range(3), seconds(96, 144));
        assert_eq!(range(4), seconds(240, 360));
        assert_eq!(range(5), seconds(480, 720));
        assert_eq!(range(5000), seconds(480, 720));
    }
}
