//! `poll` and `notify-test`.

use std::collections::BTreeSet;

use budget_alertd::simulator::{Answer, Fault};
use serde_json::json;

use super::{BRITAIN, Desk, SWEDEN};
use crate::support::process::House;

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_says_what_it_raised_kept_silent_and_delivered() {
    let desk = Desk::new();
    insta::assert_snapshot!(desk.told(&["poll"]), @r"
    4 records, 0 skipped; source read whole.
      ! totalCount says 25 but only 4 items came; customers that are missing from the answer were not
        judged
    2 new alerts raised.
      CRITICAL Modern Azure Customer SE: 602.84 %, 120.57 of 20 SEK (rule spend, step 600 %) REF
      WARNING  Contoso UK: 27.23 %, 27.23 of 100 GBP (rule gold, step 20 %) REF
    Kept silent: 0 alerted before, 6 passed by a higher step, 0 silenced.
    Deliveries: 3 sent, 0 still owed, 0 given up.
    ");
    assert_eq!(
        desk.told(&["poll"]),
        "\
4 records, 0 skipped; source read whole.
  ! totalCount says 25 but only 4 items came; customers that are missing from the answer were not
    judged
0 new alerts raised.
Kept silent: 2 alerted before, 0 passed by a higher step, 0 silenced.
Deliveries: 0 sent, 0 still owed, 0 given up.
"
    );
    assert_eq!(desk.receiver.received().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_would_be_raised_and_leaves_no_trace() {
    let desk = Desk::new();
    insta::assert_snapshot!(desk.told(&["poll", "--dry-run"]), @r"
    4 records, 0 skipped; source read whole.
      ! totalCount says 25 but only 4 items came; customers that are missing from the answer were not
        judged
    2 new alerts would be raised.
      CRITICAL Modern Azure Customer SE: 602.84 %, 120.57 of 20 SEK (rule spend, step 600 %)
      WARNING  Contoso UK: 27.23 %, 27.23 of 100 GBP (rule gold, step 20 %)
    Kept silent: 0 alerted before, 6 passed by a higher step, 0 silenced.
    Would be sent: 2 messages by hook, 1 message by other.
    Nothing was recorded and nothing was sent.
    ");
    assert!(!desk.house.path("state/ledger.db").exists());
    desk.run(&["poll"]);
    let usage = super::USAGE.replace("\"totalCost\": 27.23292827625710931604", "\"totalCost\": 95");
    std::fs::write(desk.house.path("usage.json"), usage).unwrap();
    let before = std::fs::read(desk.house.path("state/ledger.db")).unwrap();
    let told = desk.told(&["poll", "--dry-run"]);
    assert!(
        told.contains("2 new alerts would be raised.") && told.contains("Nothing was recorded"),
        "{told}"
    );
    assert_eq!(std::fs::read(desk.house.path("state/ledger.db")).unwrap(), before);
    assert_eq!(desk.receiver.attempts().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_one_object() {
    let desk = Desk::new();
    let mut first = desk.json(&["poll", "--format", "json"]);
    let alerts = first["alerts"].take();
    let expected = json!({
        "records": 4, "skipped": 0, "alerts": null, "suppressed": {"duplicate": 0, "passed": 6, "silenced": 0},
        "deliveries": {"sent": 3, "pending": 0, "dead": 0}, "source": "ok", "security": "off",
        "errors": ["totalCount says 25 but only 4 items came; customers that are missing from the \
            answer were not judged"],
    });
    assert_eq!(first, expected);
    assert_eq!(
        alerts.as_array().unwrap().iter().map(|alert| &alert["customer"]["id"]).collect::<Vec<_>>(),
        [SWEDEN, BRITAIN]
    );
    assert_eq!(
        alerts[0]["cost"],
        json!({"amount": "120.5682999999995904716", "currency": "SEK", "usd": "12.39999999999999985235"})
    );
    assert_eq!(
        desk.json(&["poll", "--format", "json"])["suppressed"],
        json!({"duplicate": 2, "passed": 0, "silenced": 0})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_need_not_wait_leaves_the_rest_owed_and_fails() {
    let desk = Desk::new();
    desk.receiver.fail(Fault::status(503));
    let ended = desk.run(&["poll", "--wait", "0s"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.out.ends_with("Deliveries: 0 sent, 3 still owed, 0 given up.\n"),
        "{}",
        ended.out
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_answer_without_items_is_no_truth_either() {
    let desk = Desk::new();
    for nothing in ["{\"totalCount\": 0, \"items\": []}", "{\"items\": []}"] {
        std::fs::write(desk.house.path("usage.json"), nothing).unwrap();
        let ended = desk.run(&["poll"]);
        assert_eq!(ended.code, 1);
        assert!(
            ended.out.starts_with(
                "0 records, 0 skipped; source FAILED.\n  ! the source answered without any item, \
                    and no poll has been good yet"
            ),
            "{}",
            ended.out
        );
    }
    let said = desk.json(&["status", "--format", "json"]);
    assert_eq!(
        (&said["why"], &said["findings"][0]["code"]),
        (&json!(["no-daemon", "no-good-poll"]), &json!("usage-empty"))
    );
    assert!(
        desk.told(&["poll", "--accept-empty"])
            .starts_with("0 records, 0 skipped; source read whole.\n")
    );
    assert!(
        desk.told(&["poll"]).starts_with("0 records, 0 skipped; source read whole.\n"),
        "that it is empty is known now"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_items_are_no_truth_until_somebody_says_so() {
    let desk = Desk::polled();
    std::fs::write(desk.house.path("usage.json"), "{\"totalCount\": 0, \"items\": []}").unwrap();
    let ended = desk.run(&["poll"]);
    assert_eq!(ended.code, 1);
    assert_eq!(
        ended.out,
        "\
0 records, 0 skipped; source FAILED.
  ! the source answered without any item where the last good poll had some; nothing is concluded
    from that
0 new alerts raised.
Kept silent: 0 alerted before, 0 passed by a higher step, 0 silenced.
Deliveries: 0 sent, 0 still owed, 0 given up.
"
    );
    assert!(
        desk.told(&["poll", "--accept-empty"])
            .starts_with("0 records, 0 skipped; source read whole.\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_writes_stays_away_from_a_held_ledger_and_says_who_holds_it() {
    let desk = Desk::polled();
    let held = super::hold(&desk);
    for arguments in [&["poll"][..], &["run"], &["deliveries", "retry"], &["ledger", "new"]] {
        let ended = desk.run(arguments);
        assert_eq!(ended.code, 3, "{arguments:?}");
        let holder = format!(
            "budget-alertd: {{dir}}/state/ledger.db is held by another budget-alertd (process {})",
            std::process::id()
        );
        assert!(ended.err.starts_with(&holder), "{}", ended.err);
    }
    held.close().await.unwrap();
}

/// A desk whose operator is told, with what its receiver has of that: each identity, and what was
/// said.
fn with_an_operator() -> Desk {
    Desk::with(&format!("{}[operator]\nnotify = [\"other\"]\n", super::CONFIGURATION))
}

fn told_to_the_operator(desk: &Desk) -> Vec<(String, String)> {
    let news = desk
        .receiver
        .received()
        .into_iter()
        .filter(|request| request.text().contains("operator.raised"));
    let unwritable = news.filter(|request| request.text().contains("ledger-unwritable"));
    unwritable
        .map(|request| (request.header("webhook-id").unwrap().to_owned(), request.text()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_told_once_in_a_run_that_nothing_can_be_recorded() {
    let desk = with_an_operator();
    desk.run(&["poll"]);
    std::fs::remove_file(desk.house.path("state/ledger.db")).unwrap();
    for run in 1..=2 {
        let ended = desk.run(&["poll"]);
        assert_eq!(ended.code, 1);
        assert!(ended.err.contains("ledger.db is gone, and was there"), "{}", ended.err);
        assert_eq!(told_to_the_operator(&desk).len(), run, "{}", ended.err);
    }
    let told = told_to_the_operator(&desk);
    assert!(
        told[0].1.contains("nothing can be recorded, and so no new overspend is told: "),
        "{}",
        told[0].1
    );
    assert!(
        told[0].1.contains("ledger.db is gone")
            && told[0].1.contains("tells it again each time it runs"),
        "{}",
        told[0].1
    );
    assert_eq!(told[0].0, told[1].0, "receivers that know identities take it once a day");
    assert_eq!(desk.run(&["poll", "--dry-run"]).code, 1);
    assert_eq!(told_to_the_operator(&desk).len(), 2, "a dry run tells nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_told_once_a_day_that_the_daemon_cannot_start() {
    let desk = with_an_operator();
    desk.run(&["poll"]);
    std::fs::write(desk.house.path("state/ledger.db"), "garbage").unwrap();
    let runtime = tempfile::tempdir().unwrap();
    // What nobody has accepted is not told: the next start tries again.
    desk.receiver.fail_once(Fault::status(400));
    for _ in 0..4 {
        let ended =
            desk.house.command(&["run"]).env("RUNTIME_DIRECTORY", runtime.path()).output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    let told = told_to_the_operator(&desk);
    assert_eq!(told.len(), 1, "of the four starts, the first is refused and the second accepted");
    assert!(told[0].1.contains("the daemon cannot start: fix that"), "{}", told[0].1);
    assert!(
        told[0].1.contains(desk.house.path("alert-rules.toml").to_str().unwrap()),
        "{}",
        told[0].1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_told_that_nothing_more_can_be_written() {
    for limit in ["0", "200"] {
        let desk = with_an_operator();
        desk.run(&["poll"]);
        let before = desk.receiver.received().len();
        let many: Vec<_> = (0..3000).map(|number| (format!("c{number}"), 150)).collect();
        desk.house.save_usage(many);
        let script = "ulimit -f \"$1\"; shift; exec \"$@\"";
        let mut limited = std::process::Command::new("sh");
        limited.args(["-c", script, "sh", limit, env!("CARGO_BIN_EXE_budget-alertd")]);
        let polled = desk.house.command_as(limited, &["poll"]).output().unwrap();
        let said = String::from_utf8_lossy(&polled.stderr).into_owned();
        assert_eq!(polled.status.code(), Some(1), "{said}");
        assert!(said.contains("ledger.db"), "{said}");
        assert_eq!(told_to_the_operator(&desk).len(), 1, "{limit}: {said}");
        assert_eq!(
            desk.receiver.received().len(),
            before + 1,
            "nothing that was not recorded is told: {said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_who_cannot_be_told_at_once_is_tried_again_and_of_a_held_ledger_nobody_is_told()
{
    let desk = with_an_operator();
    desk.run(&["poll"]);
    let held = super::hold(&desk);
    assert_eq!(desk.run(&["poll"]).code, 3);
    held.close().await.unwrap();
    assert_eq!(told_to_the_operator(&desk).len(), 0);
    std::fs::remove_file(desk.house.path("state/ledger.db")).unwrap();
    desk.receiver.fail_once(Fault::status(503));
    let ended = desk.run(&["poll"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.err.contains("the operator is not told that nothing can be recorded: 503"),
        "{}",
        ended.err
    );
    assert_eq!(told_to_the_operator(&desk).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_is_lost_is_begun_anew_when_that_is_ordered() {
    let desk = Desk::polled();
    let there = desk.run(&["ledger", "new"]);
    let said =
        "budget-alertd: {dir}/state/ledger.db is there: move it away before another one is begun\n";
    assert_eq!((there.code, there.err.as_str()), (1, said));
    std::fs::remove_file(desk.house.path("state/ledger.db")).unwrap();
    for arguments in
        [&["poll"][..], &["poll", "--dry-run"], &["run"], &["status"], &["deliveries", "retry"]]
    {
        let ended = desk.run(arguments);
        assert_eq!(ended.code, 1, "{arguments:?}");
        assert!(
            ended.err.contains(
                "{dir}/state/ledger.db is gone, and was there ({dir}/state/ledger.made says so)"
            ),
            "{}",
            ended.err
        );
    }
    let begun = desk.run(&["ledger", "new"]);
    assert_eq!((begun.code, begun.out.as_str()), (0, "✓ made  {dir}/state/ledger.db\n"));
    assert_eq!(
        begun.err,
        "The next poll begins as on the first day: what is over its steps is told again.\n"
    );
    assert!(desk.told(&["poll"]).contains("2 new alerts raised."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_message_says_whether_it_was_taken() {
    let desk = Desk::new();
    assert_eq!(desk.told(&["notify-test", "hook"]), "hook: accepted: 200 OK\n");
    assert!(desk.receiver.received()[0].text().contains("budget.test"));
    desk.receiver.fail_once(Fault::Answer(Answer::new(404)));
    let refused = desk.run(&["notify-test", "hook"]);
    assert_eq!(refused.code, 1);
    assert_eq!(
        refused.out,
        "hook: failed: 404 Not Found; the url does not exist any more, configure the new one\n"
    );
    let unknown = desk.run(&["notify-test", "hock"]);
    assert_eq!(unknown.code, 2);
    assert_eq!(
        unknown.err,
        "budget-alertd: there is no notifier \"hock\" in {dir}/alert-rules.toml; there are: hook, \
            other\n"
    );
}

/// More customers than are decided about together.
const MANY: u32 = 4500;

/// What a poll printed, which may fail to deliver.
fn printed(house: &House, arguments: &[&str]) -> String {
    String::from_utf8(house.run(arguments).stdout).unwrap()
}

#[test]
fn programs_get_every_alert_of_a_mass_crossing_and_people_the_worst() {
    let house = House::new(
        "[source]\ntype = \"file\"\npath = \"{dir}/usage.json\"\n[rules.spend]\nmetric = \
            \"percent_used\"\nnotify = [\"chat\"]\nsteps = [{ at = 80 }]\n[notifiers.chat]\ntype = \
            \"slack\"\nurl = \"http://127.0.0.1:9/\"\n",
    );
    house.save_usage((0..MANY).map(|number| (format!("c{number:04}"), 100 + number)));
    let rows = printed(&house, &["poll", "--dry-run", "--format", "csv"]);
    let ids: BTreeSet<&str> =
        rows.lines().skip(1).filter_map(|row| row.split(',').nth(5)).collect();
    assert_eq!((ids.len(), rows.lines().count()), (4500, 4501));
    let page = printed(&house, &["poll", "--dry-run"]);
    assert!(
        page.contains("4500 new alerts would be raised.")
            && page.contains("the worst 1000 are listed here"),
        "{page}"
    );
    assert_eq!(page.lines().filter(|line| line.contains("(rule spend,")).count(), 1000);
    let document = printed(&house, &["poll", "--wait", "0s", "--format", "json"]);
    let mut document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let alerts = document["alerts"].take();
    let ids: Vec<&str> = alerts
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|alert| alert["customer"]["id"].as_str())
        .collect();
    assert_eq!(
        (ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), &ids[..2]),
        (4500, 4500, &["c4499", "c4498"][..])
    );
    let expected = json!({
        "records": 4500, "skipped": 0, "alerts": null, "suppressed": {"duplicate": 0, "passed": 0, "silenced": 0},
        "deliveries": {"sent": 0, "pending": 5, "dead": 0}, "source": "ok", "security": "off", "errors": [],
    });
    assert_eq!(document, expected);
}
