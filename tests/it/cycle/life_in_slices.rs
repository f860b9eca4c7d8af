//! What becomes of very many alerts at once is recorded in slices, too: people get five parts of a
//! digest for all of them.

use budget_alertd::domain::{Message, Silence};
use budget_alertd::ledger::AttemptRecord;

use crate::support::world::{Record, World, plan};

const DAY: &str = "2019-09-17T00:00:00Z";

const RULES: &str = r#"
[rules.spend]
metric = "percent_used"
notify = ["hook", "chat", "mail"]
steps = [{ at = 80, remind_every = "1h" }, { at = 100, severity = "critical", remind_every = "1h" }]
[notifiers.hook]
type = "webhook"
url = "http://127.0.0.1:9/"
send_resolved = true
[notifiers.chat]
type = "slack"
url = "http://127.0.0.1:9/"
send_resolved = true
[notifiers.mail]
type = "email"
from = "alerts@partner.example"
to = ["a@partner.example"]
send_resolved = true
smtp = { host = "127.0.0.1", port = 9, tls = "none" }
"#;

/// More than are looked at together.
const MANY: usize = 1200;

fn customers(budget: &str) -> Vec<Record> {
    (0..MANY)
        .map(|index| plan(&format!("C{index:04}"), &(900 + index).to_string(), budget, DAY))
        .collect()
}

/// What is newly owed to a notifier, a line for each message; it counts as sent from then on.
async fn sent(world: &World, notifier: &str) -> Vec<String> {
    let ledger = world.ledger();
    let mut lines = Vec::new();
    for delivery in ledger.due(notifier, Vec::new(), 10_000).await.unwrap() {
        let (kind, digest) = match &delivery.message {
            Message::Digest(digest) => ("digest", Some(digest)),
            Message::Reminder(digest) => ("reminder", Some(digest)),
            Message::Resolved(digest) => ("resolved", Some(digest)),
            Message::Alert(_) => ("alert", None),
            _ => ("other", None),
        };
        let members: Vec<&str> = delivery
            .message
            .alerts()
            .iter()
            .map(|member| member.alert.customer.id.as_str())
            .collect();
        let said = delivery
            .message
            .alerts()
            .iter()
            .filter(|member| member.context.latest.is_some())
            .count();
        let place = digest.map_or("alone".to_owned(), |digest| {
            let left_out = digest.totals.as_ref().map_or(0, |totals| totals.left_out);
            format!(
                "{}/{} of {} ({} critical), {left_out} left out",
                digest.part, digest.parts, digest.total, digest.criticals
            )
        });
        lines.push(format!(
            "{kind} {place}: {} from {}, {said} with how they are",
            members.len(),
            members[0]
        ));
        let accepted = AttemptRecord {
            delivery: delivery.id,
            at: DAY.parse().unwrap(),
            outcome: "accepted",
            detail: String::new(),
            message: None,
        };
        ledger.mark_sent(accepted).await.unwrap();
    }
    ledger.close().await.unwrap();
    lines
}

/// What people got of one kind: in so many messages, of which the first is this one.
async fn people_got(world: &World, kind: &str) {
    let chat = sent(world, "chat").await;
    let first = format!(
        "{kind} 1/5 of 1200 (1100 critical), 1050 left out: 30 from C1199, 30 with how they are"
    );
    assert_eq!((chat.len(), chat.first()), (5, Some(&first)));
    let mail = sent(world, "mail").await;
    let first = format!(
        "{kind} 1/5 of 1200 (1100 critical), 200 left out: 200 from C1199, 200 with how they are"
    );
    assert_eq!((mail.len(), mail.first()), (5, Some(&first)));
}

#[tokio::test]
async fn reminders_and_ends_of_very_many_alerts_come_in_five_parts() {
    let world = World::new(RULES).in_slices_of(200);
    world.poll(DAY, &customers("1000")).await;
    for notifier in ["hook", "chat", "mail"] {
        sent(&world, notifier).await;
    }
    world.poll("2019-09-17T01:00:00Z", &customers("1000")).await;
    people_got(&world, "reminder").await;
    assert_eq!(sent(&world, "hook").await.len(), MANY, "a program gets each");
    world.poll("2019-09-17T01:30:00Z", &customers("100000")).await;
    people_got(&world, "resolved").await;
    assert_eq!(sent(&world, "hook").await.len(), MANY, "a program gets each");
}

#[tokio::test]
async fn what_a_silence_has_hidden_of_very_many_comes_in_five_parts() {
    let world = World::new(RULES).in_slices_of(200);
    world.poll(DAY, &[plan("Z", "1", "100", DAY)]).await;
    let ledger = world.ledger();
    let silence = Silence {
        id: 0,
        customers: Vec::new(),
        rules: Vec::new(),
        unless_above: None,
        created_at: DAY.parse().unwrap(),
        as_of: DAY.parse().unwrap(),
        ends_at: Some("2019-09-17T01:00:00Z".parse().unwrap()),
        author: "alice (uid 1000)".into(),
        reason: "migration".into(),
        expired_at: None,
    };
    ledger.add_silence(silence).await.unwrap();
    ledger.close().await.unwrap();
    world.poll("2019-09-17T00:30:00Z", &customers("1000")).await;
    assert_eq!(sent(&world, "chat").await, Vec::<String>::new());
    world.poll("2019-09-17T01:30:00Z", &customers("1000")).await;
    people_got(&world, "digest").await;
}
