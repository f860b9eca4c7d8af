//! `alerts` and `deliveries`.

use std::io::Read as _;
use std::process::Stdio;

use serde_json::json;

use super::{BRITAIN, Desk, SWEDEN};

/// Letters that a terminal obeys, in the name of a customer.
const OBEYED: &str = "Evil\u{9b}2J\u{202e}\u{2028}Corp\u{7f}";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_terminal_would_obey_is_escaped_for_programs_and_never_passed_on() {
    let desk = Desk::new();
    std::fs::write(
        desk.house.path("usage.json"),
        super::USAGE.replace("Modern Azure Customer SE", OBEYED),
    )
    .unwrap();
    let is_obeyed = |letter: char| {
        letter != '\n' && letter.is_control() || ('\u{2028}'..='\u{202e}').contains(&letter)
    };
    let json: [&[&str]; 7] = [
        &["poll"],
        &["alerts"],
        &["deliveries"],
        &["status"],
        &["explain", SWEDEN],
        &["coverage"],
        &["budgets", "export"],
    ];
    for arguments in json {
        let output = desk.house.run(&[arguments, &["--format", "json"]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains(is_obeyed) && !text.is_empty(), "{arguments:?}: {text:?}");
        let about_it = text.contains("Evil");
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document.to_string().contains(OBEYED), about_it, "{arguments:?}");
    }
    assert_eq!(desk.json(&["alerts", "--format", "json"])[0]["customer"]["name"], OBEYED);
    let ended = desk.run(&["test", "no\u{9b}2J\u{202e}.toml"]);
    assert!(ended.code == 2 && ended.err.contains("no\u{fffd}2J\u{fffd}.toml"), "{:?}", ended.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_that_read_the_same_are_told_apart_wherever_people_list_them() {
    let desk = Desk::new();
    // One alerts, and one that reads the same can never alert.
    let usage = super::USAGE.replace("Modern Azure Customer SE", "Contoso Nord");
    let usage = usage
        .replace("LEGACY AZURE CUSTOMER SE", "CONTOSO\u{a0}nord")
        .replace("Test_Test_MA20190829_14", "CONTOSO\u{a0}nord");
    std::fs::write(desk.house.path("usage.json"), usage).unwrap();
    // The table may break a line within the name.
    let with_id = "REF…96e6)";
    let flat = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for arguments in [&["poll"][..], &["alerts"], &["status"]] {
        let told = flat(desk.run(arguments).out);
        assert!(told.contains(with_id), "{arguments:?}: {told}");
        assert!(!told.contains("Contoso UK (id"), "{arguments:?}: {told}");
    }
    let told = flat(desk.run(&["coverage"]).out);
    assert!(told.contains("CONTOSO nord (id REF…"), "{told}");
    let sheet = desk.run(&["status", "--format", "csv"]).out;
    assert!(!sheet.contains("(id"), "programs have the ids: {sheet}");
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_listed_for_people_and_spreadsheets_beside_a_daemon() {
    let desk = Desk::polled();
    let held = super::hold(&desk);
    assert_eq!(
        desk.told(&["alerts"]),
        "\
SEVERITY  RAISED  CUSTOMER  USAGE  RULE, STEP  REF  TOLD
CRITICAL  NOW  Modern Azure Customer SE  602.84 %  spend  REF  hook
                                                  120.57 of 20 SEK  600 %  other
WARNING  NOW  Contoso UK  27.23 %  gold  REF  hook
                                                  27.23 of 100 GBP  20 %

2 alerts. Times in UTC.
"
    );
    assert_eq!(desk.told(&["alerts", "--format", "csv"]), "\
id,ref,raised_at,state,severity,customer_id,customer,rule,metric,threshold,value,cost,currency,usd_cost,budget,budget_source,usage_as_of,period_start,period_end,acknowledged_at,acknowledged_by,note,marked,marked_by,expected_until
UUID,REF,TIME,raised,critical,11111111-6fb9-4b05-8f15-b3d72e0596e6,Modern Azure Customer SE,spend,percent_used,600,602.84,120.5682999999995904716,SEK,12.39999999999999985235,20,partner-center,2019-09-17T17:08:11.1433333Z,2019-09-01T00:00:00Z,2019-10-01T00:00:00Z,,,,,,
UUID,REF,TIME,raised,warning,11111111-641b-4c53-b7fc-0f2bfca8a581,Contoso UK,gold,percent_used,20,27.23,27.23292827625710931604,GBP,33.280000000000001044,100,local,2019-09-17T17:08:11.1433333Z,2019-09-01T00:00:00Z,2019-10-01T00:00:00Z,,,,,,
");
    assert_eq!(
        desk.told(&["deliveries"]),
        "\
STATE  RECORDED  NOTIFIER  MESSAGE  ID  TRIED  LAST ANSWER
sent  NOW  hook  alert REF  REF  1  200 OK
sent  NOW  hook  alert REF  REF  1  200 OK
sent  NOW  other  alert REF  REF  1  200 OK

3 deliveries: 3 sent, 0 owed, 0 given up. Times in UTC.
"
    );
    assert_eq!(
        desk.told(&["deliveries", "--format", "csv", "--notifier", "other"]),
        "\
id,identity,state,notifier,recipient,kind,alerts,created_at,ended_at,attempts,last_detail,fallback_for
UUID,UUID,sent,other,,budget.alert.raised,UUID,TIME,TIME,1,200 OK,
"
    );
    held.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_alerts_as_webhooks_carry_them_and_how_their_deliveries_stand() {
    let desk = Desk::polled();
    let listed = desk.json(&["alerts", "--format", "json"]);
    let sent = desk.receiver.received();
    let sent = sent.iter().find(|request| request.text().contains(SWEDEN)).unwrap();
    let body: serde_json::Value = serde_json::from_str(&sent.text()).unwrap();
    let mut own = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|alert| alert["customer"]["id"] == SWEDEN)
        .unwrap()
        .clone();
    let deliveries = own.as_object_mut().unwrap().remove("deliveries").unwrap();
    assert!(own.as_object_mut().unwrap().remove("acknowledged").unwrap().is_null());
    assert_eq!(own, body["data"]["alerts"][0]);
    let one = |name: &str| json!({"notifier": name, "pending": 0, "sent": 1, "dead": 0});
    assert_eq!(deliveries, json!([one("hook"), one("other")]));
    let deliveries = desk.json(&["deliveries", "--format", "json", "--customer", BRITAIN]);
    let mut only = deliveries[0].clone();
    for masked in ["id", "identity", "created_at", "ended_at"] {
        assert!(only[masked].take().is_string(), "{masked}");
    }
    let id =
        listed.as_array().unwrap().iter().find(|alert| alert["customer"]["id"] == BRITAIN).unwrap()
            ["id"]
            .clone();
    let expected = json!({
        "id": null, "identity": null, "notifier": "hook", "recipient": null, "kind": "budget.alert.raised", "state": "sent",
        "alerts": [id], "created_at": null, "ended_at": null, "attempts": 1, "held": false, "last_detail": "200 OK",
    });
    assert_eq!((deliveries.as_array().unwrap().len(), only), (1, expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_are_narrowed_by_customer_and_time() {
    let desk = Desk::polled();
    let number = |arguments: &[&str]| {
        desk.json(&[arguments, &["--format", "json"]].concat()).as_array().unwrap().len()
    };
    assert_eq!(number(&["alerts", "--customer", "CONTOSO uk"]), 1);
    assert_eq!(number(&["alerts", "--customer", "modern azure"]), 2);
    assert_eq!(number(&["alerts", "--customer", &SWEDEN.to_uppercase()]), 1);
    assert_eq!(number(&["alerts", "--customer", "Test_Test"]), 0);
    assert_eq!(number(&["alerts", "--since", "1h"]), 2);
    assert_eq!(number(&["alerts", "--until", "1h"]), 0);
    assert_eq!(number(&["alerts", "--since", "2019-09-17", "--until", "2019-10-01T00:00:00Z"]), 0);
    assert_eq!(number(&["deliveries", "--customer", SWEDEN]), 2);
    assert_eq!(number(&["deliveries", "--state", "dead"]), 0);
    assert_eq!(desk.told(&["alerts", "--until", "1h"]), "No alerts.\n");
    let nobody = desk.run(&["alerts", "--customer", "nobody"]);
    assert_eq!(nobody.code, 2);
    assert_eq!(
        nobody.err,
        "budget-alertd: no customer is called \"nobody\": give an id, a name or a label, or a part \
            of a name\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_from_outside_harm_no_terminal_and_no_spreadsheet() {
    let desk = Desk::new();
    let hostile = r"=cmd|' /C calc'!A0\u001b[31m\r\nBcc: x\u202e<!channel>";
    std::fs::write(
        desk.house.path("usage.json"),
        super::USAGE.replace("Modern Azure Customer SE", hostile),
    )
    .unwrap();
    desk.run(&["poll"]);
    for arguments in [&["alerts"][..], &["status"], &["explain", SWEDEN], &["poll", "--dry-run"]] {
        let output = desk.house.run(arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains(['\u{1b}', '\r', '\u{202e}']), "{arguments:?}: {text:?}");
        assert!(text.lines().skip(1).all(|line| line.chars().count() <= 100), "{text}");
    }
    let csv = desk.told(&["alerts", "--format", "csv"]);
    assert!(csv.contains(",'=cmd|' /C calc'!A0 [31m Bcc: x<!channel>,"), "{csv}");
}

#[test]
fn the_options_of_every_command_stand_last_in_its_help() {
    for command in
        [&["status"][..], &["silence", "add"], &["poll"], &["demo"], &["budgets", "export"]]
    {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_budget-alertd"))
            .args(command)
            .arg("--help")
            .output()
            .unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        let (own, common) = help
            .split_once("\nOptions of every command:\n")
            .unwrap_or_else(|| panic!("{command:?}: {help}"));
        assert!(
            common.contains("--config") && common.contains("--log") && !own.contains("--config"),
            "{help}"
        );
        let options = common.lines().filter(|line| line.trim_start().starts_with("--")).count();
        assert_eq!(options, 3, "{help}");
    }
    for command in ["silence", "budgets", "demo", "reload", "status", "poll"] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_budget-alertd"))
            .args([command, "--help"])
            .output()
            .unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(help.contains(&format!("Example: budget-alertd {command}")), "{help}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_seen_enough_is_no_failure() {
    let desk = Desk::new();
    desk.house.save_usage((0..2000).map(|number| (format!("customer-{number:04}"), 200)));
    desk.run(&["poll", "--wait", "0s"]);
    let listings: [&[&str]; 4] = [
        &["alerts", "--format", "json"],
        &["alerts", "--format", "csv"],
        &["budgets", "export", "--format", "json"],
        &["budgets", "export", "--format", "csv"],
    ];
    for arguments in listings {
        let mut child = desk
            .house
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut start = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut start).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!(
            (ended.status.code(), String::from_utf8(ended.stderr).unwrap().as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}
