//! Delivers what the ledger owes to one notifier: what is due, several at once while all goes well,
//! one at a time while it does not. Notifiers don't wait for each other: each has a worker of its
//! own.

use std::sync::Arc;
use std::time::Duration;

use crate::delivery::attempt::{Carried, DeliveryAttempts, UnconfirmedDeliveries};
use crate::delivery::concurrency_limit::ConcurrencyLimit;
use crate::delivery::fallback::{Fails, Fallback};
use crate::delivery::in_flight_batch::InFlightBatch;
use crate::delivery::links::Links;
use crate::delivery::notifier_health::NotifierHealth;
use crate::delivery::operator_findings::OperatorFindings;
use crate::domain::Delivery;
use crate::ledger::LedgerError;
use crate::metrics::Metrics;
use crate::notify::Channel;

/// Deliveries of a step where one is sent after the other; few, so that a critical one does not
/// wait behind many at a slow pace.
const STEP: usize = 10;
/// The same where several may be under way at once, for each of them.
const STEP_OF_SEVERAL: usize = 64;
/// How many are fetched at once where several may be under way, for each of them.
const BATCH_OF_SEVERAL: usize = 8;

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Deliveries accepted.
    pub sent: u64,
    /// Deliveries given up.
    pub dead: u64,
    /// How long until there may be more to do: zero = at once, none = when something new is owed.
    pub wait: Option<Duration>,
    /// Whether the destination fails, so that nothing new makes it better; one deferred recipient
    /// does not count.
    pub in_backoff: bool,
}

/// Delivers to one notifier.
pub struct DeliveryWorker {
    attempts: DeliveryAttempts,
    health: NotifierHealth,
    concurrency: ConcurrencyLimit,
    fallback: Option<Fallback>,
    /// Whether marks were made since the ledger was at rest.
    restless: bool,
}

impl DeliveryWorker {
    /// A worker for one notifier, which reports to these findings what becomes of it.
    pub fn new(channel: Arc<Channel>, findings: OperatorFindings, metrics: Metrics) -> Self {
        let concurrency = ConcurrencyLimit::new(channel.concurrency());
        Self {
            attempts: DeliveryAttempts::new(channel, findings, metrics),
            health: NotifierHealth::default(),
            concurrency,
            fallback: None,
            restless: false,
        }
    }

    /// The same, with others who stand in where the destination fails.
    #[must_use]
    pub fn with_fallback(self, fallback: Fallback) -> Self {
        Self { fallback: Some(fallback), ..self }
    }

    /// The same, knowing what workers before it could not mark.
    #[must_use]
    pub fn with_unmarked(mut self, unmarked: UnconfirmedDeliveries) -> Self {
        self.attempts.unmarked = unmarked;
        self
    }

    /// The same, with links to act by that lead to the pages at an address.
    #[must_use]
    pub fn with_links(mut self, public_url: &str) -> Self {
        self.attempts.links = Some(Links::to(public_url));
        self
    }

    /// The notifier's name.
    pub fn name(&self) -> &str {
        self.attempts.name()
    }

    /// Marks what was accepted and could not be marked before.
    pub async fn mark_accepted(&self) -> Result<(), LedgerError> {
        self.attempts.mark_accepted().await
    }

    /// Delivers what is due now, up to a limit; in backoff, probes with one delivery. `stop` is
    /// asked before each attempt and ends the step, once those under way have ended. Then others
    /// stand in for what it does not take.
    pub async fn step(
        &mut self,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Progress, LedgerError> {
        let mut progress = self.deliver_due(stop).await?;
        if let Some(fallback) = &self.fallback {
            let wait = fallback
                .fall_back(self.attempts.name(), self.fails(), &self.attempts.findings)
                .await?;
            progress.wait = progress.wait.into_iter().chain(wait).min();
        }
        progress.in_backoff = self.health.failure().is_some();
        self.restless |= progress.sent + progress.dead > 0;
        if self.restless && progress.wait.is_none_or(|wait| !wait.is_zero()) {
            self.restless = false;
            self.attempts.findings.ledger.checkpoint().await;
        }
        Ok(progress)
    }

    fn fails(&self) -> Fails {
        match self.health.failure() {
            Some(_) => Fails::All,
            None if self.attempts.recipients.any() => Fails::Some,
            None => Fails::Nobody,
        }
    }

    async fn deliver_due(
        &mut self,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Progress, LedgerError> {
        self.mark_accepted().await?;
        let state = self.health.state(&self.attempts).await?;
        self.attempts.recall_deferred().await?;
        let (batch, limit) = match self.concurrency.most() {
            _ if state.failures > 0 => (1, 1),
            1 => (STEP, STEP),
            limit => (limit * BATCH_OF_SEVERAL, limit * STEP_OF_SEVERAL),
        };
        let due = self.health.due(batch, &self.attempts).await?;
        if due.is_empty() {
            return Ok(Progress {
                wait: self.attempts.until_deferred().await?,
                ..Progress::default()
            });
        }
        if let Some(wait) = self.health.until_probe(&state, &self.attempts) {
            return Ok(Progress { wait: Some(wait), ..Progress::default() });
        }
        self.deliver(due, (batch, limit), stop).await
    }

    async fn deliver(
        &mut self,
        due: Vec<Delivery>,
        (batch, limit): (usize, usize),
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Progress, LedgerError> {
        let Self { attempts, health, concurrency, .. } = self;
        let mut progress = Progress { wait: Some(Duration::ZERO), ..Progress::default() };
        let (mut failures, mut took_some, mut trouble) = (Vec::new(), false, None);
        let mut in_flight = InFlightBatch::new(attempts, due, batch, limit);
        while let Some(ended) = in_flight.next(concurrency.open(), stop).await {
            let result = match ended {
                Ok((delivery, Carried::Sent)) => {
                    progress.sent += 1;
                    took_some |= !failures.is_empty();
                    concurrency.accepted();
                    let answered = attempts.answered(&delivery).await;
                    answered.and(recovered(failures.is_empty(), health, attempts).await)
                }
                Ok((delivery, Carried::Refused(error))) => {
                    progress.dead += 1;
                    let told = attempts.tell_dead(1, &error.to_string()).await;
                    let answered = attempts.answered(&delivery).await;
                    told.and(answered).and(recovered(failures.is_empty(), health, attempts).await)
                }
                Ok((delivery, Carried::Deferred(error))) => {
                    let deferred = attempts.defer(&delivery, &error).await;
                    let recovered = recovered(failures.is_empty(), health, attempts).await;
                    deferred.map(|dead| progress.dead += dead).and(recovered)
                }
                Ok((delivery, Carried::Failed(error))) => {
                    failures.push((delivery, error));
                    in_flight.end();
                    Ok(())
                }
                Ok((_, Carried::Ended)) => Ok(()),
                Ok((_, Carried::Unrecorded(error))) | Err(error) => Err(error),
            };
            if let Err(error) = result {
                in_flight.end();
                trouble.get_or_insert(error);
            }
        }
        drop(in_flight);
        if !failures.is_empty() {
            concurrency.failed(took_some);
            progress.dead += health.failed(&failures, attempts).await?;
        }
        trouble.map_or(Ok(progress), Err)
    }
}

/// One success frees all, unless the destination failed others beside it.
async fn recovered(
    all: bool,
    health: &mut NotifierHealth,
    attempts: &DeliveryAttempts,
) -> Result<(), LedgerError> {
    if all { health.recovered(attempts).await } else { Ok(()) }
}
