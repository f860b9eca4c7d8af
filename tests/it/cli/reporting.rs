//! `report`, and what `check` says of it.

use serde_json::json;

use super::{CONFIGURATION, Desk};

#[tokio::test(flavor = "multi_thread")]
async fn the_report_is_printed_as_it_would_come_and_sent_when_asked_to() {
    let desk =
        Desk::with(&format!("{CONFIGURATION}[report]\nevery = \"week\"\nnotify = [\"other\"]\n"));
    assert_eq!(desk.run(&["poll"]).code, 0);
    let told = desk.run(&["report"]);
    assert_eq!(told.code, 0);
    assert!(
        told.out.starts_with("Weekly budget report ") && told.out.contains("\n\n4 customers read "),
        "{}",
        told.out
    );
    let before = desk.receiver.received().len();
    let sent = desk.run(&["report", "--send"]);
    assert_eq!(sent.code, 0);
    assert!(sent.out.contains("\nother: accepted: 200 OK\n"), "{}", sent.out);
    let body: serde_json::Value =
        serde_json::from_slice(&desk.receiver.received()[before].body).unwrap();
    assert_eq!(
        (&body["type"], &body["data"]["report"]["every"]),
        (&json!("operator.report"), &json!("week"))
    );
    assert_eq!(desk.json(&["report", "--format", "json"])["trust"]["customers"], 4);
    let record = desk.json(&["report", "--format", "json"])["record"].clone();
    let head = record.as_str().unwrap();
    let verified = desk.run(&["ledger", "verify", "--head", head]);
    assert!(verified.code == 0 && verified.out.contains(" is that of event "), "{}", verified.out);
    let checked = desk.run(&["check"]);
    assert!(
        checked.out.contains("Report  each Monday at 08:00 (UTC) to other\n"),
        "{}",
        checked.out
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_anybody_to_send_it_to_it_is_printed_only() {
    let desk = Desk::polled();
    assert!(desk.run(&["report"]).out.starts_with("Daily budget report "));
    assert_eq!(desk.run(&["report", "--send"]).code, 2);
}
