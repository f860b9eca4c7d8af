//! A replay raises what polls with a real ledger raise: random collections, budgets, rules and dates through both.

use budget_alertd::domain::{AlertSnapshot, Currency, CustomerId, Plan, UsageDate, UsageRecord};
use budget_alertd::pipeline::Replay;
use proptest::prelude::*;
use uuid::Uuid;

use crate::support::world::{Record, SPEND, World, legacy, plan};

const RULES: [&str; 4] = [
    SPEND,
    r#"
[rules.spend]
metric = "percent_used"
notify = ["hook"]
then_every = 50
steps = [{ at = 60 }, { at = 80 }]
[rules.left]
metric = "amount_left"
notify = ["hook"]
rearm = "never"
steps = [{ at = { SEK = 30 } }, { at = { SEK = -20 } }]
"#,
    r#"
[rules.usage]
formerly = "spend"
metric = "percent_used"
notify = ["hook"]
steps = [{ at = 80.0 }, { at = 90 }, { at = 120 }]
[rules.cost]
metric = "total_cost"
notify = ["hook"]
steps = [{ at = { SEK = 50 } }]
then_every = { SEK = 40 }
"#,
    r#"
[rules.spend]
metric = "forecast_percent"
notify = ["hook"]
steps = [{ at = 100 }, { at = 200 }]
[rules.pace]
metric = "pace"
notify = ["hook"]
steps = [{ at = 10 }]
[rules.daily]
metric = "daily_cost"
notify = ["hook"]
steps = [{ at = { SEK = 5 } }, { at = { SEK = 50 } }]
[rules.share]
metric = "daily_percent"
notify = ["hook"]
steps = [{ at = 5 }]
[rules.age]
metric = "stale_hours"
notify = ["hook"]
steps = [{ at = 25 }, { at = 100 }]
"#,
];

/// One poll: what is read, and by which rules it is judged.
#[derive(Debug, Clone)]
struct Poll {
    rules: usize,
    /// Hours since the poll before.
    hours: i64,
    records: Vec<Usage>,
}

#[derive(Debug, Clone)]
struct Usage {
    customer: usize,
    cost: u32,
    budget: Option<u32>,
    /// Hours before the poll.
    age: i64,
}

const CUSTOMERS: [&str; 5] = ["A", "B", "C", "a", "L"];

fn usage() -> impl Strategy<Value = Usage> {
    let budget = prop_oneof![1 => Just(None), 1 => Just(Some(0)), 6 => prop_oneof![Just(50_u32), Just(100), Just(120)].prop_map(Some)];
    (0..CUSTOMERS.len(), 0_u32..200, budget, prop_oneof![4 => 0_i64..30, 1 => 0_i64..900]).prop_map(|(customer, cost, budget, age)| Usage {
        customer,
        cost,
        budget,
        age,
    })
}

fn poll() -> impl Strategy<Value = Poll> {
    let rules = prop_oneof![6 => Just(0_usize), 1 => Just(1), 1 => Just(2), 4 => Just(3)];
    (rules, 1_i64..200, proptest::collection::vec(usage(), 0..7)).prop_map(|(rules, hours, records)| Poll { rules, hours, records })
}

/// The form that the world's source reads.
fn written(usage: &Usage, now: jiff::Timestamp) -> Record {
    let (id, date) = (CUSTOMERS[usage.customer], (now - jiff::SignedDuration::from_hours(usage.age)).to_string());
    let budget = usage.budget.map(|budget| budget.to_string()).unwrap_or_default();
    let kind = if id == "L" { legacy } else { plan };
    kind(id, &usage.cost.to_string(), &budget, &date)
}

/// The record that is read from it.
fn read(record: &Record) -> UsageRecord {
    UsageRecord {
        customer: CustomerId::try_new(&*record.id).unwrap(),
        subscription: None,
        name: format!("Customer {}", record.id),
        plan: if record.legacy { Plan::Legacy } else { Plan::AzurePlan },
        cost: record.cost.parse().unwrap(),
        currency: (!record.legacy).then(|| Currency::try_new("SEK").unwrap()),
        usd_cost: None,
        budget: record.budget.as_ref().map(|budget| budget.parse().unwrap()),
        reported_percent: None,
        usage_as_of: UsageDate::parse(&record.date).unwrap(),
    }
}

/// Without what is random, and in an order that is not.
fn comparable(alerts: impl IntoIterator<Item = AlertSnapshot>) -> Vec<AlertSnapshot> {
    let mut alerts: Vec<AlertSnapshot> = alerts.into_iter().collect();
    for snapshot in &mut alerts {
        snapshot.alert.id = Uuid::nil();
        snapshot.alert.reference = String::new();
    }
    alerts.sort_by_key(|snapshot| (snapshot.alert.customer.id.key(), snapshot.alert.rule.clone()));
    alerts
}

async fn both_agree(polls: Vec<Poll>) {
    let mut world = World::new(RULES[0]);
    let config = world.config();
    let mut replay = Replay::new(&config.budgets, &config.rules);
    let mut now: jiff::Timestamp = "2019-09-20T12:00:00Z".parse().unwrap();
    let mut rules = 0;
    for (number, poll) in polls.into_iter().enumerate() {
        now += jiff::SignedDuration::from_hours(poll.hours);
        // A rule that was renamed does not come back under its old name.
        if rules != 2 && poll.rules != rules {
            rules = poll.rules;
            world.change_rules(RULES[rules]);
            let config = world.config();
            replay.reload(&config.budgets, &config.rules);
        }
        let records: Vec<Record> = poll.records.iter().map(|usage| written(usage, now)).collect();
        let polled = world.report(&now.to_string(), &records).await.alerts;
        let replayed = replay.poll(now, records.iter().map(read)).raised.into_iter().map(|new| new.snapshot);
        let (replayed, polled) = (comparable(replayed), comparable(polled));
        let only = |some: &[AlertSnapshot], others: &[AlertSnapshot]| -> Vec<AlertSnapshot> {
            some.iter().filter(|alert| !others.contains(alert)).cloned().collect()
        };
        assert_eq!(only(&replayed, &polled), only(&polled, &replayed), "poll {number} at {now}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn a_replay_raises_what_polls_raise(polls in proptest::collection::vec(poll(), 1..9)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(both_agree(polls));
    }
}
