//! Reminders of claims that must be filed: spikes that are marked as fraud, and time, go in;
//! what the operator is told comes out. Each look is one of a process that has just begun.

use budget_alertd::actions::{AckRequest, EvidenceRequest};
use budget_alertd::domain::spike::SpikeMark;
use budget_alertd::ledger::{AlertFilter, Reader};

use super::spikes::{Days, rule};
use crate::support::world::{SPEND, World, plan};

const REPORT: &str = r#"
[report]
every = "week"
at = "09:30"
notify = ["hook"]
[operator]
notify = ["hook"]
"#;

/// The reference of the first alert.
fn reference(world: &World) -> String {
    let reader = Reader::open(&world.config().ledger).unwrap();
    reader.alerts(&AlertFilter::default()).unwrap().pop().unwrap().snapshot.alert.reference
}

fn fraud(reference: &str) -> AckRequest {
    let spikes = Some(SpikeMark::Fraud);
    AckRequest { alerts: vec![reference.to_owned()], spikes, ..AckRequest::default() }
}

fn undo(reference: &str) -> AckRequest {
    AckRequest { alerts: vec![reference.to_owned()], undo: true, ..AckRequest::default() }
}

/// 40 a day in October; an attack from the 30th over the turn of the month to 2 November. Returns
/// the reference of its first alert.
async fn attacked(world: &World) -> String {
    let mut days = Days::of(world).await;
    days.usual(29, 40).await;
    for _ in 0..4 {
        days.day(1240).await;
    }
    days.usual(2, 40).await;
    reference(world)
}

/// What the operator is told by a look at this time, beyond what it was told before.
async fn told(world: &World, now: &str, before: &mut usize) -> Vec<String> {
    world.remind(now).await;
    let all = world.operator_news("hook").await;
    let new = all.get(*before..).unwrap_or_default().to_vec();
    *before = all.len();
    new
}

#[tokio::test]
async fn who_keeps_incidents_is_told_when_a_reminder_gives_way_to_the_next() {
    let pager = "[notifiers.pager]\ntype = \"pagerduty\"\n\
        routing_key = \"0123456789abcdef0123456789abcdef\"\nurl = \"http://127.0.0.1:9/\"\n\
        [notifiers.hook]\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n";
    let report = REPORT
        .replace("[operator]\nnotify = [\"hook\"]", "[operator]\nnotify = [\"hook\", \"pager\"]");
    let world = World::new(&(rule("{ at = 3 }") + &report + pager));
    let reference = attacked(&world).await;
    let before = world.operator_news("pager").await.len();
    world.order(fraud(&reference)).await.unwrap();
    for due in ["2026-11-29T09:30:00Z", "2026-12-19T09:30:00Z", "2026-12-26T09:30:00Z"] {
        world.remind(due).await;
    }
    world.order(undo(&reference)).await.unwrap();
    world.remind("2026-12-26T09:31:00Z").await;
    let of = |all: Vec<String>| {
        let kinds = all.iter().map(|news| news.starts_with("over: ")).collect::<Vec<_>>();
        (kinds.iter().filter(|over| !**over).count(), kinds.iter().filter(|over| **over).count())
    };
    let told = world.operator_news("pager").await.split_off(before);
    assert_eq!(of(told), (3, 3), "each incident ends");
    let hook = world.operator_news("hook").await.split_off(before);
    assert_eq!(of(hook), (3, 1), "people hear of the last end");
}

#[tokio::test]
async fn a_claim_is_reminded_of_three_times_at_the_time_of_the_report() {
    let world = World::new(&(rule("{ at = 3 }") + REPORT));
    let reference = attacked(&world).await;
    let mut before = world.operator_news("hook").await.len();
    assert_eq!(told(&world, "2026-11-28T12:00:00Z", &mut before).await, [""; 0], "nobody said so");
    world.order(fraud(&reference)).await.unwrap();
    let mut said = Vec::new();
    // 30 October and 30, 50, 57 days.
    for (early, due) in [
        ("2026-11-29T09:29:59Z", "2026-11-29T09:30:00Z"),
        ("2026-12-19T09:29:59Z", "2026-12-19T09:30:00Z"),
        ("2026-12-26T09:29:59Z", "2026-12-26T09:30:00Z"),
    ] {
        assert_eq!(told(&world, early, &mut before).await, [""; 0], "{early}");
        said.extend(told(&world, due, &mut before).await);
        assert_eq!(told(&world, due, &mut before).await, [""; 0], "once");
    }
    let said = said.join("\n\n").replace(&reference, "REF");
    insta::assert_snapshot!(said, @"
    claim-due: Customer A: the claim for fraud must be filed with Microsoft by Tue 29 Dec 2026, in 30 days; misuse since Fri 30 Oct 2026 (estimate), 4,800 SEK more than usual so far, marked by root (uid 0)
    budget-alertd evidence --incident REF gathers what the claim needs, and ends these reminders, as does budget-alertd ack REF --undo

    claim-due: Customer A: the claim for fraud must be filed with Microsoft by Tue 29 Dec 2026, in 10 days; misuse since Fri 30 Oct 2026 (estimate), 4,800 SEK more than usual so far, marked by root (uid 0)
    budget-alertd evidence --incident REF gathers what the claim needs, and ends these reminders, as does budget-alertd ack REF --undo

    claim-due: Customer A: the claim for fraud must be filed with Microsoft by Tue 29 Dec 2026, in 3 days; misuse since Fri 30 Oct 2026 (estimate), 4,800 SEK more than usual so far, marked by root (uid 0)
    budget-alertd evidence --incident REF gathers what the claim needs, and ends these reminders, as does budget-alertd ack REF --undo
    ");
    assert_eq!(told(&world, "2027-01-20T09:30:00Z", &mut before).await, [""; 0]);
    let over = "over: the time to file a claim for Customer A is over after 33 d";
    assert_eq!(told(&world, "2027-01-28T09:30:00Z", &mut before).await, [over]);
    assert_eq!(told(&world, "2027-01-29T09:30:00Z", &mut before).await, [""; 0]);
}

#[tokio::test]
async fn what_is_late_is_told_at_once_and_the_last_reminder_alone() {
    let world = World::new(&(rule("{ at = 3 }") + REPORT));
    let reference = attacked(&world).await;
    let mut before = world.operator_news("hook").await.len();
    world.remind("2026-12-20T22:10:00Z").await;
    world.order(fraud(&reference)).await.unwrap();
    let late = told(&world, "2026-12-20T22:11:00Z", &mut before).await;
    assert_eq!(late.len(), 1, "the one of day 50, and none of day 30: {late:?}");
    assert!(late[0].contains("by Tue 29 Dec 2026, in 9 days"), "{late:?}");
    // Nobody looks for two weeks.
    let missed = told(&world, "2027-01-02T03:00:00Z", &mut before).await;
    assert_eq!(missed.len(), 1, "{missed:?}");
    assert!(missed[0].contains("by Tue 29 Dec 2026, 4 days ago"), "{missed:?}");
}

#[tokio::test]
async fn a_mark_that_is_taken_back_ends_it_and_a_new_one_begins_again() {
    let world = World::new(&(rule("{ at = 3 }") + REPORT));
    let reference = attacked(&world).await;
    world.order(fraud(&reference)).await.unwrap();
    let mut before = world.operator_news("hook").await.len();
    assert_eq!(told(&world, "2026-11-30T10:00:00Z", &mut before).await.len(), 1);
    world.order(undo(&reference)).await.unwrap();
    let over = "over: what happened at Customer A is no longer marked as fraud after 2 h";
    assert_eq!(told(&world, "2026-11-30T12:00:00Z", &mut before).await, [over]);
    assert_eq!(told(&world, "2026-12-20T12:00:00Z", &mut before).await, [""; 0]);
    world.order(fraud(&reference)).await.unwrap();
    assert_eq!(told(&world, "2026-12-20T12:01:00Z", &mut before).await.len(), 1);
}

#[tokio::test]
async fn gathered_evidence_ends_it_for_good_until_the_mark_is_a_new_one() {
    let world = World::new(&(rule("{ at = 3 }") + REPORT));
    let reference = attacked(&world).await;
    let evidence = || EvidenceRequest { incident: reference.clone() };
    assert!(!world.order(evidence()).await.unwrap().fraud);
    world.order(fraud(&reference)).await.unwrap();
    let mut before = world.operator_news("hook").await.len();
    let told_first = told(&world, "2026-11-30T10:00:00Z", &mut before).await;
    assert_eq!(told_first.len(), 1, "what was gathered before the mark is no claim");
    assert!(world.order(evidence()).await.unwrap().fraud);
    let over = "over: root (uid 0) has gathered the evidence about Customer A after 3 h";
    assert_eq!(told(&world, "2026-11-30T13:00:00Z", &mut before).await, [over]);
    // The same said again changes nothing.
    world.order(fraud(&reference)).await.unwrap();
    for later in ["2026-12-20T12:00:00Z", "2026-12-27T12:00:00Z"] {
        assert_eq!(told(&world, later, &mut before).await, [""; 0], "{later}");
    }
    world.order(undo(&reference)).await.unwrap();
    world.order(fraud(&reference)).await.unwrap();
    assert_eq!(told(&world, "2026-12-27T12:01:00Z", &mut before).await.len(), 1);
    let unknown = EvidenceRequest { incident: "FFFFFFFF".to_owned() };
    let refused = world.order(unknown).await.unwrap_err();
    assert!(refused.contains("there is no alert \"FFFFFFFF\""), "{refused}");
}

#[tokio::test]
async fn without_a_report_it_is_told_at_eight_in_the_zone_of_the_messages() {
    let rules = rule("{ at = 3 }") + "[operator]\nnotify = [\"hook\"]\n";
    let world = World::new(&rules).in_zone("Europe/Stockholm");
    let reference = attacked(&world).await;
    world.order(fraud(&reference)).await.unwrap();
    let mut before = world.operator_news("hook").await.len();
    assert_eq!(told(&world, "2026-11-29T06:59:59Z", &mut before).await, [""; 0]);
    assert_eq!(told(&world, "2026-11-29T07:00:00Z", &mut before).await.len(), 1);
}

#[tokio::test]
async fn a_rule_that_is_removed_and_a_short_retention_lose_no_claim() {
    let short = "[ledger]\nretention = \"20d\"\n";
    let mut world = World::new(&(rule("{ at = 3 }") + REPORT + short));
    let reference = attacked(&world).await;
    world.order(fraud(&reference)).await.unwrap();
    world.change_rules(&(SPEND.to_owned() + REPORT + short));
    world.poll("2026-11-05T00:00:00Z", &[plan("A", "200", "", "2026-11-04T17:00:00Z")]).await;
    world.poll("2026-12-25T00:00:00Z", &[plan("A", "900", "", "2026-12-24T17:00:00Z")]).await;
    let mut before = world.operator_news("hook").await.len();
    let late = told(&world, "2026-12-26T12:00:00Z", &mut before).await;
    assert_eq!(late.len(), 1, "{late:?}");
    assert!(late[0].contains("misuse since Fri 30 Oct 2026"), "{late:?}");
}

#[tokio::test]
async fn another_time_of_the_report_takes_nothing_back_and_tells_nothing_twice() {
    let mut world = World::new(&(rule("{ at = 3 }") + REPORT));
    let reference = attacked(&world).await;
    world.order(fraud(&reference)).await.unwrap();
    let mut before = world.operator_news("hook").await.len();
    assert_eq!(told(&world, "2026-11-29T09:30:00Z", &mut before).await.len(), 1);
    world.change_rules(&world.rules().replace("09:30", "21:00"));
    for later in ["2026-11-29T09:31:00Z", "2026-11-29T21:00:00Z"] {
        assert_eq!(told(&world, later, &mut before).await, [""; 0], "{later}");
    }
    assert_eq!(told(&world, "2026-12-19T20:59:00Z", &mut before).await, [""; 0]);
    assert_eq!(told(&world, "2026-12-19T21:00:00Z", &mut before).await.len(), 1);
}
