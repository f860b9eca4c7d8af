//! What is owed, in which order, until it is accepted or given up.

use super::*;

fn attempt(delivery: Uuid, outcome: &'static str) -> AttemptRecord {
    AttemptRecord {
        delivery,
        at: at("2026-10-05T12:30:00Z"),
        outcome,
        detail: format!("said {outcome}"),
        message: None,
    }
}

fn failing(probes: u64, possible_hours: u64) -> NotifierState {
    NotifierState {
        failures: 3,
        failing_since: Some(at("2026-10-05T12:00:00Z")),
        next_probe_at: Some(at("2026-10-05T12:10:00.5Z")),
        probes,
        possible: Duration::from_hours(possible_hours) + Duration::from_nanos(1),
        last_error: Some("connection refused".into()),
    }
}

const NONE: [Uuid; 0] = [];
const LIMITS: GiveUp = GiveUp { after: Duration::from_hours(72), probes: 8 };

async fn identities(ledger: &Ledger, notifier: &str) -> Vec<u128> {
    ledger
        .due(notifier, vec![], 100)
        .await
        .unwrap()
        .iter()
        .map(|delivery| delivery.identity.as_u128())
        .collect()
}

/// Each delivery as `notifier recipient state`, in the order of recording.
fn listed(config: &Config) -> Vec<String> {
    let mut rows = Reader::open(config).unwrap().deliveries(&DeliveryFilter::default()).unwrap();
    rows.reverse();
    rows.iter()
        .map(|row| {
            format!(
                "{} {} {}",
                row.notifier,
                row.recipient.as_deref().unwrap_or("-"),
                row.state.as_str()
            )
        })
        .collect()
}

fn mail(identity: u128, alert: u128, to: &[&str]) -> NewMessage {
    let recipients = Recipients::Addresses(to.iter().map(|&address| address.to_owned()).collect());
    NewMessage { recipients, ..message(identity, "oncall", alert, Severity::Warning) }
}

#[tokio::test]
async fn the_worst_goes_first_then_the_oldest_and_parts_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let part = |identity, number| NewMessage {
        content: Content::Digest {
            occasion: Occasion::New,
            alerts: if number == 1 { vec![carried(1), carried(2)] } else { vec![carried(3)] },
            part: DigestPart { part: number, parts: 2, total: 3, criticals: 1, baseline: true },
            totals: None,
        },
        ..message(identity, "slack", 1, Severity::Warning)
    };
    let recording = Recording {
        now: at("2026-10-05T12:00:00Z"),
        seen: vec![seen(1)],
        alerts: (1..=6).map(|number| told(snapshot(number, "spend", Severity::Warning))).collect(),
        messages: vec![
            message(10, "slack", 4, Severity::Info),
            part(11, 1),
            part(12, 2),
            message(13, "slack", 5, Severity::Critical),
            message(14, "other", 5, Severity::Critical),
        ],
        ..Recording::default()
    };
    ledger.record(recording).await.unwrap();
    ledger
        .record(Recording {
            messages: vec![message(15, "slack", 6, Severity::Critical)],
            ..Recording::default()
        })
        .await
        .unwrap();
    assert_eq!(identities(&ledger, "slack").await, [13, 15, 11, 12, 10]);

    let due = ledger.due("slack", vec![], 2).await.unwrap();
    assert_eq!(due.len(), 2);
    let rest =
        ledger.due("slack", due.iter().map(|delivery| delivery.id).collect(), 1).await.unwrap();
    assert_eq!(rest[0].identity, id(11));
    assert_eq!(rest[0].created_at, at("2026-10-05T12:00:00Z"));
    let Message::Digest(digest) = &rest[0].message else { panic!("{:?}", rest[0].message) };
    assert_eq!(
        (digest.part, digest.parts, digest.total, digest.criticals, digest.baseline),
        (1, 2, 3, 1, true)
    );
    assert_eq!(
        digest.alerts.iter().map(|snapshot| snapshot.alert.id).collect::<Vec<_>>(),
        [id(1), id(2)]
    );
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn each_recipient_is_owed_and_marked_alone_under_one_identity() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let recording = Recording {
        messages: vec![mail(9, 1, &["a@x.example", "b@x.example"])],
        ..one_alert(1, "spend", "slack", Severity::Warning)
    };
    ledger.record(recording).await.unwrap();
    let due = ledger.due("oncall", vec![], 10).await.unwrap();
    assert_eq!(
        due.iter()
            .map(|delivery| (delivery.identity.as_u128(), delivery.recipient.as_deref().unwrap()))
            .collect::<Vec<_>>(),
        [(9, "a@x.example"), (9, "b@x.example")]
    );
    ledger.mark_sent(attempt(due[0].id, "accepted")).await.unwrap();
    ledger.mark_dead(attempt(due[1].id, "message-refused")).await.unwrap();
    assert_eq!(identities(&ledger, "oncall").await, [0; 0]);
    let unknown = ledger.mark_sent(attempt(id(404), "accepted")).await.unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "the ledger has no delivery 00000000-0000-0000-0000-000000000194"
    );
    ledger.close().await.unwrap();

    let reader = Reader::open(&config(&folder)).unwrap();
    assert_eq!(listed(&config(&folder)), ["oncall a@x.example sent", "oncall b@x.example dead"]);
    let attempts = reader.attempts(due[1].id).unwrap();
    assert_eq!(
        attempts,
        [AttemptRow {
            at: at("2026-10-05T12:30:00Z"),
            outcome: "message-refused".into(),
            detail: "said message-refused".into()
        }]
    );
}

#[tokio::test]
async fn a_delivery_is_given_up_when_both_limits_of_its_own_share_are_reached() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    ledger.record(one_alert(1, "spend", "slack", Severity::Warning)).await.unwrap();
    let old = ledger.due("slack", vec![], 1).await.unwrap()[0].id;
    ledger.set_notifier_state("slack", failing(5, 60)).await.unwrap();
    assert_eq!(ledger.notifier_state("slack").await.unwrap(), failing(5, 60));
    assert_eq!(ledger.notifier_state("other").await.unwrap(), NotifierState::default());
    ledger
        .record(Recording {
            messages: vec![message(77, "slack", 1, Severity::Critical)],
            ..Recording::default()
        })
        .await
        .unwrap();
    ledger
        .record(Recording {
            messages: vec![message(78, "other", 1, Severity::Critical)],
            ..Recording::default()
        })
        .await
        .unwrap();

    let fail =
        |state| ledger.mark_failed(attempt(old, "destination-failed"), "slack", state, LIMITS);
    assert_eq!(fail(failing(7, 80)).await.unwrap(), NONE, "too few probes");
    assert_eq!(fail(failing(20, 71)).await.unwrap(), NONE, "too little time");
    assert_eq!(fail(failing(8, 72)).await.unwrap(), [old]);
    assert_eq!(identities(&ledger, "slack").await, [77], "its share began later");
    assert_eq!(fail(failing(13, 131)).await.unwrap(), NONE);
    assert_eq!(fail(failing(13, 132)).await.unwrap().len(), 1);
    assert_eq!(ledger.notifier_state("slack").await.unwrap(), failing(13, 132));
    assert_eq!(identities(&ledger, "other").await, [78]);
    let owed = ledger.read(Reader::owed).await.unwrap();
    assert_eq!(
        owed,
        [
            Owed {
                notifier: "other".into(),
                pending: 1,
                held: 0,
                oldest: Some(Timestamp::default()),
                dead: 0
            },
            Owed { notifier: "slack".into(), pending: 0, held: 0, oldest: None, dead: 2 },
        ]
    );
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn what_is_retried_is_owed_again_with_a_share_that_starts_anew() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    ledger.record(one_alert(1, "spend", "slack", Severity::Warning)).await.unwrap();
    let only = ledger.due("slack", vec![], 1).await.unwrap()[0].id;
    let now = at("2026-10-06T12:00:00Z");
    let fail =
        |state| ledger.mark_failed(attempt(only, "destination-failed"), "slack", state, LIMITS);
    assert_eq!(fail(failing(9, 100)).await.unwrap(), [only]);
    let nobody = RetryFilter { notifier: Some("other".into()), ids: vec![] };
    let another = RetryFilter { notifier: None, ids: vec![id(404)] };
    assert_eq!(ledger.retry(nobody, now, None).await.unwrap(), 0);
    assert_eq!(ledger.retry(another, now, None).await.unwrap(), 0);
    assert_eq!(
        ledger
            .retry(RetryFilter { notifier: Some("slack".into()), ids: vec![only] }, now, None)
            .await
            .unwrap(),
        1
    );
    assert_eq!(identities(&ledger, "slack").await, [1001]);
    assert_eq!(fail(failing(16, 300)).await.unwrap(), NONE);
    assert_eq!(fail(failing(17, 300)).await.unwrap(), [only]);
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn what_was_given_up_moves_to_another_notifier_under_the_same_identity() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let recording = Recording {
        messages: vec![
            mail(9, 1, &["a@x.example", "b@x.example", "c@x.example"]),
            message(10, "slack", 1, Severity::Critical),
            message(11, "slack", 1, Severity::Critical),
        ],
        ..one_alert(1, "spend", "slack", Severity::Warning)
    };
    ledger.record(recording).await.unwrap();
    let mails = ledger.due("oncall", vec![], 10).await.unwrap();
    ledger.mark_sent(attempt(mails[2].id, "accepted")).await.unwrap();
    ledger.mark_dead(attempt(mails[0].id, "message-refused")).await.unwrap();
    ledger.mark_dead(attempt(mails[1].id, "message-refused")).await.unwrap();
    let now = at("2026-10-06T12:00:00Z");
    let slack = RetryTo {
        notifier: "slack".into(),
        recipients: Recipients::Destination,
        has_incidents: false,
    };
    assert_eq!(
        ledger
            .retry(
                RetryFilter { notifier: Some("oncall".into()), ids: vec![] },
                now,
                Some(slack.clone())
            )
            .await
            .unwrap(),
        1
    );
    assert_eq!(identities(&ledger, "slack").await, [10, 11, 9]);
    assert_eq!(
        Reader::open(&config(&folder)).unwrap().attempts(mails[0].id).unwrap().len(),
        2,
        "the history is kept"
    );
    let moved = DeliveryFilter { notifier: Some("slack".into()), ..DeliveryFilter::default() };
    let moved = Reader::open(&config(&folder)).unwrap().deliveries(&moved).unwrap();
    assert_eq!(moved.iter().map(|row| row.attempts).collect::<Vec<_>>(), [0, 0, 2]);

    // To mail, where the message goes to everybody who has not had it.
    let dead = ledger.due("slack", vec![], 10).await.unwrap();
    ledger.mark_dead(attempt(dead[2].id, "message-refused")).await.unwrap();
    let addresses = ["b@x.example", "c@x.example", "d@x.example"];
    let oncall = RetryTo {
        notifier: "oncall".into(),
        recipients: Recipients::Addresses(addresses.map(str::to_owned).to_vec()),
        has_incidents: false,
    };
    assert_eq!(ledger.retry(RetryFilter::default(), now, Some(oncall.clone())).await.unwrap(), 2);
    assert_eq!(
        listed(&config(&folder)),
        [
            "oncall b@x.example pending",
            "oncall c@x.example sent",
            "slack - pending",
            "slack - pending",
            "oncall d@x.example pending"
        ]
    );
    assert_eq!(ledger.retry(RetryFilter::default(), now, Some(oncall)).await.unwrap(), 0);
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn recipients_may_change_places_when_a_message_moves() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let recording = Recording {
        messages: vec![mail(9, 1, &["a@x.example", "b@x.example"])],
        ..one_alert(1, "spend", "slack", Severity::Warning)
    };
    ledger.record(recording).await.unwrap();
    for mail in ledger.due("oncall", vec![], 10).await.unwrap() {
        ledger.mark_dead(attempt(mail.id, "message-refused")).await.unwrap();
    }
    let recipients =
        Recipients::Addresses(["b@x.example", "a@x.example"].map(str::to_owned).to_vec());
    let to = RetryTo { notifier: "oncall".into(), recipients, has_incidents: false };
    assert_eq!(
        ledger.retry(RetryFilter::default(), at("2026-10-06T12:00:00Z"), Some(to)).await.unwrap(),
        2
    );
    assert_eq!(
        listed(&config(&folder)),
        ["oncall b@x.example pending", "oncall a@x.example pending"]
    );
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn what_is_owed_to_a_notifier_that_is_gone_is_given_up_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let messages =
        vec![message(9, "slack", 1, Severity::Warning), message(10, "gone", 1, Severity::Warning)];
    ledger
        .record(Recording { messages, ..one_alert(1, "spend", "slack", Severity::Warning) })
        .await
        .unwrap();
    let now = at("2026-10-06T12:00:00Z");
    assert_eq!(ledger.drop_undeliverable(vec!["slack".into()], now).await.unwrap(), 1);
    assert_eq!(ledger.drop_undeliverable(vec!["slack".into()], now).await.unwrap(), 0);
    assert_eq!(listed(&config(&folder)), ["slack - pending", "gone - dead"]);
    let dead = DeliveryFilter { state: Some(DeliveryState::Dead), ..DeliveryFilter::default() };
    let dead = Reader::open(&config(&folder)).unwrap().deliveries(&dead).unwrap();
    assert_eq!(
        (dead[0].last_detail.as_deref(), dead[0].ended_at),
        (Some("the notifier no longer exists"), Some(now))
    );
    ledger.close().await.unwrap();
}

/// A message about alert 1, to one of the recipients of `oncall`.
fn about(occasion: Occasion, identity: u128, to: &str) -> NewMessage {
    NewMessage { severity: Severity::Critical, ..again(occasion, 1, mail(identity, 1, &[to])) }
}

/// The same message as one that tells of the alert on this occasion.
fn again(occasion: Occasion, alert: u128, message: NewMessage) -> NewMessage {
    NewMessage { content: Content::Alerts(occasion, vec![carried(alert)]), ..message }
}

fn news(identity: u128, over: bool, to: &[&str]) -> NewMessage {
    let finding = OperatorFinding {
        code: FindingCode::SourceFailing,
        subject: String::new(),
        summary: "s".into(),
        action: "a".into(),
    };
    let news = OperatorNews::raised(&finding, at("2026-10-05T12:00:00Z"), None);
    let news = OperatorNews { over, ..news };
    NewMessage { content: Content::Operator(news), ..mail(identity, 1, to) }
}

#[tokio::test]
async fn what_is_told_of_an_alert_later_waits_until_the_alert_itself_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let messages = vec![
        mail(10, 1, &["a@x.example", "b@x.example"]),
        about(Occasion::Reminder, 11, "a@x.example"),
        about(Occasion::Resolved, 12, "a@x.example"),
        about(Occasion::Resolved, 13, "c@x.example"),
        again(Occasion::Resolved, 1, message(14, "slack", 1, Severity::Critical)),
        again(Occasion::Resolved, 2, mail(15, 2, &["a@x.example"])),
    ];
    let alerts = (1..=2).map(|number| told(snapshot(number, "spend", Severity::Warning))).collect();
    ledger
        .record(Recording { seen: vec![seen(1)], alerts, messages, ..Recording::default() })
        .await
        .unwrap();
    assert_eq!(identities(&ledger, "slack").await, [14], "nothing comes before it there");
    assert_eq!(identities(&ledger, "oncall").await, [13, 10, 10, 15]);
    let due = ledger.due("oncall", vec![], 10).await.unwrap();
    let without_failed = ledger.due("oncall", vec![due[1].id], 10).await.unwrap();
    assert_eq!(
        without_failed.iter().map(|delivery| delivery.identity.as_u128()).collect::<Vec<_>>(),
        [13, 10, 15]
    );

    ledger.mark_dead(attempt(due[1].id, "message-refused")).await.unwrap();
    assert_eq!(
        identities(&ledger, "oncall").await,
        [11, 12, 13, 10, 15],
        "the reminder first, then the end"
    );
    let reminder = ledger.due("oncall", vec![], 1).await.unwrap()[0].id;
    let without_failed = ledger.due("oncall", vec![reminder], 1).await.unwrap();
    assert_eq!(without_failed[0].identity, id(13), "the end does not overtake the reminder");
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn news_for_the_operator_arrives_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let messages = vec![
        news(10, false, &["a@x.example", "b@x.example"]),
        news(11, true, &["a@x.example", "b@x.example"]),
        news(12, false, &["a@x.example"]),
    ];
    ledger.record(Recording { messages, ..Recording::default() }).await.unwrap();
    let due = ledger.due("oncall", vec![], 10).await.unwrap();
    assert_eq!(
        due.iter().map(|delivery| delivery.identity.as_u128()).collect::<Vec<_>>(),
        [10, 10, 11, 11, 12]
    );
    let without_failed = ledger.due("oncall", vec![due[0].id], 10).await.unwrap();
    assert_eq!(
        without_failed.iter().map(|delivery| delivery.identity.as_u128()).collect::<Vec<_>>(),
        [10, 11],
        "what b@x.example is owed"
    );
    ledger.mark_sent(attempt(due[0].id, "accepted")).await.unwrap();
    assert_eq!(identities(&ledger, "oncall").await, [10, 11, 11, 12]);
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn news_that_is_buried_with_its_only_notifier_counts_as_untold() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let now = at("2026-10-06T12:00:00Z");
    let tell = |code: FindingCode, notifiers: &'static [&'static str]| {
        let finding = OperatorFinding {
            code,
            subject: String::new(),
            summary: "s".into(),
            action: "a".into(),
        };
        let news = OperatorNews::raised(&finding, now, None);
        ledger.report(finding, now, move |_| {
            let to = notifiers.iter().map(|notifier| NewMessage {
                identity: Uuid::new_v4(),
                content: Content::Operator(news.clone()),
                ..message(0, notifier, 1, Severity::Warning)
            });
            to.collect()
        })
    };
    tell(FindingCode::SourceFailing, &["gone"]).await.unwrap();
    tell(FindingCode::UsageEmpty, &["gone", "slack"]).await.unwrap();
    tell(FindingCode::MfaRequired, &["gone", "slack"]).await.unwrap();
    for delivery in ledger.due("slack", vec![], 1).await.unwrap() {
        ledger.mark_sent(attempt(delivery.id, "accepted")).await.unwrap();
    }
    let untold = async || {
        let findings = ledger.read(Reader::findings).await.unwrap();
        findings
            .into_iter()
            .filter(|open| !open.told)
            .map(|open| open.finding.code)
            .collect::<Vec<_>>()
    };
    assert_eq!(untold().await, []);
    assert_eq!(ledger.drop_undeliverable(vec!["slack".into()], now).await.unwrap(), 3);
    assert_eq!(untold().await, [FindingCode::SourceFailing], "the others were sent or are owed");
    ledger.close().await.unwrap();
}
