//! Reminders of claims by a daemon as a process: told once whatever becomes of it, named by
//! `status`, ended by whoever gathers the evidence.

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::HttpReceiver;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::process::{House, SOON, eventually};

const CONFIGURATION: &str = r#"
[source]
type = "file"
path = "{dir}/usage.json"
[http]
listen = "127.0.0.1:0"
[operator]
notify = ["hook"]
[rules.attack]
metric = "spike"
floor = { SEK = 100 }
notify = ["hook"]
steps = [{ at = 3 }]
[notifiers.hook]
type = "webhook"
url = "{receiver}/hook"
"#;

/// Polls 14 days of 40 and one of 4,000, the last 40 days ago, each at noon.
fn attacked(house: &House) {
    let noon = |days: i64| {
        let then = SystemClock::shared().now() - SignedDuration::from_hours(24 * days);
        then.to_zoned(TimeZone::UTC).date().at(12, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap()
    };
    let mut cost = 0;
    for days in (40..55).rev() {
        let date = noon(days);
        cost = if date.day() == 1 { 0 } else { cost } + if days == 40 { 4000 } else { 40 };
        let as_of: Timestamp = date.timestamp();
        let usage = json!({ "items": [{
            "resourceId": "A", "resourceName": "Contoso", "isUpgraded": true, "totalCost": cost,
            "budget": { "amount": 100_000 }, "currencyCode": "SEK", "lastModifiedDate": as_of,
        }] });
        std::fs::write(house.path("usage.json"), usage.to_string()).unwrap();
        assert!(house.run(&["poll"]).status.success());
    }
}

/// What was told of claims.
fn told(receiver: &HttpReceiver) -> Vec<String> {
    let claim = |body: Value| {
        let operator = &body["data"]["operator"];
        let said = operator["summary"].as_str().unwrap_or_default().to_owned();
        (operator["code"] == "claim-due").then(|| format!("{} {said}", body["type"]))
    };
    let bodies = receiver.received().into_iter();
    bodies.filter_map(|request| claim(serde_json::from_slice(&request.body).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_is_told_once_across_restarts_until_its_evidence_is_gathered() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&CONFIGURATION.replace("{receiver}", &receiver.url("")));
    attacked(&house);
    let alerts = house.run(&["alerts", "--format", "json"]).stdout;
    let alerts: Value = serde_json::from_slice(&alerts).unwrap();
    let reference = alerts[0]["ref"].as_str().unwrap();
    assert!(house.run(&["ack", reference, "--fraud"]).status.success());
    let process = house.start();
    eventually(SOON, "the reminder", || (told(&receiver).len() == 1).then_some(()));
    let first = told(&receiver).remove(0);
    assert!(first.contains("raised") && first.contains("Contoso: the claim for fraud"), "{first}");
    // What was accepted and is not marked yet would be sent again under its identity.
    let owed = "SELECT count(*) FROM delivery WHERE state = 'pending'";
    eventually(SOON, "the mark", || (house.number(owed) == 0).then_some(()));
    process.kill();
    let process = house.start();
    process.wait_for_log("poll good");
    process.wait_for_metric("operator_findings{code=\"claim-due\"}", "1");
    let status = String::from_utf8(house.run(&["status"]).stdout).unwrap();
    let to_do = status.split("To do").nth(1).unwrap();
    let command = format!("→ budget-alertd evidence --incident {reference}");
    assert!(to_do.contains("claim-due") && to_do.contains(&command), "{status}");
    let folder = house.path("claim").display().to_string();
    let made = house.run(&["evidence", "--incident", reference, "--output", &folder]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert_eq!(process.terminate().0, Some(0));
    assert_eq!(told(&receiver), [first], "once");
    let process = house.start();
    eventually(SOON, "its end", || (told(&receiver).len() == 2).then_some(()));
    assert!(told(&receiver)[1].contains("has gathered the evidence about Contoso"));
    assert_eq!(process.terminate().0, Some(0));
    assert_eq!(
        house
            .number("SELECT count(*) FROM finding WHERE code = 'claim-due' AND cleared_at IS NULL"),
        0
    );
}
