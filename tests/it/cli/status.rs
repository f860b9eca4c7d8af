//! `status`.

use budget_alertd::simulator::Fault;
use serde_json::json;

use super::Desk;
use crate::support::process::{SOON, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn all_is_well_but_for_the_age_of_the_data() {
    let desk = Desk::polled();
    let daemon = desk.house.start_ready(&desk.house.systemd());
    insta::assert_snapshot!(desk.told(&["status"]), @r"
    DEGRADED (usage-stale): last good poll less than a minute ago, 4 records, newest data AGE old; 0 owed, 0 given up
    The last poll, less than a minute ago, was good, but:
      ! totalCount says 25 but only 4 items came; customers that are missing from the answer were not
        judged

    To do (sent to nobody: operator.notify names no notifier)
      usage-stale since NOW (less than a minute)
        the newest usage data is of 17 Sep 2019 17:08 UTC, more than 36 h old: overspends since then are
          not seen
        → nothing is to do if it passes: Microsoft's data is usually about 24 h behind. Else check the
          health of Partner Center.

    Notifiers
      NAME  OWED  OLDEST  GIVEN UP  STATE
      hook  0  0  ok
      other  0  0  ok

    Customers, worst first
      CUSTOMER  USED  COST  BUDGET  DATA  PERIOD
      Modern Azure Customer SE  602.84 %  120.57 SEK  20 SEK  AGE old  1–30 Sep 2019 (over)
      Contoso UK  27.23 %  27.23 GBP  100 GBP  AGE old  1–30 Sep 2019 (over)
      LEGACY AZURE CUSTOMER SE  0  none  AGE old  1–31 Aug 2019 (over)
      Test_Test_MA20190829_14  0 GBP  none  AGE old  1–30 Sep 2019 (over)
    ");
    assert_eq!(desk.told(&["status", "--format", "csv"]), "\
customer_id,customer,plan,percent_used,over_zero,cost,currency,usd_cost,budget,usage_as_of,period_start,period_end
11111111-6fb9-4b05-8f15-b3d72e0596e6,Modern Azure Customer SE,azure-plan,602.84,false,120.5682999999995904716,SEK,12.39999999999999985235,20,2019-09-17T17:08:11.1433333Z,2019-09-01T00:00:00Z,2019-10-01T00:00:00Z
11111111-641b-4c53-b7fc-0f2bfca8a581,Contoso UK,azure-plan,27.23,false,27.23292827625710931604,GBP,33.280000000000001044,100,2019-09-17T17:08:11.1433333Z,2019-09-01T00:00:00Z,2019-10-01T00:00:00Z
11111111-1843-4b3b-872f-206e08a08e51,LEGACY AZURE CUSTOMER SE,legacy,,false,0,,0,,2019-08-01T23:00:16.57Z,2019-08-01T00:00:00Z,2019-09-01T00:00:00Z
11111111-5892-4326-8541-9da1fdb233fb,Test_Test_MA20190829_14,azure-plan,,false,0,GBP,0,,2019-09-17T17:08:11.1433333Z,2019-09-01T00:00:00Z,2019-10-01T00:00:00Z
");
    let said = desk.json(&["status", "--format", "json"]);
    assert_eq!(said["daemon"], json!({ "running": true, "pid": daemon.id(), "leader": true }));

    // One that is frozen holds its lock and its socket, and is none.
    daemon.signal(rustix::process::Signal::STOP);
    let ended = desk.run(&["status"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.out.starts_with("FAILING (the daemon at {dir}/state/control.sock does not answer): "),
        "{}",
        ended.out
    );
    // Neither is one that was killed.
    daemon.kill();
    let ended = desk.run(&["status"]);
    assert_eq!(ended.code, 1);
    assert!(ended.out.starts_with("FAILING (no daemon runs): "), "{}", ended.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_of_which_nobody_hears_for_too_long_is_failing() {
    let failing = |more: &str| {
        let desk = Desk::with(&super::one_notifier().replace(
            "[notifiers.hook]\n",
            &format!("[notifiers.hook]\nfallback_after = \"1s\"\n{more}"),
        ));
        desk.receiver.fail(Fault::status(503));
        desk
    };
    let desk = failing("");
    let _daemon = desk.house.start_ready(&desk.house.systemd());
    let ended = eventually(SOON, "a status that fails", || {
        Some(desk.run(&["status"])).filter(|ended| ended.out.contains("nobody is told by rule"))
    });
    assert!(
        ended.out.starts_with("FAILING (nobody is told by rule spend: its notifiers fail, "),
        "{}",
        ended.out
    );
    assert_eq!(desk.json(&["status", "--format", "json"])["why"], json!(["nobody-told"]));

    // Somebody who stands in, and does not fail, hears of it.
    let desk = failing("fallback = [\"other\"]\n");
    let url = desk.receiver.url("/hook");
    let other =
        budget_alertd::simulator::HttpReceiver::start(budget_alertd::clock::SystemClock::shared())
            .unwrap();
    desk.house.edit(
        &format!("url = \"{url}\""),
        &format!(
            "url = \"{url}\"\n[notifiers.other]\ntype = \"webhook\"\nurl = \"{}\"",
            other.url("/")
        ),
    );
    let _daemon = desk.house.start_ready(&desk.house.systemd());
    other.wait_for(1).await.unwrap();
    assert_eq!(desk.json(&["status", "--format", "json"])["health"], "degraded");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_wants_looking_at_is_said_first_and_is_no_failure() {
    let desk = Desk::with_one_notifier();
    desk.receiver.fail(Fault::status(503));
    while desk.receiver.attempts().is_empty() {
        assert_eq!(desk.run(&["poll", "--wait", "1s"]).code, 1);
    }
    let _daemon = desk.house.start_ready(&desk.house.systemd());
    let ended = desk.run(&["status"]);
    assert_eq!(ended.code, 0);
    insta::assert_snapshot!(ended.out, @r#"
    DEGRADED (notifier hook fails, usage-stale): last good poll less than a minute ago, 4 records, newest data AGE old; 2 owed, 0 given up
    The last poll, less than a minute ago, was good, but:
      ! totalCount says 25 but only 4 items came; customers that are missing from the answer were not
        judged

    To do (sent to nobody: operator.notify names no notifier)
      usage-stale since NOW (less than a minute)
        the newest usage data is of 17 Sep 2019 17:08 UTC, more than 36 h old: overspends since then are
          not seen
        → nothing is to do if it passes: Microsoft's data is usually about 24 h behind. Else check the
          health of Partner Center.
      notifier-failing hook since NOW (less than a minute)
        notifier "hook" does not take messages: 503 Service Unavailable
        → what is owed to it is kept and tried again; see budget-alertd deliveries

    Notifiers
      NAME  OWED  OLDEST  GIVEN UP  STATE
      hook  2  0 min  0  fails since NOW, next try SOON

    Customers, worst first
      CUSTOMER  USED  COST  BUDGET  DATA  PERIOD
      Modern Azure Customer SE  602.84 %  120.57 SEK  20 SEK  AGE old  1–30 Sep 2019 (over)
      Contoso UK  27.23 %  27.23 GBP  100 GBP  AGE old  1–30 Sep 2019 (over)
      LEGACY AZURE CUSTOMER SE  0  none  AGE old  1–31 Aug 2019 (over)
      Test_Test_MA20190829_14  0 GBP  none  AGE old  1–30 Sep 2019 (over)
    "#);
    let said = desk.json(&["status", "--format", "json"]);
    assert_eq!(
        (&said["health"], &said["owed"], &said["dead"]),
        (&json!("degraded"), &json!(2), &json!(0))
    );
    assert_eq!(said["why"], json!(["notifier-failing", "usage-stale"]));
    assert_eq!(said["findings"][1]["code"], "notifier-failing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_never_read_anything_is_failing() {
    let desk = Desk::new();
    let ended = desk.run(&["status"]);
    assert_eq!((ended.code, ended.err.as_str()), (1, ""));
    assert!(
        ended
            .out
            .starts_with("FAILING (no daemon runs, nothing was polled yet): 0 owed, 0 given up\n"),
        "{}",
        ended.out
    );
    let said = desk.json(&["status", "--format", "json"]);
    assert_eq!(
        (&said["health"], &said["why"]),
        (&json!("failing"), &json!(["no-daemon", "no-good-poll"]))
    );
    assert_eq!(said["daemon"], json!({ "running": false, "pid": null, "leader": false }));
    assert!(!desk.house.path("state").exists(), "who only looks makes nothing");
    std::fs::write(desk.house.path("usage.json"), "nonsense").unwrap();
    assert_eq!(desk.run(&["poll"]).code, 1);
    let ended = desk.run(&["status"]);
    assert_eq!(ended.code, 1);
    insta::assert_snapshot!(ended.out, @r"
    FAILING (no daemon runs, no poll was good yet): 0 owed, 0 given up
    The last poll, less than a minute ago, failed:
      ! {dir}/usage.json: the collection is not JSON, or not an object

    To do (sent to nobody: operator.notify names no notifier)
      source-failing since NOW (less than a minute)
        Usage cannot be read: {dir}/usage.json: the collection is not JSON, or not an object.
        → Check source.path: it must be one saved collection of usage records.

    Notifiers
      NAME  OWED  OLDEST  GIVEN UP  STATE
      hook  0  0  ok
      other  0  0  ok

    Customers, worst first
      none was read yet
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_twenty_worst_are_listed_unless_all_are_asked_for() {
    let desk = Desk::new();
    desk.house.save_usage((0..30).map(|number| (format!("customer-{number:02}"), number)));
    desk.run(&["poll"]);
    let customers = |arguments: &[&str]| {
        let said = desk.json(arguments);
        said["customers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|customer| customer["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let some = customers(&["status", "--format", "json"]);
    assert_eq!(
        (some.len(), some[0].as_str(), some[19].as_str()),
        (20, "customer-29", "customer-10")
    );
    assert_eq!(customers(&["status", "--all", "--format", "json"]).len(), 30);
    assert!(desk.run(&["status"]).out.contains("Customers, the 20 worst (--all lists all)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_to_the_data_is_said_and_is_never_all_clear() {
    let desk = Desk::polled();
    let mut usage: serde_json::Value =
        serde_json::from_str(super::USAGE.trim_start_matches('\u{feff}')).unwrap();
    usage["totalCount"] = json!(3);
    let items = usage["items"].as_array_mut().unwrap();
    items
        .retain(|item| !item["resourceName"].as_str().unwrap_or_default().starts_with("Test_Test"));
    let sweden = items
        .iter_mut()
        .find(|item| item["resourceId"] == super::SWEDEN || item["id"] == super::SWEDEN)
        .unwrap();
    sweden["budget"]["amount"] = json!(15);
    std::fs::write(desk.house.path("usage.json"), usage.to_string()).unwrap();
    desk.run(&["poll"]);
    let told = desk.run(&["status"]).out;
    assert!(
        told.lines()
            .next()
            .unwrap()
            .ends_with("; data: 1 customer without a record, 1 budget-cut, 1 percents-disagree"),
        "{told}"
    );
    assert!(told.contains("Modern Azure Customer SE  budget-cut: budget 20 → 15 SEK"), "{told}");
    assert!(
        told.contains("Test_Test_MA20190829_14  disappeared: the last good poll had no"),
        "{told}"
    );
    let document = desk.json(&["status", "--format", "json"]);
    assert_eq!(
        (
            &document["data"]["customers_without_record"],
            &document["data"]["events"][1]["event"]["code"]
        ),
        (&json!(1), &json!("budget-cut"))
    );
}

const CUSTOMERS: &str = r#"
[rules.spend]
metric = "percent_used"
notify = ["hook", "customers"]
steps = [{ at = 80 }]
[notifiers.hook]
type = "webhook"
url = "http://127.0.0.1:9/"
[notifiers.customers]
type = "webhook"
audience = "customer"
url = "http://127.0.0.1:9/"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_not_taken_for_what_is_being_sent() {
    let desk = Desk::new();
    let file = desk.house.path("alert-rules.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    let (source, _) = before.split_once("[rules").unwrap();
    std::fs::write(&file, format!("{source}{CUSTOMERS}")).unwrap();
    for cost in [1, 95] {
        desk.house.save_usage((0..30).map(|number| (format!("customer-{number:02}"), cost)));
        desk.run(&["poll", "--wait", "0s"]);
    }
    let said = desk.run(&["status"]).out;
    assert!(said.contains("ok; 30 held: see deliveries release"), "{said}");
}
