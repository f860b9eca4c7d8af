//! Days that cost far more than usual: records over days in, alerts out.

use budget_alertd::domain::AlertState;
use budget_alertd::ledger::{AlertFilter, Reader};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::world::{Record, World, plan};

const CASES: &str = include_str!("../../fixtures/spikes.json");

pub(super) fn rule(steps: &str) -> String {
    format!(
        "[rules.spike]\nmetric = \"spike\"\nfloor = {{ SEK = 100 }}\nnotify = [\"hook\"]\nsteps \
            = [{steps}]\n"
    )
}

/// The first reading of a ledger, whose alerts would be marked as the baseline.
async fn begun(world: &World, at: &str) {
    world.poll(at, &[plan("Z", "0", "100", at)]).await;
}

/// An Azure plan customer whose data is dated at 17:00 of each day, polled 5 hours later.
pub(super) struct Days<'a> {
    pub(super) world: &'a World,
    pub(super) next: Timestamp,
    pub(super) cost: i64,
}

impl<'a> Days<'a> {
    /// From 1 October on.
    pub(super) async fn of(world: &'a World) -> Self {
        begun(world, "2026-09-30T00:00:00Z").await;
        Self { world, next: "2026-10-01T17:00:00Z".parse().unwrap(), cost: 0 }
    }

    /// So many days of one cost, in silence.
    pub(super) async fn usual(&mut self, days: u32, cost: i64) {
        for _ in 0..days {
            assert_eq!(self.day(cost).await, "");
        }
    }

    /// One day of this cost.
    pub(super) async fn day(&mut self, cost: i64) -> String {
        if self.next.to_string()[8..10] == *"01" {
            self.cost = 0;
        }
        self.cost += cost;
        let told = self.again(0).await;
        self.next += SignedDuration::from_hours(24);
        told
    }

    /// The day before once more, some hours later and with so much more of cost.
    pub(super) async fn later(&mut self, hours: i64, cost: i64) -> String {
        self.next -= SignedDuration::from_hours(24);
        self.cost += cost;
        let told = self.again(hours).await;
        self.next += SignedDuration::from_hours(24);
        told
    }

    async fn again(&self, hours: i64) -> String {
        let date = self.next + SignedDuration::from_hours(hours);
        let record = self.record(date);
        let poll = date + SignedDuration::from_mins(30);
        self.world.poll(&poll.to_string(), &[record]).await
    }

    fn record(&self, date: Timestamp) -> Record {
        plan("A", &self.cost.to_string(), "100000", &date.to_string())
    }
}

#[tokio::test]
async fn the_worked_cases_are_told_on_the_days_that_were_worked_out() {
    let cases: Value = serde_json::from_str(CASES).unwrap();
    for case in cases["cases"].as_array().unwrap() {
        let world = World::new(&rule("{ at = 3 }"));
        let first = case["dates"][0][0].as_str().unwrap();
        let begin: Timestamp = first.parse().unwrap();
        begun(&world, &(begin - SignedDuration::from_hours(24)).to_string()).await;
        let mut told = Vec::new();
        for date in case["dates"].as_array().unwrap() {
            let (at, cost) = (date[0].as_str().unwrap(), date[1].as_str().unwrap());
            let poll = at.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(5);
            let report = world.report(&poll.to_string(), &[plan("A", cost, "", at)]).await;
            for alert in report.alerts {
                let spike = alert.alert.spike.unwrap();
                assert_eq!(alert.alert.state, AlertState::Raised);
                assert_eq!(spike.day.to_string(), at[..10]);
                told.push(spike.day.to_string());
            }
        }
        assert_eq!(Value::from(told), case["expect"]["told"], "{}", case["name"]);
    }
}

#[tokio::test]
async fn a_spike_is_told_when_it_begins_and_when_it_grows() {
    let world = World::new(&rule("{ at = 3 }, { at = 10, severity = \"critical\" }"));
    let mut days = Days::of(&world).await;
    days.usual(20, 40).await;
    let month = "of 100000, 2026-10-01 .. 2026-11-01 month";
    assert_eq!(days.day(240).await, format!("A spike 3: 6 {month}"));
    assert_eq!(days.day(240).await, "1 duplicate", "it goes on");
    assert_eq!(days.day(260).await, "1 duplicate", "220 is 10 % more than 200");
    assert_eq!(days.day(261).await, format!("A spike 3: 6.53 {month}"));
    assert_eq!(days.day(40).await, "", "the run is over");
    assert_eq!(days.day(240).await, "1 duplicate", "within 7 days");
    days.usual(4, 40).await;
    assert_eq!(days.day(500).await, format!("A spike 10 passed 3: 12.5 {month}\n1 passed"));
}

#[tokio::test]
async fn a_higher_step_on_the_same_day_alerts_and_what_falls_takes_nothing_back() {
    let world = World::new(&rule("{ at = 3 }, { at = 10, severity = \"critical\" }"));
    let mut days = Days::of(&world).await;
    days.usual(20, 40).await;
    let month = "of 100000, 2026-10-01 .. 2026-11-01 month";
    assert_eq!(days.day(200).await, format!("A spike 3: 5 {month}"));
    assert_eq!(days.later(1, 10).await, "1 duplicate", "the same step");
    assert_eq!(days.later(2, 400).await, format!("A spike 10: 14.08 {month}"));
    assert_eq!(days.later(3, -500).await, "", "a correction");
    assert_eq!(days.later(4, 500).await, "1 duplicate");
}

#[tokio::test]
async fn a_steady_poll_with_a_rule_about_spikes_writes_no_more() {
    let world = World::new(&rule("{ at = 3 }"));
    let mut days = Days::of(&world).await;
    days.usual(10, 40).await;
    days.day(400).await;
    for now in ["2026-10-11T23:00:00Z", "2026-10-12T00:00:00Z"] {
        assert_eq!(world.writes_of_a_poll(now).await, ["poll: 2"], "{now}: its time");
    }
}

#[tokio::test]
async fn after_14_days_a_spike_is_the_usual() {
    let world = World::new(&rule("{ at = 3 }"));
    let mut days = Days::of(&world).await;
    days.usual(10, 40).await;
    let month = "of 100000, 2026-10-01 .. 2026-11-01 month";
    assert_eq!(days.day(240).await, format!("A spike 3: 6 {month}"));
    for _ in 2..=14 {
        assert_eq!(days.day(240).await, "1 duplicate");
    }
    days.usual(2, 240).await;
}

#[tokio::test]
async fn a_renamed_rule_knows_what_was_told_and_one_that_comes_back_does_not() {
    let mut world = World::new(&rule("{ at = 3 }"));
    let month = "of 100000, 2026-10-01 .. 2026-11-01 month";
    let mut days = Days::of(&world).await;
    days.usual(10, 40).await;
    assert_eq!(days.day(240).await, format!("A spike 3: 6 {month}"));
    let (next, cost) = (days.next, days.cost);
    let renamed = rule("{ at = 3 }").replace("[rules.spike]", "[rules.rate]\nformerly = \"spike\"");
    world.change_rules(&renamed);
    let mut days = Days { world: &world, next, cost };
    assert_eq!(days.day(240).await, "1 duplicate");
    let (next, cost) = (days.next, days.cost);
    world.change_rules(&rule("{ at = 3 }"));
    let mut days = Days { world: &world, next, cost };
    assert_eq!(days.day(240).await, "", "it finds the days before in what is usual");
}

#[tokio::test]
async fn a_rule_about_spikes_keeps_the_history_that_it_needs() {
    let world = World::new(&format!("{}[ledger]\nretention = \"8d\"\n", rule("{ at = 3 }")));
    let mut days = Days::of(&world).await;
    days.usual(25, 40).await;
    days.day(400).await;
    let alerts = Reader::open(&world.config().ledger).unwrap();
    let alerts = alerts.alerts(&AlertFilter::default()).unwrap();
    let spike = alerts[0].snapshot.alert.spike.unwrap();
    assert_eq!((spike.days, spike.times), (24, Some(10.into())), "the first date has no rate");
}
