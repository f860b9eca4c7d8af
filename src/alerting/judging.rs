//! Carries what one stage knows to the next: what the ledger remembers into the terms of the
//! assessment, and back.

use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use std::sync::Arc;

use foldhash::fast::FixedState;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::alerting::spending::{series_since, spending};
use crate::alerting::{CustomerState, Decided, Depth, NewSample, Recording, RememberedCustomer};
use crate::budgets::{self, Joined, PeriodMemory};
use crate::domain::{
    Assessed, CustomerEvent, CustomerKey, EventCode, Judged, Metric, NamedPeriods, Sample,
    UsageRecord, Verdict,
};
use crate::rules::Rules;
use crate::text::{amount, money, percent};

/// The time by the clock, and by the data.
#[derive(Debug, Clone, Copy)]
pub struct AsOf {
    /// By the clock.
    pub now: Timestamp,
    /// The newest date of all data, where any was read.
    pub newest: Option<Timestamp>,
}

impl AsOf {
    /// Now, where the age of one customer's data is news: where the collection is not old as a
    /// whole.
    pub(crate) fn aged(&self) -> Option<Timestamp> {
        Some(self.now).filter(|now| is_fresh(self.newest, *now))
    }
}

/// How many of a customer's latest dates rules on history are given.
const HISTORY: u32 = 200;

/// How many rules on spikes are given: 70 days, the last 8 of them with each change.
const SPIKES: u32 = 400;

/// How many a message needs, to say how it was before.
const BEFORE: u32 = 2;

/// How much of a customer's history these rules, and messages, need.
pub(crate) fn depth_for(rules: &Rules) -> Depth {
    let spikes = rules.look_for_spikes();
    let samples = match (look_back(rules), spikes) {
        (_, true) => SPIKES,
        (true, false) => HISTORY,
        (false, false) => BEFORE,
    };
    Depth { samples, spikes }
}

/// Whether any of these rules judges by earlier dates of the data.
pub(crate) fn look_back(rules: &Rules) -> bool {
    rules.facts().any(|rule| rule.metric.reads_history())
}

/// What bears on the billing period.
pub(crate) fn last_seen(seen: &CustomerState) -> PeriodMemory {
    PeriodMemory {
        usage_as_of: seen.usage_as_of.instant(),
        period: seen.period,
        closing_cost: seen.closing_cost,
    }
}

/// What every rule says of an assessed record beside earlier dates of its data; its age counts
/// where it was looked at `aged`.
pub(crate) fn judge(
    rules: &Rules,
    assessed: Assessed,
    remembered: Option<&RememberedCustomer>,
    named: &NamedPeriods,
    aged: Option<Timestamp>,
) -> Judged {
    let mut assessed = assessed.after(samples(remembered));
    if rules.look_for_spikes() && !assessed.carried_over {
        assessed.spending = Some(Arc::new(spending(&assessed, remembered, named)));
    }
    let assessed = aged.map_or_else(|| assessed.clone(), |now| assessed.clone().seen_at(now));
    let evaluations = rules.evaluate(&assessed);
    Judged { assessed, evaluations }
}

/// The periods that answers named to this poll about a customer.
pub(crate) fn named(remembered: Option<&RememberedCustomer>) -> &NamedPeriods {
    static NONE: NamedPeriods = NamedPeriods::NONE;
    remembered.map_or(&NONE, |remembered| &remembered.seen.named)
}

/// That a customer was asked about, and all periods that answers named by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) named: NamedPeriods,
}

/// The state to remember, or none when it is remembered already. Of older data than what is
/// remembered, a late correction of a closed period which must not bring that period back, nothing
/// is but what was answered about it.
pub(crate) fn seen_now(
    judged: &Judged,
    fingerprint: u64,
    remembered: Option<&RememberedCustomer>,
    asked: Option<&Asked>,
    now: Timestamp,
) -> Option<CustomerState> {
    let assessed = &judged.assessed;
    let record = &assessed.record;
    let before = remembered.map(|remembered| &remembered.seen);
    let at = record.usage_as_of.instant();
    if let Some(before) = before.filter(|before| is_closed(assessed, before)) {
        let asked = asked?;
        let seen =
            CustomerState { named: asked.named.clone(), asked: Some((now, at)), ..before.clone() };
        return (seen != *before).then_some(seen);
    }
    let closing_cost = match before {
        Some(before) if assessed.carried_over => before.closing_cost,
        _ => record.cost,
    };
    let seen = CustomerState {
        customer: record.customer.clone(),
        subscription: record.subscription.clone(),
        name: record.name.clone(),
        label: assessed.profile.label.clone(),
        plan: record.plan,
        usage_as_of: record.usage_as_of,
        seen_at: now,
        cost: record.cost,
        usd_cost: record.usd_cost,
        currency: assessed.currency,
        reported_percent: record.reported_percent,
        computed_percent: assessed.computed_percent,
        budget: assessed.budget.map(|budget| budget.amount()),
        partner_center_budget: record.budget,
        period: assessed.period,
        closing_cost,
        series_since: series_since(assessed, before),
        named: asked.map_or_else(|| named(remembered).clone(), |asked| asked.named.clone()),
        own_currency: record.currency,
        asked: asked.map(|_| (now, at)).or_else(|| before?.asked),
        // What is taken for late data is looked at again in every poll: a summary may say later
        // whose it is.
        fingerprint: if assessed.carried_over { !fingerprint } else { fingerprint },
        crossed: crossed(judged),
    };
    let same = before
        .is_some_and(|before| *before == CustomerState { seen_at: before.seen_at, ..seen.clone() });
    (!same).then_some(seen)
}

/// Whether a record is a late correction of a period that is over: older than the last seen state,
/// which belongs to a later period.
pub(crate) fn is_closed(assessed: &Assessed, before: &CustomerState) -> bool {
    let seen_at = before.usage_as_of.instant();
    let belonged_at =
        if before.period.holds(seen_at) { seen_at } else { before.period.last_instant() };
    assessed.record.usage_as_of.instant() < seen_at && assessed.period.end <= belonged_at
}

/// The rules that have reached a step, whatever the time: what age alone has reached is found again
/// by each poll.
fn crossed(judged: &Judged) -> u16 {
    let reached = judged.evaluations.iter().filter(|evaluation| {
        evaluation.rule.metric != Metric::StaleHours
            && matches!(evaluation.verdict, Verdict::Crossed { .. })
    });
    u16::try_from(reached.count()).unwrap_or(u16::MAX)
}

/// What history keeps of a state, unless it has the same data already, taken for the same.
pub(crate) fn sample(
    seen: &CustomerState,
    carried_over: bool,
    before: Option<&CustomerState>,
) -> Option<NewSample> {
    let data = |seen: &CustomerState| {
        (
            seen.usage_as_of.instant(),
            seen.cost,
            seen.usd_cost,
            seen.partner_center_budget,
            seen.reported_percent,
        )
    };
    let was_carried = |before: &CustomerState| !before.period.holds(before.usage_as_of.instant());
    let new = NewSample {
        customer: seen.key(),
        usage_as_of: seen.usage_as_of.instant(),
        seen_at: seen.seen_at,
        cost: seen.cost,
        usd_cost: seen.usd_cost,
        partner_center_budget: seen.partner_center_budget,
        reported_percent: seen.reported_percent,
        carried_over,
    };
    before
        .is_none_or(|before| data(before) != data(seen) || was_carried(before) != carried_over)
        .then_some(new)
}

/// What happened to a customer's data since it was seen before, within one billing period.
pub(crate) fn events(
    assessed: &Assessed,
    before: &CustomerState,
    now: Timestamp,
) -> Vec<CustomerEvent> {
    let mut events = Vec::new();
    let mut happened = |code, detail: String| events.push(CustomerEvent { at: now, code, detail });
    let money = |value| money(value, assessed.currency);
    let budget = assessed.budget.map(|budget| budget.amount());
    let of_same_period = before.period.same_span(&assessed.period);
    match (before.budget, budget) {
        (Some(before), None) => {
            happened(EventCode::BudgetRemoved, format!("the budget of {} is gone", money(before)));
        }
        (None, Some(now)) => {
            happened(EventCode::BudgetSet, format!("a budget of {} was set", money(now)));
        }
        (Some(before), Some(now)) if of_same_period && now < before => {
            happened(EventCode::BudgetCut, format!("budget {} → {}", amount(before), money(now)));
        }
        (Some(before), Some(now)) if of_same_period && now > before => {
            happened(
                EventCode::BudgetRaised,
                format!("budget {} → {}", amount(before), money(now)),
            );
        }
        _ => {}
    }
    let cost = assessed.record.cost;
    if of_same_period && cost < before.cost {
        happened(EventCode::CostFell, format!("cost {} → {}", amount(before.cost), money(cost)));
    }
    if assessed.percents_disagree() && !disagreed(before) {
        let (reported, computed) = (
            assessed.reported_percent().unwrap_or_default(),
            assessed.computed_percent.unwrap_or_default(),
        );
        happened(
            EventCode::PercentsDisagree,
            format!(
                "Partner Center reports {}, cost and budget give {}",
                percent(reported),
                percent(computed)
            ),
        );
    }
    events
}

fn disagreed(seen: &CustomerState) -> bool {
    let in_force = seen.budget == seen.partner_center_budget;
    let apart = |(reported, computed): (Decimal, Decimal)| {
        reported.saturating_sub(computed).abs() > Decimal::new(1, 2)
    };
    in_force && seen.reported_percent.zip(seen.computed_percent).is_some_and(apart)
}

/// What every rule says of the last seen record `now`, under a configuration.
pub(crate) fn judged_again(
    budgets: &budgets::Config,
    rules: &Rules,
    remembered: &RememberedCustomer,
    time: AsOf,
) -> Judged {
    let joined = budgets.join(record(&remembered.seen));
    let assessed = joined.place(Some(&last_seen(&remembered.seen)), &remembered.seen.named, None);
    judge(rules, assessed, Some(remembered), &remembered.seen.named, time.aged())
}

/// The record as it was read last: of a currency that it did not name itself, today's configuration
/// decides.
pub(crate) fn record(seen: &CustomerState) -> UsageRecord {
    UsageRecord {
        subscription: seen.subscription.clone(),
        customer: seen.customer.clone(),
        name: seen.name.clone(),
        plan: seen.plan,
        cost: seen.cost,
        currency: seen.own_currency,
        usd_cost: seen.usd_cost,
        budget: seen.partner_center_budget,
        reported_percent: seen.reported_percent,
        usage_as_of: seen.usage_as_of,
    }
}

/// A collection whose newest data is older than this is old as a whole: news for the operator, not
/// of each customer.
pub(crate) const COLLECTION_STALE: SignedDuration = SignedDuration::from_hours(36);

/// The rules of which the highest step reached was raised or passed before.
pub(crate) fn duplicates(decided: &Decided) -> u16 {
    u16::try_from(decided.reasons.iter().filter(|(_, reason)| reason.is_duplicate()).count())
        .unwrap_or(u16::MAX)
}

/// The age of data from which on a rule may be about it, in seconds.
pub(crate) fn stale_after(rules: &crate::rules::Rules) -> Option<i64> {
    rules.stale_after().and_then(|hours| (hours * Decimal::from(3600)).to_i64())
}

/// Whether a collection is not old as a whole, so that the age of one customer's data is news.
pub(crate) fn is_fresh(newest: Option<Timestamp>, now: Timestamp) -> bool {
    newest.is_some_and(|newest| now.duration_since(newest) < COLLECTION_STALE)
}

/// Of everything that bears on a judgement: a record with the same fingerprint says nothing new.
pub(crate) fn fingerprint(joined: &Joined, rules: u64) -> u64 {
    let record = &joined.record;
    let mut hasher = FixedState::with_seed(rules).build_hasher();
    record.customer.as_str().hash(&mut hasher);
    record
        .subscription
        .as_ref()
        .map(|subscription| (&subscription.id, &subscription.name))
        .hash(&mut hasher);
    record.name.hash(&mut hasher);
    record.plan.hash(&mut hasher);
    (record.cost, record.usd_cost, record.budget, record.reported_percent).hash(&mut hasher);
    record.usage_as_of.instant().hash(&mut hasher);
    joined.currency.hash(&mut hasher);
    joined
        .budget
        .map(|budget| (budget.amount(), budget.currency(), budget.source()))
        .hash(&mut hasher);
    joined.profile.hash(&mut hasher);
    hasher.finish()
}

/// Earlier dates of the data.
pub(crate) fn samples(remembered: Option<&RememberedCustomer>) -> &[Sample] {
    remembered.map_or(&[], |remembered| &remembered.samples)
}

/// Puts what is new about a customer into a recording: its state, history and what happened to its
/// data. Returns its key when its budget changed after something was raised about it.
pub(crate) fn remember(
    judged: &Judged,
    fingerprint: u64,
    remembered: Option<&RememberedCustomer>,
    asked: Option<&Asked>,
    recording: &mut Recording,
) -> Option<CustomerKey> {
    let seen = seen_now(judged, fingerprint, remembered, asked, recording.now)?;
    let before = remembered.map(|remembered| &remembered.seen);
    if before.is_some_and(|before| is_closed(&judged.assessed, before)) {
        recording.seen.push(seen);
        return None;
    }
    recording.samples.extend(sample(&seen, judged.assessed.carried_over, before));
    let happened =
        before.map(|before| events(&judged.assessed, before, recording.now)).unwrap_or_default();
    recording.events.extend(happened.into_iter().map(|event| (seen.key(), event)));
    let raised = remembered.is_some_and(|remembered| !remembered.steps.is_empty());
    let rebudgeted = raised && before.is_some_and(|before| before.budget != seen.budget);
    let key = rebudgeted.then(|| seen.key());
    recording.seen.push(seen);
    key
}

/// Of several records of one customer the largest is assessed: of the later date, then of the
/// larger cost.
pub(crate) fn rank(record: &UsageRecord) -> (Timestamp, Decimal) {
    (record.usage_as_of.instant(), record.cost)
}
