//! Takes records as they are read: most are unchanged and silent, a few must be remembered, fewer may alert. What may
//! alert is kept for [`crate::pipeline::confirm`]; what changed is written in batches while the reading goes on.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::Future;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use std::pin::Pin;

use foldhash::fast::FixedState;
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::budgets::{BudgetOddity, Joined, Unplaced};
use crate::domain::{Assessed, CustomerKey, Judged, PeriodSource, Plan, Reason, Suppression, Verdict};
use crate::ledger::{Decided, Known, LedgerError, Recollection, Recording, decide, fold};
use crate::pipeline::Cycle;
use crate::pipeline::verdicts::{last_seen, seen_now};
use crate::source::{Read, Sink};

/// Records that are looked up and written together.
const BATCH: usize = 4000;

/// Records that are kept back while the ledger is still being scanned.
const EARLY: usize = 16_384;

/// How long a legacy customer that crosses in an assumed period is not asked about again while its data stays the same.
const ASK_AGAIN: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// A customer that may be about to alert, with all that deciding again needs.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) joined: Joined,
    pub(crate) fingerprint: u64,
    pub(crate) remembered: Option<Recollection>,
    pub(crate) decided: Decided,
}

/// What was counted on the way.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) duplicates: u64,
    pub(crate) passed: u64,
    pub(crate) clashes: Vec<String>,
    pub(crate) unknown_currencies: u64,
    /// Customers that no rule can alert about, by the metric's reasons.
    pub(crate) uncovered: HashMap<&'static str, i64>,
}

struct Pending {
    joined: Joined,
    fingerprint: u64,
    changed: bool,
    repeated: bool,
}

/// The scan of the ledger, under way.
type Scan = Pin<Box<dyn Future<Output = Result<Known, LedgerError>> + Send>>;

/// The sink that a cycle reads into.
pub(crate) struct Intake<'a> {
    cycle: &'a Cycle,
    now: Timestamp,
    rules: u64,
    /// What is known of customers; none while the ledger is still being scanned.
    known: Option<Known>,
    scan: Option<Scan>,
    /// What was read before the scan was over.
    early: Vec<Read>,
    /// The customers read in this poll: in which attempt, and with which fingerprint.
    read: HashMap<u128, (u32, u64), foldhash::fast::RandomState>,
    batch: Vec<Pending>,
    pub(crate) candidates: HashMap<CustomerKey, Candidate>,
    /// Steps that customers were seen below, kept until all copies of their records are read.
    pub(crate) below: HashMap<CustomerKey, Vec<(i64, Decimal)>>,
    pub(crate) tally: Tally,
    pub(crate) failure: Option<LedgerError>,
}

impl<'a> Intake<'a> {
    /// Starts to scan the ledger, so that it goes on beside the sign-in and the first records.
    pub(crate) fn new(cycle: &'a Cycle, now: Timestamp) -> Self {
        let ledger = cycle.ledger.clone();
        let mut intake = Self {
            cycle,
            now,
            rules: cycle.rules.fingerprint(),
            known: None,
            scan: Some(Box::pin(async move { ledger.scan().await })),
            early: Vec::new(),
            read: HashMap::default(),
            batch: Vec::new(),
            candidates: HashMap::new(),
            below: HashMap::new(),
            tally: Tally::default(),
            failure: None,
        };
        intake.look_at_scan();
        intake
    }

    /// Settles what is left.
    pub(crate) async fn finish(&mut self) {
        self.wait_for_scan().await;
        self.flush().await;
    }

    /// Takes the result of the scan if it is there.
    fn look_at_scan(&mut self) {
        if let Some(result) = self.scan.as_mut().and_then(futures_util::FutureExt::now_or_never) {
            self.learn(result);
        }
    }

    async fn wait_for_scan(&mut self) {
        if let Some(scan) = self.scan.as_mut() {
            let result = scan.await;
            self.learn(result);
        }
    }

    fn learn(&mut self, result: Result<Known, LedgerError>) {
        self.scan = None;
        match result {
            Ok(known) => {
                self.read.reserve(known.len());
                self.known = Some(known);
                for read in std::mem::take(&mut self.early) {
                    self.take(read);
                }
            }
            Err(error) => self.failure = Some(error),
        }
    }

    async fn flush(&mut self) {
        if self.batch.is_empty() || self.failure.is_some() {
            return;
        }
        if let Err(error) = self.settle_batch().await {
            self.failure = Some(error);
        }
    }

    async fn settle_batch(&mut self) -> Result<(), LedgerError> {
        let batch = latest_of_each(std::mem::take(&mut self.batch));
        let keys = batch.iter().map(|pending| pending.joined.record.customer.key()).collect();
        let mut memory = self.cycle.ledger.recall(keys).await?;
        let mut recording = Recording { now: self.now, ..Recording::default() };
        for pending in batch {
            let key = pending.joined.record.customer.key();
            let remembered = memory.remove(&key);
            if pending.repeated && !self.supersedes(&key, &pending, remembered.as_ref()) {
                continue;
            }
            self.candidates.remove(&key);
            self.settle_one(key, pending, remembered, &mut recording);
        }
        if recording.is_empty() { Ok(()) } else { self.cycle.ledger.record(recording).await }
    }

    /// Whether a record of a customer that was read before in this poll is the one to assess: of the later date, then
    /// of the larger cost.
    fn supersedes(&self, key: &CustomerKey, pending: &Pending, remembered: Option<&Recollection>) -> bool {
        let record = &pending.joined.record;
        let earlier = self.candidates.get(key).map(|candidate| {
            let earlier = &candidate.joined.record;
            (earlier.usage_as_of.instant(), earlier.cost)
        });
        let earlier = earlier.or_else(|| remembered.map(|remembered| (remembered.seen.usage_as_of.instant(), remembered.seen.cost)));
        earlier.is_none_or(|earlier| (record.usage_as_of.instant(), record.cost) > earlier)
    }

    fn settle_one(&mut self, key: CustomerKey, pending: Pending, mut remembered: Option<Recollection>, recording: &mut Recording) {
        if let Some(copy) = remembered.as_mut().filter(|remembered| pending.repeated && remembered.seen.seen_at == self.now) {
            // Written by another copy of the same record in this poll: that the customer was below by that one says nothing.
            copy.seen.cost = pending.joined.record.cost;
        }
        self.below.remove(&key);
        let Pending { joined, fingerprint, changed, .. } = pending;
        let last = remembered.as_ref().map(|remembered| last_seen(&remembered.seen));
        let judged = self.cycle.judge(joined.clone().place(last.as_ref(), None));
        let decided = decide(&judged, remembered.as_ref());
        if self.must_confirm(&joined, &judged, &decided, remembered.as_ref()) {
            self.candidates.insert(key, Candidate { joined, fingerprint, remembered, decided });
            return;
        }
        self.tally.count(&decided);
        if changed {
            recording.seen.extend(seen_now(&judged.assessed, fingerprint, remembered.as_ref(), None, self.now));
        }
        if !decided.seen_below.is_empty() {
            self.below.insert(key, decided.seen_below);
        }
        recording.steps.extend(decided.late.iter().map(|late| crate::ledger::step(late.by, &judged.assessed, &late.rule, late.at, false)));
    }

    fn must_confirm(&self, joined: &Joined, judged: &Judged, decided: &Decided, remembered: Option<&Recollection>) -> bool {
        if !decided.raise.is_empty() {
            return true;
        }
        let assessed = &judged.assessed;
        if assessed.carried_over && self.may_ask(assessed, remembered) && self.would_alert_in_new_period(joined, remembered) {
            return true;
        }
        let crosses = judged.evaluations.iter().any(|evaluation| matches!(evaluation.verdict, Verdict::Crossed { .. }));
        let assumed = joined.record.plan == Plan::Legacy && assessed.period.source == PeriodSource::Assumed;
        crosses && assumed && self.may_ask(assessed, remembered)
    }

    /// Whether the record would alert if it were not taken for late data of the old period.
    fn would_alert_in_new_period(&self, joined: &Joined, remembered: Option<&Recollection>) -> bool {
        let last = remembered.map(|remembered| crate::budgets::LastSeen { closing_cost: Decimal::ZERO, ..last_seen(&remembered.seen) });
        let judged = self.cycle.judge(joined.clone().place(last.as_ref(), None));
        !decide(&judged, remembered).raise.is_empty()
    }

    /// Once per changed record, else once a day.
    fn may_ask(&self, assessed: &Assessed, remembered: Option<&Recollection>) -> bool {
        match remembered.and_then(|remembered| remembered.seen.asked) {
            Some((at, data)) => {
                data != assessed.record.usage_as_of.instant()
                    || remembered.is_some_and(|remembered| remembered.seen.cost != assessed.record.cost)
                    || self.now.duration_since(at) >= ASK_AGAIN
            }
            None => true,
        }
    }

    /// A record that was judged before by the same rules says nothing new: what it crosses was raised or passed. Only a
    /// legacy customer may have to be asked about again.
    fn take_unchanged(&mut self, unplaced: Unplaced, fingerprint: u64) {
        let crossed = self.cycle.rules.crossed(unplaced.assessed());
        if crossed == 0 {
            return;
        }
        if unplaced.assessed().record.plan == Plan::AzurePlan {
            self.tally.duplicates += u64::try_from(crossed).unwrap_or(u64::MAX);
        } else {
            let joined = unplaced.rejoined();
            self.batch.push(Pending { joined, fingerprint, changed: false, repeated: false });
        }
    }

    fn note_oddities(&mut self, joined: &Joined) {
        match joined.oddity {
            Some(BudgetOddity::CurrencyClash { local, record }) => {
                self.cycle.metrics.record_oddities.with_label_values(&["currency-clash"]).inc();
                self.tally.clashes.push(format!("{} (budget in {local}, usage in {record})", joined.record.customer));
            }
            Some(BudgetOddity::CurrencyUnknown { .. }) => self.tally.unknown_currencies += 1,
            None => {}
        }
    }

    /// Counts what is said of each customer once.
    fn note_customer(&mut self, assessed: &Assessed) {
        if assessed.percents_disagree() {
            self.cycle.metrics.record_oddities.with_label_values(&["percents-disagree"]).inc();
        }
        if let Some(reason) = self.cycle.rules.uncovered(assessed) {
            let label = match reason {
                Reason::NoBudget => "no-budget",
                Reason::CurrencyUnknown => "currency-unknown",
                Reason::Muted => "muted",
                _ => "no-rule",
            };
            *self.tally.uncovered.entry(label).or_default() += 1;
        }
    }
}

impl Sink for Intake<'_> {
    fn take(&mut self, read: Read) {
        if self.failure.is_some() {
            return;
        }
        let Some(known) = &self.known else { return self.early.push(read) };
        let joined = self.cycle.budgets.join(read.record);
        let fingerprint = fingerprint(&joined, self.rules);
        let id = fold(&joined.record.customer);
        let before = self.read.insert(id, (read.attempt, fingerprint));
        if before.is_some_and(|(attempt, _)| attempt == read.attempt) {
            self.cycle.metrics.record_oddities.with_label_values(&["duplicate-id"]).inc();
        }
        // A copy of a record that was read before replaces what that one left.
        let changed = before.is_some() || known.get(&id) != Some(&fingerprint);
        if before.is_none() {
            self.note_oddities(&joined);
        }
        let unplaced = joined.unplaced();
        if before.is_none() {
            self.note_customer(unplaced.assessed());
        }
        match before {
            Some((_, same)) if same == fingerprint => {}
            None if !changed => self.take_unchanged(unplaced, fingerprint),
            before => self.batch.push(Pending { joined: unplaced.rejoined(), fingerprint, changed, repeated: before.is_some() }),
        }
    }

    fn settle(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            if self.early.len() < EARLY {
                self.look_at_scan();
            } else {
                self.wait_for_scan().await;
            }
            if self.batch.len() >= BATCH {
                self.flush().await;
            }
        })
    }
}

impl Tally {
    pub(crate) fn count(&mut self, decided: &Decided) {
        let duplicate = |reason: &Reason| reason.suppression() == Some(Suppression::Duplicate);
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        self.duplicates += count(decided.reasons.iter().filter(|(_, reason)| duplicate(reason)).count());
        self.passed += count(decided.late.len() + decided.raise.iter().map(|raise| raise.passed.len()).sum::<usize>());
    }
}

/// Of several records of one customer in a batch, the one of the later date, then of the larger cost.
fn latest_of_each(batch: Vec<Pending>) -> Vec<Pending> {
    let mut place: HashMap<CustomerKey, usize> = HashMap::with_capacity(batch.len());
    let mut kept: Vec<Pending> = Vec::with_capacity(batch.len());
    for pending in batch {
        let rank = |pending: &Pending| (pending.joined.record.usage_as_of.instant(), pending.joined.record.cost);
        match place.entry(pending.joined.record.customer.key()) {
            Entry::Vacant(entry) => {
                entry.insert(kept.len());
                kept.push(pending);
            }
            Entry::Occupied(entry) => {
                if let Some(earlier) = kept.get_mut(*entry.get())
                    && rank(&pending) > rank(earlier)
                {
                    *earlier = Pending { repeated: earlier.repeated, ..pending };
                }
            }
        }
    }
    kept
}

/// Of everything that bears on a judgement: a record with the same fingerprint says nothing new.
fn fingerprint(joined: &Joined, rules: u64) -> u64 {
    let record = &joined.record;
    let mut hasher = FixedState::with_seed(rules).build_hasher();
    record.customer.as_str().hash(&mut hasher);
    record.name.hash(&mut hasher);
    record.plan.hash(&mut hasher);
    (record.cost, record.usd_cost, record.budget, record.reported_percent).hash(&mut hasher);
    record.usage_as_of.instant().hash(&mut hasher);
    joined.currency.hash(&mut hasher);
    joined.budget.map(|budget| (budget.amount(), budget.currency(), budget.source())).hash(&mut hasher);
    joined.profile.hash(&mut hasher);
    hasher.finish()
}
