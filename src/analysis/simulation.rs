//! Compares two configurations on the same data: recorded history, or saved collections. What one
//! would have raised and the other not, and what it would have raised at another time or step. How
//! it is told is the command's.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::alerting::{CustomerState, NewSample};
use crate::analysis::Replay;
use crate::budgets;
use crate::domain::{AlertSnapshot, CustomerKey, Metric, Plan, UsageDate, UsageRecord};
use crate::ledger::{LedgerError, Reader};
use crate::rules::Rules;

/// One way of judging.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'a> {
    /// What is known of customers locally.
    pub budgets: &'a budgets::Config,
    /// The rules.
    pub rules: &'a Rules,
}

/// Two ways of judging, side by side on the same data.
pub struct Simulation {
    before: Side,
    after: Side,
    since: Timestamp,
}

struct Side {
    replay: Replay,
    raised: Vec<AlertSnapshot>,
}

/// What differs.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// Raised by both, at the same step on the same data.
    pub same: usize,
    /// Raised by the other rules only.
    pub appear: Vec<AlertSnapshot>,
    /// Raised by the present rules only.
    pub disappear: Vec<AlertSnapshot>,
    /// Raised by both in one billing period by a rule of the same name, at another time, step or
    /// severity: before, after.
    pub move_: Vec<(AlertSnapshot, AlertSnapshot)>,
    /// How many polls were replayed.
    pub polls: u64,
}

impl Simulation {
    /// Compares `before` with `after`; what was raised before `since` is left out.
    pub fn new(before: Judge<'_>, after: Judge<'_>, since: Timestamp) -> Self {
        let side = |judge: Judge<'_>| Side {
            replay: Replay::new(judge.budgets, judge.rules),
            raised: Vec::new(),
        };
        Self { before: side(before), after: side(after), since }
    }

    /// One poll of these records.
    pub fn poll(&mut self, now: Timestamp, records: &[UsageRecord]) {
        for side in [&mut self.before, &mut self.after] {
            let raised = side
                .replay
                .poll(now, records.iter().cloned())
                .raised
                .into_iter()
                .map(|new| new.snapshot);
            side.raised.extend(raised.filter(|snapshot| snapshot.alert.raised_at >= self.since));
        }
    }

    /// Replays all that the ledger has recorded, one customer after another; `tick` is called for
    /// each reading. Returns how many there were.
    pub fn replay_history(
        &mut self,
        reader: &Reader,
        tick: &mut dyn FnMut(),
    ) -> Result<u64, LedgerError> {
        let mut customers: HashMap<CustomerKey, CustomerState> = HashMap::new();
        reader.each_seen(|seen| drop(customers.insert(seen.key(), seen)))?;
        for seen in customers.values() {
            for cycle in seen.named.iter().rev() {
                self.before.replay.know_cycle(&seen.customer, cycle);
                self.after.replay.know_cycle(&seen.customer, cycle);
            }
        }
        let mut polls = 0;
        reader.each_sample(Timestamp::MIN, |sample| {
            if let Some(seen) = customers.get(&sample.customer) {
                self.poll(sample.seen_at, &[record(seen, &sample)]);
                polls += 1;
                tick();
            }
        })?;
        Ok(polls)
    }

    /// What differs.
    pub fn compare(self) -> Comparison {
        let (before, after) = (self.before.raised, self.after.raised);
        let mut comparison = Comparison::default();
        let mut candidates: HashMap<Event, Vec<AlertSnapshot>> = HashMap::new();
        for snapshot in after {
            candidates.entry(Event::of(&snapshot)).or_default().push(snapshot);
        }
        let mut unmatched = Vec::new();
        for snapshot in before {
            let same = |other: &AlertSnapshot| told(other) == told(&snapshot);
            let others = candidates.get_mut(&Event::of(&snapshot));
            match others.and_then(|others| Some(others.swap_remove(others.iter().position(same)?)))
            {
                Some(_) => comparison.same += 1,
                None => unmatched.push(snapshot),
            }
        }
        for snapshot in unmatched {
            match candidates.get_mut(&Event::of(&snapshot)).filter(|others| !others.is_empty()) {
                Some(others) => comparison.move_.push((snapshot, others.remove(0))),
                None => comparison.disappear.push(snapshot),
            }
        }
        comparison.appear = candidates.into_values().flatten().collect();
        for list in [&mut comparison.appear, &mut comparison.disappear] {
            list.sort_by_cached_key(place);
        }
        comparison.move_.sort_by_cached_key(|(before, _)| place(before));
        comparison
    }
}

/// Where an alert stands in a list: by time, customer and rule.
fn place(snapshot: &AlertSnapshot) -> (Timestamp, CustomerKey, String) {
    let alert = &snapshot.alert;
    (alert.raised_at, alert.key(), alert.rule.clone())
}

/// What two alerts must share to be the same event told differently: customer, rule and billing
/// period; for daily metrics the day.
#[derive(PartialEq, Eq, Hash)]
struct Event {
    customer: CustomerKey,
    rule: String,
    metric: Metric,
    period: (Timestamp, Timestamp),
}

impl Event {
    fn of(snapshot: &AlertSnapshot) -> Self {
        let alert = &snapshot.alert;
        let period = (alert.billing_period.start, alert.billing_period.end);
        Self { customer: alert.key(), rule: alert.rule.clone(), metric: alert.metric, period }
    }
}

/// What makes two alerts of one event the same.
fn told(snapshot: &AlertSnapshot) -> impl PartialEq {
    let alert = &snapshot.alert;
    (alert.threshold, alert.severity, alert.usage_as_of.instant())
}

/// A reading as the record it came from; what history does not keep is the customer's of today.
pub(super) fn record(seen: &CustomerState, sample: &NewSample) -> UsageRecord {
    UsageRecord {
        customer: seen.customer.clone(),
        subscription: seen.subscription.clone(),
        name: seen.name.clone(),
        plan: seen.plan,
        cost: sample.cost,
        // A legacy record names no currency: the configuration settles it.
        currency: seen.currency.filter(|_| seen.plan == Plan::AzurePlan),
        usd_cost: sample.usd_cost,
        budget: sample.partner_center_budget,
        reported_percent: sample.reported_percent,
        usage_as_of: UsageDate::at(sample.usage_as_of),
    }
}
