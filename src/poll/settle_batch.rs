//! Settles records in batches while the reading goes on: most are only remembered, the few that may
//! alert are kept.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::alerting::case::Case;
use crate::alerting::judging::{depth_for, duplicates, named, rank, remember};
use crate::alerting::spikes::spikes_to_keep;
use crate::alerting::{CustomerState, Decided, Recording, RememberedCustomer};
use crate::budgets::Joined;
use crate::domain::{CustomerKey, Judged, PeriodSource, Plan, Verdict, has_passed};
use crate::ledger::LedgerError;
use crate::poll::candidate::{Candidate, Pending};
use crate::poll::intake::Intake;
use crate::poll::namesakes::new_look;
use crate::poll::recorder::RecordedState;
use crate::poll::turns::Turns;

/// How long a legacy customer that crosses in an assumed period is not asked about again while its
/// data stays the same.
const ASK_AGAIN: std::time::Duration = std::time::Duration::from_hours(24);

impl Intake<'_> {
    pub(crate) async fn flush(&mut self) {
        if self.batch.is_empty() || self.failure.is_some() {
            return;
        }
        if let Err(error) = self.settle_batch().await {
            self.failure = Some(error);
        }
    }

    async fn settle_batch(&mut self) -> Result<(), LedgerError> {
        let batch = latest_of_each(std::mem::take(&mut self.batch));
        let seen_before = batch.iter().filter(|(_, pending)| !pending.is_new);
        let date = |pending: &Pending| pending.joined.record.usage_as_of.instant();
        let keys = seen_before.map(|(key, pending)| (key.clone(), date(pending))).collect();
        let mut memory = self.needs.ledger.recall(keys, depth_for(self.needs.rules)).await?;
        let mut recording = Recording { now: self.now, ..Recording::default() };
        let mut turns = Turns::default();
        for (key, pending) in batch {
            turns.done().await;
            let remembered = memory.remove(&key);
            if pending
                .other
                .is_some_and(|other| !self.supersedes(&key, &pending, other, remembered.as_ref()))
            {
                continue;
            }
            self.candidates.remove(&key);
            self.settle_one(key, pending, remembered, &mut recording);
        }
        if !recording.is_empty() {
            let recording = Arc::new(recording);
            self.needs.ledger.record(Arc::clone(&recording)).await?;
            self.note_recorded(RecordedState::all(&recording));
        }
        self.make_room().await
    }

    /// Whether a record of a customer that was read before in this poll is the one to assess: of
    /// the later date, then of the larger cost.
    fn supersedes(
        &self,
        key: &CustomerKey,
        pending: &Pending,
        other: u64,
        remembered: Option<&RememberedCustomer>,
    ) -> bool {
        let record = &pending.joined.record;
        let earlier = self.candidates.get(key).map(|candidate| rank(&candidate.joined.record));
        // What earlier polls have left is the other copy only where that one said nothing new.
        let is_copy = |seen: &CustomerState| seen.seen_at == self.now || seen.fingerprint == other;
        let seen = remembered.map(|remembered| &remembered.seen).filter(|seen| is_copy(seen));
        let earlier = earlier.or_else(|| seen.map(|seen| (seen.usage_as_of.instant(), seen.cost)));
        earlier.is_none_or(|earlier| rank(record) > earlier)
    }

    fn settle_one(
        &mut self,
        key: CustomerKey,
        pending: Pending,
        mut remembered: Option<RememberedCustomer>,
        recording: &mut Recording,
    ) {
        if let Some(copy) = remembered
            .as_mut()
            .filter(|remembered| pending.other.is_some() && remembered.seen.seen_at == self.now)
        {
            // Written by another copy of the same record in this poll: that the customer was below
            // by that one says nothing.
            copy.seen.cost = pending.joined.record.cost;
        }
        self.below.remove(&key);
        let Pending { joined, fingerprint, changed, aged, .. } = pending;
        let (judged, decided) =
            self.case(&joined, remembered.as_ref(), aged).decide(self.needs.rules);
        let found = Found { joined: &joined, judged: &judged, changed, aged };
        if self.must_confirm(&found, &decided, remembered.as_ref()) {
            // What it crosses is counted when it is decided about again.
            self.count_duplicates_of(&key, 0);
            self.candidates
                .insert(key, Candidate { joined, fingerprint, aged, remembered, decided });
            return;
        }
        self.count_duplicates_of(&key, duplicates(&decided));
        self.tally.count_passed(&decided);
        if let Some(looks) = &mut self.recorder.recorded.looks {
            looks.add(new_look(&judged.assessed, remembered.as_ref()));
        }
        if changed {
            self.rebudgeted.extend(remember(
                &judged,
                fingerprint,
                remembered.as_ref(),
                None,
                recording,
            ));
        }
        let spikes = spikes_to_keep(&judged, remembered.as_ref(), &[]);
        recording.spikes.extend(spikes.into_iter().map(|day| (key.clone(), day)));
        if !decided.seen_below.is_empty() {
            self.below.insert(key, decided.seen_below);
        }
        recording.steps.extend(
            decided.late.iter().map(|late| crate::alerting::late_step(&judged.assessed, late)),
        );
    }

    fn case<'c>(
        &self,
        joined: &Joined,
        remembered: Option<&'c RememberedCustomer>,
        aged: bool,
    ) -> Case<'c> {
        Case {
            joined: joined.clone(),
            remembered,
            named: named(remembered),
            fresh: None,
            aged: aged.then_some(self.now),
        }
    }

    fn must_confirm(
        &self,
        found: &Found<'_>,
        decided: &Decided,
        remembered: Option<&RememberedCustomer>,
    ) -> bool {
        let Found { joined, judged, changed, aged } = *found;
        if !decided.raise.is_empty() {
            return true;
        }
        let assessed = &judged.assessed;
        if assessed.carried_over {
            let (_, decided) =
                self.case(joined, remembered, aged).decide_in_new_period(self.needs.rules);
            if !decided.raise.is_empty() {
                return true;
            }
        }
        let crosses = judged
            .evaluations
            .iter()
            .any(|evaluation| matches!(evaluation.verdict, Verdict::Crossed { .. }));
        let assumed =
            joined.record.plan == Plan::Legacy && assessed.period.source == PeriodSource::Assumed;
        crosses && assumed && (changed || self.may_ask_again(remembered))
    }

    /// Of a record that stays the same, once a day.
    fn may_ask_again(&self, remembered: Option<&RememberedCustomer>) -> bool {
        let asked = remembered.and_then(|remembered| remembered.seen.asked);
        asked.is_none_or(|(at, _)| has_passed(ASK_AGAIN, at, self.now))
    }
}

/// What was found about a customer: its record, and what the rules say of it.
struct Found<'a> {
    joined: &'a Joined,
    judged: &'a Judged,
    /// Whether anything about it is new.
    changed: bool,
    /// Whether its age counts.
    aged: bool,
}

/// Of several records of one customer in a batch, the one of the later date, then of the larger
/// cost. They come in the order in which the ledger has its customers' keys: neighbours are found
/// and written together.
fn latest_of_each(batch: Vec<Pending>) -> BTreeMap<CustomerKey, Pending> {
    let mut latest: BTreeMap<CustomerKey, Pending> = BTreeMap::new();
    for pending in batch {
        match latest.entry(pending.joined.record.key()) {
            Entry::Vacant(entry) => {
                entry.insert(pending);
            }
            Entry::Occupied(mut entry) => {
                let earlier = entry.get_mut();
                if rank(&pending.joined.record) > rank(&earlier.joined.record) {
                    *earlier = Pending { other: earlier.other, ..pending };
                }
            }
        }
    }
    latest
}
