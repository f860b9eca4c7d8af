//! Replays polls in memory, by the very stages that a poll goes through: what would be raised, and
//! nothing else.
//!
//! It asks nobody: a legacy customer has the calendar month, or the cycle that is known beforehand.
//! What is owed for an alert, and to whom it would be sent, is left to the caller.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::alerting::case::Case;
use crate::alerting::judging::{
    AsOf, Asked, depth_for, fingerprint, is_fresh, judged_again, named, rank, sample, samples,
    seen_now, stale_after,
};
use crate::alerting::silenced_alerts::SilencedAlerts;
use crate::alerting::spikes::spikes_to_keep;
use crate::alerting::{
    Decided, NewAlert, NewSample, NewStep, PollMemory, RaiseContext, Raised, RecordedStep,
    RememberedCustomer, raise,
};
use crate::budgets;
use crate::domain::spike::RecordedSpike;
use crate::domain::{
    CustomerId, CustomerKey, Judged, LegacyCycle, NamedPeriods, Sample, Silence, UsageRecord,
    canonical, utc_day,
};
use crate::ledger::REMEMBERED;
use crate::rules::Rules;

/// What a replayed poll tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replayed {
    /// What it raises, the worst first, each with the notifiers that are owed it; silenced ones are
    /// not told.
    pub raised: Vec<NewAlert>,
    /// What was raised under a silence before and is told now.
    pub released: Vec<NewAlert>,
}

/// Polls without a source, a ledger and a clock.
#[derive(Debug, Clone)]
pub struct Replay {
    budgets: budgets::Config,
    rules: Rules,
    rules_print: u64,
    named: HashMap<CustomerKey, NamedPeriods>,
    customers: HashMap<CustomerKey, RememberedCustomer, foldhash::fast::RandomState>,
    polls: PollMemory,
    /// The newest date of the data of the last good poll.
    newest: Option<Timestamp>,
    /// Whether the rules may be others than at the last poll.
    reloaded: bool,
    silenced_alerts: SilencedAlerts,
    identities: u128,
    rows: i64,
}

/// When a poll takes place, and what is silenced then.
#[derive(Clone, Copy)]
struct Under<'a> {
    now: Timestamp,
    silences: &'a [Silence],
}

impl Replay {
    /// Remembers nothing yet.
    pub fn new(budgets: &budgets::Config, rules: &Rules) -> Self {
        Self {
            budgets: budgets.clone(),
            rules: rules.clone(),
            rules_print: rules.fingerprint(),
            named: HashMap::new(),
            customers: HashMap::default(),
            polls: PollMemory::default(),
            newest: None,
            reloaded: false,
            silenced_alerts: SilencedAlerts::default(),
            identities: 0,
            rows: 0,
        }
    }

    /// What a customer's usage summary names from now on.
    pub fn know_cycle(&mut self, customer: &CustomerId, cycle: LegacyCycle) {
        let known = self.named.entry(customer.key()).or_default();
        *known = known.with(cycle);
    }

    /// Takes another configuration for the polls to come, as a reload does.
    pub fn reload(&mut self, budgets: &budgets::Config, rules: &Rules) {
        self.budgets = budgets.clone();
        self.rules = rules.clone();
        self.rules_print = rules.fingerprint();
        self.reloaded = true;
        for (before, now) in
            rules.facts().filter_map(|rule| Some((rule.formerly.clone()?, &rule.name)))
        {
            let steps = self.customers.values_mut().flat_map(|remembered| &mut remembered.steps);
            let names = steps.map(|step| &mut step.rule).chain(&mut self.polls.settled_rules);
            names.filter(|name| **name == before).for_each(|name| name.clone_from(now));
            let spikes = self.customers.values_mut().flat_map(|remembered| &mut remembered.spikes);
            spikes
                .filter(|spike| spike.rule == before)
                .for_each(|spike| spike.rule.clone_from(now));
            self.silenced_alerts.rename_rule(&before, now);
        }
    }

    /// The same after a restart: with what a ledger keeps, and nothing else.
    #[must_use]
    pub fn restarted(&self) -> Self {
        Self {
            named: self.named.clone(),
            customers: self.customers.clone(),
            polls: self.polls.clone(),
            newest: self.newest,
            reloaded: self.reloaded,
            silenced_alerts: self.silenced_alerts.clone(),
            identities: self.identities,
            rows: self.rows,
            ..Self::new(&self.budgets, &self.rules)
        }
    }

    /// Adds a silence; returns its number. That and the date of the data are given here, whatever
    /// it has.
    pub fn silence(&mut self, silence: Silence) -> i64 {
        let as_of = self.newest.unwrap_or(silence.created_at);
        self.silenced_alerts.silence(Silence { as_of, ..silence })
    }

    /// Ends a silence before its time.
    pub fn expire(&mut self, id: i64, now: Timestamp) {
        self.silenced_alerts.expire(id, now);
    }

    /// What is usual on the newest day of a customer's data, as the first rule about spikes that can
    /// judge it has it.
    pub fn usual(&self, customer: &CustomerKey) -> Option<Decimal> {
        let remembered = self.customers.get(customer)?;
        let time = AsOf { now: remembered.seen.seen_at, newest: None };
        let judged = judged_again(&self.budgets, &self.rules, remembered, time);
        judged.evaluations.iter().find_map(|one| Some(one.spike.as_ref()?.reading.usual))
    }

    /// One good poll at `now` that reads these records. Identities are counted from 1.
    pub fn poll(
        &mut self,
        now: Timestamp,
        records: impl IntoIterator<Item = UsageRecord>,
    ) -> Replayed {
        let records = one_of_each(records);
        let silences = self.silenced_alerts.in_force(now);
        // Nothing is concluded from an empty answer where there were records before, or where there
        // was none.
        let good =
            !records.is_empty() || self.polls.last_good_items.is_some_and(|items| items == 0);
        let items = u64::try_from(records.len()).ok();
        let newest = records.iter().map(|(_, record)| record.usage_as_of.instant()).max();
        let stale_after = stale_after(&self.rules).filter(|_| is_fresh(newest, now));
        let mut raised = Vec::new();
        for (key, record) in records {
            let age = now.duration_since(record.usage_as_of.instant()).as_secs();
            let aged = stale_after.is_some_and(|after| age >= after);
            self.settle(Under { now, silences: &silences }, key, record, aged, &mut raised);
        }
        let released = self.follow_up(&silences, AsOf { now, newest });
        self.silenced_alerts.close_rules(&self.rules);
        raised.sort_by(|a, b| a.snapshot.alert.worst_first(&b.snapshot.alert));
        if good {
            self.newest = newest;
            let mut settled_rules = std::mem::take(&mut self.polls.settled_rules);
            settled_rules.extend(self.rules.facts().map(|rule| rule.name.clone()));
            settled_rules.sort_unstable();
            settled_rules.dedup();
            self.polls = PollMemory {
                last_good_at: Some(now),
                last_good_items: items,
                newest,
                uncovered: None,
                settled_rules,
            };
        }
        if std::mem::take(&mut self.reloaded) {
            self.forget_rules();
        }
        Replayed { raised, released }
    }

    /// Forgets what removed rules did, so that they are new when they come back.
    fn forget_rules(&mut self) {
        let names =
            self.rules.facts().flat_map(|rule| std::iter::once(&rule.name).chain(&rule.formerly));
        let known: HashSet<&str> = names.map(AsRef::as_ref).collect();
        self.polls.settled_rules.retain(|rule| known.contains(&**rule));
        for remembered in self.customers.values_mut() {
            remembered.steps.retain(|step| known.contains(&*step.rule));
            remembered.spikes.retain(|spike| known.contains(&*spike.rule));
        }
    }

    fn settle(
        &mut self,
        under: Under<'_>,
        key: CustomerKey,
        record: UsageRecord,
        aged: bool,
        raised: &mut Vec<NewAlert>,
    ) {
        let now = under.now;
        let joined = self.budgets.join(record);
        let print = fingerprint(&joined, self.rules_print);
        if !aged
            && self
                .customers
                .get(&key)
                .is_some_and(|remembered| remembered.seen.fingerprint == print)
        {
            // What it crosses was raised or passed, and no summary will ever say that it belongs
            // elsewhere.
            return;
        }
        let remembered = self.customers.remove(&key);
        let asked = self.named.get(&key).map(|named| Asked { named: named.clone() });
        let named = asked.as_ref().map_or_else(|| named(remembered.as_ref()), |asked| &asked.named);
        let (remembered_ref, aged) = (remembered.as_ref(), aged.then_some(now));
        let case = Case { joined, remembered: remembered_ref, named, fresh: None, aged };
        let (judged, decided) = case.decide(&self.rules);
        let new = self.raise(under, &judged, &decided, remembered_ref);
        let spikes = spikes_to_keep(&judged, remembered_ref, &new.alerts);
        let seen = seen_now(&judged, print, remembered_ref, asked.as_ref(), now);
        let before = remembered_ref.map(|remembered| &remembered.seen);
        let read =
            seen.as_ref().and_then(|seen| sample(seen, judged.assessed.carried_over, before));
        let first = || {
            let (steps, samples, spikes) = (Vec::new(), Vec::new(), Vec::new());
            Some(RememberedCustomer { seen: seen.clone()?, steps, samples, spikes, pushed: None })
        };
        let Some(mut known) = remembered.or_else(first) else { return };
        if let Some(seen) = seen {
            known.seen = seen;
        }
        see_below(&mut known.steps, &decided);
        keep_spikes(&mut known.spikes, spikes);
        known.steps.extend(new.steps.into_iter().map(|step| self.spend(step)));
        raised.extend(new.alerts);
        if let Some(read) = read {
            note_date(&mut known.samples, &read);
        }
        forget(&mut known, judged.assessed.record.usage_as_of.instant());
        self.customers.insert(key, known);
    }

    /// The alerts of one decision, and the steps that they use.
    fn raise(
        &mut self,
        Under { now, silences }: Under<'_>,
        judged: &Judged,
        decided: &Decided,
        remembered: Option<&RememberedCustomer>,
    ) -> Raised {
        // As many dates as a poll is given.
        let known = usize::try_from(depth_for(&self.rules).samples).unwrap_or(usize::MAX);
        let earlier = samples(remembered);
        let context = RaiseContext {
            now,
            polls: &self.polls,
            silences,
            subscriptions: &[],
            remembered,
            earlier: earlier.get(..known).unwrap_or(earlier),
        };
        let mut ids = std::iter::repeat_with(|| {
            self.identities += 1;
            Uuid::from_u128(self.identities)
        });
        let raised = raise(judged, decided, &context, &mut ids);
        raised.alerts.iter().for_each(|new| self.silenced_alerts.keep(new));
        raised
    }

    fn follow_up(&mut self, silences: &[Silence], time: AsOf) -> Vec<NewAlert> {
        let (budgets, rules, customers) = (&self.budgets, &self.rules, &self.customers);
        self.silenced_alerts.follow_up(silences, time, |key| {
            let remembered = customers.get(key)?;
            let judged = judged_again(budgets, rules, remembered, time);
            Some((judged, remembered.spikes.clone()))
        })
    }

    fn spend(&mut self, step: NewStep) -> RecordedStep {
        self.rows += 1;
        let NewStep { rule, metric, at, amount, belongs_at, raised, alert, .. } = step;
        RecordedStep {
            row: self.rows,
            rule,
            metric,
            at,
            amount,
            belongs_at,
            raised,
            alert,
            seen_below: None,
        }
    }
}

/// The record of each customer that is assessed, in the order in which the customers come.
fn one_of_each(records: impl IntoIterator<Item = UsageRecord>) -> Vec<(CustomerKey, UsageRecord)> {
    let records = records.into_iter();
    let mut place: HashMap<CustomerKey, usize, foldhash::fast::RandomState> = HashMap::default();
    let mut kept: Vec<(CustomerKey, UsageRecord)> = Vec::with_capacity(records.size_hint().0);
    for record in records {
        match place.entry(record.key()) {
            Entry::Vacant(entry) => {
                kept.push((entry.key().clone(), record));
                entry.insert(kept.len() - 1);
            }
            Entry::Occupied(entry) => {
                if let Some((_, earlier)) = kept.get_mut(*entry.get())
                    && rank(&record) > rank(earlier)
                {
                    *earlier = record;
                }
            }
        }
    }
    kept
}

fn see_below(steps: &mut [RecordedStep], decided: &Decided) {
    for (row, amount) in &decided.seen_below {
        steps
            .iter_mut()
            .filter(|step| step.row == *row)
            .for_each(|step| step.seen_below = amount.map(canonical));
    }
}

/// Keeps days that were spikes, each in place of what was known of it.
fn keep_spikes(known: &mut Vec<RecordedSpike>, spikes: Vec<RecordedSpike>) {
    for spike in spikes {
        known.retain(|day| (&day.rule, day.day) != (&spike.rule, spike.day));
        known.push(spike);
    }
}

/// Adds a date of the data to those known, newest first; of one date what was read last counts.
fn note_date(samples: &mut Vec<Sample>, read: &NewSample) {
    let new =
        Sample { usage_as_of: read.usage_as_of, cost: read.cost, carried_over: read.carried_over };
    let place = samples.partition_point(|sample| sample.usage_as_of > new.usage_as_of);
    match samples.get_mut(place) {
        Some(same) if same.usage_as_of == new.usage_as_of => *same = new,
        _ => samples.insert(place, new),
    }
}

/// Drops what no record of today's can bear on.
fn forget(known: &mut RememberedCustomer, now: Timestamp) {
    let oldest = now.checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
    known.steps.retain(|step| step.belongs_at >= oldest);
    known.spikes.retain(|spike| spike.day >= utc_day(oldest));
    known.samples.truncate(known.samples.partition_point(|sample| sample.usage_as_of >= oldest));
}
