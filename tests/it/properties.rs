//! What must hold for any dates and any order of events: billing periods tile, no step is told twice, and none is missed.

use std::sync::LazyLock;

use budget_alertd::config::Config;
use budget_alertd::domain::{BillingPeriod, Currency, CustomerId, LegacyCycle, PeriodSource, Plan, UsageDate, UsageRecord};
use budget_alertd::ledger::NewAlert;
use budget_alertd::pipeline::Replay;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::support::world::World;

fn cases() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) }
}

/// An instant of the years 2000 to 2060, to the nanosecond; often at the very turn of a day, of the world or of the Pacific.
fn instant() -> impl Strategy<Value = Timestamp> {
    let anywhere = (946_684_800_i64..2_840_140_800, 0_i32..1_000_000_000).prop_map(|(second, nano)| Timestamp::new(second, nano).unwrap());
    let turn = (day(), any::<bool>(), -1_i64..=1).prop_map(|(day, pacific, nanos)| {
        let zone = if pacific { pacific_time() } else { TimeZone::UTC };
        day.to_zoned(zone).unwrap().timestamp() + SignedDuration::from_nanos(nanos)
    });
    prop_oneof![2 => anywhere, 1 => turn]
}

fn day() -> impl Strategy<Value = Date> {
    (0_i64..20_000).prop_map(|days| jiff::civil::date(2004, 1, 1) + days.days())
}

/// A billing cycle from one named period: of a month or so, as they come, or of any length that is taken.
fn cycle() -> impl Strategy<Value = LegacyCycle> {
    (day(), prop_oneof![3 => 27_i64..=31, 1 => 0_i64..=62])
        .prop_map(|(first, days)| LegacyCycle::try_new(first, first + days.days()).unwrap())
}

fn pacific_time() -> TimeZone {
    TimeZone::get("America/Los_Angeles").unwrap()
}

const NANO: SignedDuration = SignedDuration::from_nanos(1);

/// Both ends are midnights there, on the cycle's day or on the last one of a month that is too short for it.
fn begins_on(at: Timestamp, zone: &TimeZone, day: i8) {
    let begins = at.to_zoned(zone.clone());
    assert_eq!(begins.time(), Time::midnight(), "{begins}");
    assert_eq!(begins.day(), day.min(begins.date().days_in_month()), "{begins}");
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn calendar_months_tile_and_hold_every_instant(at in instant()) {
        let month = |at| BillingPeriod::calendar_month(at, PeriodSource::CalendarMonth);
        let period = month(at);
        prop_assert!(period.holds(at) && period.holds(period.last_instant()) && !period.holds(period.end));
        begins_on(period.start, &TimeZone::UTC, 1);
        prop_assert_eq!(month(period.end).start, period.end);
        prop_assert_eq!(month(period.start - NANO).end, period.start);
        prop_assert_eq!(month(period.last_instant()), period);
        prop_assert_eq!(month(period.start), period);
    }

    #[test]
    fn legacy_periods_tile_at_pacific_midnights_and_hold_every_instant(cycle in cycle(), at in instant(), within in 0_u32..=1000) {
        let holding = |at| cycle.holding(at, PeriodSource::Assumed);
        let period = holding(at);
        prop_assert!(period.holds(at), "{period:?} does not hold {at}");
        prop_assert_eq!(holding(period.end).start, period.end);
        prop_assert_eq!(holding(period.start - NANO).end, period.start);
        let length = period.end.duration_since(period.start);
        prop_assert_eq!(holding(period.start + length * i32::try_from(within).unwrap() / 1001), period);
        prop_assert_eq!(holding(period.last_instant()), period);
        // Before the named period its first day counts, after it the day behind its last.
        let named = cycle.named(PeriodSource::Assumed);
        let after = cycle.last_day().tomorrow().unwrap();
        for edge in [period.start, period.end] {
            begins_on(edge, &pacific_time(), if edge >= named.end { after.day() } else { cycle.first_day().day() });
        }
    }

    #[test]
    fn no_step_is_told_twice_and_none_is_missed(events in proptest::collection::vec(event(), 1..14)) {
        told_once(&events);
    }
}

/// One poll: of which month, by which rules, what is read.
#[derive(Debug, Clone, Copy)]
struct Event {
    /// Whether it is of a later month than the one before.
    later: bool,
    rules: usize,
    cost: i64,
    budget: Option<i64>,
    hour: i64,
}

fn event() -> impl Strategy<Value = Event> {
    let budget = prop_oneof![1 => Just(None), 1 => Just(Some(0)), 8 => prop_oneof![Just(50), Just(100), Just(160), Just(200), Just(400)].prop_map(Some)];
    let later = prop_oneof![8 => Just(false), 1 => Just(true)];
    let rules = prop_oneof![6 => Just(0), 1 => Just(1), 1 => Just(2)];
    let cost = prop_oneof![1 => -20_i64..20, 6 => 20_i64..500];
    (later, rules, cost, budget, 100_i64..600).prop_map(|(later, rules, cost, budget, hour)| Event { later, rules, cost, budget, hour })
}

/// A rule of the sets below: its name, whether it counts what is left, its steps, and how it goes on.
type Facts = (&'static str, bool, &'static [i64], Option<i64>);

/// Sets of rules that a reload exchanges: steps come and go.
const SETS: [&[Facts]; 3] = [
    &[("spend", false, &[80, 100, 150], Some(100)), ("left", true, &[40, 0], None)],
    &[("spend", false, &[50, 80, 90, 150], None), ("left", true, &[90, 40, 0], Some(50))],
    &[("spend", false, &[100, 300], Some(40))],
];

static CONFIGS: LazyLock<Vec<Config>> = LazyLock::new(|| {
    let rule = |(name, left, steps, every): &Facts| {
        let at = |at: &i64| if *left { format!("{{ SEK = {at} }}") } else { at.to_string() };
        let steps: Vec<String> = steps.iter().map(|step| format!("{{ at = {} }}", at(step))).collect();
        let every = every.map_or(String::new(), |every| format!("then_every = {}\n", at(&every)));
        let metric = if *left { "amount_left" } else { "percent_used" };
        format!("[rules.{name}]\nmetric = \"{metric}\"\nnotify = [\"hook\"]\nsteps = [{}]\n{every}", steps.join(", "))
    };
    SETS.iter().map(|set| World::new(&set.iter().map(rule).collect::<String>()).config()).collect()
});

/// What was told of, and what is needed to say whether it may be told again.
#[derive(Default)]
struct Memory {
    /// Rule, step, month, amount.
    told: Vec<(&'static str, Decimal, usize, i64)>,
    /// Month, cost, amount.
    seen: Vec<(usize, i64, Option<i64>)>,
}

fn told_once(events: &[Event]) {
    let mut replay = Replay::new(&CONFIGS[0].budgets, &CONFIGS[0].rules);
    let (mut month, mut memory) = (0, Memory::default());
    for (number, event) in events.iter().enumerate() {
        replay.reload(&CONFIGS[event.rules].budgets, &CONFIGS[event.rules].rules);
        month += usize::from(event.later);
        // Months that do not touch, so that no cost is carried over.
        let first = jiff::civil::date(2024, 1, 1) + (2 * i64::try_from(month).unwrap()).months();
        let date = first.to_zoned(TimeZone::UTC).unwrap().timestamp() + SignedDuration::from_hours(event.hour);
        let raised = replay.poll(date, [record(event, date)]).raised;
        for facts in SETS[event.rules] {
            let mut own = raised.iter().filter(|new| new.snapshot.alert.rule == facts.0);
            let alert = own.next();
            assert!(own.next().is_none(), "two alerts of one rule in poll {number} of {events:?}");
            memory.check(facts, event, month, alert).unwrap_or_else(|wrong| panic!("poll {number} of {events:#?}: {}: {wrong}", facts.0));
        }
        memory.seen.push((month, event.cost, event.budget));
    }
}

fn record(event: &Event, date: Timestamp) -> UsageRecord {
    UsageRecord {
        customer: CustomerId::try_new("C").unwrap(),
        subscription: None,
        name: "C".into(),
        plan: Plan::AzurePlan,
        cost: event.cost.into(),
        currency: Some(Currency::try_new("SEK").unwrap()),
        usd_cost: None,
        budget: event.budget.map(Decimal::from),
        reported_percent: None,
        usage_as_of: UsageDate::at(date),
    }
}

impl Memory {
    /// Whether the alert, or that there is none, is right by the promise.
    fn check(&mut self, facts: &Facts, event: &Event, month: usize, alert: Option<&NewAlert>) -> Result<(), String> {
        let at = alert.map(|new| new.snapshot.alert.threshold);
        let (Some(highest), Some(amount)) = (highest(facts, event.cost, event.budget), event.budget) else {
            return if at.is_none() { Ok(()) } else { Err("an alert without a step".into()) };
        };
        let beyond = |step: Decimal| if facts.1 { step <= highest } else { step >= highest };
        let spent: Vec<i64> =
            self.told.iter().filter(|told| told.0 == facts.0 && told.2 == month && beyond(told.1)).map(|told| told.3).collect();
        let most = spent.iter().max();
        let below = |cost, budget| value(facts, cost, budget).is_some_and(|value| if facts.1 { value > highest } else { value < highest });
        let last_below = self.seen.last().is_some_and(|seen| seen.0 == month && below(seen.1, Some(amount)));
        let seen_below = self.seen.iter().any(|seen| seen.0 == month && seen.2 > most.copied() && below(seen.1, seen.2));
        match (at, most) {
            (Some(at), _) if at != highest => Err(format!("an alert at {at} instead of {highest}")),
            (None, None) => Err(format!("no alert at {highest}")),
            (None, Some(most)) if amount > *most && last_below => {
                Err(format!("no alert again at {highest}, raised from {most} to {amount}"))
            }
            (Some(_), Some(most)) if amount <= *most => Err(format!("an alert again at {highest} under {amount}, after {most}")),
            (Some(_), Some(_)) if !last_below && !seen_below => Err(format!("an alert again at {highest}, never seen below")),
            (Some(_), _) => {
                self.told.push((facts.0, highest, month, amount));
                Ok(())
            }
            (None, _) => Ok(()),
        }
    }
}

/// The value of a rule; none without a budget, or over one of zero.
fn value(facts: &Facts, cost: i64, budget: Option<i64>) -> Option<Decimal> {
    match (budget?, facts.1) {
        (budget, true) => Some((budget - cost).into()),
        (0, false) => (cost <= 0).then_some(Decimal::ZERO),
        (budget, false) => {
            Some(Decimal::new(cost.max(0) * 100_000 / budget + 5, 3).round_dp_with_strategy(2, rust_decimal::RoundingStrategy::ToZero))
        }
    }
}

/// The highest step that is reached.
fn highest(facts: &Facts, cost: i64, budget: Option<i64>) -> Option<Decimal> {
    budget?;
    let (_, left, steps, every) = *facts;
    let Some(value) = value(facts, cost, budget) else { return steps.last().copied().map(Decimal::from) };
    let endless = (1..40).filter_map(|count| Some(steps.last()? + every? * count * if left { -1 } else { 1 }));
    let all = steps.iter().copied().chain(endless).map(Decimal::from);
    all.take_while(|step| if left { value <= *step } else { value >= *step }).last()
}
