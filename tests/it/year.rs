//! A simulated year of many customers, judged by the program's own stages and by an independent,
//! naive model of what it promises: both must raise the same alerts.
//!
//! It is the same year each time, so that a change that breaks nothing never fails;
//! `BUDGET_ALERTD_SEED` takes another one, `any` one that nobody has seen before.
//! `BUDGET_ALERTD_CUSTOMERS` takes more customers, or fewer.
#![allow(
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::inconsistent_digit_grouping,
    reason = "small numbers, and amounts in hundredths"
)]

mod life;
mod model;
mod random;
mod rules;

use std::fmt::Write as _;

use budget_alertd::alerting::NewAlert;
use budget_alertd::analysis::Replay;
use budget_alertd::config::{self, Config, Environment};
use budget_alertd::domain::{Currency, CustomerId, LegacyCycle, Plan, UsageDate, UsageRecord};
use jiff::{SignedDuration, Timestamp};
use life::{Life, Person, Usage};
use model::{Model, Told};

const DAYS: usize = 365;
const SEED: u64 = 5_718_774_503_576_027_619;
const CUSTOMERS: u64 = 500;

#[test]
fn a_year_raises_what_the_naive_model_wants_and_nothing_twice() {
    let said = |name: &str| std::env::var(name).ok();
    let seed = said("BUDGET_ALERTD_SEED")
        .map_or(SEED, |text| if text == "any" { any_seed() } else { text.parse().unwrap() });
    let customers = said("BUDGET_ALERTD_CUSTOMERS").map_or(CUSTOMERS, |text| text.parse().unwrap());
    println!("a year of {customers} customers, BUDGET_ALERTD_SEED={seed}");
    // The two share nothing but the seed.
    let (mut raised, mut wanted) = std::thread::scope(|scope| {
        let replayed = scope.spawn(|| replayed(seed, customers));
        let wanted = modelled(seed, customers);
        (replayed.join().unwrap(), wanted)
    });
    raised.sort();
    wanted.sort();
    each_key_once(&raised);
    assert!(raised.len() as u64 > customers * 5, "a year that says nothing");
    let differences = differences(&raised, &wanted);
    assert!(differences.is_empty(), "{differences}");
}

/// One that nobody has seen before.
fn any_seed() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

fn poll_at(day: usize) -> Timestamp {
    "2025-01-10T08:00:00Z".parse::<Timestamp>().unwrap()
        + SignedDuration::from_hours(24 * day as i64)
}

/// What the naive model wants.
fn modelled(seed: u64, customers: u64) -> Vec<Told> {
    let mut told = Vec::new();
    for index in 0..customers {
        let mut life = Life::new(seed, index);
        let mut model = Model::new(life.person.clone());
        for day in 0..DAYS {
            told.extend(model.poll(day, &life.day(poll_at(day))));
        }
    }
    told
}

/// What the program raises.
fn replayed(seed: u64, customers: u64) -> Vec<Told> {
    let config = configuration(customers);
    let mut replay = Replay::new(&config.budgets, &config.rules);
    let mut lives: Vec<Life> = (0..customers).map(|index| Life::new(seed, index)).collect();
    for life in &lives {
        if life.person.cycle_day.is_some() {
            let (start, end) = life.person.period(poll_at(0));
            let day = |at: Timestamp| at.in_tz("America/Los_Angeles").unwrap().date();
            let cycle = LegacyCycle::try_new(day(start), day(end).yesterday().unwrap()).unwrap();
            replay.know_cycle(&CustomerId::try_new(&*life.person.id).unwrap(), cycle);
        }
    }
    let mut told = Vec::new();
    for day in 0..DAYS {
        let now = poll_at(day);
        let records = lives.iter_mut().flat_map(|life| {
            let usages = life.day(now);
            usages.iter().map(|usage| record(&life.person, usage)).collect::<Vec<_>>()
        });
        told.extend(replay.poll(now, records).raised.into_iter().map(|new| as_told(day, new)));
    }
    told
}

fn configuration(customers: u64) -> Config {
    let mut toml = rules::TOML.to_owned();
    for person in (0..customers).map(Person::new) {
        let mut keys = String::new();
        if let Some((amount, currency)) = person.local_budget {
            writeln!(keys, "budget = {{ amount = {amount}, currency = \"{currency}\" }}").unwrap();
        }
        if let Some(currency) = person.local_currency {
            writeln!(keys, "currency = \"{currency}\"").unwrap();
        }
        if person.gold {
            keys.push_str("tags = [\"gold\"]\nnotify = [\"account\"]\n");
        }
        if person.muted {
            keys.push_str("mute_rules = [\"total\"]\n");
        }
        if !keys.is_empty() {
            write!(toml, "[customers.\"{}\"]\n{keys}", person.id.to_uppercase()).unwrap();
        }
    }
    config::parse(&toml, "year.toml".as_ref(), &Environment::default())
        .unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn record(person: &Person, usage: &Usage) -> UsageRecord {
    UsageRecord {
        customer: CustomerId::try_new(&*person.id).unwrap(),
        subscription: None,
        name: person.name.clone(),
        plan: if person.legacy { Plan::Legacy } else { Plan::AzurePlan },
        cost: usage.cost,
        currency: person.currency.map(|code| Currency::try_new(code).unwrap()),
        usd_cost: usage.usd,
        budget: usage.budget,
        reported_percent: usage.percent,
        usage_as_of: UsageDate::at(usage.date),
    }
}

fn as_told(poll: usize, new: NewAlert) -> Told {
    let alert = new.snapshot.alert;
    let mut notify: Vec<String> = new.notify.iter().map(ToString::to_string).collect();
    notify.sort();
    Told {
        customer: alert.customer.id.as_str().to_owned(),
        poll,
        value: alert.number(),
        passed: alert.passed,
        rule: alert.rule,
        at: alert.threshold,
        period: (alert.billing_period.start, alert.billing_period.end),
        budget: alert.budget.map(|budget| budget.amount),
        severity: alert.severity.as_str().to_owned(),
        notify,
        baseline: alert.baseline,
    }
}

/// Nothing is told twice: not the same step of the same rule in the same period under the same
/// amount.
fn each_key_once(raised: &[Told]) {
    let reads_budget = |rule: &str| matches!(rule, "spend" | "once" | "left" | "over");
    let mut keys: Vec<_> = raised
        .iter()
        .map(|told| {
            (
                &told.customer,
                &told.rule,
                told.at,
                told.period,
                told.budget.filter(|_| reads_budget(&told.rule)),
            )
        })
        .collect();
    keys.sort();
    let twice: Vec<_> =
        keys.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| &pair[0]).collect();
    assert!(twice.is_empty(), "{} keys alerted twice, the first: {:?}", twice.len(), twice[0]);
}

/// The alerts that only one of the two has: how many, and those of the first few customers.
fn differences(raised: &[Told], wanted: &[Told]) -> String {
    let mut text = String::new();
    let mut customers = std::collections::BTreeSet::new();
    let mut number = 0;
    for (what, some, others) in
        [("only the program", raised, wanted), ("only the model", wanted, raised)]
    {
        for told in some.iter().filter(|told| others.binary_search(told).is_err()) {
            number += 1;
            customers.insert(&told.customer);
            if customers.len() <= 5 {
                writeln!(text, "{what}: {told:?}").unwrap();
            }
        }
    }
    if number > 0 {
        format!("{number} differences, {} customers\n{text}", customers.len())
    } else {
        text
    }
}
