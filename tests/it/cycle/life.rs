//! What becomes of alerts after they were raised: silences and their ends, reminders,
//! acknowledgements, resolved messages.

use budget_alertd::domain::{AlertSnapshot, Ended, Glob, Message, Silence};
use budget_alertd::ledger::{AlertFilter, AttemptRecord, Reader};

use crate::support::world::{Record, SPEND, World, legacy, plan};

const DAY: &str = "2019-09-17T00:00:00Z";

/// Steps that are told again, to a notifier that wants to know when it is over, and to one that
/// does not.
const REMINDING: &str = r#"
[rules.spend]
metric = "percent_used"
notify = ["hook", "pager"]
steps = [{ at = 80, remind_every = "24h" }, { at = 100, severity = "critical", remind_every = "12h" }]
[notifiers.hook]
type = "webhook"
url = "http://127.0.0.1:9/"
digest_above = 5
[notifiers.pager]
type = "webhook"
url = "http://127.0.0.1:9/"
send_resolved = true
"#;

/// A silence of customer A from `DAY` on.
fn silence_until(end: Option<&str>) -> Silence {
    Silence {
        id: 0,
        customers: vec![Glob::try_new("a").unwrap()],
        rules: Vec::new(),
        unless_above: None,
        created_at: DAY.parse().unwrap(),
        as_of: DAY.parse().unwrap(),
        ends_at: end.map(|end| end.parse().unwrap()),
        author: "alice (uid 1000)".into(),
        reason: "migration".into(),
        expired_at: None,
    }
}

async fn add(world: &World, silence: Silence) -> i64 {
    let ledger = world.ledger();
    let id = ledger.add_silence(silence).await.unwrap();
    ledger.close().await.unwrap();
    id
}

/// What is newly owed to a notifier, a line for each message; it counts as sent from then on.
async fn sent(world: &World, notifier: &str) -> Vec<String> {
    let ledger = world.ledger();
    let mut lines = Vec::new();
    for delivery in ledger.due(notifier, Vec::new(), 10_000).await.unwrap() {
        lines.push(in_words(&delivery.message));
        let accepted = AttemptRecord {
            delivery: delivery.id,
            at: DAY.parse().unwrap(),
            outcome: "accepted",
            detail: String::new(),
            message: None,
        };
        ledger.mark_sent(accepted).await.unwrap();
    }
    ledger.close().await.unwrap();
    lines
}

fn in_words(message: &Message) -> String {
    let kind = match message {
        Message::Alert(_) | Message::Alerts(_) => "alert",
        Message::Digest(_) => "digest",
        Message::Reminder(_) => "reminder",
        Message::Resolved(_) => "resolved",
        Message::Test(_) | Message::Operator(_) | Message::Report(_) => "other",
    };
    let members: Vec<String> = message.alerts().iter().map(member).collect();
    format!("{kind} {}", members.join(" + "))
}

/// The customer and the step; then the value and the cause of its end, as far as a later message
/// says them.
fn member(snapshot: &AlertSnapshot) -> String {
    let alert = &snapshot.alert;
    let latest = snapshot.context.latest.as_ref().map(|latest| {
        let ended = match latest.ended {
            Some(Ended::Budget) => ", budget",
            Some(Ended::Period) => ", period",
            Some(other) => panic!("{other:?} is of no budget"),
            None => "",
        };
        format!(
            " now {}{ended}",
            latest.value.map_or("nothing".to_owned(), |value| value.to_string())
        )
    });
    format!("{} {}{}", alert.customer.id, alert.threshold, latest.unwrap_or_default())
}

/// Every alert with its state, the oldest first.
fn states(world: &World) -> Vec<String> {
    let mut rows =
        Reader::open(&world.config().ledger).unwrap().alerts(&AlertFilter::default()).unwrap();
    rows.reverse();
    rows.iter()
        .map(|row| {
            format!("{} {}", row.snapshot.alert.threshold, row.snapshot.alert.state.as_str())
        })
        .collect()
}

/// A world that has polled customer A at 1 %.
async fn quiet(rules: &str) -> World {
    let world = World::new(rules);
    world.poll(DAY, &[plan("A", "1", "100", DAY)]).await;
    world
}

fn nothing() -> Vec<String> {
    Vec::new()
}

#[tokio::test]
async fn under_a_silence_an_alert_is_recorded_and_told_to_nobody() {
    let world = quiet(SPEND).await;
    add(&world, silence_until(Some("2019-09-20T00:00:00Z"))).await;
    let at = "2019-09-18T00:00:00Z";
    let report = world.report(at, &[plan("A", "90", "100", at), plan("B", "90", "100", at)]).await;
    assert_eq!(report.suppressed.silenced, 1);
    let raised: Vec<_> = report
        .alerts
        .iter()
        .map(|snapshot| (snapshot.alert.customer.id.as_str(), snapshot.alert.state.as_str()))
        .collect();
    assert_eq!(raised, [("A", "silenced"), ("B", "raised")]);
    assert_eq!(world.metric("budget_alertd_alerts_suppressed_total{reason=\"silenced\"}"), "1");
    assert_eq!(sent(&world, "hook").await, ["alert B 80"]);
    let again = world.report(at, &[plan("A", "91", "100", at), plan("B", "90", "100", at)]).await;
    assert_eq!((again.suppressed.silenced, again.suppressed.duplicate), (0, 2));
}

#[tokio::test]
async fn when_a_silence_ends_what_it_hid_is_told_once_with_the_numbers_of_now() {
    let world = quiet(SPEND).await;
    add(&world, silence_until(Some("2019-09-20T00:00:00Z"))).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "85", "100", "2019-09-18T00:00:00Z")]).await;
    world.poll("2019-09-19T00:00:00Z", &[plan("A", "105", "100", "2019-09-19T00:00:00Z")]).await;
    assert_eq!(
        (sent(&world, "hook").await, states(&world)),
        (nothing(), vec!["80 silenced".into(), "100 silenced".into()])
    );
    let late = [plan("A", "110", "100", "2019-09-19T12:00:00Z")];
    world.poll("2019-09-20T00:00:00Z", &late).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 100 now 110"], "of several steps the highest");
    assert_eq!(states(&world), ["80 resolved", "100 raised"]);
    world.poll("2019-09-21T00:00:00Z", &late).await;
    assert_eq!(sent(&world, "hook").await, nothing());
}

#[tokio::test]
async fn of_what_was_hidden_the_highest_step_that_is_still_true_is_told() {
    let world = quiet(SPEND).await;
    add(&world, silence_until(Some("2019-09-20T00:00:00Z"))).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "85", "100", "2019-09-18T00:00:00Z")]).await;
    world.poll("2019-09-19T00:00:00Z", &[plan("A", "105", "100", "2019-09-19T00:00:00Z")]).await;
    world.poll("2019-09-20T00:00:00Z", &[plan("A", "90", "100", "2019-09-20T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 80 now 90"]);
    world.poll("2019-09-21T00:00:00Z", &[plan("A", "101", "100", "2019-09-21T00:00:00Z")]).await;
    assert_eq!(
        sent(&world, "hook").await,
        ["alert A 100 now 101"],
        "the first poll in which it is true"
    );
}

#[tokio::test]
async fn a_hidden_step_is_not_told_after_a_higher_one_was() {
    let world = quiet(SPEND).await;
    let mut silence = silence_until(Some("2019-09-20T00:00:00Z"));
    silence.unless_above = Some("99".parse().unwrap());
    add(&world, silence).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "85", "100", "2019-09-18T00:00:00Z")]).await;
    world.poll("2019-09-19T00:00:00Z", &[plan("A", "105", "100", "2019-09-19T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 100"], "above the value it is no silence");
    assert_eq!(states(&world), ["80 resolved", "100 raised"]);
    world.poll("2019-09-21T00:00:00Z", &[plan("A", "90", "100", "2019-09-21T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, nothing());
}

#[tokio::test]
async fn a_hidden_step_is_told_though_a_lower_one_alerted_again_under_a_budget_that_was_raised_and_cut()
 {
    let world = quiet(SPEND).await;
    add(&world, silence_until(Some("2019-09-20T00:00:00Z"))).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "110", "100", "2019-09-18T00:00:00Z")]).await;
    world.poll("2019-09-19T00:00:00Z", &[plan("A", "170", "200", "2019-09-19T00:00:00Z")]).await;
    assert_eq!(
        (sent(&world, "hook").await, states(&world)),
        (nothing(), vec!["100 silenced".into(), "80 silenced".into()])
    );
    world.poll("2019-09-20T00:00:00Z", &[plan("A", "170", "100", "2019-09-20T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 100 now 170"], "of several steps the highest");
    assert_eq!(states(&world), ["100 raised", "80 resolved"]);
}

#[tokio::test]
async fn a_hidden_alert_is_told_when_its_value_passes_what_the_silence_allows() {
    let world = quiet(SPEND).await;
    let mut silence = silence_until(Some("2019-09-25T00:00:00Z"));
    silence.unless_above = Some("90".parse().unwrap());
    add(&world, silence).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "90", "100", "2019-09-18T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, nothing(), "not above");
    world.poll("2019-09-19T00:00:00Z", &[plan("A", "90.01", "100", "2019-09-19T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 80 now 90.01"]);
}

#[tokio::test]
async fn over_a_budget_of_zero_everything_is_above() {
    let world = quiet(SPEND).await;
    let mut silence = silence_until(Some("2019-09-25T00:00:00Z"));
    silence.unless_above = Some("1000".parse().unwrap());
    add(&world, silence).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "1", "0", "2019-09-18T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 100"]);
}

#[tokio::test]
async fn a_silence_that_is_ended_early_is_over() {
    let world = quiet(SPEND).await;
    let id = add(&world, silence_until(Some("2019-09-25T00:00:00Z"))).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "85", "100", "2019-09-18T00:00:00Z")]).await;
    let ledger = world.ledger();
    assert!(ledger.expire_silence(id, "2019-09-18T01:00:00Z".parse().unwrap()).await.unwrap());
    ledger.close().await.unwrap();
    world.poll("2019-09-18T01:00:00Z", &[plan("A", "85", "100", "2019-09-18T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 80 now 85"]);
}

#[tokio::test]
async fn what_another_silence_still_covers_stays_hidden() {
    let world = quiet(SPEND).await;
    add(&world, silence_until(Some("2019-09-19T00:00:00Z"))).await;
    let other = Silence {
        customers: Vec::new(),
        rules: vec![Glob::try_new("SP*").unwrap()],
        ..silence_until(Some("2019-09-20T00:00:00Z"))
    };
    add(&world, other).await;
    for day in ["2019-09-18T00:00:00Z", "2019-09-19T12:00:00Z"] {
        world.poll(day, &[plan("A", "85", "100", "2019-09-18T00:00:00Z")]).await;
        assert_eq!(sent(&world, "hook").await, nothing(), "{day}");
    }
    world.poll("2019-09-20T00:00:00Z", &[plan("A", "85", "100", "2019-09-18T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 80 now 85"]);
}

#[tokio::test]
async fn a_silence_until_the_end_of_the_period_ends_with_the_period_of_each_customer() {
    let world = quiet(SPEND).await;
    add(&world, silence_until(None)).await;
    world.poll("2019-09-29T00:00:00Z", &[plan("A", "85", "100", "2019-09-29T00:00:00Z")]).await;
    world.poll("2019-10-01T12:00:00Z", &[plan("A", "101", "100", "2019-09-30T23:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, nothing(), "late data of September");
    world.poll("2019-10-06T00:00:00Z", &[plan("A", "85", "100", "2019-10-05T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 80"], "October is another period");
    assert_eq!(states(&world), ["80 resolved", "100 resolved", "80 raised"]);
}

#[tokio::test]
async fn a_silence_made_while_the_data_is_late_hides_the_period_before_too() {
    let world = quiet(SPEND).await;
    world.poll("2019-10-01T08:00:00Z", &[plan("B", "1", "100", "2019-10-01T04:00:00Z")]).await;
    add(&world, silence_until(None)).await;
    world.poll("2019-10-01T12:00:00Z", &[plan("A", "85", "100", "2019-09-30T23:00:00Z")]).await;
    world.poll("2019-10-20T12:00:00Z", &[plan("A", "85", "100", "2019-10-19T23:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, nothing());
    world.poll("2019-11-06T12:00:00Z", &[plan("A", "85", "100", "2019-11-05T23:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 80"]);
}

#[tokio::test]
async fn what_is_no_longer_true_when_a_silence_ends_waits_until_it_is() {
    let world = quiet(SPEND).await;
    add(&world, silence_until(Some("2019-09-20T00:00:00Z"))).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "85", "100", "2019-09-18T00:00:00Z")]).await;
    world.poll("2019-09-20T00:00:00Z", &[plan("A", "70", "100", "2019-09-20T00:00:00Z")]).await;
    assert_eq!(
        (sent(&world, "hook").await, states(&world)),
        (nothing(), vec!["80 silenced".to_owned()])
    );
    world.poll("2019-09-21T00:00:00Z", &[plan("A", "81", "100", "2019-09-21T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 80 now 81"]);
}

#[tokio::test]
async fn what_was_hidden_is_not_told_in_a_later_period() {
    let world = quiet(REMINDING).await;
    add(&world, silence_until(Some("2019-10-05T00:00:00Z"))).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "85", "100", "2019-09-18T00:00:00Z")]).await;
    world.poll("2019-10-05T00:00:00Z", &[plan("A", "3", "100", "2019-10-04T00:00:00Z")]).await;
    assert_eq!((sent(&world, "hook").await, sent(&world, "pager").await), (nothing(), nothing()));
    assert_eq!(states(&world), ["80 resolved"]);
}

#[tokio::test]
async fn a_daily_alert_that_was_hidden_is_not_told_on_another_day() {
    let rules = "[rules.day]\nmetric = \"daily_cost\"\nnotify = [\"hook\"]\nsteps = \
        [{ at = { SEK = 50 } }]\n";
    let world = quiet(rules).await;
    add(&world, silence_until(Some("2019-09-19T00:00:00Z"))).await;
    let report = world
        .report("2019-09-18T12:00:00Z", &[plan("A", "101", "1000", "2019-09-18T00:00:00Z")])
        .await;
    assert_eq!(report.suppressed.silenced, 1);
    world.poll("2019-09-19T12:00:00Z", &[plan("A", "201", "1000", "2019-09-19T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 50"], "the new day's only");
}

#[tokio::test]
async fn a_reminder_comes_after_its_time_and_not_before() {
    let world = quiet(REMINDING).await;
    let same = [plan("A", "85", "100", DAY)];
    world.poll("2019-09-18T00:00:00Z", &same).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 80"]);
    world.poll("2019-09-18T23:59:59Z", &same).await;
    assert_eq!(sent(&world, "hook").await, nothing());
    world.poll("2019-09-19T00:00:00Z", &same).await;
    assert_eq!(sent(&world, "hook").await, ["reminder A 80 now 85"]);
    world.poll("2019-09-19T23:00:00Z", &same).await;
    assert_eq!(sent(&world, "hook").await, nothing());
    world.poll("2019-09-25T00:00:00Z", &[plan("A", "87", "100", "2019-09-24T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, ["reminder A 80 now 87"], "one after a long downtime");
}

#[tokio::test]
async fn a_notifier_that_fails_for_days_does_not_pile_up_reminders() {
    let world = quiet(REMINDING).await;
    let same = [plan("A", "85", "100", DAY)];
    world.poll("2019-09-18T00:00:00Z", &same).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 80"]);
    for day in ["2019-09-19T00:00:00Z", "2019-09-20T00:00:00Z", "2019-09-21T00:00:00Z"] {
        world.poll(day, &same).await;
        assert_eq!(sent(&world, "hook").await, ["reminder A 80 now 85"]);
    }
    assert_eq!(sent(&world, "pager").await, ["alert A 80"], "its message was coming all the time");
    world.poll("2019-09-22T00:00:00Z", &same).await;
    assert_eq!(sent(&world, "pager").await, ["reminder A 80 now 85"]);
}

#[tokio::test]
async fn only_the_highest_step_is_told_again() {
    let world = quiet(REMINDING).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "85", "100", "2019-09-18T00:00:00Z")]).await;
    world.poll("2019-09-19T00:00:00Z", &[plan("A", "105", "100", "2019-09-19T00:00:00Z")]).await;
    assert_eq!(
        sent(&world, "hook").await,
        ["alert A 100", "alert A 80"],
        "no reminder of the lower one in the same poll"
    );
    world.poll("2019-09-19T12:00:00Z", &[plan("A", "105", "100", "2019-09-19T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, ["reminder A 100 now 105"]);
    world.poll("2019-09-20T12:00:00Z", &[plan("A", "85", "100", "2019-09-20T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, nothing(), "the highest is no longer true");
}

#[tokio::test]
async fn who_acknowledges_is_not_reminded_until_a_higher_step() {
    let world = quiet(REMINDING).await;
    let low = [plan("A", "85", "100", "2019-09-18T00:00:00Z")];
    let report = world.report("2019-09-18T00:00:00Z", &low).await;
    let ledger = world.ledger();
    let acknowledged = ledger
        .acknowledge(&report.alerts[0].alert.reference, "alice", DAY.parse().unwrap())
        .await
        .unwrap();
    assert_eq!(acknowledged, Some((report.alerts[0].alert.id, true)));
    ledger.close().await.unwrap();
    assert_eq!(sent(&world, "hook").await, ["alert A 80"]);
    world.poll("2019-09-20T00:00:00Z", &low).await;
    assert_eq!(sent(&world, "hook").await, nothing());
    let high = [plan("A", "105", "100", "2019-09-21T00:00:00Z")];
    world.poll("2019-09-21T00:00:00Z", &high).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 100"]);
    world.poll("2019-09-21T12:00:00Z", &high).await;
    assert_eq!(sent(&world, "hook").await, ["reminder A 100 now 105"]);
}

#[tokio::test]
async fn a_silence_holds_reminders_back_too() {
    let world = quiet(REMINDING).await;
    let same = [plan("A", "85", "100", "2019-09-18T00:00:00Z")];
    world.poll("2019-09-18T00:00:00Z", &same).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 80"]);
    add(&world, silence_until(Some("2019-09-20T12:00:00Z"))).await;
    world.poll("2019-09-20T00:00:00Z", &same).await;
    assert_eq!(
        (sent(&world, "hook").await, states(&world)),
        (nothing(), vec!["80 raised".to_owned()])
    );
    world.poll("2019-09-20T12:00:00Z", &same).await;
    assert_eq!(sent(&world, "hook").await, ["reminder A 80 now 85"]);
}

#[tokio::test]
async fn nobody_is_reminded_of_what_the_latest_record_does_not_cross() {
    let world = quiet(REMINDING).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "85", "100", "2019-09-18T00:00:00Z")]).await;
    sent(&world, "hook").await;
    world.poll("2019-09-20T00:00:00Z", &[plan("A", "75", "100", "2019-09-20T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, nothing());
    world.poll("2019-09-21T00:00:00Z", &[plan("A", "86", "100", "2019-09-21T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, ["reminder A 80 now 86"]);
}

#[tokio::test]
async fn many_reminders_at_once_are_one_digest() {
    let world = World::new(REMINDING);
    let many: Vec<Record> = (0..6)
        .map(|index| plan(&format!("C{index}"), &(85 + index).to_string(), "100", DAY))
        .collect();
    world.poll(DAY, &[plan("A", "1", "100", DAY)]).await;
    world.poll(DAY, &many).await;
    sent(&world, "hook").await;
    sent(&world, "pager").await;
    world.poll("2019-09-18T00:00:00Z", &many).await;
    let reminded = sent(&world, "hook").await;
    assert_eq!(reminded.len(), 1, "{reminded:?}");
    assert!(reminded[0].starts_with("reminder C5 80 now 90 + C4 80 now 89 + "), "{reminded:?}");
    assert_eq!(
        sent(&world, "pager").await.iter().filter(|line| line.starts_with("reminder")).count(),
        6,
        "off for a webhook"
    );
}

#[tokio::test]
async fn a_raised_budget_resolves_and_only_those_are_told_who_want_to_be() {
    let world = quiet(REMINDING).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "85", "100", "2019-09-18T00:00:00Z")]).await;
    assert_eq!(
        (sent(&world, "hook").await, sent(&world, "pager").await),
        (vec!["alert A 80".into()], vec!["alert A 80".to_owned()])
    );
    world.poll("2019-09-19T00:00:00Z", &[plan("A", "85", "200", "2019-09-18T00:00:00Z")]).await;
    assert_eq!(
        (sent(&world, "hook").await, sent(&world, "pager").await),
        (nothing(), vec!["resolved A 80 now 42.5, budget".to_owned()])
    );
    assert_eq!(states(&world), ["80 resolved"]);
    world.poll("2019-09-25T00:00:00Z", &[plan("A", "85", "100", "2019-09-18T00:00:00Z")]).await;
    assert_eq!(
        (sent(&world, "hook").await, sent(&world, "pager").await),
        (nothing(), nothing()),
        "neither told nor reminded again"
    );
}

#[tokio::test]
async fn a_step_that_alerts_again_under_a_raised_budget_is_reminded_of() {
    let world = quiet(REMINDING).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "105", "100", "2019-09-18T00:00:00Z")]).await;
    world.poll("2019-09-19T00:00:00Z", &[plan("A", "90", "100", "2019-09-19T00:00:00Z")]).await;
    world.poll("2019-09-20T00:00:00Z", &[plan("A", "91", "200", "2019-09-20T00:00:00Z")]).await;
    sent(&world, "hook").await;
    let again = [plan("A", "170", "200", "2019-09-21T00:00:00Z")];
    world.poll("2019-09-21T00:00:00Z", &again).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 80"]);
    world.poll("2019-09-22T00:00:00Z", &again).await;
    assert_eq!(sent(&world, "hook").await, ["reminder A 80 now 85"]);
}

#[tokio::test]
async fn a_corrected_cost_resolves_nothing() {
    let world = quiet(REMINDING).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "85", "100", "2019-09-18T00:00:00Z")]).await;
    sent(&world, "pager").await;
    world.poll("2019-09-19T00:00:00Z", &[plan("A", "10", "100", "2019-09-19T00:00:00Z")]).await;
    assert_eq!(
        (sent(&world, "pager").await, states(&world)),
        (nothing(), vec!["80 raised".to_owned()])
    );
    world.poll("2019-09-20T00:00:00Z", &[plan("A", "10", "200", "2019-09-20T00:00:00Z")]).await;
    assert_eq!(sent(&world, "pager").await, nothing(), "it was below before the budget changed");
}

#[tokio::test]
async fn an_alert_is_over_when_the_customers_record_moves_to_the_next_period() {
    let world = quiet(REMINDING).await;
    world.poll("2019-09-30T00:00:00Z", &[plan("A", "85", "100", "2019-09-29T00:00:00Z")]).await;
    sent(&world, "pager").await;
    world.poll("2019-10-01T12:00:00Z", &[plan("A", "86", "100", "2019-09-30T12:00:00Z")]).await;
    assert_eq!(states(&world), ["80 raised"], "late data of September");
    sent(&world, "pager").await;
    world.poll("2019-10-02T12:00:00Z", &[plan("A", "3", "100", "2019-10-01T12:00:00Z")]).await;
    assert_eq!(
        sent(&world, "pager").await,
        ["resolved A 80 now 86, period"],
        "the last of September"
    );
    world.poll("2019-10-03T12:00:00Z", &[plan("A", "4", "100", "2019-10-02T12:00:00Z")]).await;
    assert_eq!(sent(&world, "pager").await, nothing());
}

#[tokio::test]
async fn without_any_record_an_alert_is_over_when_the_others_are_three_days_past_its_period() {
    let world = quiet(REMINDING).await;
    world
        .poll(
            "2019-09-30T12:00:00Z",
            &[plan("A", "85", "100", "2019-09-29T00:00:00Z"), plan("B", "1", "100", DAY)],
        )
        .await;
    sent(&world, "pager").await;
    world.poll("2019-10-05T00:00:00Z", &[plan("B", "1", "100", "2019-10-03T23:59:59Z")]).await;
    assert_eq!(sent(&world, "pager").await, ["reminder A 80 now 85"]);
    world.poll("2019-10-05T01:00:00Z", &[plan("B", "1", "100", "2019-10-04T00:00:00Z")]).await;
    assert_eq!(sent(&world, "pager").await, ["resolved A 80 now 85, period"]);
}

#[tokio::test]
async fn what_is_raised_long_after_its_period_is_not_over_in_the_same_poll() {
    let world = World::new(REMINDING);
    let records = [plan("A", "85", "100", DAY), plan("B", "1", "100", "2019-11-09T00:00:00Z")];
    world.poll("2019-11-10T00:00:00Z", &records).await;
    assert_eq!(
        (sent(&world, "pager").await, states(&world)),
        (vec!["alert A 80".to_owned()], vec!["80 raised".to_owned()])
    );
    world.poll("2019-11-13T00:00:00Z", &records).await;
    assert_eq!(states(&world), ["80 resolved"]);
}

#[tokio::test]
async fn a_legacy_alert_is_over_with_the_period_its_customer_has() {
    let world = World::new(REMINDING);
    world.poll("2019-09-20T00:00:00Z", &[legacy("L", "85", "100", "2019-09-19T00:00:00Z")]).await;
    assert_eq!(sent(&world, "pager").await, ["alert L 80"]);
    world.poll("2019-10-06T00:00:00Z", &[legacy("L", "5", "100", "2019-10-05T00:00:00Z")]).await;
    assert_eq!(sent(&world, "pager").await, ["resolved L 80 now 85, period"]);
}

#[tokio::test]
async fn a_removed_rule_closes_its_hidden_alerts_too() {
    let more =
        "[rules.more]\nmetric = \"percent_used\"\nnotify = [\"hook\"]\nsteps = [{ at = 50 }]\n";
    let mut world = quiet(&format!("{SPEND}{more}")).await;
    add(&world, silence_until(Some("2019-09-20T00:00:00Z"))).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "60", "100", "2019-09-18T00:00:00Z")]).await;
    assert_eq!(states(&world), ["50 silenced"]);
    world.change_rules(SPEND);
    world.poll("2019-09-18T01:00:00Z", &[plan("A", "60", "100", "2019-09-18T00:00:00Z")]).await;
    assert_eq!(states(&world), ["50 closed"]);
    world.poll("2019-09-20T01:00:00Z", &[plan("A", "60", "100", "2019-09-18T00:00:00Z")]).await;
    assert_eq!(sent(&world, "hook").await, nothing());
}

#[tokio::test]
async fn a_renamed_rule_reminds_and_releases_under_its_new_name() {
    let mut world = quiet(REMINDING).await;
    add(&world, silence_until(Some("2019-09-20T00:00:00Z"))).await;
    let same = [plan("A", "85", "100", "2019-09-18T00:00:00Z")];
    world.poll("2019-09-18T00:00:00Z", &same).await;
    world.change_rules(&REMINDING.replace("[rules.spend]", "[rules.usage]\nformerly = \"spend\""));
    world.poll("2019-09-20T00:00:00Z", &same).await;
    assert_eq!(sent(&world, "hook").await, ["alert A 80 now 85"]);
    world.poll("2019-09-21T00:00:00Z", &same).await;
    assert_eq!(sent(&world, "hook").await, ["reminder A 80 now 85"]);
}

/// Two steps, each told to somebody else.
const SHARED_OUT: &str = r#"
[rules.spend]
metric = "percent_used"
steps = [{ at = 80, notify = ["team"] }, { at = 100, notify = ["oncall"] }]
[notifiers.team]
type = "webhook"
url = "http://127.0.0.1:9/"
[notifiers.oncall]
type = "webhook"
url = "http://127.0.0.1:9/"
"#;

#[tokio::test]
async fn of_what_was_hidden_all_are_told_whom_any_of_its_steps_concerns() {
    let world = quiet(SHARED_OUT).await;
    add(&world, silence_until(Some("2019-09-20T00:00:00Z"))).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "85", "100", "2019-09-18T00:00:00Z")]).await;
    let over = [plan("A", "105", "100", "2019-09-19T00:00:00Z")];
    world.poll("2019-09-19T00:00:00Z", &over).await;
    world.poll("2019-09-20T00:00:00Z", &over).await;
    assert_eq!(
        (sent(&world, "team").await, sent(&world, "oncall").await),
        (vec!["alert A 100 now 105".into()], vec!["alert A 100 now 105".into()])
    );
}

#[tokio::test]
async fn who_was_told_of_no_step_is_told_of_the_hidden_one_after_others_were_of_a_higher() {
    let world = quiet(SHARED_OUT).await;
    let mut silence = silence_until(Some("2019-09-20T00:00:00Z"));
    silence.unless_above = Some("99".parse().unwrap());
    add(&world, silence).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "85", "100", "2019-09-18T00:00:00Z")]).await;
    world.poll("2019-09-19T00:00:00Z", &[plan("A", "105", "100", "2019-09-19T00:00:00Z")]).await;
    assert_eq!(
        (sent(&world, "team").await, sent(&world, "oncall").await),
        (vec!["alert A 80 now 105".into()], vec!["alert A 100".into()])
    );
}

#[tokio::test]
async fn what_was_hidden_from_a_notifier_that_is_gone_is_told_to_those_of_today() {
    let mut world = quiet(SHARED_OUT).await;
    add(&world, silence_until(Some("2019-09-20T00:00:00Z"))).await;
    let over = [plan("A", "85", "100", "2019-09-18T00:00:00Z")];
    world.poll("2019-09-18T00:00:00Z", &over).await;
    world.change_rules(&SHARED_OUT.replace("team", "desk"));
    world.poll("2019-09-20T00:00:00Z", &over).await;
    assert_eq!(sent(&world, "desk").await, ["alert A 80 now 85"]);
}

#[tokio::test]
async fn a_silence_of_a_rule_follows_it_to_its_new_name() {
    let mut world = quiet(SPEND).await;
    let rules = vec![Glob::try_new("spend").unwrap()];
    add(&world, Silence { rules, ..silence_until(Some("2019-09-29T00:00:00Z")) }).await;
    world.poll("2019-09-18T00:00:00Z", &[plan("A", "85", "100", "2019-09-18T00:00:00Z")]).await;
    world.change_rules(&SPEND.replace("[rules.spend]", "[rules.usage]\nformerly = \"spend\""));
    world.poll("2019-09-19T00:00:00Z", &[plan("A", "86", "100", "2019-09-19T00:00:00Z")]).await;
    world.change_rules(&SPEND.replace("[rules.spend]", "[rules.usage]"));
    world.poll("2019-09-20T00:00:00Z", &[plan("A", "105", "100", "2019-09-20T00:00:00Z")]).await;
    assert_eq!(
        (sent(&world, "hook").await, states(&world)),
        (nothing(), vec!["80 silenced".into(), "100 silenced".into()])
    );
}

#[tokio::test]
async fn the_currency_that_a_legacy_record_names_itself_holds_for_what_follows_its_alert() {
    let rules =
        format!("{REMINDING}\n[customers.L]\nbudget = {{ amount = 100, currency = \"EUR\" }}\n");
    let world = World::new(&rules);
    let world = world.with_source_key("legacy_currency = \"SEK\"");
    let own = |cost: &str, date: &str| Record {
        more: ", \"currencyCode\": \"EUR\"".into(),
        ..legacy("L", cost, "", date)
    };
    world.poll(DAY, &[own("1", DAY), plan("A", "1", "", DAY)]).await;
    let silence = Silence {
        customers: vec![Glob::try_new("l").unwrap()],
        ..silence_until(Some("2019-09-19T00:00:00Z"))
    };
    add(&world, silence).await;
    let at = "2019-09-18T00:00:00Z";
    world.poll(at, &[own("85", at)]).await;
    assert_eq!(
        (states(&world), sent(&world, "hook").await),
        (vec!["80 silenced".to_owned()], nothing())
    );
    world.poll("2019-09-19T01:00:00Z", &[own("85", at)]).await;
    assert_eq!(sent(&world, "hook").await, ["alert L 80 now 85"], "nothing silences it any more");
    world.poll("2019-09-20T02:00:00Z", &[own("85", at)]).await;
    assert_eq!(sent(&world, "hook").await, ["reminder L 80 now 85"]);
}
