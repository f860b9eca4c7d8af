//! The formula of spikes: worked cases, a second way to compute it, and what must hold of any data.

use budget_alertd::domain::spike::{CostDate, DayRates, Floor, Reading, SpikeDay};
use budget_alertd::domain::{BillingPeriod, PeriodSource};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::Value;

const CASES: &str = include_str!("../fixtures/spikes.json");

fn decimal(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

fn at(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// The dates of a case, each in the period that it falls into.
fn dates(case: &Value) -> Vec<CostDate> {
    let starts: Vec<_> = case["period_starts"].as_array().unwrap().iter().map(at).collect();
    let date = |date: &Value| {
        let when = at(&date[0]);
        let start = starts.iter().rev().find(|start| **start <= when).copied().unwrap();
        CostDate { at: when, cost: decimal(&date[1]), start, is_start_known: true }
    };
    case["dates"].as_array().unwrap().iter().map(date).collect()
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// What the last day reads as, each day before having been judged when it was the newest.
fn last_reading(dates: &[CostDate], times: Decimal, floor: Floor) -> (DayRates, Reading) {
    let mut spikes: Vec<SpikeDay> = Vec::new();
    let mut last = None;
    for newest in 1..=dates.len() {
        let rates = DayRates::of(&dates[..newest]);
        let today = day(dates[newest - 1].at);
        let reading = Reading::of(&rates, &spikes, today).filter(|_| rates.newest.is_none());
        if let Some(Ok(reading)) = reading {
            if reading.is_spike(times, floor) {
                spikes.push(SpikeDay { day: today, mark: None });
            }
            last = Some((rates, reading));
        }
    }
    last.unwrap()
}

#[test]
fn each_worked_case_reads_as_it_was_worked_out() {
    let cases: Value = serde_json::from_str(CASES).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 9);
    for case in cases {
        let (name, expected) = (&case["name"], &case["expect"]);
        let (times, floor) = (decimal(&case["factor"]), Floor(decimal(&case["floor"])));
        let (rates, reading) = last_reading(&dates(case), times, floor);
        let money = |value: Decimal| Value::from(format!("{value:.2}"));
        assert_eq!(reading.day.to_string(), expected["day"], "{name}");
        assert_eq!(reading.days, expected["usable_days"], "{name}");
        assert_eq!(reading.same_weekday, expected["same_weekday"], "{name}");
        assert_eq!(money(reading.median), expected["median_all"], "{name}");
        let of_weekday = reading.median_of_weekday.map_or(Value::Null, money);
        assert_eq!(of_weekday, expected["median_weekday"], "{name}");
        assert_eq!(money(reading.usual), expected["expected"], "{name}");
        assert_eq!(money(reading.excess()), expected["excess"], "{name}");
        assert_eq!(money(reading.highest_earlier_excess), expected["highest_excess"], "{name}");
        assert_eq!(reading.passes_floor(floor), expected["passes"]["floor"], "{name}");
        assert_eq!(reading.reaches(times), expected["passes"]["factor"], "{name}");
        assert_eq!(reading.is_highest(), expected["passes"]["highest"], "{name}");
        assert_eq!(reading.is_spike(times, floor), expected["spike"], "{name}");
        assert_eq!(money(reading.rate), expected["rate_per_day"], "{name}");
        let times = reading.times().map_or(Value::Null, money);
        assert_eq!(times, expected["times_the_usual"], "{name}");
        let Some(last) = expected["rates_of_the_last_days"].as_array() else { continue };
        let first: Date = last[0][0].as_str().unwrap().parse().unwrap();
        let found: Vec<_> = rates
            .days
            .range(first..)
            .map(|(day, rate)| serde_json::json!([day.to_string(), money(rate.rate)]))
            .collect();
        assert_eq!(found, *last, "{name}");
    }
}

/// The same in another way, from the definition, without an eye on speed: which days a rate is
/// given to, and the whole verdict on the last of them.
mod naive {
    use std::collections::HashMap;

    use jiff::civil::Date;
    use jiff::{Timestamp, ToSpan as _};
    use rust_decimal::{Decimal, RoundingStrategy};

    use super::{CostDate, day};

    /// By day: the rate and the place of its date.
    pub(super) fn rates(dates: &[CostDate]) -> (HashMap<Date, (Decimal, usize)>, bool) {
        let mut sorted = dates.to_vec();
        sorted.sort_by_key(|date| date.at);
        let mut counted: Vec<CostDate> = Vec::new();
        for date in sorted {
            if counted.last().is_some_and(|before| day(before.at) == day(date.at)) {
                counted.pop();
            }
            counted.push(date);
        }
        let (mut days, mut gave) = (HashMap::new(), false);
        let mut state: Option<(Timestamp, Timestamp, Decimal, Option<Timestamp>)> = None;
        let mut last = None;
        for (place, date) in counted.iter().enumerate() {
            gave = false;
            if state.is_none_or(|(start, ..)| start != date.start) {
                if state.is_none() || !date.is_start_known {
                    state = Some((date.start, date.at, date.cost, None));
                    continue;
                }
                state = Some((date.start, date.start, Decimal::ZERO, None));
            }
            let (start, before, peak, below) = state.unwrap();
            let seconds = date.at.duration_since(before).as_secs();
            if seconds < 12 * 3600 {
                continue;
            }
            if date.cost < peak {
                let since = below.unwrap_or(date.at);
                let accepted = date.at.duration_since(since).as_secs() >= 72 * 3600;
                state = Some(if accepted {
                    (start, date.at, date.cost, None)
                } else {
                    (start, before, peak, Some(since))
                });
                continue;
            }
            state = Some((start, before, peak, None));
            let far = seconds > 72 * 3600;
            let spends = last.is_some_and(|last| last != Decimal::ZERO);
            if date.cost == peak && spends && !far {
                continue;
            }
            if date.cost > peak && far {
                state = Some((start, date.at, date.cost, None));
                continue;
            }
            let rate = ((date.cost - peak) * Decimal::from(86_400) / Decimal::from(seconds))
                .round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
            let shares = ((seconds + 43_200) / 86_400).max(1);
            for back in 0..shares {
                let given = day(date.at) - back.days();
                if given > day(before) || (before == start && given == day(before)) {
                    days.insert(given, (rate, place));
                }
            }
            (state, last, gave) = (Some((start, date.at, date.cost, None)), Some(rate), true);
        }
        (days, gave)
    }

    fn median(mut rates: Vec<Decimal>) -> Decimal {
        rates.sort();
        let (low, high) = (rates[(rates.len() - 1) / 2], rates[rates.len() / 2]);
        (low + high) / Decimal::TWO
    }

    /// Whether the day is a spike; none where it cannot be said.
    pub(super) fn is_spike(
        dates: &[CostDate],
        spikes: &[Date],
        today: Date,
        (times, floor): (Decimal, Decimal),
    ) -> Option<bool> {
        let (rates, gave) = rates(dates);
        let (rate, place) = *rates.get(&today).filter(|_| gave)?;
        let young = |spike: &&Date| **spike > today - 14.days();
        let left_out: Vec<usize> =
            spikes.iter().filter(young).filter_map(|day| Some(rates.get(day)?.1)).collect();
        let base: Vec<(Date, Decimal)> = (1..=35)
            .map(|back| today - back.days())
            .filter_map(|day| rates.get(&day).map(|(rate, of)| (day, *rate, *of)))
            .filter(|(_, _, of)| *of != place && !left_out.contains(of))
            .map(|(day, rate, _)| (day, rate))
            .collect();
        if base.len() < 7 {
            return None;
        }
        let usual = |on: Date| {
            let all = median(base.iter().map(|(_, rate)| *rate).collect());
            let same: Vec<_> = base
                .iter()
                .filter(|(day, _)| day.weekday() == on.weekday())
                .map(|(_, rate)| *rate)
                .collect();
            if same.len() < 3 { all } else { all.max(median(same)) }
        };
        let highest = base.iter().map(|(day, rate)| rate - usual(*day)).max().unwrap();
        let excess = rate - usual(today);
        let same = base.iter().filter(|(day, _)| day.weekday() == today.weekday());
        let same: Vec<_> = same.map(|(_, rate)| *rate).collect();
        let like_them = same.len() < 3 && same.iter().any(|one| rate < times * *one);
        Some(
            excess >= floor
                && rate >= times * usual(today)
                && !like_them
                && excess * Decimal::TEN > highest.max(Decimal::ZERO) * Decimal::from(11),
        )
    }
}

/// A year or so of one customer: dates about a day apart, now and then missing, late, close or at
/// midnight; costs that rise, stand still, fall back or leap.
fn series() -> impl Strategy<Value = Vec<CostDate>> {
    let gap = prop_oneof![
        6 => Just(24 * 3600_i64),
        2 => 20 * 3600_i64..28 * 3600,
        1 => Just(48 * 3600),
        1 => 1_i64..100 * 3600,
    ];
    let rise = prop_oneof![
        8 => 30_i64..60,
        2 => Just(0),
        1 => -50_i64..0,
        1 => 100_i64..5_000,
    ];
    let step = (gap, rise, 0_i64..100);
    (0_i64..86_400, prop::collection::vec(step, 1..90), any::<bool>()).prop_map(
        |(first, steps, is_start_known)| {
            let mut when = Timestamp::from_second(1_790_812_800 + first).unwrap();
            let (mut cost, mut start) = (Decimal::ZERO, month(when));
            let mut dates = Vec::new();
            for (gap, rise, cents) in steps {
                when += SignedDuration::from_secs(gap);
                if month(when) != start {
                    (start, cost) = (month(when), Decimal::ZERO);
                }
                cost = (cost + Decimal::new(rise * 100 + cents, 2)).max(Decimal::ZERO);
                dates.push(CostDate { at: when, cost, start, is_start_known });
            }
            dates
        },
    )
}

fn month(at: Timestamp) -> Timestamp {
    BillingPeriod::calendar_month(at, PeriodSource::CalendarMonth).start
}

/// The days that are spikes, each judged when it was the newest.
fn spikes(dates: &[CostDate], times: Decimal, floor: Floor) -> Vec<SpikeDay> {
    let mut found: Vec<SpikeDay> = Vec::new();
    for newest in 1..=dates.len() {
        let today = day(dates[newest - 1].at);
        let rates = DayRates::of(&dates[..newest]);
        let reading = Reading::of(&rates, &found, today).filter(|_| rates.newest.is_none());
        let is_known = found.iter().any(|spike| spike.day == today);
        if let Some(Ok(reading)) = reading
            && reading.is_spike(times, floor)
            && !is_known
        {
            found.push(SpikeDay { day: today, mark: None });
        }
    }
    found
}

const TIMES: Decimal = Decimal::from_parts(3, 0, 0, false, 0);
const FLOOR: Decimal = Decimal::from_parts(100, 0, 0, false, 0);

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(250) })]

    #[test]
    fn another_way_to_compute_it_says_the_same(dates in series()) {
        let mut found: Vec<SpikeDay> = Vec::new();
        for newest in 1..=dates.len() {
            let (known, today) = (&dates[..newest], day(dates[newest - 1].at));
            let days: Vec<_> = found.iter().map(|spike| spike.day).collect();
            let naive = naive::is_spike(known, &days, today, (TIMES, FLOOR));
            let rates = DayRates::of(known);
            let reading = Reading::of(&rates, &found, today).filter(|_| rates.newest.is_none());
            let ours = reading.and_then(Result::ok).map(|it| it.is_spike(TIMES, Floor(FLOOR)));
            prop_assert_eq!(ours, naive, "day {}", today);
            if ours == Some(true) && !days.contains(&today) {
                found.push(SpikeDay { day: today, mark: None });
            }
        }
    }

    #[test]
    fn of_whole_days_the_unit_of_money_changes_nothing(
        steps in prop::collection::vec((1_i64..3, prop_oneof![8 => 20_i64..60, 1 => 100_i64..5_000]), 20..80),
    ) {
        // Nothing is rounded: a rise of an even number of cents in one or two whole days.
        let (mut when, mut cost) = ("2026-10-01T17:00:00Z".parse::<Timestamp>().unwrap(), Decimal::ZERO);
        let start = when;
        let dates: Vec<_> = steps.iter().map(|(days, rise)| {
            when += SignedDuration::from_hours(24 * days);
            cost += Decimal::from(rise * 2);
            CostDate { at: when, cost, start, is_start_known: false }
        }).collect();
        let scaled: Vec<_> =
            dates.iter().map(|date| CostDate { cost: date.cost * Decimal::TEN, ..*date }).collect();
        let tenfold = spikes(&scaled, TIMES, Floor(FLOOR * Decimal::TEN));
        prop_assert_eq!(spikes(&dates, TIMES, Floor(FLOOR)), tenfold);
    }

    #[test]
    fn the_order_of_arrival_and_the_same_date_again_change_no_rate(
        dates in series(), seed in any::<u64>(),
    ) {
        let mut again: Vec<_> = dates.iter().chain(&dates).copied().collect();
        let length = again.len();
        for place in 0..length {
            let other = usize::try_from(seed.wrapping_mul(place as u64 + 7) % length as u64).unwrap();
            again.swap(place, other);
        }
        prop_assert_eq!(DayRates::of(&again), DayRates::of(&dates));
    }

    #[test]
    fn of_steady_spending_a_correction_alone_never_fires(
        cost in 1_i64..10_000, correction in 0_i64..100, back in 10_usize..25,
    ) {
        let start: Timestamp = "2026-10-01T00:00:00Z".parse().unwrap();
        let steady = (1..=30_i64).map(|number| CostDate {
            at: start + SignedDuration::from_hours(24 * number - 7),
            cost: Decimal::from(cost * number),
            start,
            is_start_known: true,
        });
        let mut dates: Vec<_> = steady.collect();
        dates[back].cost -= Decimal::from(cost * correction / 100);
        prop_assert_eq!(spikes(&dates, TIMES, Floor(Decimal::ONE)), vec![]);
    }

    #[test]
    fn no_cost_is_too_large(costs in prop::collection::vec(any::<[u32; 3]>(), 1..60)) {
        let start: Timestamp = "2026-10-01T00:00:00Z".parse().unwrap();
        let dates: Vec<_> = costs.iter().zip(1_u32..).map(|([lo, mid, hi], number)| CostDate {
            at: start + SignedDuration::from_hours(24 * i64::from(number)),
            cost: Decimal::from_parts(*lo, *mid, *hi, number % 7 == 0, number % 28),
            start,
            is_start_known: true,
        }).collect();
        spikes(&dates, TIMES, Floor(Decimal::ONE));
    }
}
