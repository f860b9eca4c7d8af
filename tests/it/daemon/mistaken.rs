//! A file with mistakes beside a daemon that goes on with the one before: people can still act and
//! look.

use std::process::Output;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::HttpReceiver;
use serde_json::{Value, json};

use super::{configuration, over_budget};
use crate::support::process::{House, Process};

const WARNING: &str =
    "alert-rules.toml has mistakes, and a running daemon goes on with the configuration before";

/// A daemon that has raised one alert.
fn alerted(receiver: &HttpReceiver) -> (House, Process) {
    let house = House::new(&configuration(receiver, "1h"));
    house.save_usage(over_budget(0..1));
    let process = house.start_ready(&house.systemd());
    process.wait_for_metric("deliveries_total{notifier=\"hook\",result=\"sent\"}", "1");
    (house, process)
}

fn receiver() -> HttpReceiver {
    HttpReceiver::start(SystemClock::shared()).unwrap()
}

/// What a command printed; it warned, and did what it was asked to.
fn did(house: &House, arguments: &[&str]) -> String {
    let output = house.run(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(0) && said.contains(WARNING), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Everything that somebody may have to do at night.
fn everything_works(house: &House) {
    let alerts = document(&did(house, &["alerts", "--format", "json"]));
    let reference = alerts[0]["ref"].as_str().unwrap();
    assert!(did(house, &["ack", reference]).contains("acknowledged"));
    let added =
        did(house, &["silence", "add", "--rule", "spend", "--for", "2h", "--reason", "at night"]);
    let id = added.split(' ').nth(1).unwrap();
    assert!(did(house, &["silence", "list"]).contains("at night"));
    assert!(did(house, &["silence", "expire", id]).contains("is over"));
    assert!(did(house, &["poll", "--format", "json"]).contains("\"source\":\"ok\""));
    assert!(did(house, &["deliveries", "--customer", "customer-0000"]).contains("hook"));
    assert!(did(house, &["deliveries", "retry"]).starts_with("Nothing was given up"));
    let status = did(house, &["status"]);
    let first = status.lines().next().unwrap();
    assert!(
        first.starts_with("DEGRADED (")
            && first.contains("alert-rules.toml has mistakes, usage-stale): last good poll"),
        "{status}"
    );
    assert!(
        status.contains("customer-0000") && !status.contains("no longer configured"),
        "{status}"
    );
    let status = document(&did(house, &["status", "--format", "json"]));
    assert_eq!(
        (&status["health"], &status["notifiers"][0]["name"]),
        (&json!("degraded"), &json!("hook"))
    );
    for needs_rules in [&["explain", "customer-0000"][..], &["check"], &["poll", "--dry-run"]] {
        refused(&house.run(needs_rules));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typo_in_the_file_keeps_nobody_from_acting_through_the_daemon_and_from_looking() {
    let receiver = receiver();
    let (house, _process) = alerted(&receiver);
    house.edit("percent_used", "percent_usd");
    everything_works(&house);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_does_a_file_that_is_no_toml_any_more() {
    let receiver = receiver();
    let (house, _process) = alerted(&receiver);
    house.edit("metric = \"percent_used\"", "metric = \"percent_used");
    everything_works(&house);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_does_a_spreadsheet_or_a_secret_that_is_not_there() {
    let receiver = receiver();
    let (house, _process) = alerted(&receiver);
    house.edit(
        "[notifiers.hook]",
        "[customers_csv]\npath = \
        \"nowhere.csv\"\n[notifiers.hook]\ntoken = { env = \"NOT_THERE\" }",
    );
    everything_works(&house);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_daemon_what_acts_says_what_is_wrong_and_what_looks_goes_on() {
    let receiver = receiver();
    let (house, process) = alerted(&receiver);
    process.terminate();
    house.edit("percent_used", "percent_usd");
    for acts in
        [&["poll"][..], &["ack", "5F0C1C3E"], &["silence", "expire", "1"], &["deliveries", "retry"]]
    {
        let said = refused(&house.run(acts));
        assert!(
            said.contains("unknown metric \"percent_usd\"") && !said.contains(WARNING),
            "{said}"
        );
    }
    assert!(did(&house, &["alerts"]).contains("1 alert"));
    let status = house.run(&["status"]);
    assert_eq!(status.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&status.stdout).starts_with("FAILING (no daemon runs, "),
        "{status:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_ledger_everything_says_what_is_wrong() {
    let house = House::new(&configuration(&receiver(), "1h"));
    house.edit("percent_used", "percent_usd");
    for looks in [&["alerts"][..], &["deliveries"], &["silence", "list"], &["status"]] {
        assert!(refused(&house.run(looks)).contains("unknown metric \"percent_usd\""));
    }
    std::fs::remove_file(house.path("alert-rules.toml")).unwrap();
    assert!(refused(&house.run(&["status"])).contains("cannot read"));
}
