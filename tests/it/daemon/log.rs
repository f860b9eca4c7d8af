//! The log as people and programs read it: one line an alert, one an outcome, each readable alone.

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{Fault, HttpReceiver};

use super::{configuration, over_budget};
use crate::support::process::House;

#[tokio::test(flavor = "multi_thread")]
async fn a_line_says_who_how_much_by_which_rule_and_what_became_of_its_message() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(over_budget(0..1));
    receiver.fail_once(Fault::status(503));
    let process = house.start_ready(&house.systemd());
    let log = process.wait_for_log("poll good: 1 record");
    let raised = log.lines().find(|line| line.contains("alert.ref=")).unwrap();
    let reference = raised.split("alert.ref=").nth(1).unwrap().split(' ').next().unwrap();
    let said = format!(
        "CRITICAL customer-0000 150 %, 150 of 100 SEK, rule spend at 100, ref {reference} "
    );
    assert!(raised.contains(&said), "{raised}");
    let who = format!("alert {reference} (CRITICAL customer-0000)");
    let failed = process.wait_for_log("delivery failed: ");
    assert!(failed.contains(&format!("hook has not taken {who}: ")), "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_an_object_a_line() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(over_budget(0..1));
    let output = house.run(&["--log", "info", "--log-format", "json", "poll"]);
    let log = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let raised = lines.iter().find(|line| line.get("alert.ref").is_some()).unwrap();
    assert_eq!((&raised["level"], &raised["rule"]), (&"INFO".into(), &"spend".into()), "{raised}");
    assert!(
        lines.iter().any(|line| line["message"].as_str().unwrap().contains(" took alert ")),
        "{log}"
    );
}
