//! The command line: lists, shows and answers security alerts, and polls them.

use std::process::Output;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{
    Endpoint, Fault, HttpReceiver, PartnerCenter, SignIn, SimCustomer, SimSecurityAlert,
};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;

use super::{CONTOSO, CRYPTO, OTHER};
use crate::support::process::{House, SOON, eventually};

struct Desk {
    microsoft: PartnerCenter,
    receiver: HttpReceiver,
    house: House,
}

fn hours_ago(hours: i64) -> Timestamp {
    SystemClock::shared().now() - SignedDuration::from_hours(hours)
}

impl Desk {
    fn new(source: &str) -> Self {
        let sign_in = SignIn::default();
        let microsoft = PartnerCenter::start(SystemClock::shared(), sign_in.clone()).unwrap();
        let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
        let url = if source == "graph" {
            format!("url = \"{}\"\n", microsoft.graph_url())
        } else {
            String::new()
        };
        let house = House::new(&format!(
            "[source]\ntype = \"partner-center\"\napi_url = \"{}\"\nlogin_url = \"{}\"\n\
             tenant_id = \"{}\"\nclient_id = \"{}\"\nclient_secret = \"{}\"\nrefresh_token = \"{}\"\n\
             [security_alerts]\nsource = \"{source}\"\n{url}{}\
             [notifiers.hook]\ntype = \"webhook\"\nurl = \"{}\"\nsend_resolved = true\n\
             [notifiers.chat]\ntype = \"slack\"\nurl = \"{}\"\n",
            microsoft.api_url(),
            microsoft.login_url(),
            sign_in.tenant_id,
            sign_in.client_id,
            sign_in.client_secret.as_deref().unwrap(),
            sign_in.refresh_token,
            super::LADDER.replace("[\"hook\"]", "[\"hook\", \"chat\"]"),
            receiver.url("/hook"),
            receiver.url("/chat"),
        ));
        let customer = SimCustomer::azure_plan(CONTOSO, "Contoso Nord", "EUR", hours_ago(1))
            .with_budget(Decimal::from(5000))
            .with_cost(Decimal::from(100));
        microsoft.set_customers(vec![customer]);
        microsoft.set_security_alerts(vec![
            SimSecurityAlert::crypto_mining(CRYPTO, CONTOSO, hours_ago(3)),
            SimSecurityAlert::crypto_mining(OTHER, CONTOSO, hours_ago(3)),
        ]);
        Self { microsoft, receiver, house }
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let Output { status, stdout, stderr } = self.house.run(arguments);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let (_, out, err) = self.run(arguments);
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_reads_both_and_neither_keeps_the_other_from_being_judged() {
    let desk = Desk::new("graph");
    let polled = desk.json(&["poll", "--format", "json"]);
    assert_eq!((&polled["source"], &polled["security"]), (&"ok".into(), &"ok".into()));
    assert_eq!(polled["alerts"].as_array().unwrap().len(), 2, "{polled}");
    assert_eq!(polled["deliveries"]["sent"], 4, "{polled}");
    let received = desk.receiver.received();
    let chat = received.iter().find(|request| request.path.ends_with("/chat")).unwrap();
    let chat: Value = serde_json::from_slice(&chat.body).unwrap();
    let text = chat["text"].as_str().unwrap();
    assert!(
        text.contains("Microsoft saw crypto mining in a subscription of Contoso Nord at ")
            && text.contains(" 3 h ago; it must be answered within 24 h.")
            && text.contains("Answer: budget-alertd security resolve "),
        "{text}"
    );
    desk.microsoft.fail(Endpoint::UsageRecords, Fault::status(403));
    let polled = desk.json(&["poll", "--format", "json"]);
    assert_eq!((&polled["source"], &polled["security"]), (&"failed".into(), &"ok".into()));
    desk.microsoft.heal(Endpoint::UsageRecords);
    desk.microsoft.fail(Endpoint::SecurityAlerts, Fault::status(403));
    let (code, out, _) = desk.run(&["poll", "--format", "json"]);
    let polled: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &polled["source"]), (Some(1), &"ok".into()));
    assert_eq!(polled["security"], "failed");
    let error = polled["errors"][0].as_str().unwrap();
    assert!(error.starts_with("security alerts: Microsoft Graph denies access (403)."), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_listed_shown_and_answered() {
    let desk = Desk::new("graph");
    desk.microsoft.set_response_hours("31.5");
    desk.run(&["poll"]);
    let listed = desk.json(&["security", "list", "--format", "json"]);
    let rows = listed.as_array().unwrap();
    assert_eq!(rows.len(), 2);
    let row = rows.iter().find(|row| row["id"] == CRYPTO).unwrap();
    assert_eq!(row["customer"]["name"], "Contoso Nord");
    assert!(
        row["answered_by"].is_null() && row["reason"].is_null() && row["answered_at"].is_null()
    );
    let (code, out, _) = desk.run(&["security", "list"]);
    assert_eq!(code, Some(0));
    assert!(
        out.contains("2 security alerts, 2 not answered.") && out.contains("read whole"),
        "{out}"
    );
    let reference = row["ref"].as_str().unwrap();
    let (code, out, err) = desk.run(&["security", "resolve", reference, "--reason", "fraud"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let said = "CryptoMining of 11111111-6fb9-4b05-8f15-b3d72e0596e6 is answered as fraud, and \
        Microsoft shows it so. That stops nothing in Azure.\n";
    assert_eq!(out, said);
    let answered = desk.microsoft.security_alerts();
    assert_eq!(
        answered.iter().map(|alert| alert.status.as_str()).collect::<Vec<_>>(),
        ["resolved", "active"]
    );
    let (code, out, _) = desk.run(&["security", "resolve", &CRYPTO[..6], "--reason", "ignore"]);
    assert_eq!(code, Some(0));
    assert!(
        out.contains("was answered already as fraud by ") && out.contains("nothing was written"),
        "{out}"
    );
    let shown = desk.json(&["security", "show", CRYPTO, "--format", "json"]);
    assert_eq!(shown["reason"], "fraud");
    assert!(shown["answered_by"].as_str().unwrap().contains("(uid "), "{shown}");
    desk.run(&["poll"]);
    let ended = desk
        .receiver
        .received()
        .into_iter()
        .filter(|request| request.text().contains("budget.alert.resolved"));
    assert_eq!(ended.count(), 1);
    let security = &desk.json(&["status", "--format", "json"])["security"];
    assert_eq!((&security["open"], &security["microsoft_hours"]), (&1.into(), &"31.5".into()));
    assert!(security["answered_in_hours"].as_str().unwrap().starts_with('3'), "{security}");
    let (_, out, _) = desk.run(&["report"]);
    assert!(out.contains("by Microsoft's count (too slow)"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_answered_is_said() {
    let desk = Desk::new("graph");
    desk.run(&["poll"]);
    for (id, said) in
        [("7d0", "is too short"), ("ffff", "there is no security alert"), ("", "is too short")]
    {
        let (code, _, err) = desk.run(&["security", "resolve", id, "--reason", "fraud"]);
        assert_eq!(code, Some(2), "{err}");
        assert!(err.contains(said), "{id}: {err}");
    }
    desk.microsoft.forget_answers();
    let (code, _, err) = desk.run(&["security", "resolve", CRYPTO, "--reason", "legitimate"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("does not show it"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fraud_event_takes_two_reasons_and_always_an_id() {
    let desk = Desk::new("partner-center");
    desk.run(&["poll"]);
    let (code, _, err) = desk.run(&["security", "resolve", CRYPTO, "--reason", "legitimate"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("Partner Center takes \"fraud\" or \"ignore\" only"), "{err}");
    let (code, out, err) = desk.run(&["security", "resolve", CRYPTO, "--reason", "ignore"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let posted =
        desk.microsoft.requests().into_iter().find(|request| {
            request.method == "POST" && request.path.starts_with("/v1/fraudEvents/")
        });
    let posted: Value = serde_json::from_slice(&posted.unwrap().body).unwrap();
    assert_eq!(
        posted,
        serde_json::json!({ "EventIds": [CRYPTO], "EventStatus": "Resolved", "ResolvedReason": "Ignore" })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_reads_them_by_itself_and_answers_by_order() {
    let desk = Desk::new("graph");
    let daemon = desk.house.start();
    let of_type = |kind: &str| {
        let received = desk.receiver.received();
        received.into_iter().filter(|request| request.text().contains(kind)).count()
    };
    eventually(SOON, "both alerts", || (of_type("budget.alert.raised") == 2).then_some(()));
    let (code, out, err) = desk.run(&["security", "resolve", CRYPTO, "--reason", "legitimate"]);
    assert_eq!(code, Some(0), "{out}{err}");
    eventually(SOON, "the end", || (of_type("budget.alert.resolved") == 1).then_some(()));
    let polled = desk.json(&["poll", "--format", "json"]);
    assert_eq!((&polled["security"], &polled["alerts"]), (&"ok".into(), &Value::Array(Vec::new())));
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_beside_a_daemon_waits_until_new_ones_are_delivered() {
    let desk = Desk::new("graph");
    let daemon = desk.house.start();
    let received = || desk.receiver.received().len();
    eventually(SOON, "both alerts, twice", || (received() == 4).then_some(()));
    // They may not be marked yet.
    desk.run(&["poll"]);
    for (number, id) in ["third", "fourth", "fifth"].into_iter().enumerate() {
        let mut alerts = desk.microsoft.security_alerts();
        alerts.push(SimSecurityAlert::crypto_mining(id, CONTOSO, hours_ago(3)));
        desk.microsoft.set_security_alerts(alerts);
        let (code, out, err) = desk.run(&["poll", "--format", "json"]);
        assert_eq!(code, Some(0), "{number}: {out}{err}");
        let polled: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(polled["alerts"].as_array().unwrap().len(), 1, "{polled}");
        let expected = serde_json::json!({ "sent": 2, "pending": 0, "dead": 0 });
        assert_eq!(polled["deliveries"], expected, "{number}: {polled}");
    }
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_live_says_whether_security_alerts_can_be_read() {
    let desk = Desk::new("graph");
    let (code, out, err) = desk.run(&["check", "--live"]);
    assert!(out.contains("✓ security_alerts 2 alerts not answered\n"), "{out}{err}");
    assert_eq!(code, Some(0), "{out}{err}");
    desk.microsoft.fail(Endpoint::SecurityAlerts, Fault::status(403));
    let (code, out, _) = desk.run(&["check", "--live"]);
    assert!(out.contains("✗ security_alerts "), "{out}");
    assert!(out.contains("✓ source  "), "usage is read all the same: {out}");
    assert_eq!(code, Some(1));
}
