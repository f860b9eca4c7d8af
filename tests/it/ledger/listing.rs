//! Listings beside an open ledger.

use super::*;

/// A ledger with an alert of each of two rules, the first delivered.
async fn two_alerts(folder: &tempfile::TempDir) -> Ledger {
    let ledger = open(&config(folder)).unwrap();
    ledger.record(one_alert(1, "spend", "slack", Severity::Warning)).await.unwrap();
    let later = AlertSnapshot {
        alert: Alert {
            raised_at: at("2026-10-06T12:00:00Z"),
            ..snapshot(2, "other", Severity::Critical).alert
        },
        ..snapshot(2, "other", Severity::Critical)
    };
    let second = Recording {
        now: at("2026-10-06T12:00:00Z"),
        alerts: vec![told(later)],
        ..one_alert(2, "other", "oncall", Severity::Critical)
    };
    ledger.record(second).await.unwrap();
    let delivery = ledger.due("slack", vec![], 1).await.unwrap()[0].id;
    let accepted = AttemptRecord {
        delivery,
        at: at("2026-10-05T12:01:00Z"),
        outcome: "accepted",
        detail: "200 OK".into(),
        message: None,
    };
    ledger.mark_sent(accepted).await.unwrap();
    ledger
}

#[tokio::test]
async fn alerts_are_listed_newest_first_while_the_ledger_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = two_alerts(&folder).await;
    let reader = Reader::open(&config(&folder)).unwrap();
    let rules = |filter: AlertFilter| {
        reader
            .alerts(&filter)
            .unwrap()
            .iter()
            .map(|row| row.snapshot.alert.rule.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(rules(AlertFilter::default()), ["other", "spend"]);
    assert_eq!(
        rules(AlertFilter { since: Some(at("2026-10-06T12:00:00Z")), ..AlertFilter::default() }),
        ["other"]
    );
    assert_eq!(
        rules(AlertFilter { until: Some(at("2026-10-06T12:00:00Z")), ..AlertFilter::default() }),
        ["spend"]
    );
    assert_eq!(rules(AlertFilter { limit: Some(1), ..AlertFilter::default() }), ["other"]);
    assert_eq!(
        rules(AlertFilter { customer: Some(customer(1).key()), ..AlertFilter::default() }),
        ["other", "spend"]
    );
    assert_eq!(
        rules(AlertFilter { customer: Some(customer(2).key()), ..AlertFilter::default() }),
        [""; 0]
    );
    let rows = reader.alerts(&AlertFilter::default()).unwrap();
    assert_eq!(
        rows[0].deliveries,
        [DeliverySummary { notifier: "oncall".into(), pending: 1, sent: 0, dead: 0 }]
    );
    assert_eq!(
        rows[1].deliveries,
        [DeliverySummary { notifier: "slack".into(), pending: 0, sent: 1, dead: 0 }]
    );
    assert_eq!(
        format!("{:?}", rows[1].snapshot),
        format!("{:?}", snapshot(1, "spend", Severity::Warning))
    );
    ledger
        .record(Recording {
            alerts: vec![told(snapshot(3, "third", Severity::Info))],
            ..Recording::default()
        })
        .await
        .unwrap();
    assert_eq!(
        rules(AlertFilter::default()),
        ["third", "other", "spend"],
        "the same reader sees what was recorded since"
    );
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn deliveries_are_listed_by_state_notifier_time_and_customer() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = two_alerts(&folder).await;
    let reader = Reader::open(&config(&folder)).unwrap();
    let identities = |filter: DeliveryFilter| {
        reader
            .deliveries(&filter)
            .unwrap()
            .iter()
            .map(|row| row.identity.as_u128())
            .collect::<Vec<_>>()
    };
    let all = DeliveryFilter::default;
    assert_eq!(identities(all()), [1002, 1001]);
    assert_eq!(identities(DeliveryFilter { state: Some(DeliveryState::Sent), ..all() }), [1001]);
    assert_eq!(identities(DeliveryFilter { notifier: Some("oncall".into()), ..all() }), [1002]);
    assert_eq!(
        identities(DeliveryFilter { since: Some(at("2026-10-06T12:00:00Z")), ..all() }),
        [1002]
    );
    assert_eq!(
        identities(DeliveryFilter { until: Some(at("2026-10-06T12:00:00Z")), ..all() }),
        [1001]
    );
    assert_eq!(
        identities(DeliveryFilter { customer: Some(customer(1).key()), limit: Some(1), ..all() }),
        [1002]
    );
    assert_eq!(identities(DeliveryFilter { customer: Some(customer(2).key()), ..all() }), [0; 0]);
    let sent = reader
        .deliveries(&DeliveryFilter { state: Some(DeliveryState::Sent), ..all() })
        .unwrap()
        .remove(0);
    let expected = DeliveryRow {
        id: sent.id,
        identity: id(1001),
        alerts: vec![id(1)],
        notifier: "slack".into(),
        recipient: None,
        fallback_for: None,
        kind: MessageKind::Raised,
        held: false,
        state: DeliveryState::Sent,
        created_at: at("2026-10-05T12:00:00Z"),
        ended_at: Some(at("2026-10-05T12:01:00Z")),
        attempts: 1,
        last_detail: Some("200 OK".into()),
        deferred_until: None,
    };
    assert_eq!(sent, expected);
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn customers_are_found_by_id_name_and_label_and_listed_worst_first() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let with =
        |number, name: &str, label: Option<&str>, cost: &str, budget: Option<&str>| CustomerState {
            name: name.into(),
            label: label.map(Into::into),
            cost: decimal(cost),
            usd_cost: Some(decimal(cost)),
            budget: budget.map(decimal),
            partner_center_budget: None,
            reported_percent: Some(decimal("999")),
            ..seen(number)
        };
    let seen = vec![
        with(1, "Fabrikam", Some("Nord"), "50", Some("100")),
        with(2, "Åsa AB", None, "90", Some("100")),
        with(3, "fabrikam", None, "1", Some("0")),
        with(4, "Tailspin", Some("Süd GmbH"), "5000", None),
        with(5, "Wingtip", Some("Süd AG"), "6000", None),
    ];
    ledger.record(Recording { seen, ..Recording::default() }).await.unwrap();
    let reader = Reader::open(&config(&folder)).unwrap();
    let names =
        |seen: Vec<CustomerState>| seen.iter().map(|seen| seen.name.clone()).collect::<Vec<_>>();
    assert_eq!(
        names(reader.customers_worst_first(10).unwrap()),
        ["fabrikam", "Åsa AB", "Fabrikam", "Wingtip", "Tailspin"]
    );
    assert_eq!(names(reader.customers_worst_first(2).unwrap()), ["fabrikam", "Åsa AB"]);
    assert_eq!(
        names(reader.find_customer(&customer(5).as_str().to_uppercase()).unwrap()),
        ["Wingtip"]
    );
    assert_eq!(names(reader.find_customer("åSA ab").unwrap()), ["Åsa AB"]);
    assert_eq!(names(reader.find_customer("nord").unwrap()), ["Fabrikam"]);
    assert_eq!(names(reader.find_customer("FABRIKAM").unwrap()), ["Fabrikam", "fabrikam"]);
    assert_eq!(names(reader.find_customer("süd").unwrap()), ["Tailspin", "Wingtip"]);
    assert_eq!(names(reader.find_customer("nobody").unwrap()), [""; 0]);
    assert_eq!(names(reader.find_customer(" ").unwrap()), [""; 0]);
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn findings_are_new_once_and_open_until_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let metrics = Metrics::new();
    let ledger = Ledger::open(&config(&folder), metrics.clone(), clock()).unwrap();
    ledger.stand("this host").unwrap();
    let finding = |subject: &str, summary: &str| OperatorFinding {
        code: FindingCode::NotifierFailing,
        subject: subject.into(),
        summary: summary.into(),
        action: "Look at it.".into(),
    };
    let (first, later) = (at("2026-10-05T12:00:00Z"), at("2026-10-05T13:00:00Z"));
    assert!(ledger.report(finding("slack", "refused"), first, |_| Vec::new()).await.unwrap().new);
    assert!(
        !ledger.report(finding("slack", "refused again"), later, |_| Vec::new()).await.unwrap().new
    );
    assert!(ledger.report(finding("oncall", "refused"), later, |_| Vec::new()).await.unwrap().new);
    assert!(
        metrics
            .render()
            .unwrap()
            .contains("budget_alertd_operator_findings{code=\"notifier-failing\"} 2")
    );
    let reader = Reader::open(&config(&folder)).unwrap();
    assert_eq!(
        reader.findings().unwrap(),
        [
            OpenFinding { finding: finding("slack", "refused again"), since: first, told: false },
            OpenFinding { finding: finding("oncall", "refused"), since: later, told: false },
        ]
    );
    assert!(
        ledger
            .clear(FindingCode::NotifierFailing, "slack", later, |_| Vec::new())
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        ledger
            .clear(FindingCode::NotifierFailing, "slack", later, |_| Vec::new())
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        ledger
            .clear(FindingCode::SourceFailing, "", later, |_| Vec::new())
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(reader.findings().unwrap().len(), 1);
    assert!(ledger.report(finding("slack", "refused"), later, |_| Vec::new()).await.unwrap().new);
    assert_eq!(reader.findings().unwrap()[1].since, later);
    ledger.close().await.unwrap();
    let metrics = Metrics::new();
    Ledger::open(&config(&folder), metrics.clone(), clock()).unwrap().close().await.unwrap();
    assert!(
        metrics
            .render()
            .unwrap()
            .contains("budget_alertd_operator_findings{code=\"notifier-failing\"} 2")
    );
}

#[tokio::test]
async fn alerts_of_rules_that_are_gone_are_closed_once() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = two_alerts(&folder).await;
    ledger
        .record(Recording {
            alerts: vec![told(snapshot(3, "third", Severity::Info))],
            ..Recording::default()
        })
        .await
        .unwrap();
    let known: Vec<Box<str>> = vec!["other".into(), "unused".into()];
    assert_eq!(
        ledger.close_rules(known.clone(), &[], at("2026-10-06T12:00:00Z")).await.unwrap(),
        2
    );
    assert_eq!(ledger.close_rules(known, &[], at("2026-10-06T12:00:00Z")).await.unwrap(), 0);
    let rows = Reader::open(&config(&folder)).unwrap().alerts(&AlertFilter::default()).unwrap();
    let states: Vec<_> = rows.iter().map(|row| row.snapshot.alert.state.as_str()).collect();
    assert_eq!(states, ["closed", "raised", "closed"]);
    ledger.close().await.unwrap();
}

#[test]
fn without_a_ledger_there_is_nothing_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Reader::open(&config(&folder)).err().unwrap().to_string();
    assert!(
        missing.ends_with("ledger.db does not exist: the first `poll` or `run` makes it"),
        "{missing}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
