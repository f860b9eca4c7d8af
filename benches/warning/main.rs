//! How soon attacks are told of, and how many alarms are false: a simulated year of 10,000 customers
//! under three kinds of rules, judged by the stages of a poll. Fails where the rule about spikes
//! falls behind what the documentation promises of it.
//!
//! `CUSTOMERS=1000` simulates fewer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::print_stdout,
    reason = "a benchmark fails by panicking and prints what it measured; what it simulates is no money"
)]

mod attacks;
mod dice;
mod world;

use std::path::Path;

use budget_alertd::analysis::Replay;
use budget_alertd::config::{Criteria, load_criteria};
use jiff::SignedDuration;

use attacks::{DATES, Kind};
use dice::Dice;
use world::{Attack, Customer, Dated};

const RULES: [&str; 3] = ["spend", "daily", "spike"];
const SPIKE: usize = 2;
/// Daily noise: the deviation of the logarithm.
const NOISES: [f64; 2] = [0.2, 0.5];
/// What is promised of spikes at little noise: found on the first date and by the second, in
/// percent, and false alarms for 1,000 customers and week.
const PROMISED: (f64, f64, f64) = (94.0, 99.0, 1.0);

/// What came of one kind of attack under one rule.
#[derive(Default, Clone)]
struct Warned {
    attacks: usize,
    first: usize,
    second: usize,
    /// Hours until the message, and what was lost by then, of each that was found.
    found: Vec<(f64, f64)>,
}

/// What came of all customers.
#[derive(Clone)]
struct Year {
    weeks: f64,
    /// By rule.
    alarms: [usize; RULES.len()],
    /// By kind and rule.
    warned: Vec<[Warned; RULES.len()]>,
}

impl Year {
    fn new() -> Self {
        let warned = vec![<[Warned; RULES.len()]>::default(); Kind::ALL.len()];
        Self { weeks: 0.0, alarms: [0; RULES.len()], warned }
    }

    /// These and those.
    fn and(mut self, other: Self) -> Self {
        self.weeks += other.weeks;
        for (mine, its) in self.alarms.iter_mut().zip(other.alarms) {
            *mine += its;
        }
        let pairs = self.warned.iter_mut().flatten().zip(other.warned.into_iter().flatten());
        for (mine, its) in pairs {
            mine.attacks += its.attacks;
            mine.first += its.first;
            mine.second += its.second;
            mine.found.extend(its.found);
        }
        self
    }

    fn false_alarms(&self, rule: usize) -> f64 {
        self.alarms[rule] as f64 / self.weeks * 1000.0
    }
}

fn main() {
    let customers = std::env::var("CUSTOMERS").map_or(10_000, |number| number.parse().unwrap());
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/warning/alert-rules.toml");
    let criteria = load_criteria(&rules).unwrap();
    let years = NOISES.map(|noise| simulate(customers, noise, &criteria));
    for (noise, year) in NOISES.iter().zip(&years) {
        print(*noise, customers, year);
    }
    let (quiet, (first, second, alarms)) = (&years[0], PROMISED);
    let whole_day = &quiet.warned[0][SPIKE];
    assert!(share(whole_day.first, whole_day.attacks) >= first, "found too late");
    assert!(share(whole_day.second, whole_day.attacks) >= second, "found too few");
    assert!(quiet.false_alarms(SPIKE) <= alarms, "too many false alarms");
}

/// A year of so many customers, on all cores.
fn simulate(customers: u64, noise: f64, criteria: &Criteria) -> Year {
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    std::thread::scope(|scope| {
        let part = |core: u64| {
            let mine = (core..customers).step_by(usize::try_from(cores).unwrap());
            mine.fold(Year::new(), |year, number| year.and(live(number, noise, criteria)))
        };
        let parts: Vec<_> = (0..cores).map(|core| scope.spawn(move || part(core))).collect();
        parts.into_iter().fold(Year::new(), |year, part| year.and(part.join().unwrap()))
    })
}

/// The year of one customer: what is told of it, and of each attack on it.
fn live(number: u64, noise: f64, criteria: &Criteria) -> Year {
    let customer = Customer::new(number, noise);
    let mut dice = Dice::of(u64::MAX - number);
    let attacks = Kind::ALL.map(|kind| kind.on(&customer, &mut dice));
    let mut replay = Replay::new(&criteria.budgets, &criteria.rules);
    let mut year = Year::new();
    year.weeks = customer.dates.len() as f64 / 7.0;
    for (place, dated) in customer.dates.iter().enumerate() {
        for (kind, attack) in attacks.iter().enumerate() {
            if let Some((attack, _)) = attack.as_ref().filter(|(_, first)| *first == place) {
                suffer(&customer, place, attack, replay.clone(), &mut year.warned[kind]);
            }
        }
        for rule in told(&mut replay, &customer, dated, None) {
            year.alarms[rule] += 1;
        }
    }
    year
}

/// Goes on from here with the attack, until every rule has told of it.
fn suffer(
    customer: &Customer,
    place: usize,
    attack: &Attack,
    mut replay: Replay,
    warned: &mut [Warned; RULES.len()],
) {
    let judged = |rule: usize| rule == SPIKE || customer.has_budget();
    let mut is_found = [false; RULES.len()];
    for (rule, warned) in warned.iter_mut().enumerate() {
        warned.attacks += usize::from(judged(rule));
    }
    for (number, dated) in customer.dates[place..].iter().take(DATES).enumerate() {
        for rule in told(&mut replay, customer, dated, Some(attack)) {
            if std::mem::replace(&mut is_found[rule], true) || !judged(rule) {
                continue;
            }
            let lost = attack.cost(attack.from, dated.hour);
            warned[rule].first += usize::from(number == 0);
            warned[rule].second += usize::from(number <= 1);
            warned[rule].found.push((dated.hour - attack.from, lost));
        }
    }
}

/// The rules that tell of a customer when its data of this date is read, half an hour later.
fn told(
    replay: &mut Replay,
    customer: &Customer,
    dated: &Dated,
    attack: Option<&Attack>,
) -> Vec<usize> {
    let now = dated.at + SignedDuration::from_mins(30);
    let polled = replay.poll(now, [customer.record(dated, attack)]);
    let place = |name: &str| RULES.iter().position(|rule| *rule == name).unwrap();
    polled.raised.iter().map(|new| place(&new.snapshot.alert.rule)).collect()
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64 * 100.0
}

/// The middle one of all attacks, those that were not found being the largest.
fn median(mut found: Vec<f64>, of: usize) -> String {
    found.sort_by(f64::total_cmp);
    found.get(of / 2).map_or_else(|| "–".to_owned(), |value| format!("{value:.0}"))
}

fn print(noise: f64, customers: u64, year: &Year) {
    println!("\n{customers} customers, a year, daily noise σ {noise}");
    println!("{:<8}{:>44}", "rule", "alarms without an attack, per 1,000 a week");
    for (rule, name) in RULES.iter().enumerate() {
        println!("{name:<8}{:>44.2}", year.false_alarms(rule));
    }
    for (kind, warned) in Kind::ALL.iter().zip(&year.warned) {
        println!("\n{}", kind.words());
        println!(
            "{:<8}{:>9}{:>11}{:>9}{:>12}{:>14}{:>12}",
            "rule", "attacks", "1st date", "by 2nd", "in 30 days", "hours, median", "lost, median"
        );
        for (name, warned) in RULES.iter().zip(warned) {
            let Warned { attacks, first, second, found } = warned;
            let (hours, lost): (Vec<_>, Vec<_>) = found.iter().copied().unzip();
            println!(
                "{name:<8}{attacks:>9}{:>9.1} %{:>7.1} %{:>10.1} %{:>14}{:>12}",
                share(*first, *attacks),
                share(*second, *attacks),
                share(found.len(), *attacks),
                median(hours, *attacks),
                median(lost, *attacks)
            );
        }
    }
}
