//! Security alerts that were over and are active again.

use budget_alertd::alerting::{NewSecurityStep, SecurityRecording, SecurityState};
use budget_alertd::domain::{Glob, MessageKind, Silence};
use budget_alertd::simulator::{Answer, Endpoint, Fault, SimSecurityAlert};
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::{CONTOSO, CRYPTO, LADDER, OTHER, Stage, at, crypto, on_the_14th};

/// The same rule, and a webhook that is told of ends.
const HEARS_OF_ENDS: &str = r#"
[rules.microsoft]
metric = "security_alert_hours"
notify = ["hook"]
steps = [{ at = 0 }, { at = 1 }, { at = 12 }]
[notifiers.hook]
type = "webhook"
url = "http://127.0.0.1:9/"
send_resolved = true
"#;

/// What is owed, in its order.
async fn kinds(stage: &Stage) -> Vec<MessageKind> {
    let owed = stage.world.owed("hook").await;
    owed.into_iter().map(|delivery| delivery.message.kind()).collect()
}

/// The same, answered at this time of that day.
fn answered(alert: &SimSecurityAlert, time: &str) -> SimSecurityAlert {
    SimSecurityAlert {
        status: "resolved".to_owned(),
        reason: Some("ignore".to_owned()),
        resolved: Some(("anna@partner.example".to_owned(), at(&on_the_14th(time)))),
        ..alert.clone()
    }
}

#[tokio::test]
async fn one_that_ended_long_ago_keeps_no_other_from_being_told() {
    let stage = Stage::new(LADDER);
    let old = crypto(CRYPTO, CONTOSO, "09:00");
    stage.set(std::slice::from_ref(&old));
    assert_eq!(stage.read("09:10").await.lines().count(), 1);
    stage.set(&[answered(&old, "09:20")]);
    assert_eq!(stage.read("09:20").await, "");
    let new = SimSecurityAlert::crypto_mining(OTHER, CONTOSO, at("2027-01-14T09:00:00Z"));
    stage.set(&[old, new]);
    let told = stage.read_at("2027-01-14T09:10:00Z").await;
    assert!(
        told.contains("warning microsoft at 0 passed [], 0.17 h, CryptoMining high, raised\n"),
        "{told}"
    );
    assert_eq!(stage.read_at("2027-01-14T09:20:00Z").await, "");
}

#[tokio::test]
async fn who_was_told_hears_of_an_end_that_was_ordered_long_ago() {
    let stage = Stage::new(HEARS_OF_ENDS);
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00")]);
    stage.read("09:10").await;
    let ledger = stage.world.ledger();
    let memory = ledger.read(|reader| reader.security(Timestamp::MIN)).await.unwrap();
    let now = at(&on_the_14th("09:30"));
    let ended = SecurityState { ended_at: Some(now), ..memory.alerts[0].state.clone() };
    let customer = ended.alert.customer.key();
    ledger.answer_security(customer, ended, "fraud", now).await.unwrap();
    ledger.close().await.unwrap();
    stage.set(&[]);
    stage.read_at("2027-01-14T09:10:00Z").await;
    assert_eq!(kinds(&stage).await, [MessageKind::Raised, MessageKind::Resolved]);
    let ledger = stage.world.ledger();
    let now = at("2027-01-14T09:10:00Z");
    let summary = ledger.read(move |reader| reader.security_summary(now)).await.unwrap().unwrap();
    assert_eq!(summary.answered_in_hours, None, "that was not in the last 30 days");
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn a_step_that_is_recorded_already_keeps_nothing_else_from_being_recorded() {
    let stage = Stage::new(LADDER);
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00")]);
    let report = stage.world.read_security(&on_the_14th("09:10")).await;
    let alert = report.alerts[0].alert.id;
    let step = |at: i64| NewSecurityStep {
        security: CRYPTO.to_owned(),
        rule: "microsoft".into(),
        at: Decimal::from(at),
        raised: false,
        alert,
    };
    let ledger = stage.world.ledger();
    let recording = SecurityRecording {
        now: at(&on_the_14th("09:20")),
        steps: vec![step(0), step(1)],
        ..SecurityRecording::default()
    };
    ledger.record_security(recording).await.unwrap();
    let memory = ledger.read(|reader| reader.security(Timestamp::MIN)).await.unwrap();
    let steps = memory.alerts[0].steps.iter();
    let steps: Vec<String> = steps.map(|step| format!("{} {}", step.at, step.raised)).collect();
    assert_eq!(steps, ["0 true", "1 false"]);
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn it_is_told_once_more_and_so_is_its_next_end() {
    let stage = Stage::new(HEARS_OF_ENDS);
    let alert = crypto(CRYPTO, CONTOSO, "09:00");
    stage.set(std::slice::from_ref(&alert));
    stage.read("09:10").await;
    stage.read("10:10").await;
    stage.set(&[answered(&alert, "10:20")]);
    stage.read("10:30").await;
    stage.set(std::slice::from_ref(&alert));
    assert_eq!(stage.read("10:40").await, "", "no step of it is new");
    stage.read("10:50").await;
    let told =
        [MessageKind::Raised, MessageKind::Raised, MessageKind::Resolved, MessageKind::Reminder];
    assert_eq!(kinds(&stage).await, told);
    assert_eq!(stage.world.metric("budget_alertd_security_alerts_open{severity=\"high\"}"), "1");
    assert_eq!(stage.read("21:10").await.lines().count(), 1, "its next step is told");
    stage.set(&[answered(&alert, "21:20")]);
    stage.read("21:30").await;
    stage.read("21:40").await;
    let told = [told.as_slice(), &[MessageKind::Raised, MessageKind::Resolved]].concat();
    assert_eq!(kinds(&stage).await, told);
}

#[tokio::test]
async fn one_that_was_no_longer_listed_is_told_once_more() {
    let stage = Stage::new(HEARS_OF_ENDS);
    let alert = crypto(CRYPTO, CONTOSO, "09:00");
    stage.set(std::slice::from_ref(&alert));
    stage.read("09:10").await;
    stage.set(&[]);
    stage.read("09:20").await;
    stage.set(std::slice::from_ref(&alert));
    stage.read("09:30").await;
    stage.set(&[]);
    stage.read("09:40").await;
    let (raised, resolved) = (MessageKind::Raised, MessageKind::Resolved);
    assert_eq!(kinds(&stage).await, [raised, resolved, MessageKind::Reminder, resolved]);
}

#[tokio::test]
async fn who_was_told_of_a_lower_step_only_is_told_beside_a_new_step() {
    let rules = HEARS_OF_ENDS.replace("{ at = 12 }", "{ at = 12, notify = [\"other\"] }")
        + "[notifiers.other]\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n";
    let stage = Stage::new(&rules);
    let alert = crypto(CRYPTO, CONTOSO, "09:00");
    stage.set(std::slice::from_ref(&alert));
    stage.read("09:10").await;
    stage.read("10:10").await;
    stage.set(&[answered(&alert, "10:20")]);
    stage.read("10:30").await;
    stage.set(&[alert]);
    assert_eq!(stage.read("21:10").await.lines().count(), 1);
    let raised = MessageKind::Raised;
    let told = [raised, raised, MessageKind::Resolved, MessageKind::Reminder];
    assert_eq!(kinds(&stage).await, told);
    let other = stage.world.owed("other").await;
    assert_eq!(other.len(), 1);
    assert_eq!(other[0].message.kind(), raised);
}

#[tokio::test]
async fn a_silence_hides_it_until_it_is_over() {
    let stage = Stage::new(HEARS_OF_ENDS);
    let alert = crypto(CRYPTO, CONTOSO, "09:00");
    stage.set(std::slice::from_ref(&alert));
    stage.read("09:10").await;
    stage.set(&[answered(&alert, "09:20")]);
    stage.read("09:30").await;
    let silence = Silence {
        id: 0,
        customers: Vec::new(),
        rules: vec![Glob::try_new("microsoft").unwrap()],
        unless_above: None,
        created_at: at(&on_the_14th("09:35")),
        as_of: at(&on_the_14th("09:35")),
        ends_at: Some(at(&on_the_14th("09:45"))),
        author: "alice (uid 1000)".into(),
        reason: "looked at".into(),
        expired_at: None,
    };
    let ledger = stage.world.ledger();
    ledger.add_silence(silence).await.unwrap();
    ledger.close().await.unwrap();
    stage.set(&[alert]);
    stage.read("09:40").await;
    let told = [MessageKind::Raised, MessageKind::Resolved];
    assert_eq!(kinds(&stage).await, told);
    stage.read("09:50").await;
    assert_eq!(kinds(&stage).await, [told.as_slice(), &[MessageKind::Raised]].concat());
}

#[tokio::test]
async fn a_list_that_is_older_than_the_answer_reopens_nothing() {
    let stage = Stage::new(HEARS_OF_ENDS);
    let alert = crypto(CRYPTO, CONTOSO, "09:00");
    stage.set(std::slice::from_ref(&alert));
    stage.read("09:10").await;
    stage.set(&[answered(&alert, "09:20")]);
    stage.read("09:20").await;
    let older = format!(
        r#"{{"value": [{{"id": "{CRYPTO}", "status": "active", "customerTenantId": "{CONTOSO}"}}]}}"#
    );
    let once = Fault::Answer(Answer::json(200, older));
    stage.microsoft.fail_once(Endpoint::SecurityAlerts, once);
    stage.read("09:30").await;
    let told = [MessageKind::Raised, MessageKind::Resolved];
    assert_eq!(kinds(&stage).await, told);
}

#[tokio::test]
async fn what_cannot_be_asked_for_reopens_nothing_until_it_can() {
    let stage = Stage::new(HEARS_OF_ENDS);
    let alert = crypto(CRYPTO, CONTOSO, "09:00");
    stage.set(std::slice::from_ref(&alert));
    stage.read("09:10").await;
    stage.set(&[answered(&alert, "09:20")]);
    stage.read("09:20").await;
    stage.set(std::slice::from_ref(&alert));
    let listed = format!(
        r#"{{"value": [{{"id": "{CRYPTO}", "status": "active", "customerTenantId": "{CONTOSO}"}}]}}"#
    );
    stage.microsoft.fail_once(Endpoint::SecurityAlerts, Fault::Answer(Answer::json(200, listed)));
    for _ in 0..10 {
        stage.microsoft.fail_once(Endpoint::SecurityAlerts, Fault::status(400));
    }
    let report = stage.world.read_security(&on_the_14th("09:30")).await;
    assert!(!report.good, "{report:?}");
    let told = [MessageKind::Raised, MessageKind::Resolved];
    assert_eq!(kinds(&stage).await, told);
    stage.microsoft.heal(Endpoint::SecurityAlerts);
    stage.read("09:40").await;
    assert_eq!(kinds(&stage).await, [told.as_slice(), &[MessageKind::Reminder]].concat());
}

#[tokio::test]
async fn who_answered_it_from_here_is_known_whatever_is_read_later() {
    let stage = Stage::new(LADDER);
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00")]);
    stage.read("09:10").await;
    let ledger = stage.world.ledger().ordered_by("anna (uid 1000)");
    let memory = ledger.read(|reader| reader.security(Timestamp::MIN)).await.unwrap();
    let now = at(&on_the_14th("09:30"));
    let ended = SecurityState { ended_at: Some(now), ..memory.alerts[0].state.clone() };
    let customer = ended.alert.customer.key();
    ledger.answer_security(customer.clone(), ended.clone(), "fraud", now).await.unwrap();
    // A read that began before knows nothing of the order.
    let states = vec![(customer, ended)];
    let recording = SecurityRecording { now, states, ..SecurityRecording::default() };
    ledger.record_security(recording).await.unwrap();
    let memory = ledger.read(|reader| reader.security(Timestamp::MIN)).await.unwrap();
    let end = memory.alerts[0].state.end().unwrap();
    assert_eq!(end.by.as_deref(), Some("anna (uid 1000)"));
    ledger.close().await.unwrap();
}
