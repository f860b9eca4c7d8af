//! `ack --expected`, `--fraud` and `--undo`: what people say of spikes, as they and programs see it.

use serde_json::{Value, json};

use super::Desk;

const CONFIGURATION: &str = r#"
[source]
type = "file"
path = "{dir}/usage.json"
[rules.attack]
metric = "spike"
floor = { SEK = 100 }
notify = ["hook"]
steps = [{ at = 3 }]
[rules.spend]
metric = "total_cost"
notify = ["hook"]
steps = [{ at = { SEK = 700 } }]
[notifiers.hook]
type = "webhook"
url = "{receiver}/hook"
send_resolved = true
"#;

/// One poll of a customer with this cost up to a day.
fn poll(desk: &Desk, day: u32, cost: u32) -> Value {
    let usage = json!({ "totalCount": 1, "items": [{
        "resourceId": "A", "resourceName": "Contoso", "isUpgraded": true, "totalCost": cost,
        "budget": { "amount": 1000 }, "currencyCode": "SEK",
        "lastModifiedDate": format!("2026-10-{day:02}T17:00:00Z"),
    }] });
    std::fs::write(desk.house.path("usage.json"), usage.to_string()).unwrap();
    desk.json(&["poll", "--format", "json"])
}

/// Ten days of 40, then one of 400, by which the cost is above its step as well.
fn attacked() -> Desk {
    let desk = Desk::with(CONFIGURATION);
    for day in 1..=10 {
        assert_eq!(poll(&desk, day, 40 * day)["alerts"], json!([]));
    }
    assert_eq!(poll(&desk, 11, 800)["alerts"].as_array().unwrap().len(), 2);
    desk
}

fn alert(desk: &Desk, rule: &str) -> Value {
    let alerts = desk.json(&["alerts", "--format", "json"]);
    alerts.as_array().unwrap().iter().find(|alert| alert["rule"] == rule).unwrap().clone()
}

fn reference(desk: &Desk, rule: &str) -> String {
    alert(desk, rule)["ref"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_expected_stands_where_an_acknowledgement_stands() {
    let desk = attacked();
    let spike = reference(&desk, "attack");
    let said =
        desk.told(&["ack", &spike, "--expected", "--until", "2026-12-05", "--reason", "load test"]);
    let of_spike = "REF Contoso, attack, step 3 times: expected: the days of the spike \
        count as usual from now on, and it is over; further spikes are expected too, up to the data \
        of Sat 5 Dec 2026.\n";
    assert!(said.starts_with(of_spike), "{said}");
    let acknowledged = alert(&desk, "attack")["acknowledged"].clone();
    assert_eq!(
        (&acknowledged["note"], &acknowledged["expected"]),
        (&json!("load test"), &json!(true))
    );
    let marked = alert(&desk, "attack")["marked"].clone();
    assert_eq!(
        (&marked["as"], &marked["reason"], &marked["until"], &marked["by"]),
        (&json!("expected"), &json!("load test"), &json!("2026-12-05"), &acknowledged["by"])
    );
    let line = "marked as expected by ";
    let told = desk.told(&["explain", "Contoso"]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains(line)
            && told.contains(": load test; spikes are expected up to Sat 5 Dec 2026"),
        "{told}"
    );
    assert!(desk.told(&["alerts", "--format", "csv"]).contains(",load test,expected,"));
    let events = desk.house.number("SELECT count(*) FROM chain WHERE kind = 'order' AND content LIKE '%\"order\":\"ack --expected\"%' AND content LIKE '%\"until\":\"2026-12-05\"%' AND content LIKE '%\"days\":[\"2026-10-11\"]%'");
    assert_eq!(events, 1);
    let folder = desk.house.path("proof").display().to_string();
    desk.told(&["evidence", "--customer", "Contoso", "--since", "2026-10-01", "--output", &folder]);
    let page = std::fs::read_to_string(desk.house.path("proof/index.html")).unwrap();
    assert!(
        page.contains("; marked as expected by ") && page.contains("expected up to 2026-12-05")
    );
    assert_eq!(poll(&desk, 12, 1700)["suppressed"]["silenced"], 1);
    let told = desk.told(&["explain", "Contoso"]);
    assert!(told.matches("marked as expected by ").count() == 2, "the new one too: {told}");
    assert_eq!(desk.run(&["ledger", "verify"]).code, 0);
    let json = desk.json(&["ack", &spike, "--undo", "--format", "json"]);
    let of_spike =
        json.as_array().unwrap().iter().find(|one| one["alert"]["rule"] == "attack").unwrap();
    assert_eq!((&of_spike["now"], &of_spike["marked"]), (&Value::Null, &Value::Null));
    assert_eq!(of_spike["marked_before"]["as"], "expected");
    assert_eq!(alert(&desk, "attack")["marked"], Value::Null);
    assert_eq!(desk.run(&["ledger", "verify"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn fraud_is_said_of_the_run_and_as_a_row_for_programs() {
    let desk = attacked();
    let said = desk.told(&["ack", &reference(&desk, "attack"), "--fraud", "--format", "csv"]);
    let rows: Vec<&str> = said.lines().collect();
    assert!(
        rows[0].starts_with("id,ref,customer,rule,acknowledged_at,acknowledged_by,note,marked")
    );
    assert!(rows[1].contains(",Contoso,attack,") && rows[1].contains(",fraud,"), "{said}");
    assert_eq!(alert(&desk, "attack")["acknowledged"]["expected"], false);
    assert_eq!(alert(&desk, "attack")["marked"]["as"], "fraud");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_excludes_each_other_or_makes_no_sense_is_refused() {
    let desk = attacked();
    let spike = reference(&desk, "attack");
    for (options, said) in [
        (&["--expected", "--fraud"][..], "'--expected' cannot be used with '--fraud'"),
        (&["--expected", "--undo"], "'--expected' cannot be used with '--undo'"),
        (&["--fraud", "--undo"], "'--fraud' cannot be used with '--undo'"),
        (&["--until", "2026-12-05"], "--expected"),
        (&["--fraud", "--until", "2026-12-05"], "--expected"),
        (&["--expected", "--until", "soon"], "write a day, such as 2026-12-05"),
        (
            &["--expected", "--until", "2026-10-01"],
            "2026-10-01 is over: there is data of 2026-10-11",
        ),
        (
            &["--expected", "--until", "2030-01-01"],
            "2030-01-01 is too far away: name a day up to 20",
        ),
    ] {
        let arguments: Vec<&str> =
            ["ack", &spike].into_iter().chain(options.iter().copied()).collect();
        let ended = desk.run(&arguments);
        assert_eq!(ended.code, 2, "{options:?}: {}", ended.err);
        assert!(ended.err.contains(said), "{options:?}: {}", ended.err);
    }
    assert_eq!(alert(&desk, "attack")["marked"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_rules_about_spikes_are_tried_on_history_and_on_what_is_now() {
    let desk = attacked();
    let rules = std::fs::read_to_string(desk.house.path("alert-rules.toml")).unwrap();
    let other = |steps: &str| rules.replace("steps = [{ at = 3 }]", steps);
    std::fs::write(desk.house.path("other.toml"), other("steps = [{ at = 20 }]")).unwrap();
    let file = desk.house.path("other.toml").display().to_string();
    let said = desk.json(&["simulate", "--rules", &file, "--format", "json"]);
    assert_eq!((&said["appear"], &said["move"]), (&json!([]), &json!([])));
    assert_eq!(said["disappear"].as_array().unwrap().len(), 1);
    let same = desk.house.path("alert-rules.toml").display().to_string();
    let said = desk.json(&["simulate", "--rules", &same, "--format", "json"]);
    assert_eq!((&said["disappear"], &said["same"]), (&json!([]), &json!(2)));
    let impact =
        |desk: &Desk| desk.json(&["check", "--impact", "--format", "json"])["impact"].clone();
    assert_eq!(impact(&desk)["alerts"], json!([]), "the day is told already");
    std::fs::write(desk.house.path("alert-rules.toml"), other("steps = [{ at = 3 }, { at = 5 }]"))
        .unwrap();
    let higher = impact(&desk)["alerts"].clone();
    assert_eq!(higher.as_array().unwrap().len(), 1);
    assert_eq!(
        (&higher[0]["alert"]["rule"], &higher[0]["alert"]["threshold"]),
        (&json!("attack"), &json!("5"))
    );
}
