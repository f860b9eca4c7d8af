//! Identities are derived: whoever goes on with a copy of a ledger gives the same ones, whoever has
//! another ledger never does.

use std::collections::BTreeSet;

use budget_alertd::daemon::assemble;
use proptest::prelude::*;

use crate::support::world::{Record, World, plan};

use super::*;

const RULES: &str = r#"
[rules.spend]
metric = "percent_used"
notify = ["hook", "mail"]
then_every = 50
steps = [{ at = 80 }, { at = 100, severity = "critical", remind_every = "20h" }]
[rules.daily]
metric = "daily_cost"
notify = ["hook"]
steps = [{ at = { SEK = 10 } }]
[notifiers.hook]
type = "webhook"
url = "http://127.0.0.1:9/"
send_resolved = true
[notifiers.mail]
type = "email"
from = "alerts@partner.example"
to = ["a@partner.example", "b@partner.example"]
smtp = { host = "127.0.0.1", port = 9, tls = "none" }
digest_above = 1
[operator]
notify = ["hook"]
"#;

/// One poll: how many hours after the one before, and what each customer costs.
type Poll = (i64, Vec<u32>);

fn polls() -> impl Strategy<Value = Vec<Poll>> {
    proptest::collection::vec((21_i64..400, proptest::collection::vec(0_u32..300, 3)), 2..6)
}

fn records(costs: &[u32], now: Timestamp) -> Vec<Record> {
    costs
        .iter()
        .enumerate()
        .map(|(index, cost)| plan(&format!("C{index}"), &cost.to_string(), "100", &now.to_string()))
        .collect()
}

/// Polls one after the other with one process, and lets everything arrive.
async fn live<'a>(
    world: &World,
    polls: impl IntoIterator<Item = &'a Poll>,
    mut now: Timestamp,
) -> Timestamp {
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let ledger = world.ledger();
    for (hours, costs) in polls {
        now += jiff::SignedDuration::from_hours(*hours);
        world.clock.advance_to(now);
        world.put(&records(costs, now));
        let assembly = assemble(&world.config(), &ledger, &clock, &world.metrics).unwrap();
        assembly.cycle.run(false).await.unwrap();
        for notifier in ["hook", "mail"] {
            for delivery in ledger.due(notifier, Vec::new(), 1000).await.unwrap() {
                let sent = AttemptRecord {
                    delivery: delivery.id,
                    at: now,
                    outcome: "accepted",
                    detail: String::new(),
                    message: None,
                };
                ledger.mark_sent(sent).await.unwrap();
            }
        }
    }
    ledger.close().await.unwrap();
    now
}

/// Every identity there is: of alerts, of deliveries, of messages with their kind.
fn identities(world: &World) -> BTreeSet<(Option<MessageName>, Uuid)> {
    let reader = Reader::open(&world.config().ledger).unwrap();
    let alerts = reader.alerts(&AlertFilter::default()).unwrap();
    let mut all: BTreeSet<_> = alerts.iter().map(|row| (None, row.snapshot.alert.id)).collect();
    for row in reader.deliveries(&DeliveryFilter::default()).unwrap() {
        all.insert((Some(row.kind.as_str()), row.identity));
        all.insert((Some("delivery"), row.id));
    }
    all
}

type MessageName = &'static str;

async fn copies_agree(before: Vec<Poll>, after: Vec<Poll>) {
    let start = at("2026-10-02T12:00:00Z");
    let (one, other, stranger) = (World::new(RULES), World::new(RULES), World::new(RULES));
    let now = live(&one, &before, start).await;
    let path = other.config().ledger.path;
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::copy(one.config().ledger.path, path).unwrap();
    let common = identities(&one);
    for world in [&one, &other] {
        live(world, &after, now).await;
    }
    assert_eq!(identities(&one), identities(&other));
    assert!(identities(&one).is_superset(&common));
    assert!(identities(&one).iter().all(|(_, id)| id.get_version_num() == 8));
    live(&stranger, before.iter().chain(&after), start).await;
    let (ours, theirs) = (identities(&one), identities(&stranger));
    assert_eq!(ours.len(), theirs.len(), "the same happened");
    assert!(ours.is_disjoint(&theirs), "under other identities");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(8) })]

    #[test]
    fn two_copies_of_a_ledger_give_the_same_identities_and_two_ledgers_never_do(before in polls(), after in polls()) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(copies_agree(before, after));
    }
}

#[tokio::test]
async fn each_reminder_of_one_alert_has_an_identity_of_its_own() {
    let world = World::new(RULES);
    live(&world, &vec![(24, vec![120]); 4], at("2026-10-02T12:00:00Z")).await;
    let rows = Reader::open(&world.config().ledger)
        .unwrap()
        .deliveries(&DeliveryFilter::default())
        .unwrap();
    let reminders =
        rows.iter().filter(|row| row.kind == MessageKind::Reminder && row.notifier == "hook");
    let reminders: BTreeSet<Uuid> = reminders.map(|row| row.identity).collect();
    assert_eq!(reminders.len(), 3);
}

#[tokio::test]
async fn what_is_recorded_keeps_its_identity_and_an_alert_that_is_there_has_a_successor() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let first = ledger.alert_ids(vec![step(0, "spend", "100")]).await.unwrap()[0];
    assert_eq!(
        ledger.alert_ids(vec![step(0, "spend", "100.00"), step(5, "spend", "80")]).await.unwrap()
            [0],
        first,
        "as a number"
    );
    let recording = Recording {
        alerts: vec![told(AlertSnapshot {
            alert: Alert { id: first, ..snapshot(1, "spend", Severity::Warning).alert },
            ..snapshot(1, "spend", Severity::Warning)
        })],
        seen: vec![seen(1)],
        ..Recording::default()
    };
    ledger.record(recording).await.unwrap();
    let second = ledger.alert_ids(vec![step(0, "spend", "100")]).await.unwrap()[0];
    assert_ne!(second, first);
    ledger.close().await.unwrap();
    let ledger = open(&config(&folder)).unwrap();
    assert_eq!(ledger.alert_ids(vec![step(0, "spend", "100")]).await.unwrap(), [second]);
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn a_finding_that_is_recorded_with_its_alerts_is_told_with_them_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let finding = OperatorFinding {
        code: FindingCode::MassCrossing,
        subject: String::new(),
        summary: "s".into(),
        action: "a".into(),
    };
    let news = OperatorNews::raised(&finding, at("2026-10-05T12:00:00Z"), None);
    let messages = |identity| {
        vec![NewMessage {
            content: Content::Operator(news.clone()),
            ..message(identity, "slack", 1, Severity::Warning)
        }]
    };
    let new =
        |identity| Some(NewFinding { finding: finding.clone(), messages: messages(identity) });
    assert!(
        ledger
            .record(Recording {
                finding: new(50),
                ..one_alert(1, "spend", "slack", Severity::Warning)
            })
            .await
            .unwrap()
    );
    assert_eq!(ledger.due("slack", vec![], 10).await.unwrap().len(), 2);
    assert!(ledger.read(Reader::findings).await.unwrap()[0].told);
    assert!(
        !ledger
            .record(Recording {
                finding: new(51),
                ..one_alert(2, "other", "slack", Severity::Warning)
            })
            .await
            .unwrap()
    );
    assert_eq!(
        ledger.due("slack", vec![], 10).await.unwrap().len(),
        3,
        "the second alert, and no word of the finding"
    );
    ledger.close().await.unwrap();
}
