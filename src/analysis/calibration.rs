//! How rules about spikes would have done on recorded history: how many alarms they raise on what
//! was really spent, and how soon they see an attack that is added to it. Judged by the stages that
//! a poll goes through ([`Replay`]); the last part of the history is held out, so that what was
//! chosen by the rest is tried on something else.

use std::collections::BTreeMap;
use std::hash::BuildHasher as _;

use foldhash::fast::FixedState;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::alerting::{CustomerState, NewSample};
use crate::analysis::Replay;
use crate::analysis::simulation::record;
use crate::analysis::whole_periods::comparable;
use crate::budgets;
use crate::domain::{
    Currency, CustomerKey, LegacyCycle, Metric, Rearm, Severity, UsageRecord, utc_day,
};
use crate::rules::{At, FloorSpec, Rule, RuleError, RuleSpec, Rules, Selection, StepSpec};

/// An attack costs so many times the usual day more: five times the usual in all.
const ATTACK_TIMES: Decimal = Decimal::from_parts(4, 0, 0, false, 0);
/// And so much more in a day, in US dollars, at a customer that uses little.
const SMALLEST_ATTACK: Decimal = Decimal::from_parts(250, 0, 0, false, 0);
/// A floor is this share of a budget too, in percent.
pub const FLOOR_PERCENT: Decimal = Decimal::TWO;

/// A rule about spikes that could be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its lowest step: how many times the usual.
    pub times: Decimal,
    /// The smallest excess that it tells of, in US dollars.
    pub floor_usd: Decimal,
    /// The same by currency.
    pub floor: BTreeMap<Currency, Decimal>,
}

/// What a candidate has raised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Alerts on what was really spent, before the part that is held out.
    pub alarms: u64,
    /// Alerts in that part.
    pub held_out_alarms: u64,
    /// Added attacks that it alerted about on the first date of the data.
    pub on_first_date: u64,
    /// Or by the second.
    pub by_second_date: u64,
}

/// What was replayed, under all candidates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replayed {
    /// How many customers had enough history to be judged.
    pub customers: u64,
    /// Days of customers, before the part that is held out.
    pub days: u64,
    /// Days in that part.
    pub held_out_days: u64,
    /// How many attacks were added.
    pub attacks: u64,
}

/// Tries candidates on one customer after another.
pub struct Calibration {
    budgets: budgets::Config,
    candidates: Vec<Candidate>,
    rules: Rules,
    usd_rates: BTreeMap<Currency, Decimal>,
    held_out: Timestamp,
    tallies: Vec<Tally>,
    replayed: Replayed,
}

/// A date of the data, as the poll read it.
struct Date {
    seen_at: Timestamp,
    record: UsageRecord,
    period_start: Timestamp,
}

impl Calibration {
    /// Tries these candidates. The history from `held_out` on is held out; `usd_rates` say what a
    /// US dollar is in other currencies.
    pub fn new(
        budgets: &budgets::Config,
        candidates: Vec<Candidate>,
        usd_rates: BTreeMap<Currency, Decimal>,
        held_out: Timestamp,
    ) -> Result<Self, Vec<RuleError>> {
        let rules = candidates.iter().enumerate().map(|(place, candidate)| rule(place, candidate));
        let rules = Rules::new(rules.collect::<Result<_, _>>()?);
        let tallies = vec![Tally::default(); candidates.len()];
        Ok(Self {
            budgets: budgets.clone(),
            candidates,
            rules,
            usd_rates,
            held_out,
            tallies,
            replayed: Replayed::default(),
        })
    }

    /// Replays all that was read of one customer, oldest first.
    pub fn replay(&mut self, customer: &CustomerState, history: &[NewSample]) {
        let key = customer.key();
        let mut replay = Replay::new(&self.budgets, &self.rules);
        let cycles: Vec<LegacyCycle> = customer.named.iter().collect();
        cycles.into_iter().rev().for_each(|cycle| replay.know_cycle(&customer.customer, cycle));
        let reads = dates(customer, history);
        let attacked = self.place_of_attack(&key, &reads);
        self.count_days(&reads);
        for (place, read) in reads.iter().enumerate() {
            let before = (attacked == Some(place)).then(|| replay.clone());
            let held_out = read.record.usage_as_of.instant() >= self.held_out;
            for raised in raised_by(&mut replay, read, Decimal::ZERO) {
                if let Some(tally) = self.tallies.get_mut(raised) {
                    *(if held_out { &mut tally.held_out_alarms } else { &mut tally.alarms }) += 1;
                }
            }
            // A customer without a usual day is not judged by anybody.
            if let Some((before, usual)) = before.zip(replay.usual(&key)) {
                self.attack(before, reads.get(place.saturating_sub(1)..).unwrap_or(&[]), usual);
            }
        }
    }

    /// The candidates, each with what it has raised.
    pub fn outcomes(&self) -> impl Iterator<Item = (&Candidate, Tally)> {
        self.candidates.iter().zip(self.tallies.iter().copied())
    }

    /// What was replayed.
    pub fn replayed(&self) -> Replayed {
        self.replayed
    }

    /// Which date brings the first cost of an attack: one of those held out whose neighbours are of
    /// the same billing period, for each customer another.
    fn place_of_attack(&self, key: &CustomerKey, reads: &[Date]) -> Option<usize> {
        let is_fit = |window: &[Date]| match window {
            [before, first, second] => {
                before.period_start == second.period_start
                    && first.record.usage_as_of.instant() >= self.held_out
            }
            _ => false,
        };
        let fit: Vec<usize> = reads
            .windows(3)
            .enumerate()
            .filter(|(_, window)| is_fit(window))
            .map(|(place, _)| place.saturating_add(1))
            .collect();
        let number = u64::try_from(fit.len()).ok().filter(|number| *number > 0)?;
        let chosen = FixedState::with_seed(0).hash_one(key.as_str()).checked_rem(number)?;
        fit.get(usize::try_from(chosen).ok()?).copied()
    }

    /// Adds an attack that begins with the first of these dates; it is in the two after it.
    fn attack(&mut self, mut replay: Replay, reads: &[Date], usual: Decimal) {
        let [begin, after @ ..] = reads else { return };
        let rate = begin.record.currency.and_then(|currency| self.usd_rates.get(&currency));
        let smallest = SMALLEST_ATTACK.saturating_mul(rate.copied().unwrap_or(Decimal::ONE));
        let per_day = ATTACK_TIMES.saturating_mul(usual).max(smallest);
        let mut found = vec![None; self.candidates.len()];
        for (date, read) in after.iter().take(2).enumerate() {
            let since = begin.record.usage_as_of.instant();
            let lasted = read.record.usage_as_of.instant().duration_since(since);
            for raised in raised_by(&mut replay, read, cost_of(lasted, per_day)) {
                if let Some(found) = found.get_mut(raised) {
                    found.get_or_insert(date);
                }
            }
        }
        self.replayed.attacks += 1;
        for (tally, found) in self.tallies.iter_mut().zip(found) {
            tally.on_first_date += u64::from(found == Some(0));
            tally.by_second_date += u64::from(found.is_some());
        }
    }

    fn count_days(&mut self, reads: &[Date]) {
        let held_out = |read: &&Date| read.record.usage_as_of.instant() >= self.held_out;
        let after = reads.iter().filter(held_out).count();
        let (all, after) = (u64::try_from(reads.len()), u64::try_from(after));
        let (all, after) = (all.unwrap_or(u64::MAX), after.unwrap_or(u64::MAX));
        self.replayed.customers += 1;
        self.replayed.days += all.saturating_sub(after);
        self.replayed.held_out_days += after;
    }
}

/// The last that was read on each day of the data, oldest first; only what is in the currency of
/// now, in which all of it is judged.
fn dates(customer: &CustomerState, history: &[NewSample]) -> Vec<Date> {
    let mut days: BTreeMap<_, &NewSample> = BTreeMap::new();
    for sample in comparable(customer, history) {
        let day = days.entry(utc_day(sample.usage_as_of)).or_insert(sample);
        if sample.seen_at >= day.seen_at {
            *day = sample;
        }
    }
    let mut read: Vec<_> = days.into_values().collect();
    // As they were read: what is of an earlier day may have come late.
    read.sort_by_key(|sample| sample.seen_at);
    let period = |at| budgets::period_holding(customer.plan, at, &customer.named);
    read.into_iter()
        .map(|sample| Date {
            seen_at: sample.seen_at,
            record: record(customer, sample),
            period_start: period(sample.usage_as_of).start,
        })
        .collect()
}

/// The candidates that alert when a record is read, with so much more cost.
fn raised_by(replay: &mut Replay, read: &Date, more: Decimal) -> Vec<usize> {
    let cost = read.record.cost.saturating_add(more);
    let polled = replay.poll(read.seen_at, [UsageRecord { cost, ..read.record.clone() }]);
    let rules = polled.raised.iter().map(|new| new.snapshot.alert.rule.parse());
    rules.filter_map(Result::ok).collect()
}

/// What so much a day has come to after a time.
fn cost_of(lasted: SignedDuration, per_day: Decimal) -> Decimal {
    let days = Decimal::from(lasted.as_secs()) / Decimal::from(86_400);
    days.saturating_mul(per_day).round_dp(2)
}

/// The rule of a candidate, by the number of its place.
fn rule(place: usize, candidate: &Candidate) -> Result<Rule, Vec<RuleError>> {
    Rule::try_new(RuleSpec {
        name: place.to_string().into(),
        formerly: None,
        description: None,
        metric: Metric::Spike,
        rearm: Rearm::Never,
        notify: vec!["nobody".into()],
        remind_every: None,
        then_every: None,
        floor: FloorSpec { amounts: candidate.floor.clone(), percent: Some(FLOOR_PERCENT) },
        steps: vec![StepSpec {
            at: At::Number(candidate.times),
            severity: Severity::Warning,
            notify: None,
            remind_every: None,
        }],
        selection: Selection::default(),
    })
}
