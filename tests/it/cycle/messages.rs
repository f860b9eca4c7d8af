//! How a poll's alerts are put into messages: one by one, or in a digest whose members never
//! change.

use budget_alertd::domain::Message;

use crate::support::world::{Record, SPEND, World, plan};

const DAY: &str = "2019-09-17T00:00:00Z";

const THREE: &str = r#"
[rules.spend]
metric = "percent_used"
notify = ["hook", "chat"]
steps = [{ at = 80 }, { at = 100, severity = "critical" }]
[notifiers.hook]
type = "webhook"
url = "http://127.0.0.1:9/"
[notifiers.chat]
type = "slack"
url = "http://127.0.0.1:9/"
[notifiers.mail]
type = "email"
from = "alerts@partner.example"
to = ["a@partner.example", "b@partner.example"]
smtp = { host = "127.0.0.1", port = 9, tls = "none" }
"#;

fn customers(number: usize, cost: usize) -> Vec<Record> {
    (0..number)
        .map(|index| plan(&format!("C{index:03}"), &(cost + index).to_string(), "100", DAY))
        .collect()
}

/// What is owed to a notifier, a line for each delivery.
async fn owed(world: &World, notifier: &str) -> Vec<String> {
    let lines = world.owed(notifier).await.into_iter().map(|delivery| {
        let to = delivery.recipient.map_or(String::new(), |to| format!(" to {to}"));
        match delivery.message {
            Message::Digest(digest) => {
                let members: Vec<&str> =
                    digest.alerts.iter().map(|member| member.alert.customer.id.as_str()).collect();
                let kind = if digest.baseline { "baseline" } else { "digest" };
                let ends = (members[0], members[members.len() - 1]);
                format!(
                    "{kind} {}/{} of {} ({} critical): {} … {}{to}",
                    digest.part, digest.parts, digest.total, digest.criticals, ends.0, ends.1
                )
            }
            message => format!("{}{to}", message.alerts()[0].alert.customer.id),
        }
    });
    lines.collect()
}

#[tokio::test]
async fn an_alert_knows_how_the_cost_went_in_its_period() {
    let world = World::new(THREE);
    for (day, cost) in
        [("08-31", "90"), ("09-02", "10"), ("09-09", "40"), ("09-16", "60"), ("09-17", "95")]
    {
        let at = format!("2019-{day}T00:00:00Z");
        world.poll(&at, &[plan("A", cost, "100", &at)]).await;
    }
    let owed = world.owed("hook").await.pop().unwrap();
    let context = &owed.message.alerts()[0].context;
    let cost_history: Vec<_> = context
        .cost_history
        .iter()
        .map(|point| format!("{} {}", point.at.strftime("%m-%d"), point.cost))
        .collect();
    assert_eq!(
        cost_history,
        ["09-02 10", "09-09 40", "09-16 60"],
        "of this period, before the data that raised it"
    );
}

#[tokio::test]
async fn the_first_poll_of_a_large_tenant_is_one_digest_for_every_notifier() {
    let world = World::new(THREE);
    world.poll(DAY, &customers(7, 95)).await;
    assert_eq!(owed(&world, "hook").await, ["baseline 1/1 of 7 (2 critical): C006 … C000"]);
    assert_eq!(owed(&world, "chat").await, ["baseline 1/1 of 7 (2 critical): C006 … C000"]);
}

#[tokio::test]
async fn five_alerts_of_a_first_poll_come_one_by_one() {
    let world = World::new(THREE);
    world.poll(DAY, &customers(5, 97)).await;
    assert_eq!(
        owed(&world, "hook").await,
        ["C004", "C003", "C002", "C001", "C000"],
        "critical ones first"
    );
    assert_eq!(owed(&world, "chat").await.len(), 5);
}

#[tokio::test]
async fn later_a_webhook_gets_every_alert_and_a_chat_a_digest() {
    let world = World::new(THREE);
    world.poll(DAY, &[plan("Z", "1", "100", DAY)]).await;
    world.poll(DAY, &customers(7, 95)).await;
    assert_eq!(owed(&world, "hook").await.len(), 7);
    assert_eq!(owed(&world, "chat").await, ["digest 1/1 of 7 (2 critical): C006 … C000"]);
}

#[tokio::test]
async fn a_digest_is_split_to_the_size_limits_of_its_destination() {
    let world = World::new(THREE);
    world.poll(DAY, &customers(70, 100)).await;
    let parts = owed(&world, "chat").await;
    assert_eq!(
        parts.first().map(String::as_str),
        Some("baseline 1/3 of 70 (70 critical): C069 … C040")
    );
    assert_eq!(parts.len(), 3);
}

#[tokio::test]
async fn each_mail_recipient_is_a_delivery_with_the_identity_of_the_message() {
    let world = World::new(&THREE.replace("\"hook\", \"chat\"", "\"mail\""));
    world.poll(DAY, &[plan("A", "85", "100", DAY)]).await;
    let deliveries = world.owed("mail").await;
    assert_eq!(owed(&world, "mail").await, ["A to a@partner.example", "A to b@partner.example"]);
    assert_eq!(deliveries[0].identity, deliveries[1].identity);
    assert_ne!(deliveries[0].id, deliveries[1].id);
}

#[tokio::test]
async fn a_jump_is_owed_to_the_notifiers_of_all_the_steps_it_passed() {
    let world = World::new(
        &THREE
            .replace("{ at = 80 }", "{ at = 80, notify = [\"mail\"] }")
            .replace("[\"hook\", \"chat\"]", "[\"hook\"]"),
    );
    world.poll(DAY, &[plan("A", "85", "100", DAY)]).await;
    assert_eq!(
        (world.owed("mail").await.len(), world.owed("hook").await.len()),
        (2, 0),
        "the step's own notifiers replace the rule's"
    );
    world.poll(DAY, &[plan("A", "185", "100", DAY), plan("B", "185", "100", DAY)]).await;
    assert_eq!(owed(&world, "hook").await, ["A", "B"]);
    assert_eq!(
        owed(&world, "mail").await.len(),
        4,
        "B passed the step of the mail, A had it before"
    );
}

#[tokio::test]
async fn a_notifier_added_to_an_old_rule_is_owed_new_alerts_only() {
    let mut world = World::new(&THREE.replace("[\"hook\", \"chat\"]", "[\"hook\"]"));
    world.poll(DAY, &[plan("A", "85", "100", DAY)]).await;
    world.change_rules(THREE);
    world.poll(DAY, &[plan("A", "86", "100", DAY), plan("B", "86", "100", DAY)]).await;
    assert_eq!(owed(&world, "chat").await, ["B"]);
}

#[tokio::test]
async fn what_was_recorded_is_sent_the_same_after_the_rule_is_gone() {
    let mut world = World::new(THREE);
    world.poll(DAY, &[plan("A", "85", "100", DAY)]).await;
    let before = world.owed("hook").await;
    world.change_rules(&SPEND.replace("spend", "other"));
    assert_eq!(world.owed("hook").await, before);
}

#[tokio::test]
async fn an_alert_knows_that_another_customer_goes_by_the_same_name() {
    let labels =
        "[customers.A]\nlabel = \"Contoso Nord\"\n[customers.C]\nlabel = \"CONTOSO  nord\"\n";
    let world = World::new(&format!("{SPEND}{labels}"));
    let records = |cost: &str| {
        let date = "2026-11-10T00:00:00Z";
        [plan("A", cost, "100", date), plan("B", cost, "100", date), plan("C", "1", "100", date)]
    };
    let namesakes = |report: &budget_alertd::poll::CycleReport| {
        let told = report
            .alerts
            .iter()
            .map(|one| (one.alert.customer.id.to_string(), one.context.has_namesake));
        told.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let first = world.report("2026-11-10T01:00:00Z", &records("90")).await;
    assert_eq!(
        namesakes(&first),
        [("A".to_owned(), true), ("B".to_owned(), false)],
        "C is quiet, and read in the same poll"
    );
    let second = world
        .report("2026-11-10T02:00:00Z", &[plan("A", "110", "100", "2026-11-10T01:30:00Z")])
        .await;
    assert_eq!(namesakes(&second), [("A".to_owned(), true)], "C is known from before");
    let without = SPEND.to_owned() + "[customers.A]\nlabel = \"Contoso Syd\"\n";
    let world = World::new(&without);
    assert_eq!(
        namesakes(&world.report("2026-11-10T01:00:00Z", &records("90")).await),
        [("A".to_owned(), false), ("B".to_owned(), false)]
    );
}
