//! Security alerts once the other API tells of them, or none does.

use budget_alertd::domain::MessageKind;
use budget_alertd::ledger::Reader;
use budget_alertd::simulator::{Endpoint, Fault};

use super::{CONTOSO, CRYPTO, OTHER, Stage, crypto, on_the_14th};
use crate::support::world::SPEND;

/// A rule that tells a webhook and PagerDuty, both of ends too.
const RULES: &str = r#"
[rules.microsoft]
metric = "security_alert_hours"
notify = ["hook", "oncall"]
steps = [{ at = 0 }, { at = 1 }]
[notifiers.hook]
type = "webhook"
url = "http://127.0.0.1:9/"
send_resolved = true
[notifiers.oncall]
type = "pagerduty"
routing_key = "0123456789abcdef0123456789abcdef"
"#;

/// What is owed to a notifier: how many alerts are told and how many ends.
async fn told(stage: &Stage, notifier: &str) -> (usize, usize) {
    let owed = stage.world.owed(notifier).await;
    let count = |kind| owed.iter().filter(|one| one.message.kind() == kind).count();
    (count(MessageKind::Raised), count(MessageKind::Resolved))
}

#[tokio::test]
async fn what_the_other_api_told_of_ends_in_silence_and_the_first_read_is_a_baseline() {
    let stage = Stage::of("partner-center", RULES);
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00"), crypto(OTHER, CONTOSO, "09:00")]);
    assert_eq!(stage.read("09:10").await.lines().count(), 2);
    let stage = stage.reading("graph");
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00"), crypto("new", CONTOSO, "09:00")]);
    stage.microsoft.fail(Endpoint::SecurityAlerts, Fault::status(503));
    assert!(stage.read("09:15").await.starts_with("! security alerts: "));
    assert_eq!(stage.world.metric("budget_alertd_security_alerts_open{severity=\"high\"}"), "2");
    stage.microsoft.heal(Endpoint::SecurityAlerts);
    let new = "warning microsoft at 0 passed [], 0.33 h, CryptoMining high, raised, baseline\n";
    assert_eq!(stage.read("09:20").await, new, "the other one has the same id");
    assert_eq!(stage.read("09:30").await, "");
    assert_eq!(stage.world.metric("budget_alertd_security_alerts_open{severity=\"high\"}"), "2");
    let listed = stage.world.run(&["security", "list"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("no longer read\n"), "{listed}");
    assert_eq!(told(&stage, "hook").await, (3, 0), "nobody has answered any");
    assert_eq!(told(&stage, "oncall").await, (3, 1), "no incident stays open for ever");
}

#[tokio::test]
async fn one_that_is_told_of_again_after_a_way_back_is_told_once_more() {
    let stage = Stage::of("partner-center", RULES);
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00")]);
    stage.read("09:10").await;
    let stage = stage.reading("graph");
    stage.set(&[]);
    stage.read("09:20").await;
    let stage = stage.reading("partner-center");
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00")]);
    stage.read("09:30").await;
    let owed = stage.world.owed("hook").await;
    let kinds: Vec<MessageKind> = owed.iter().map(|one| one.message.kind()).collect();
    assert_eq!(kinds, [MessageKind::Raised, MessageKind::Reminder]);
}

#[tokio::test]
async fn nothing_is_said_of_them_any_more_once_none_are_read() {
    let stage = Stage::of("graph", RULES);
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00")]);
    stage.read("09:10").await;
    stage.microsoft.fail(Endpoint::SecurityAlerts, Fault::status(403));
    stage.read("09:20").await;
    let stage = stage.reading_none(SPEND);
    stage.world.poll_source(&on_the_14th("09:30")).await;
    let ledger = stage.world.ledger();
    let open = ledger.read(Reader::findings).await.unwrap();
    let codes: Vec<&str> = open.iter().map(|open| open.finding.code.as_str()).collect();
    assert!(!codes.contains(&"security-source-failing"), "{codes:?}");
    let now = ledger.read(|reader| reader.security_summary(jiff::Timestamp::MAX)).await.unwrap();
    assert_eq!(now, None);
    ledger.close().await.unwrap();
    assert_eq!(stage.world.metric("budget_alertd_security_alerts_open{severity=\"high\"}"), "0");
    assert_eq!(stage.world.metric("budget_alertd_security_alert_oldest_seconds"), "0");
    let mut stage = stage.reading("graph");
    stage.world.change_rules(RULES);
    stage.microsoft.heal(Endpoint::SecurityAlerts);
    let again = "warning microsoft at 0 passed [], 0.67 h, CryptoMining high, raised, baseline\n";
    assert_eq!(stage.read("09:40").await, again);
}
