//! Delivers what the ledger owes to one notifier: what is due, several at once while all goes well, one at a time while it
//! does not. Notifiers don't wait for each other: each has a worker of its own.

use std::sync::Arc;
use std::time::Duration;

use crate::delivery::attempt::{Carried, Carrier, UnconfirmedDeliveries};
use crate::delivery::concurrency_limit::Lanes;
use crate::delivery::fallback::{Fails, Fallback};
use crate::delivery::in_flight_batch::Round;
use crate::delivery::notifier_health::NotifierHealth;
use crate::delivery::operator_findings::OperatorFindings;
use crate::domain::Delivery;
use crate::ledger::LedgerError;
use crate::metrics::Metrics;
use crate::notify::Channel;

/// Deliveries of a step where one is sent after the other; few, so that a critical one does not wait behind many at a slow
/// pace.
const STEP: usize = 10;
/// The same for each of several lanes.
const STEP_OF_A_LANE: usize = 64;
/// How many are fetched at once for each of several lanes.
const BATCH_OF_A_LANE: usize = 8;

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Deliveries accepted.
    pub sent: u64,
    /// Deliveries given up.
    pub dead: u64,
    /// How long until there may be more to do: zero = at once, none = when something new is owed.
    pub wait: Option<Duration>,
    /// Whether the destination fails, so that nothing new makes it better; one deferred recipient does not count.
    pub in_backoff: bool,
}

/// Delivers to one notifier.
pub struct DeliveryWorker {
    carrier: Carrier,
    standing: NotifierHealth,
    lanes: Lanes,
    fallback: Option<Fallback>,
    /// Whether marks were made since the ledger was at rest.
    restless: bool,
}

impl DeliveryWorker {
    /// A worker for one notifier, which tells at this desk what becomes of it.
    pub fn new(channel: Arc<Channel>, desk: OperatorFindings, metrics: Metrics) -> Self {
        let lanes = Lanes::new(channel.lanes());
        Self { carrier: Carrier::new(channel, desk, metrics), standing: NotifierHealth::default(), lanes, fallback: None, restless: false }
    }

    /// The same, with others who stand in where the destination fails.
    #[must_use]
    pub fn with_fallback(self, fallback: Fallback) -> Self {
        Self { fallback: Some(fallback), ..self }
    }

    /// The same, knowing what workers before it could not mark.
    #[must_use]
    pub fn with_unmarked(mut self, unmarked: UnconfirmedDeliveries) -> Self {
        self.carrier.unmarked = unmarked;
        self
    }

    /// The notifier's name.
    pub fn name(&self) -> &str {
        self.carrier.name()
    }

    /// Marks what was accepted and could not be marked before.
    pub async fn mark_accepted(&self) -> Result<(), LedgerError> {
        self.carrier.mark_accepted().await
    }

    /// Delivers what is due now, up to a limit; in backoff, probes with one delivery. `stop` is asked before each attempt and
    /// ends the step, once those under way have ended. Then others stand in for what it does not take.
    pub async fn step(&mut self, stop: &(dyn Fn() -> bool + Sync)) -> Result<Progress, LedgerError> {
        let mut progress = self.deliver_due(stop).await?;
        if let Some(fallback) = &self.fallback {
            let wait = fallback.stand_in(self.carrier.name(), self.fails(), &self.carrier.desk).await?;
            progress.wait = progress.wait.into_iter().chain(wait).min();
        }
        progress.in_backoff = self.standing.failure().is_some();
        self.restless |= progress.sent + progress.dead > 0;
        if self.restless && progress.wait.is_none_or(|wait| !wait.is_zero()) {
            self.restless = false;
            self.carrier.desk.ledger.checkpoint().await;
        }
        Ok(progress)
    }

    fn fails(&self) -> Fails {
        match self.standing.failure() {
            Some(_) => Fails::All,
            None if self.carrier.recipients.any() => Fails::Some,
            None => Fails::Nobody,
        }
    }

    async fn deliver_due(&mut self, stop: &(dyn Fn() -> bool + Sync)) -> Result<Progress, LedgerError> {
        self.mark_accepted().await?;
        let state = self.standing.state(&self.carrier).await?;
        self.carrier.recall_deferred().await?;
        let (batch, limit) = match self.lanes.most() {
            _ if state.failures > 0 => (1, 1),
            1 => (STEP, STEP),
            lanes => (lanes * BATCH_OF_A_LANE, lanes * STEP_OF_A_LANE),
        };
        let due = self.standing.due(batch, &self.carrier).await?;
        if due.is_empty() {
            return Ok(Progress { wait: self.carrier.until_deferred().await?, ..Progress::default() });
        }
        if let Some(wait) = self.standing.until_probe(&state, &self.carrier) {
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
        let Self { carrier, standing, lanes, .. } = self;
        let mut progress = Progress { wait: Some(Duration::ZERO), ..Progress::default() };
        let (mut failures, mut took_some, mut trouble) = (Vec::new(), false, None);
        let mut round = Round::new(carrier, due, batch, limit);
        while let Some(ended) = round.next(lanes.open(), stop).await {
            let result = match ended {
                Ok((delivery, Carried::Sent)) => {
                    progress.sent += 1;
                    took_some |= !failures.is_empty();
                    lanes.accepted();
                    let answered = carrier.answered(&delivery).await;
                    answered.and(recovered(failures.is_empty(), standing, carrier).await)
                }
                Ok((delivery, Carried::Refused(error))) => {
                    progress.dead += 1;
                    let told = carrier.tell_dead(1, &error.to_string()).await;
                    let answered = carrier.answered(&delivery).await;
                    told.and(answered).and(recovered(failures.is_empty(), standing, carrier).await)
                }
                Ok((delivery, Carried::Deferred(error))) => {
                    let deferred = carrier.defer(&delivery, &error).await;
                    let recovered = recovered(failures.is_empty(), standing, carrier).await;
                    deferred.map(|dead| progress.dead += dead).and(recovered)
                }
                Ok((delivery, Carried::Failed(error))) => {
                    failures.push((delivery, error));
                    round.end();
                    Ok(())
                }
                Ok((_, Carried::UnconfirmedDeliveries(error))) | Err(error) => Err(error),
            };
            if let Err(error) = result {
                round.end();
                trouble.get_or_insert(error);
            }
        }
        drop(round);
        if !failures.is_empty() {
            lanes.failed(took_some);
            progress.dead += standing.failed(&failures, carrier).await?;
        }
        trouble.map_or(Ok(progress), Err)
    }
}

/// One success frees all, unless the destination failed others beside it.
async fn recovered(all: bool, standing: &mut NotifierHealth, carrier: &Carrier) -> Result<(), LedgerError> {
    if all { standing.recovered(carrier).await } else { Ok(()) }
}
