//! A notifier that is shown what is open: what it sees after polls, after restarts, and after it
//! was away.

use std::sync::Arc;
use std::time::Duration;

use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::daemon::assemble;
use budget_alertd::ledger::Reader;
use budget_alertd::simulator::{Fault, HttpReceiver};
use serde_json::Value;

use crate::support::world::{Record, World, plan};

const DAY: &str = "2019-09-17T00:00:00Z";

struct Shown {
    world: World,
    alertmanager: HttpReceiver,
    /// How many requests were looked at.
    seen: usize,
}

fn shown() -> Shown {
    let clock: Arc<dyn Clock> = SimulatedClock::starting_at(DAY.parse().unwrap());
    let alertmanager = HttpReceiver::start(clock).unwrap();
    let world = World::new(&format!(
        "[rules.spend]\nmetric = \"percent_used\"\nnotify = [\"board\"]\nsteps = [{{ at = 80 }}, \
            {{ at = 100, severity = \"critical\" }}]\n[operator]\nnotify = \
            [\"board\"]\n[notifiers.board]\ntype = \"alertmanager\"\nurl = \"{}\"\n",
        alertmanager.url("/prefix/")
    ));
    Shown { world, alertmanager, seen: 0 }
}

impl Shown {
    /// Polls after so many minutes.
    async fn poll(&self, minutes: i64, records: &[(&str, &str, &str)]) {
        let at = (DAY.parse::<jiff::Timestamp>().unwrap()
            + jiff::SignedDuration::from_mins(minutes))
        .max(self.world.clock.now())
        .to_string();
        let records: Vec<Record> =
            records.iter().map(|(id, cost, budget)| plan(id, cost, budget, &at)).collect();
        self.world.poll(&at, &records).await;
    }

    /// Shows what is open, by a process of its own; says how long until the next time.
    async fn show(&self) -> Duration {
        let ledger = self.world.ledger();
        let clock = Arc::clone(&self.world.clock) as Arc<dyn Clock>;
        let mut mirrors =
            assemble(&self.world.config(), &ledger, &clock, &self.world.metrics).unwrap().mirrors;
        let wait = mirrors[0].step(&|| false).await.unwrap();
        ledger.close().await.unwrap();
        wait
    }

    /// What was newly shown, a line each: what it is about, and in how many minutes it ends.
    fn news(&mut self) -> Vec<String> {
        let now = self.world.clock.now();
        let requests = self.alertmanager.received();
        let new = requests[self.seen..].iter().flat_map(|request| {
            assert_eq!(
                (request.method.as_str(), request.path.as_str()),
                ("POST", "/prefix/api/v2/alerts")
            );
            serde_json::from_slice::<Vec<Value>>(&request.body).unwrap()
        });
        let line = |alert: Value| {
            let label = |name: &str| alert["labels"][name].as_str().unwrap_or_default().to_owned();
            let ends_at: jiff::Timestamp = alert["endsAt"].as_str().unwrap().parse().unwrap();
            let what = if label("code").is_empty() {
                format!("{} {}", label("customer_id"), label("threshold"))
            } else {
                label("code")
            };
            format!("{what} {:+}", ends_at.duration_since(now).as_mins())
        };
        let lines = new.map(line).collect();
        self.seen = requests.len();
        lines
    }

    fn findings(&self) -> Vec<String> {
        let findings = Reader::open(&self.world.config().ledger).unwrap().findings().unwrap();
        findings.into_iter().map(|open| open.finding.summary).collect()
    }
}

#[tokio::test]
async fn what_is_open_is_shown_again_and_again_for_three_polls_ahead_and_nothing_is_owed() {
    let mut shown = shown();
    shown.poll(0, &[("A", "85", "100"), ("B", "1", "100"), ("C", "101", "100")]).await;
    assert_eq!(shown.show().await, Duration::from_hours(1));
    assert_eq!(shown.news(), ["C 100 +180", "A 80 +180"]);
    shown.poll(60, &[("A", "102", "100"), ("B", "1", "100"), ("C", "101", "100")]).await;
    shown.show().await;
    assert_eq!(shown.news(), ["A 100 +180", "C 100 +180", "A 80 +180"]);
    assert_eq!(shown.world.owed("board").await, []);
}

#[tokio::test]
async fn labels_say_what_it_is_about_and_annotations_how_much() {
    let mut shown = shown();
    shown.poll(0, &[("A", "85", "100")]).await;
    shown.show().await;
    shown.poll(60, &[("A", "90", "100")]).await;
    shown.show().await;
    let alerts: Vec<Value> = shown
        .alertmanager
        .received()
        .iter()
        .map(|request| serde_json::from_slice::<Vec<Value>>(&request.body).unwrap().remove(0))
        .collect();
    assert_eq!(alerts[0]["labels"], alerts[1]["labels"], "so that it is one alert there");
    assert_eq!(
        alerts[0]["labels"],
        serde_json::json!({
            "alertname": "BudgetAlert", "severity": "warning", "customer": "Customer A", "customer_id": "A", "rule": "spend",
            "metric": "percent_used", "threshold": "80", "billing_period": "2019-09-01"
        })
    );
    let annotations = &alerts[0]["annotations"];
    assert_eq!(
        (&annotations["percent"], &annotations["cost"], &annotations["budget"]),
        (&"85".into(), &"85".into(), &"100".into())
    );
    assert!(
        annotations["summary"].as_str().unwrap().starts_with("WARNING Customer A 85% of budget"),
        "{annotations}"
    );
    assert_eq!(alerts[0]["startsAt"], "2019-09-17T00:00:00Z");
    assert_eq!(shown.news().len(), 2);
}

#[tokio::test]
async fn what_has_ended_is_shown_as_over_for_five_minutes_and_at_least_once() {
    let mut shown = shown();
    shown.poll(0, &[("A", "85", "100")]).await;
    shown.show().await;
    shown.poll(60, &[("A", "85", "1000")]).await;
    assert_eq!(shown.show().await, Duration::from_mins(1), "it is shown soon again");
    assert_eq!(shown.news(), ["A 80 +120", "A 80 +0"]);
    shown.world.clock.advance(Duration::from_mins(4));
    shown.show().await;
    assert_eq!(shown.news(), ["A 80 -4"]);
    shown.world.clock.advance(Duration::from_mins(6));
    shown.show().await;
    assert_eq!(shown.news(), ["A 80 -10"], "once after the time before it was shown");
    shown.world.clock.advance(Duration::from_mins(6));
    assert_eq!(shown.show().await, Duration::from_hours(1));
    assert_eq!(shown.news(), Vec::<String>::new());
}

#[tokio::test]
async fn an_end_while_it_was_away_is_shown_when_it_is_back_by_whatever_process() {
    let mut shown = shown();
    shown.poll(0, &[("A", "85", "100")]).await;
    shown.show().await;
    assert_eq!(shown.news(), ["A 80 +180"]);
    shown.alertmanager.fail(Fault::status(503));
    shown.poll(60, &[("A", "85", "1000")]).await;
    shown.show().await;
    assert!(
        shown.findings()[0].starts_with("notifier \"board\" cannot be shown what is open: 503"),
        "{:?}",
        shown.findings()
    );
    assert_eq!(shown.world.metric("budget_alertd_notifier_in_backoff{notifier=\"board\"}"), "1");
    let attempts = shown.alertmanager.attempts().len();
    assert!(shown.show().await > Duration::ZERO);
    assert_eq!(shown.alertmanager.attempts().len(), attempts, "in backoff nothing is sent");
    shown.alertmanager.heal();
    shown.world.clock.advance(Duration::from_hours(2));
    shown.show().await;
    assert_eq!(shown.news(), ["A 80 -120"], "and nothing that is about itself");
    assert_eq!(
        (
            shown.findings(),
            shown.world.metric("budget_alertd_notifier_in_backoff{notifier=\"board\"}").as_str()
        ),
        (vec![], "0")
    );
}

#[tokio::test]
async fn what_ended_and_came_again_is_open() {
    let mut shown = shown();
    shown.poll(0, &[("A", "85", "100")]).await;
    shown.poll(60, &[("A", "85", "200")]).await;
    shown.poll(61, &[("A", "165", "200")]).await;
    shown.show().await;
    assert_eq!(shown.news(), ["A 80 +180"]);
}

#[tokio::test]
async fn a_rule_that_is_removed_ends_what_it_showed() {
    let mut shown = shown();
    shown.poll(0, &[("A", "85", "100")]).await;
    shown.show().await;
    let url = shown.alertmanager.url("/prefix/");
    shown.world.change_rules(&format!(
        "[rules.other]\nmetric = \"total_cost\"\nnotify = [\"board\"]\nsteps = \
            [{{ at = {{ SEK = 500 }} }}]\n[notifiers.board]\ntype = \"alertmanager\"\nurl = \
            \"{url}\"\n"
    ));
    shown.poll(60, &[("A", "85", "100")]).await;
    shown.show().await;
    assert_eq!(shown.news(), ["A 80 +120", "A 80 +0"]);
}

#[tokio::test]
async fn trouble_with_the_daemon_itself_is_shown_where_the_operator_looks() {
    let mut shown = shown();
    shown.poll(0, &[("A", "1", "100")]).await;
    shown.show().await;
    assert_eq!(shown.news(), Vec::<String>::new());
    // No items where the last good poll had some.
    shown.poll(60, &[]).await;
    shown.show().await;
    assert_eq!(shown.news(), ["usage-empty +180"]);
    shown.poll(120, &[("A", "1", "100")]).await;
    shown.show().await;
    assert_eq!(shown.news(), ["usage-empty +0"]);
}

#[tokio::test]
async fn more_alerts_than_one_request_holds_are_all_shown() {
    let mut shown = shown();
    let ids: Vec<String> = (0..450).map(|number| format!("customer-{number}")).collect();
    let records: Vec<(&str, &str, &str)> =
        ids.iter().map(|id| (id.as_str(), "90", "100")).collect();
    shown.poll(0, &records).await;
    shown.show().await;
    assert_eq!(shown.alertmanager.received().len(), 3);
    let mut lines = shown.news();
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), 450);
}

#[tokio::test]
async fn a_request_that_is_refused_hides_nothing_that_the_others_show() {
    let mut shown = shown();
    let ids: Vec<String> = (0..450).map(|number| format!("customer-{number}")).collect();
    let records: Vec<(&str, &str, &str)> =
        ids.iter().map(|id| (id.as_str(), "90", "100")).collect();
    shown.poll(0, &records).await;
    shown.alertmanager.fail_once(Fault::status(400));
    shown.show().await;
    assert_eq!(shown.news().len(), 250);
    assert!(
        shown.findings()[0].starts_with("notifier \"board\" cannot be shown what is open: 400"),
        "{:?}",
        shown.findings()
    );
    shown.world.clock.advance(Duration::from_mins(1));
    shown.show().await;
    assert_eq!((shown.news().len(), shown.findings().len()), (450, 0));
}
