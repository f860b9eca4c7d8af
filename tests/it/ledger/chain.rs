//! The chain of events: what is in it, and that no change goes unnoticed.

use super::*;

const NOW: &str = "2026-10-05T12:30:00Z";

fn sent_message() -> Arc<SentMessage> {
    Arc::new(SentMessage {
        body: Some("{\"type\":\"budget.alert.raised\"}".into()),
        sha256: "5f".repeat(32),
        ..SentMessage::default()
    })
}

fn attempt(delivery: Uuid, now: &str) -> AttemptRecord {
    AttemptRecord {
        delivery,
        at: at(now),
        outcome: "accepted",
        detail: "250 2.0.0 Ok: queued as 4F2A".into(),
        message: Some(sent_message()),
    }
}

/// A ledger in which one thing of each kind happened.
async fn eventful() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let mut recording = one_alert(1, "spend", "slack", Severity::Critical);
    recording.steps.push(NewStep { raised: false, ..step(1, "spend", "80") });
    ledger.record(recording).await.unwrap();
    let mut silenced = one_alert(2, "other", "slack", Severity::Warning);
    silenced.alerts[0].snapshot.alert.state = AlertState::Silenced;
    silenced.messages.clear();
    ledger.record(silenced).await.unwrap();
    let owed = ledger.due("slack", vec![], 10).await.unwrap();
    ledger.mark_sent(attempt(owed[0].id, NOW)).await.unwrap();
    ledger.acknowledge(&id(1).to_string(), "alice (uid 1000)", at(NOW)).await.unwrap();
    let silence = Silence {
        id: 0,
        customers: vec![Glob::try_new("*").unwrap()],
        rules: Vec::new(),
        unless_above: None,
        created_at: at(NOW),
        as_of: at(NOW),
        ends_at: None,
        author: "alice (uid 1000)".into(),
        reason: "agreed".into(),
        expired_at: None,
    };
    let number = ledger.add_silence(silence).await.unwrap();
    ledger.ordered_by("bob (uid 7)").expire_silence(number, at(NOW)).await.unwrap();
    ledger.note_reload(std::path::Path::new("/etc/alert-rules.toml"), at(NOW)).await.unwrap();
    ledger.close().await.unwrap();
    folder
}

fn proof(folder: &tempfile::TempDir, head: Option<&str>) -> Proof {
    verify(&config(folder), head).unwrap().proof.unwrap()
}

fn sqlite(folder: &tempfile::TempDir) -> rusqlite::Connection {
    rusqlite::Connection::open(config(folder).path).unwrap()
}

fn kinds(folder: &tempfile::TempDir) -> Vec<String> {
    let connection = sqlite(folder);
    let mut statement = connection.prepare("SELECT kind FROM chain ORDER BY number").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn whatever_happens_is_in_the_chain_in_its_order() {
    let folder = eventful().await;
    assert_eq!(
        kinds(&folder),
        [
            "raised",
            "passed",
            "silenced",
            "message",
            "attempt",
            "acknowledgement",
            "order",
            "order",
            "reload"
        ]
    );
    let found = proof(&folder, None);
    assert_eq!((found.events, found.changed, found.head.len()), (9, None, 64));
    let by: String = sqlite(&folder)
        .query_row("SELECT content FROM chain WHERE number = 8", [], |row| row.get(0))
        .unwrap();
    assert!(by.contains("bob (uid 7)"), "{by}");
    assert_eq!(Reader::open(&config(&folder)).unwrap().head().unwrap(), found.head);
}

#[tokio::test]
async fn every_change_is_noticed_at_its_event() {
    let folder = eventful().await;
    let sound = std::fs::read(config(&folder).path).unwrap();
    for (change, number) in [
        ("UPDATE chain SET content = replace(content, 'alice', 'bob') WHERE number = 6", 6),
        ("UPDATE chain SET at = at + 1 WHERE number = 3", 3),
        ("UPDATE chain SET kind = 'silenced' WHERE number = 1", 1),
        ("UPDATE chain SET ref = 'another' WHERE number = 9", 9),
        ("UPDATE chain SET hash = zeroblob(32) WHERE number = 4", 4),
        ("DELETE FROM chain WHERE number = 2", 3),
        ("UPDATE chain SET number = number + 1 WHERE number = 9", 10),
        ("UPDATE alert SET snapshot = replace(snapshot, '120.5', '20.5')", 1),
        ("UPDATE attempt SET detail = '250 queued'", 5),
        ("UPDATE attempt SET at = at - 1", 5),
        ("DELETE FROM attempt", 5),
        ("DELETE FROM sent_message", 4),
        ("UPDATE sent_message SET message = x'00'", 4),
        ("DELETE FROM sent_message; DELETE FROM attempt; DELETE FROM delivery", 5),
        ("UPDATE alert SET acked_by = 'bob' WHERE acked_by IS NOT NULL", 6),
        ("UPDATE alert SET acked_at = NULL, acked_by = NULL", 6),
    ] {
        sqlite(&folder).execute_batch(change).unwrap();
        let changed = proof(&folder, None).changed.map(|event| event.number);
        assert_eq!(changed, Some(number), "{change}");
        std::fs::write(config(&folder).path, &sound).unwrap();
    }
    assert_eq!(proof(&folder, None).changed, None);
}

#[tokio::test]
async fn a_head_that_was_kept_shows_what_the_chain_alone_cannot() {
    let folder = eventful().await;
    let head = proof(&folder, None).head;
    assert_eq!(proof(&folder, Some(&head)).asked, Some(9));
    assert_eq!(proof(&folder, Some(&head[..16])).asked, Some(9));
    assert_eq!(proof(&folder, Some(&"0".repeat(64))).asked, None);
    // More happens: it is still in the chain.
    let ledger = open(&config(&folder)).unwrap();
    ledger.note_reload(std::path::Path::new("/etc/alert-rules.toml"), at(NOW)).await.unwrap();
    ledger.close().await.unwrap();
    assert_ne!(proof(&folder, None).head, head);
    assert_eq!(proof(&folder, Some(&head)).asked, Some(9));
    // What is cut off at the end leaves a chain that is whole in itself.
    sqlite(&folder).execute_batch("DELETE FROM chain WHERE number >= 9").unwrap();
    let cut = proof(&folder, Some(&head));
    assert_eq!((cut.changed, cut.asked), (None, None));
}

#[tokio::test]
async fn an_event_is_recorded_with_what_it_records_or_not_at_all() {
    let folder = eventful().await;
    let ledger = open(&config(&folder)).unwrap();
    let again = ledger.record(one_alert(1, "spend", "slack", Severity::Critical)).await;
    assert!(matches!(again, Err(LedgerError::Conflict { .. })));
    let unknown = ledger.mark_sent(attempt(id(99), NOW)).await;
    assert!(matches!(unknown, Err(LedgerError::UnknownDelivery(_))));
    // Nothing new, nothing written.
    ledger.record(Recording { seen: vec![seen(2)], ..Recording::default() }).await.unwrap();
    ledger.close().await.unwrap();
    assert_eq!(proof(&folder, None).events, 9);
}

#[tokio::test]
async fn the_oldest_are_forgotten_and_the_rest_is_still_proved() {
    let folder = eventful().await;
    let before = proof(&folder, None).head;
    let ledger = open(&config(&folder)).unwrap();
    let later = at(NOW) + jiff::SignedDuration::from_hours(9_600);
    let mut recording = one_alert(3, "third", "slack", Severity::Critical);
    recording.now = later;
    recording.alerts[0].snapshot.alert.raised_at = later;
    ledger.record(recording).await.unwrap();
    let head = proof(&folder, None).head;
    ledger
        .forget_old(later + jiff::SignedDuration::from_hours(1), jiff::SignedDuration::ZERO)
        .await
        .unwrap();
    ledger.close().await.unwrap();
    assert_eq!(kinds(&folder), ["raised"]);
    let found = proof(&folder, Some(&before));
    assert_eq!((found.events, found.changed.clone(), &found.head), (1, None, &head));
    assert_eq!(found.asked, Some(9), "the last one forgotten is the beginning");
    // A change of the beginning is one of the event that follows.
    sqlite(&folder).execute_batch("UPDATE file SET chain_hash = zeroblob(32)").unwrap();
    assert_eq!(proof(&folder, None).changed.map(|event| event.number), Some(10));
}

#[tokio::test]
async fn deliveries_that_join_others_take_no_proof_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let mut recording = one_alert(1, "spend", "mail", Severity::Critical);
    recording.messages[0].recipients =
        Recipients::Addresses(vec!["a@x.example".into(), "b@x.example".into()]);
    ledger.record(recording).await.unwrap();
    for delivery in ledger.due("mail", vec![], 10).await.unwrap() {
        ledger.mark_dead(attempt(delivery.id, NOW)).await.unwrap();
    }
    let to = RetryTo {
        notifier: "oncall".into(),
        recipients: Recipients::Destination,
        has_incidents: false,
    };
    assert_eq!(ledger.retry(RetryFilter::default(), at(NOW), Some(to)).await.unwrap(), 1);
    ledger.close().await.unwrap();
    let found = proof(&folder, None);
    assert_eq!((found.events, found.changed), (7, None));
}
