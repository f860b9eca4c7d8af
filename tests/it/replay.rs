//! A replay raises and tells what polls with a real ledger raise and tell: random collections,
//! budgets, rules, dates and silences through both.

use std::collections::BTreeSet;

use budget_alertd::analysis::Replay;
use budget_alertd::domain::{
    AlertSnapshot, Currency, CustomerId, CustomerKey, Glob, Plan, Silence, UsageDate, UsageRecord,
};
use proptest::prelude::*;
use rust_decimal::Decimal;
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
    /// What is ordered before it.
    order: Option<Order>,
}

/// What people ask for between polls.
#[derive(Debug, Clone)]
enum Order {
    /// A silence of one customer or of all, for so many hours or until the period's end.
    Silence { customer: Option<usize>, unless_above: Option<u32>, hours: Option<i64> },
    /// The end of the silence with this number.
    Expire(i64),
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
    (0..CUSTOMERS.len(), 0_u32..200, budget, prop_oneof![4 => 0_i64..30, 1 => 0_i64..900])
        .prop_map(|(customer, cost, budget, age)| Usage { customer, cost, budget, age })
}

fn poll() -> impl Strategy<Value = Poll> {
    let rules = prop_oneof![6 => Just(0_usize), 1 => Just(1), 1 => Just(2), 4 => Just(3)];
    let records = proptest::collection::vec(usage(), 0..7);
    (rules, 1_i64..200, records, order()).prop_map(|(rules, hours, records, order)| Poll {
        rules,
        hours,
        records,
        order,
    })
}

fn order() -> impl Strategy<Value = Option<Order>> {
    let customer = prop_oneof![1 => Just(None), 1 => (0..CUSTOMERS.len()).prop_map(Some)];
    let hours = prop_oneof![1 => Just(None), 3 => (1_i64..400).prop_map(Some)];
    let above =
        prop_oneof![2 => Just(None), 1 => prop::sample::select(vec![50, 90, 120]).prop_map(Some)];
    let silence = (customer, above, hours);
    let silence = silence.prop_map(|(customer, unless_above, hours)| Order::Silence {
        customer,
        unless_above,
        hours,
    });
    prop_oneof![3 => Just(None), 2 => silence.prop_map(Some), 1 => (1_i64..4).prop_map(|id| Some(Order::Expire(id)))]
}

fn silence(
    customer: Option<usize>,
    unless_above: Option<u32>,
    hours: Option<i64>,
    now: jiff::Timestamp,
) -> Silence {
    Silence {
        id: 0,
        customers: customer
            .iter()
            .map(|customer| Glob::try_new(CUSTOMERS[*customer]).unwrap())
            .collect(),
        rules: Vec::new(),
        unless_above: unless_above.map(Into::into),
        created_at: now,
        as_of: now,
        ends_at: hours.map(|hours| now + jiff::SignedDuration::from_hours(hours)),
        author: "alice".into(),
        reason: "agreed".into(),
        expired_at: None,
    }
}

async fn obey(order: &Order, world: &World, replay: &mut Replay, now: jiff::Timestamp) {
    let ledger = world.ledger();
    match order {
        Order::Silence { customer, unless_above, hours } => {
            let silence = silence(*customer, *unless_above, *hours, now);
            assert_eq!(replay.silence(silence.clone()), ledger.add_silence(silence).await.unwrap());
        }
        Order::Expire(id) => {
            replay.expire(*id, now);
            ledger.expire_silence(*id, now).await.unwrap();
        }
    }
    ledger.close().await.unwrap();
}

/// The alerts that somebody was told of, by the messages in the ledger: customer, rule, step and
/// date of the data.
async fn told(world: &World) -> BTreeSet<Key> {
    world.owed("hook").await.iter().flat_map(|owed| owed.message.alerts()).map(key).collect()
}

type Key = (CustomerKey, String, Decimal, jiff::Timestamp, Option<Decimal>);

fn key(snapshot: &AlertSnapshot) -> Key {
    let alert = &snapshot.alert;
    let amount = alert.budget.as_ref().map(|budget| budget.amount);
    (alert.key(), alert.rule.clone(), alert.threshold, alert.usage_as_of.instant(), amount)
}

/// The form that the world's source reads.
fn written(usage: &Usage, now: jiff::Timestamp) -> Record {
    let (id, date) = (
        CUSTOMERS[usage.customer],
        (now - jiff::SignedDuration::from_hours(usage.age)).to_string(),
    );
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
    let (mut rules, mut all_told) = (0, BTreeSet::new());
    for (number, poll) in polls.into_iter().enumerate() {
        now += jiff::SignedDuration::from_hours(poll.hours);
        // A rule that was renamed does not come back under its old name.
        if rules != 2 && poll.rules != rules {
            rules = poll.rules;
            world.change_rules(RULES[rules]);
            let config = world.config();
            replay.reload(&config.budgets, &config.rules);
        }
        if let Some(order) = &poll.order {
            obey(order, &world, &mut replay, now).await;
        }
        let records: Vec<Record> = poll.records.iter().map(|usage| written(usage, now)).collect();
        let polled = world.report(&now.to_string(), &records).await.alerts;
        let replayed = replay.poll(now, records.iter().map(read));
        let of_it = replayed.raised.iter().filter(|new| new.is_told()).chain(&replayed.released);
        all_told.extend(of_it.map(|new| key(&new.snapshot)));
        let replayed = replayed.raised.into_iter().map(|new| new.snapshot);
        let (replayed, polled) = (comparable(replayed), comparable(polled));
        let only = |some: &[AlertSnapshot], others: &[AlertSnapshot]| -> Vec<AlertSnapshot> {
            some.iter().filter(|alert| !others.contains(alert)).cloned().collect()
        };
        assert_eq!(only(&replayed, &polled), only(&polled, &replayed), "poll {number} at {now}");
        // The ledger thins dates of the same day after 8 days, and with them the daily rise of data
        // that does not move.
        let comparable = |told: &BTreeSet<Key>| -> BTreeSet<Key> {
            let thinned = |key: &&Key| {
                ["daily", "share"].contains(&&*key.1)
                    && now.duration_since(key.3).as_hours() > 7 * 24
            };
            told.iter().filter(|key| !thinned(key)).cloned().collect()
        };
        assert_eq!(
            comparable(&all_told),
            comparable(&told(&world).await),
            "told by poll {number} at {now}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn a_replay_raises_and_tells_what_polls_do(polls in proptest::collection::vec(poll(), 1..9)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(both_agree(polls));
    }
}
