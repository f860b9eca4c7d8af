//! Items that are passed over because their bytes are known say the same as if they had been read.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use crate::support::world::{World, told};

/// Rules of every kind that a record without news may matter to: patterns, ages, spikes, floors.
const RULES: &str = r#"
[rules.spend]
metric = "percent_used"
notify = ["hook"]
steps = [{ at = 50 }, { at = 100, severity = "critical" }]
[rules.spend.match]
customers = ["Customer 1", "Customer 2", "Nobody"]
[rules.money]
metric = "total_cost"
notify = ["hook"]
steps = [{ at = { SEK = 40 } }]
[rules.money.match]
customers = ["Customer 3*", "0*", "Customer *"]
[rules.old]
metric = "stale_hours"
notify = ["hook"]
steps = [{ at = 20 }]
[customers.5]
budget = { amount = 30, currency = "SEK" }
[customers.6]
budget = { amount = 30, currency = "EUR" }
[customers.8]
mute_rules = ["spend"]
"#;

/// How many customers there may be.
const CUSTOMERS: u8 = 9;

/// What becomes of a customer's record between two polls.
#[derive(Debug, Clone, Copy)]
enum Change {
    Same,
    Cost(u8),
    Budget(Option<u8>),
    Name,
    Date,
    Gone,
    Twice,
    /// A percentage that is none, so that the record is odd.
    Odd,
    Cut,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        12 => Just(Change::Same),
        4 => (0_u8..120).prop_map(Change::Cost),
        1 => prop::option::of(1_u8..100).prop_map(Change::Budget),
        1 => Just(Change::Name),
        2 => Just(Change::Date),
        1 => Just(Change::Gone),
        1 => Just(Change::Twice),
        1 => Just(Change::Odd),
        1 => Just(Change::Cut),
    ]
}

#[derive(Debug, Clone)]
struct Poll {
    changes: Vec<Change>,
    hours: u8,
    /// By how much the order is turned.
    turned: u8,
    /// Whether the collection ends too early.
    cut: bool,
}

fn poll() -> impl Strategy<Value = Poll> {
    let changes = prop::collection::vec(change(), usize::from(CUSTOMERS));
    (changes, 1_u8..40, prop_oneof![4 => Just(0), 1 => 0..CUSTOMERS], prop::bool::weighted(0.1))
        .prop_map(|(changes, hours, turned, cut)| Poll { changes, hours, turned, cut })
}

#[derive(Debug, Clone)]
struct Customer {
    number: u8,
    cost: u8,
    budget: Option<u8>,
    named: u8,
    hour: u32,
    copies: u8,
    odd: bool,
    cut: bool,
}

impl Customer {
    fn new(number: u8) -> Self {
        let budget = (number != 4).then_some(60);
        Self { number, cost: 10, budget, named: 0, hour: 0, copies: 1, odd: false, cut: false }
    }

    fn change(&mut self, change: Change, hour: u32) {
        (self.copies, self.odd, self.cut) = (1, false, false);
        match change {
            Change::Same => {}
            Change::Cost(cost) => (self.cost, self.hour) = (cost, hour),
            Change::Budget(budget) => self.budget = budget,
            Change::Name => self.named += 1,
            Change::Date => self.hour = hour,
            Change::Gone => self.copies = 0,
            Change::Twice => self.copies = 2,
            Change::Odd => self.odd = true,
            Change::Cut => self.cut = true,
        }
    }

    /// Its items, with a space more or less that means nothing.
    fn items(&self, space: &str) -> Vec<String> {
        let Self { number, cost, named, .. } = self;
        let budget = self.budget.map_or(String::new(), |budget| format!("\"amount\": {budget}"));
        let name =
            if *named == 0 { format!("Customer {number}") } else { format!("Other {named}") };
        let currency = if *number == 7 { "" } else { ", \"currencyCode\": \"SEK\"" };
        let odd = if self.odd { ", \"percentUsed\": \"many\"" } else { "" };
        let plan = *number != 7;
        let date = at(self.hour);
        (0..self.copies)
            .map(|copy| {
                let cost = if self.cut { "\"none\"".to_owned() } else { (cost + copy).to_string() };
                format!(
                    "{{{space}\"resourceId\": \"{number}\", \"resourceName\": \"{name}\", \
                     \"isUpgraded\": {plan}, \"totalCost\": {cost}, \"budget\": {{{budget}}}, \
                     \"lastModifiedDate\": \"{date}\"{currency}{odd}}}"
                )
            })
            .collect()
    }
}

fn at(hour: u32) -> String {
    let begin: jiff::Timestamp = "2026-10-02T00:00:00Z".parse().unwrap();
    (begin + jiff::SignedDuration::from_hours(i64::from(hour))).to_string()
}

fn collection(customers: &[Customer], poll: &Poll, space: &str) -> String {
    let mut items: Vec<String> = customers.iter().flat_map(|one| one.items(space)).collect();
    let turned = usize::from(poll.turned) % items.len().max(1);
    items.rotate_left(turned);
    let mut text =
        format!("{{\"totalCount\": {}, \"items\": [{}]}}", items.len(), items.join(", "));
    if poll.cut {
        text.truncate(text.len() * 2 / 3);
    }
    text
}

/// All that a poll says and leaves behind, but for what differs between two ledgers or two runs.
async fn outcome(world: &World, now: &str, text: &str) -> String {
    world.write(text);
    let report = world.poll_source(now).await;
    let mut said = format!(
        "{}\n{} records, {} skipped, {:?}, {:?}\n",
        told(&report),
        report.records,
        report.skipped,
        report.newest,
        report.errors
    );
    let metrics = world.metrics.render().unwrap();
    for line in metrics.lines() {
        if ["record_oddities", "records_skipped", "without_coverage", "suppressed", "alerts_total"]
            .iter()
            .any(|name| line.contains(name))
        {
            writeln!(said, "{line}").unwrap();
        }
    }
    for news in world.operator_news("hook").await {
        writeln!(said, "{news}").unwrap();
    }
    let customers = world.run(&["status", "--format", "json"]);
    let status: serde_json::Value = serde_json::from_slice(&customers.stdout).unwrap();
    writeln!(said, "{:#}", status["customers"]).unwrap();
    let beside = world.write_beside("beside", "");
    said.replace(beside.trim_end_matches("beside"), "")
}

#[tokio::test]
async fn what_is_known_by_its_bytes_says_what_it_would_say_if_it_were_read() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let polls = prop::collection::vec(poll(), 6);
    let rules = format!("{RULES}[operator]\nnotify = [\"hook\"]\n");
    for _ in 0..16 {
        let polls = polls.new_tree(&mut runner).unwrap().current();
        let (known, read) = (World::new(&rules), World::new(&rules));
        let mut customers: Vec<Customer> = (0..CUSTOMERS).map(Customer::new).collect();
        let mut hour = 0;
        for (number, poll) in polls.iter().enumerate() {
            hour += u32::from(poll.hours);
            for (customer, change) in customers.iter_mut().zip(&poll.changes) {
                customer.change(*change, hour);
            }
            // The bytes of the second world's items are never those of its last poll.
            let space = if number % 2 == 0 { " " } else { "" };
            let now = at(hour + 1);
            let known = outcome(&known, &now, &collection(&customers, poll, " ")).await;
            let read = outcome(&read, &now, &collection(&customers, poll, space)).await;
            assert_eq!(known, read, "poll {number} of {polls:#?}");
        }
    }
}

/// Whether a poll keeps anew what is known of items.
async fn is_kept_anew(world: &World, now: &str) -> bool {
    let ledger = rusqlite::Connection::open(world.config().ledger.path).unwrap();
    ledger.execute("UPDATE collection_part SET part = part + 1000", ()).unwrap();
    world.poll_source(now).await;
    let sql = "SELECT min(part) FROM collection_part";
    ledger.query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap() < 1000
}

#[tokio::test]
async fn what_is_known_is_kept_anew_only_where_there_is_news() {
    let (one, mut two, three) = (Customer::new(1), Customer::new(2), Customer::new(3));
    two.copies = 2;
    // The first and the third are passed over, the first stands there twice, the second with two
    // costs.
    let collection = |three: &Customer| {
        let all = [three, &one, &one, &two].into_iter().flat_map(|it| it.items(""));
        let items: Vec<String> = all.collect();
        format!("{{\"totalCount\": 5, \"items\": [{}]}}", items.join(", "))
    };
    let world = World::new(RULES);
    world.write(&collection(&three));
    world.poll_source(&at(1)).await;
    world.poll_source(&at(2)).await;
    for hour in 3..6 {
        assert!(!is_kept_anew(&world, &at(hour)).await, "hour {hour}");
    }
    world.write(&collection(&Customer { cost: 11, hour: 5, ..three.clone() }));
    assert!(is_kept_anew(&world, &at(6)).await, "one of them has another cost");
    assert!(!is_kept_anew(&world, &at(7)).await);
}
