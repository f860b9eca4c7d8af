//! What is told of security alerts, and when.

use budget_alertd::ledger::Reader;
use budget_alertd::simulator::{Endpoint, Fault, SimCustomer};
use jiff::{SignedDuration, Timestamp};

use super::{CONTOSO, CRYPTO, LADDER, NOBODY, OTHER, Stage, at, crypto};

#[tokio::test]
async fn it_escalates_by_the_clock_until_it_is_answered() {
    let stage = Stage::new(LADDER);
    stage.set(&[]);
    assert_eq!(stage.read("08:00").await, "");
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00")]);
    let first = stage.read("09:10").await;
    assert_eq!(first, "warning microsoft at 0 passed [], 0.17 h, CryptoMining high, raised\n");
    assert_eq!(stage.read("09:20").await, "");
    let jump = "critical microsoft at 12 passed [1], 12.5 h, CryptoMining high, raised\n";
    assert_eq!(stage.read("21:30").await, jump);
    assert_eq!(stage.read("21:40").await, "");
    let mut answered = crypto(CRYPTO, CONTOSO, "09:00");
    answered.status = "resolved".to_owned();
    stage.set(&[answered]);
    assert_eq!(stage.read_at("2026-11-15T06:00:00Z").await, "", "it is answered");
    assert_eq!(stage.world.metric("budget_alertd_security_alerts_open{severity=\"high\"}"), "0");
}

#[tokio::test]
async fn one_that_is_old_when_it_is_first_seen_is_told_once_at_the_highest_step() {
    let stage = Stage::new(LADDER);
    stage.set(&[crypto(CRYPTO, CONTOSO, "01:00"), crypto(OTHER, NOBODY, "14:00")]);
    assert_eq!(
        stage.read("14:30").await,
        "critical microsoft at 12 passed [0 1], 13.5 h, CryptoMining high, raised, baseline\n\
         warning microsoft at 0 passed [], 0.5 h, CryptoMining high, raised, baseline\n"
    );
    assert_eq!(stage.world.metric("budget_alertd_security_alerts_open{severity=\"high\"}"), "2");
    assert_eq!(stage.world.metric("budget_alertd_security_alert_oldest_seconds"), "48600");
}

#[tokio::test]
async fn it_goes_on_escalating_while_the_source_fails() {
    let stage = Stage::new(LADDER);
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00")]);
    stage.read("09:10").await;
    stage.microsoft.fail(Endpoint::SecurityAlerts, Fault::status(503));
    let failed = stage.read("21:10").await;
    assert!(
        failed.starts_with(
            "critical microsoft at 12 passed [1], 12.17 h, CryptoMining high, raised\n\
             ! security alerts: Microsoft Graph answered 503"
        ),
        "{failed}"
    );
    stage.set(&[]);
    assert!(stage.read("21:30").await.starts_with("! security alerts:"));
    stage.microsoft.heal(Endpoint::SecurityAlerts);
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00")]);
    assert_eq!(stage.read("21:40").await, "", "nothing was concluded from what failed");
}

#[tokio::test]
async fn one_that_is_missing_is_asked_for_and_ends_where_it_is_gone() {
    let stage = Stage::new(LADDER);
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00"), crypto(OTHER, CONTOSO, "09:00")]);
    stage.read("09:10").await;
    stage.set(&[crypto(OTHER, CONTOSO, "09:00")]);
    assert_eq!(stage.read("09:20").await, "");
    let asked = format!("/beta/security/partner/securityAlerts/{CRYPTO}");
    assert!(stage.microsoft.requests().iter().any(|request| request.path == asked));
    let next = stage.read("10:20").await;
    assert_eq!(next.lines().count(), 1, "only the other one goes on: {next}");
    assert_eq!(stage.world.metric("budget_alertd_security_alerts_open{severity=\"high\"}"), "1");
}

#[tokio::test]
async fn a_test_is_told_once_as_information_and_counts_nowhere() {
    let stage = Stage::new(LADDER);
    let mut test = crypto(CRYPTO, CONTOSO, "09:00");
    test.is_test = true;
    stage.set(&[test]);
    let told = "info microsoft at 0 passed [], 0.17 h, CryptoMining high, raised, baseline\n";
    assert_eq!(stage.read("09:10").await, told);
    assert_eq!(stage.read("23:10").await, "");
    assert_eq!(stage.world.metric("budget_alertd_security_alerts_open{severity=\"high\"}"), "0");
}

#[tokio::test]
async fn conditions_on_what_is_not_known_hold() {
    let conditions = r#"
[rules.microsoft.match]
customers = ["Contoso*", "11111111-0000-*"]
alert_type = ["*mining*", "ARM_*"]
alert_severity = ["HIGH"]
confidence = ["medium"]
plan = "azure-plan"
usd_cost = { at_least = 100000 }
"#;
    let stage = Stage::new(&format!("{LADDER}{conditions}"));
    let with = |id: &str, kind: &str, severity: &str| {
        let mut alert = crypto(id, NOBODY, "09:00");
        kind.clone_into(&mut alert.kind);
        severity.clone_into(&mut alert.severity);
        alert
    };
    stage.set(&[
        with("a", "cryptoMINING", "high"),
        with("b", "CryptoMining", "unknownFutureValue"),
        with("c", "VM_AnomalousDeployment", "high"),
        with("d", "CryptoMining", "low"),
        crypto("e", "22222222-0000-4000-8000-000000000000", "09:00"),
    ]);
    let told = stage.read("09:10").await;
    let kinds: Vec<&str> = told.lines().map(|line| line.split(", ").nth(2).unwrap()).collect();
    assert_eq!(kinds, ["cryptoMINING high", "CryptoMining unknownFutureValue"], "{told}");
}

#[tokio::test]
async fn a_removed_rule_is_new_when_it_comes_back() {
    let mut stage = Stage::new(LADDER);
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00")]);
    stage.read("09:10").await;
    let other = LADDER.replace("rules.microsoft", "rules.other");
    stage.world.change_rules(&other);
    stage.world.poll_source(&super::on_the_14th("09:20")).await;
    assert_eq!(stage.read("09:20").await.lines().count(), 1);
    stage.world.change_rules(LADDER);
    stage.world.poll_source(&super::on_the_14th("09:30")).await;
    assert_eq!(stage.read("09:30").await.lines().count(), 1);
    let renamed = LADDER.replace("[rules.microsoft]", "[rules.ms]\nformerly = \"microsoft\"");
    stage.world.change_rules(&renamed);
    stage.world.poll_source(&super::on_the_14th("09:40")).await;
    assert_eq!(stage.read("09:40").await, "", "a renamed one is not new");
}

#[tokio::test]
async fn a_step_is_told_of_a_customer_that_is_long_forgotten() {
    let rules = "[rules.microsoft]\nmetric = \"security_alert_hours\"\nnotify = [\"hook\"]\n\
        steps = [{ at = 1500 }]\n[ledger]\nretention = \"30d\"\n";
    let stage = Stage::new(rules).with_usage().await;
    stage.set(&[crypto(CRYPTO, CONTOSO, "08:00")]);
    assert_eq!(stage.read("20:00").await, "");
    for day in ["2026-11-15", "2027-01-14"] {
        let date = at(&format!("{day}T17:00:00Z"));
        let other = SimCustomer::azure_plan(NOBODY, "Other", "EUR", date);
        stage.microsoft.set_customers(vec![other]);
        stage.world.poll_source(&format!("{day}T18:00:00Z")).await;
    }
    let ledger = stage.world.ledger();
    let now = at("2027-01-14T19:00:00Z");
    ledger.forget_old(now, SignedDuration::ZERO).await.unwrap();
    assert_eq!(ledger.read(|reader| reader.find_customer(CONTOSO)).await.unwrap().len(), 0);
    ledger.close().await.unwrap();
    let told = stage.read_at("2027-01-16T08:00:00Z").await;
    assert_eq!(told, "warning microsoft at 1500 passed [], 1512 h, CryptoMining high, raised\n");
}

#[tokio::test]
async fn who_was_never_seen_in_usage_is_not_missing_from_it() {
    let stage = Stage::new(LADDER).with_usage().await;
    stage.set(&[crypto(CRYPTO, NOBODY, "08:00")]);
    assert_eq!(stage.read("20:00").await.lines().count(), 1);
    let missing = async || {
        let ledger = stage.world.ledger();
        let missing = ledger.read(Reader::missing).await.unwrap();
        let events = ledger.read(|reader| reader.events_since(Timestamp::MIN)).await.unwrap();
        ledger.close().await.unwrap();
        let named =
            events.into_iter().map(|(id, _, event)| format!("{id} {}", event.code.as_str()));
        (missing, named.collect::<Vec<_>>())
    };
    assert_eq!(missing().await, (0, Vec::new()));
    let date = at("2026-11-14T20:00:00Z");
    let customers = [(CONTOSO, "Contoso Nord"), (NOBODY, "Fabrikam")];
    let customers = customers.map(|(id, name)| SimCustomer::azure_plan(id, name, "EUR", date));
    stage.microsoft.set_customers(customers.to_vec());
    stage.world.poll_source(&super::on_the_14th("20:10")).await;
    stage.world.poll_source(&super::on_the_14th("20:20")).await;
    let events = missing().await;
    assert_eq!(events.0, 0);
    assert!(!events.1.iter().any(|event| event.starts_with(NOBODY)), "{events:?}");
}
