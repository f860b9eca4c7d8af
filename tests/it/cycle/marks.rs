//! What people say of spikes, and how spikes end: records over days and orders in, alerts and
//! messages out.

use budget_alertd::actions::AckRequest;
use budget_alertd::alerting::{AsOf, Recording};
use budget_alertd::analysis::{explain, recollect};
use budget_alertd::clock::Clock as _;
use budget_alertd::domain::spike::{RecordedSpike, SpikeMark};
use budget_alertd::domain::{AlertSnapshot, CustomerKey, Glob, Message, Silence};
use budget_alertd::ledger::{AlertFilter, AlertRow, AttemptRecord, Reader};

use super::spikes::Days;
use crate::support::world::{SPEND, World, legacy, plan};

const RULE: &str = r#"
[rules.spike]
metric = "spike"
floor = { SEK = 100 }
notify = ["hook"]
steps = [{ at = 3 }, { at = 10, severity = "critical" }]
[notifiers.hook]
type = "webhook"
url = "http://127.0.0.1:9/"
send_resolved = true
"#;

const MONTH: &str = "of 100000, 2026-10-01 .. 2026-11-01 month";

/// The alerts, the oldest first.
fn alerts(world: &World) -> Vec<AlertRow> {
    let reader = Reader::open(&world.config().ledger).unwrap();
    let mut rows = reader.alerts(&AlertFilter::default()).unwrap();
    rows.reverse();
    rows
}

/// The states of the alerts, the oldest first.
fn states(world: &World) -> String {
    let states =
        alerts(world).iter().map(|row| row.snapshot.alert.state.as_str()).collect::<Vec<_>>();
    states.join(" ")
}

/// What somebody said of each spike day that is remembered of A.
fn marks(world: &World) -> String {
    let day = |spike: &RecordedSpike| {
        let mark = spike.mark().map_or("none", SpikeMark::as_str);
        let ended = spike
            .ended
            .map_or(String::new(), |(day, end)| format!(" {} {}", end.as_str(), day.day()));
        format!("{} {mark}{ended}", spike.day.day())
    };
    spikes(world).iter().map(day).collect::<Vec<_>>().join(", ")
}

/// The spike days that are remembered of A.
fn spikes(world: &World) -> Vec<RecordedSpike> {
    let reader = Reader::open(&world.config().ledger).unwrap();
    let known = reader.find_customer("A").unwrap().remove(0);
    reader.recollection(&known.key()).unwrap().unwrap().spikes
}

/// What a poll writes of these days that it has decided about.
async fn recorded(world: &World, decided: Vec<RecordedSpike>) {
    let (ledger, customer) = (world.ledger(), CustomerKey::of("A"));
    let spikes = decided.into_iter().map(|spike| (customer.clone(), spike)).collect();
    ledger.record(Recording { spikes, ..Recording::default() }).await.unwrap();
    ledger.close().await.unwrap();
}

/// The day after the last one, as it goes on with its run.
fn next_day(spikes: &[RecordedSpike]) -> RecordedSpike {
    let last = spikes.last().unwrap();
    RecordedSpike { day: last.day.tomorrow().unwrap(), told: None, told_at: None, ..last.clone() }
}

/// Says of the newest alert what it was; returns what is refused.
async fn say(world: &World, request: AckRequest) -> Result<(), String> {
    let newest = alerts(world).pop().unwrap().snapshot.alert.reference;
    world.order(AckRequest { alerts: vec![newest], ..request }).await.map(drop)
}

fn expected(until: Option<&str>) -> AckRequest {
    AckRequest {
        spikes: Some(SpikeMark::Expected),
        until: until.map(|day| day.parse().unwrap()),
        reason: Some("load test".to_owned()),
        ..AckRequest::default()
    }
}

fn fraud() -> AckRequest {
    AckRequest { spikes: Some(SpikeMark::Fraud), ..AckRequest::default() }
}

fn undo() -> AckRequest {
    AckRequest { undo: true, ..AckRequest::default() }
}

/// Silences A from now on.
async fn silence_until(world: &World, end: &str) {
    let now = world.clock.now();
    let ledger = world.ledger();
    let silence = Silence {
        id: 0,
        customers: vec![Glob::try_new("a").unwrap()],
        rules: Vec::new(),
        unless_above: None,
        created_at: now,
        as_of: now,
        ends_at: Some(end.parse().unwrap()),
        author: "alice (uid 1000)".into(),
        reason: "migration".into(),
        expired_at: None,
    };
    ledger.add_silence(silence).await.unwrap();
    ledger.close().await.unwrap();
}

/// What is newly owed, without news for the operator; it counts as sent from then on.
async fn sent(world: &World) -> Vec<String> {
    let ledger = world.ledger();
    let mut lines = Vec::new();
    for delivery in ledger.due("hook", Vec::new(), 10_000).await.unwrap() {
        lines.extend(in_words(&delivery.message));
        let accepted = AttemptRecord {
            delivery: delivery.id,
            at: delivery
                .message
                .alerts()
                .first()
                .map_or_else(|| world.clock.now(), |alert| alert.alert.raised_at),
            outcome: "accepted",
            detail: String::new(),
            message: None,
        };
        ledger.mark_sent(accepted).await.unwrap();
    }
    ledger.close().await.unwrap();
    lines.sort_unstable();
    lines
}

/// A line for each alert of a message.
fn in_words(message: &Message) -> Vec<String> {
    let kind = match message {
        Message::Alert(_) | Message::Alerts(_) | Message::Digest(_) => "raised",
        Message::Reminder(_) => "reminder",
        Message::Resolved(_) => "resolved",
        Message::Test(_) | Message::Operator(_) | Message::Report(_) => return Vec::new(),
    };
    let line = |snapshot: &AlertSnapshot| {
        let latest = snapshot.context.latest.as_ref().map(|latest| {
            let latest = serde_json::to_value(latest).unwrap();
            let text = |key: &str| latest[key].as_str().unwrap_or("-").to_owned();
            format!(
                " {}: {} from {} to {}, {} days",
                text("ended"),
                text("excess"),
                text("first_day"),
                text("last_day"),
                latest["days"]
            )
        });
        let day = snapshot.alert.spike.unwrap().day;
        format!("{kind} {day} {}{}", snapshot.alert.threshold, latest.unwrap_or_default())
    };
    message.alerts().iter().map(line).collect()
}

/// Ten days at 40, then two spike days that are told.
async fn attacked(world: &World) -> Days<'_> {
    let mut days = Days::of(world).await;
    days.usual(10, 40).await;
    assert_eq!(days.day(240).await, format!("A spike 3: 6 {MONTH}"));
    assert_eq!(days.day(440).await, format!("A spike 10 passed 3: 11 {MONTH}\n1 passed"));
    assert_eq!(sent(world).await, ["raised 2026-10-11 3", "raised 2026-10-12 10"]);
    days
}

#[tokio::test]
async fn the_end_of_a_run_is_told_once_for_all_its_alerts() {
    let world = World::new(RULE);
    let mut days = attacked(&world).await;
    assert_eq!(days.day(440).await, "1 duplicate");
    assert_eq!(sent(&world).await, [""; 0], "the run goes on");
    days.usual(1, 40).await;
    let over = "usual: 1000 from 2026-10-11 to 2026-10-13, 3 days";
    assert_eq!(
        sent(&world).await,
        [format!("resolved 2026-10-11 3 {over}"), format!("resolved 2026-10-12 10 {over}")]
    );
    days.usual(3, 40).await;
    assert_eq!(sent(&world).await, [""; 0]);
    assert_eq!(states(&world), "resolved resolved");
}

#[tokio::test]
async fn a_run_goes_on_over_the_turn_of_the_month_and_ends_after_14_days_as_the_new_normal() {
    let world = World::new(RULE);
    let mut days = Days::of(&world).await;
    days.usual(25, 40).await;
    assert_eq!(days.day(240).await, format!("A spike 3: 6 {MONTH}"));
    assert_eq!(sent(&world).await, ["raised 2026-10-26 3"]);
    for day in 2..=14 {
        // On the 1st by 17:00, which comes to 240 in 24 hours.
        let cost = if day == 7 { 170 } else { 240 };
        assert_eq!(days.day(cost).await, "1 duplicate");
        assert_eq!((sent(&world).await, &*states(&world)), (vec![], "raised"));
    }
    days.usual(1, 240).await;
    assert_eq!(
        sent(&world).await,
        ["resolved 2026-10-26 3 new-normal: 2800 from 2026-10-26 to 2026-11-08, 14 days"]
    );
    days.usual(3, 240).await;
    assert_eq!((sent(&world).await, &*states(&world)), (vec![], "resolved"));
}

#[tokio::test]
async fn the_new_normal_is_said_only_of_a_run_that_still_goes_on() {
    let world = World::new(RULE);
    let mut days = Days::of(&world).await;
    days.usual(10, 40).await;
    days.day(240).await;
    for _ in 2..=14 {
        days.day(240).await;
    }
    sent(&world).await;
    days.usual(1, 40).await;
    let told = sent(&world).await;
    assert!(told[0].starts_with("resolved 2026-10-11 3 usual: 2800 "), "{told:?}");
}

#[tokio::test]
async fn what_was_expected_is_usual_at_once_and_over() {
    let world = World::new(RULE);
    let mut days = attacked(&world).await;
    say(&world, expected(None)).await.unwrap();
    assert_eq!(marks(&world), "11 expected expected 12, 12 expected expected 12");
    days.usual(1, 440).await;
    let over = "expected: 600 from 2026-10-11 to 2026-10-12, 2 days";
    assert_eq!(
        sent(&world).await,
        [format!("resolved 2026-10-11 3 {over}"), format!("resolved 2026-10-12 10 {over}")]
    );
    assert_eq!(
        days.day(500).await,
        format!("A spike 10 passed 3: 12.5 {MONTH}\n1 passed"),
        "more than 10 % above"
    );
    let rows = alerts(&world);
    let known: Vec<_> = rows.iter().map(|row| row.acknowledged.is_some()).collect();
    assert_eq!(known, [true, true, false], "the alerts of the run");
    let note = rows[0].marked.clone().unwrap();
    assert_eq!(
        (&*note.by, note.reason.as_deref(), note.until),
        ("root (uid 0)", Some("load test"), None)
    );
}

#[tokio::test]
async fn spikes_up_to_a_day_are_expected_and_never_told() {
    let world = World::new(RULE);
    let mut days = attacked(&world).await;
    say(&world, expected(Some("2026-10-14"))).await.unwrap();
    let report = days.day(900).await;
    assert_eq!(report, format!("A spike 10 passed 3: 22.5 {MONTH}\n1 passed"));
    assert_eq!(days.later(2, 300).await, "1 duplicate", "it is marked");
    assert_eq!(days.day(1375).await, format!("A spike 10 passed 3: 37.5 {MONTH}\n1 passed"));
    assert_eq!(states(&world), "resolved resolved silenced silenced");
    let told = sent(&world).await;
    assert!(
        told.iter()
            .all(|line| line.starts_with("resolved 2026-10-1") && line.contains("expected: 600")),
        "{told:?}"
    );
    assert_eq!(
        marks(&world),
        "11 expected expected 12, 12 expected expected 12, 13 expected expected 13, 14 expected expected 14"
    );
    assert_eq!(alerts(&world)[2].marked.as_ref().map(|note| &*note.by), Some("root (uid 0)"));
    // The day after, only what is beyond all that was expected is told.
    days.usual(1, 1500).await;
    assert!(days.day(2000).await.starts_with("A spike 10 passed 3: "));
    assert_eq!(sent(&world).await, ["raised 2026-10-16 10"]);
}

#[tokio::test]
async fn fraud_never_becomes_usual() {
    let world = World::new(RULE);
    let mut days = attacked(&world).await;
    say(&world, fraud()).await.unwrap();
    assert_eq!(marks(&world), "11 fraud, 12 fraud");
    for _ in 3..=20 {
        assert_eq!(days.day(440).await, "1 duplicate");
    }
    assert!(marks(&world).ends_with("29 fraud, 30 fraud"), "{}", marks(&world));
    assert_eq!((sent(&world).await, &*states(&world)), (vec![], "raised raised"));
    days.usual(1, 40).await;
    let over = "usual: 7800 from 2026-10-11 to 2026-10-30, 20 days";
    assert_eq!(
        sent(&world).await,
        [format!("resolved 2026-10-11 3 {over}"), format!("resolved 2026-10-12 10 {over}")]
    );
    days.usual(9, 40).await;
    let again = days.day(440).await;
    assert!(
        again.starts_with("A spike 10 passed 3: 11 of"),
        "as far above the usual as before: {again}"
    );
}

#[tokio::test]
async fn a_later_day_of_fraud_is_told_when_it_grows() {
    let world = World::new(RULE);
    let mut days = Days::of(&world).await;
    days.usual(10, 40).await;
    days.day(240).await;
    assert_eq!(sent(&world).await, ["raised 2026-10-11 3"]);
    say(&world, fraud()).await.unwrap();
    assert_eq!(days.later(1, 300).await, "1 duplicate", "whoever said so knows of this day");
    assert_eq!(days.day(240).await, "1 duplicate");
    assert_eq!(marks(&world), "11 fraud, 12 fraud");
    assert_eq!(days.later(2, 1000).await, format!("A spike 10 passed 3: 29.76 {MONTH}\n1 passed"));
    assert_eq!(days.later(3, 0).await, "1 duplicate");
    assert_eq!(sent(&world).await, ["raised 2026-10-12 10"]);
    assert!(days.day(3000).await.starts_with("A spike 10 passed 3: "));
    assert_eq!(marks(&world), "11 fraud, 12 fraud, 13 fraud");
}

#[tokio::test]
async fn a_later_day_of_fraud_is_told_once_nothing_silences_it() {
    let world = World::new(RULE);
    let mut days = attacked(&world).await;
    say(&world, fraud()).await.unwrap();
    silence_until(&world, "2026-10-13T20:00:00Z").await;
    days.day(900).await;
    assert_eq!((sent(&world).await, &*states(&world)), (vec![], "raised raised silenced"));
    days.later(5, 0).await;
    assert_eq!((sent(&world).await.len(), &*states(&world)), (1, "raised raised raised"));
}

#[tokio::test]
async fn undone_is_as_if_it_had_not_been_said() {
    let world = World::new(RULE);
    let mut days = attacked(&world).await;
    say(&world, expected(Some("2026-10-20"))).await.unwrap();
    say(&world, undo()).await.unwrap();
    assert_eq!(marks(&world), "11 none, 12 none");
    assert!(alerts(&world).iter().all(|row| row.acknowledged.is_none() && row.marked.is_none()));
    assert!(days.day(900).await.starts_with("A spike 10 passed 3: 22.5"), "told again");
    assert_eq!(
        (sent(&world).await, &*states(&world)),
        (vec!["raised 2026-10-13 10".into()], "raised raised raised")
    );
    say(&world, fraud()).await.unwrap();
    say(&world, expected(Some("2026-10-20"))).await.unwrap();
    days.day(2000).await;
    assert_eq!(states(&world), "resolved resolved resolved silenced");
    // What was silenced by it is told now that nothing says that it was expected.
    sent(&world).await;
    say(&world, undo()).await.unwrap();
    assert_eq!(marks(&world), "11 none, 12 none, 13 none, 14 none");
    days.later(1, 0).await;
    assert_eq!(sent(&world).await.len(), 1);
    assert_eq!(states(&world), "resolved resolved resolved raised");
}

#[tokio::test]
async fn what_is_said_while_a_poll_is_under_way_holds_for_what_it_writes() {
    let world = World::new(RULE);
    attacked(&world).await;
    let mut decided = spikes(&world);
    decided.push(next_day(&decided));
    say(&world, fraud()).await.unwrap();
    recorded(&world, decided.clone()).await;
    assert_eq!(marks(&world), "11 fraud, 12 fraud, 13 fraud");
    say(&world, expected(Some("2026-10-14"))).await.unwrap();
    decided.push(next_day(&decided));
    recorded(&world, decided).await;
    assert_eq!(
        marks(&world),
        "11 expected expected 13, 12 expected expected 13, 13 expected expected 13, 14 expected expected 14"
    );
}

#[tokio::test]
async fn what_is_taken_back_while_a_poll_is_under_way_is_not_written_by_it() {
    for request in [fraud(), expected(Some("2026-10-13"))] {
        let world = World::new(RULE);
        attacked(&world).await;
        say(&world, request).await.unwrap();
        let mut decided = spikes(&world);
        decided.push(next_day(&decided));
        say(&world, undo()).await.unwrap();
        recorded(&world, decided).await;
        assert_eq!(marks(&world), "11 none, 12 none, 13 none");
    }
}

#[tokio::test]
async fn what_no_spike_is_and_days_that_make_no_sense_are_refused() {
    let world = World::new(SPEND);
    world.poll("2026-10-02T00:00:00Z", &[plan("A", "85", "100", "2026-10-01T10:00:00Z")]).await;
    let refused = say(&world, fraud()).await.unwrap_err();
    assert!(
        refused.contains("is about percent_used, not about a spike: --expected and --fraud are"),
        "{refused}"
    );
    let world = World::new(RULE);
    attacked(&world).await;
    let refused = say(&world, expected(Some("2026-10-01"))).await.unwrap_err();
    assert!(
        refused.starts_with("2026-10-01 is over: there is data of 2026-10-12 already"),
        "{refused}"
    );
    let refused = say(&world, expected(Some("2027-10-01"))).await.unwrap_err();
    assert!(
        refused.starts_with("2027-10-01 is too far away: name a day up to 2027-01-10, 90 days"),
        "{refused}"
    );
    let until = Some("2026-10-20".parse().unwrap());
    let refused = say(&world, AckRequest { until, ..fraud() }).await.unwrap_err();
    assert!(refused.starts_with("until is for what is expected"), "{refused}");
    let refused = say(&world, AckRequest { undo: true, ..fraud() }).await.unwrap_err();
    assert!(refused.starts_with("undo takes back what was said"), "{refused}");
    assert!(alerts(&world).iter().all(|row| row.acknowledged.is_none() && row.marked.is_none()));
}

#[tokio::test]
async fn a_spike_that_a_silence_hid_counts_as_told_once_it_is_told() {
    let world = World::new(RULE);
    let mut days = Days::of(&world).await;
    days.usual(10, 40).await;
    silence_until(&world, "2026-10-11T20:00:00Z").await;
    days.day(240).await;
    assert_eq!((sent(&world).await, &*states(&world)), (vec![], "silenced"));
    days.later(5, 0).await;
    assert_eq!((sent(&world).await.len(), &*states(&world)), (1, "raised"));
    assert_eq!(days.day(150).await, "1 duplicate", "it was told");
}

#[tokio::test]
async fn another_currency_begins_anew_and_ends_the_run() {
    let world = World::new(&RULE.replace("SEK = 100", "SEK = 100, EUR = 100"));
    attacked(&world).await;
    let euros = |day: u32, cost: u32| {
        let date = format!("2026-10-{day}T17:00:00Z");
        world.write(&format!(
            "{{\"totalCount\": 1, \"items\": [{{\"resourceId\": \"A\", \"resourceName\": \"Customer A\", \"isUpgraded\": true, \
                \"totalCost\": {cost}, \"budget\": {{}}, \"currencyCode\": \"EUR\", \"lastModifiedDate\": \"{date}\"}}]}}"
        ));
        date.replace("17:00", "20:00")
    };
    let report = world.poll_source(&euros(13, 90_000)).await;
    assert!(report.alerts.is_empty(), "{:?}", report.alerts);
    let over = "new-series: 600 from 2026-10-11 to 2026-10-12, 2 days";
    assert_eq!(
        sent(&world).await,
        [format!("resolved 2026-10-11 3 {over}"), format!("resolved 2026-10-12 10 {over}")]
    );
    for day in 14..=20 {
        let cost = 90_000 + (day - 13) * 4;
        assert!(world.poll_source(&euros(day, cost)).await.alerts.is_empty());
    }
    let report = world.poll_source(&euros(21, 90_000 + 28 + 400)).await;
    let spike = report.alerts[0].alert.spike.unwrap();
    assert_eq!(
        (spike.days, spike.usual, spike.rate),
        (7, 4.into(), 400.into()),
        "of the euros alone"
    );
}

#[tokio::test]
async fn another_plan_begins_anew() {
    let rules = RULE.replace("floor = { SEK = 100 }", "floor_percent = 1");
    let world = World::new(&rules);
    let mut days = Days::of(&world).await;
    days.usual(12, 40).await;
    let of_old = |day: u32, cost: u32| {
        let date = format!("2026-10-{day}T17:00:00Z");
        (legacy("A", &cost.to_string(), "10000", &date), date.replace("17:00", "20:00"))
    };
    // Twenty times as much, in the books of another plan.
    let (record, now) = of_old(13, 1280);
    assert_eq!(world.poll(&now, &[record]).await, "");
    let (record, now) = of_old(14, 2080);
    assert_eq!(world.poll(&now, &[record]).await, "", "it is learning");
}

/// What the rule would have said of A at an earlier time.
fn explained_at(world: &World, at: &str) -> String {
    let (config, at) = (world.config(), at.parse().unwrap());
    let reader = Reader::open(&config.ledger).unwrap();
    let key = reader.find_customer("A").unwrap().remove(0).key();
    let today = reader.recollection(&key).unwrap().unwrap();
    let history = reader.history(&key).unwrap();
    let raised = alerts(world).into_iter().map(|row| row.snapshot.alert);
    let raised: Vec<_> =
        raised.filter(|alert| alert.raised_at <= at).map(|alert| alert.id).collect();
    let then = recollect(&config.budgets, &today, &history, &raised, at).unwrap();
    let time = AsOf { now: at, newest: Some(at) };
    let told = explain(&config.budgets, &config.rules, &then, &[], time);
    told.rules[0].reason.code().to_owned()
}

#[tokio::test]
async fn an_explanation_of_an_earlier_time_knows_nothing_of_what_came_later() {
    let world = World::new(RULE);
    let mut days = attacked(&world).await;
    let then = "2026-10-12T20:00:00Z";
    assert_eq!(explained_at(&world, then), "already-raised");
    days.usual(1, 40).await;
    world.clock.advance_to("2026-10-14T10:00:00Z".parse().unwrap());
    say(&world, expected(None)).await.unwrap();
    assert_eq!(explained_at(&world, then), "already-raised", "not seen before");
    assert_eq!(explained_at(&world, "2026-10-10T20:00:00Z"), "below-first-step");
}
