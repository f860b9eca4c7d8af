//! The ledger over time. 2,000 customers are polled once for each day of three years, under rules
//! that look at days while it is measured: what a poll takes after a day, a year and three, and what a sample of history
//! adds to the file. Then a million customers come, of which 100,000 alert: how soon `run` is ready
//! with that ledger, and what it takes at rest, as with the small one.
//!
//! The ledger is made by the daemon's own polls alone. A million customers with 400 days each would
//! be 400 million samples, which no machine makes in the time of a benchmark: the history is that of
//! 2,000 customers. The days lie in the past of the data; the clock is today's.
//!
//! Prints each figure with its goal; fails only if a poll does not do what it must.
//!
//! `BUDGET_ALERTD` names another binary than the one built here; `DAYS` how many days there are,
//! `CUSTOMERS` and `MANY` how many customers at first, and at last.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    reason = "a benchmark fails by panicking and prints what it measured"
)]

#[path = "../common/goals.rs"]
#[allow(dead_code, reason = "shared with other benchmarks")]
mod goals;
mod house;
#[path = "../../tests/real/process.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod process;
#[path = "../webhook/receiver.rs"]
#[allow(dead_code, reason = "shared with another benchmark")]
mod receiver;
mod rest;
#[path = "../common/running.rs"]
#[allow(dead_code, reason = "shared with another benchmark")]
mod running;
#[path = "../common/timed.rs"]
#[allow(dead_code, reason = "shared with other benchmarks")]
mod timed;
mod usage;

use budget_alertd::clock::SystemClock;
use goals::{Goal, Goals};
use house::House;
use timed::{exponent, median, peak};
use usage::Usage;

const DAYS: usize = 3 * 365;
const CUSTOMERS: usize = 2_000;
const MANY: usize = 1_000_000;
const ROUNDS: usize = 7;

fn main() {
    let [days, customers, many] =
        [("DAYS", DAYS), ("CUSTOMERS", CUSTOMERS), ("MANY", MANY)].map(from_environment);
    let (house, mut goals) = (House::new(), Goals::new("age"));
    let mut usage = Usage::new(SystemClock::shared().now(), days.try_into().unwrap(), customers);
    let mut ages = vec![Age::reach(1, None, &house, &mut usage)];
    let small = house.size();
    rest::measure(&house, "small ledger", &mut goals);
    for age in [days / 3, days] {
        ages.push(Age::reach(age, ages.last(), &house, &mut usage));
    }
    let samples = (days - ages[0].days as usize) * customers;
    let sample = (house.size() - small) as f64 / samples as f64;
    let what = "ledger size, what a day adds for a customer";
    goals.hold(what, sample, "B", Goal::AtMost(40.0));
    for (pair, years) in ages.windows(2).zip(["first year", "two more"]) {
        let of =
            |of: fn(&Age) -> f64| exponent(of(&pair[0]), of(&pair[1]), pair[1].days / pair[0].days);
        println!(
            "  exponent of time by age, {years}: {:.2} unchanged, {:.2} all changed",
            of(|age| age.unchanged),
            of(|age| age.changed)
        );
    }

    let alerts = usage.write_many(&house.usage(), many);
    let run = house.poll(many, alerts);
    println!(
        "{many} customers, {alerts} alerts: a poll of {:.1} s, {:.0} MiB; the ledger has {} MiB, with {samples} samples of history",
        run.took.as_secs_f64(),
        peak(&[run]),
        house.size() >> 20,
    );
    rest::measure(&house, "large ledger", &mut goals);
}

fn from_environment((name, otherwise): (&str, usize)) -> usize {
    std::env::var(name).map_or(otherwise, |number| number.parse().unwrap())
}

/// What polls take at an age of the ledger, in seconds.
struct Age {
    days: f64,
    unchanged: f64,
    changed: f64,
}

impl Age {
    /// Lets so many days go by, from one age to the next, and measures: polls of the same bytes,
    /// and the last polls of a new day each; of the first day, those of the days after it.
    fn reach(days: usize, before: Option<&Self>, house: &House, usage: &mut Usage) -> Self {
        let gone = before.map_or(0, |before| before.days as usize);
        let last = days.max(gone + ROUNDS + 1);
        let mut changed = Vec::new();
        for day in gone..last {
            // Days that are not measured go by faster without the rules that look at days; the
            // first poll with them reads everything anew.
            house.rule(day + ROUNDS + 1 >= last);
            usage.next_day(&house.usage());
            changed.push(house.poll(usage.customers(), 0));
        }
        let unchanged: Vec<_> = (0..ROUNDS).map(|_| house.poll(usage.customers(), 0)).collect();
        let changed = changed.split_off(changed.len() - ROUNDS);
        let age =
            Self { days: last as f64, unchanged: median(&unchanged), changed: median(&changed) };
        println!(
            "{last} days of {} customers: unchanged {:.3} s, {:.1} MiB; all changed {:.3} s, {:.1} MiB; ledger {} KiB",
            usage.customers(),
            age.unchanged,
            peak(&unchanged),
            age.changed,
            peak(&changed),
            house.size() >> 10
        );
        age
    }
}
