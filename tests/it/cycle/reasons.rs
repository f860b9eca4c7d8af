//! What one poll finds about one customer by several rules is one message for each notifier, with
//! what is owed to that notifier and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use budget_alertd::actions::{AckRequest, Action as _, ActionContext, Author};
use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::daemon::{Assembly, assemble};
use budget_alertd::domain::{Delivery, Glob, Message, Silence};
use budget_alertd::ledger::{AlertFilter, AttemptRecord, Reader};

use crate::support::world::{Record, World, plan};

const DAY: &str = "2019-09-17T00:00:00Z";

const RULES: &str = r#"
[rules.spend]
metric = "percent_used"
notify = ["hook", "chat"]
steps = [{ at = 80, remind_every = "24h" }, { at = 100, severity = "critical", remind_every = "24h" }]
[rules.over]
metric = "amount_over"
notify = ["hook", "chat", "desk"]
steps = [{ at = { SEK = 0 }, remind_every = "24h" }]
[rules.cost]
metric = "total_cost"
notify = ["hook"]
steps = [{ at = { SEK = 90 }, severity = "info", remind_every = "48h" }]
[notifiers.hook]
type = "webhook"
url = "http://127.0.0.1:9/"
send_resolved = true
[notifiers.chat]
type = "slack"
url = "http://127.0.0.1:9/"
send_resolved = true
[notifiers.desk]
type = "webhook"
url = "http://127.0.0.1:9/"
"#;

/// What is newly owed to a notifier, a line for each message; it counts as sent from then on.
async fn sent(world: &World, notifier: &str) -> Vec<String> {
    let ledger = world.ledger();
    let mut lines = Vec::new();
    for delivery in ledger.due(notifier, Vec::new(), 10_000).await.unwrap() {
        lines.push(in_words(&delivery));
        let accepted = AttemptRecord {
            delivery: delivery.id,
            at: world.clock.now(),
            outcome: "accepted",
            detail: String::new(),
            message: None,
        };
        ledger.mark_sent(accepted).await.unwrap();
    }
    ledger.close().await.unwrap();
    lines
}

/// `critical budget.alert.raised: A spend 100 + A over 0`, and whether it is a digest.
fn in_words(delivery: &Delivery) -> String {
    let message = &delivery.message;
    let digest = if message.is_of_one_customer() { "" } else { " digest" };
    let members = message.alerts().iter().map(|one| {
        let alert = &one.alert;
        format!("{} {} {}", alert.customer.id, alert.rule, alert.threshold)
    });
    let members: Vec<String> = members.collect();
    let (severity, kind) = (message.severity().as_str(), message.kind().as_str());
    format!("{severity} {kind}{digest}: {}", members.join(" + "))
}

/// A world in which the first account is over.
async fn settled(rules: &str) -> World {
    let world = World::new(rules);
    world.poll("2019-09-16T00:00:00Z", &[plan("Z", "1", "100", "2019-09-16T00:00:00Z")]).await;
    world
}

fn customers(number: usize) -> Vec<Record> {
    (0..number).map(|index| plan(&format!("C{index}"), "110", "100", DAY)).collect()
}

#[tokio::test]
async fn the_reasons_of_one_poll_are_one_message_with_what_is_owed_to_each_notifier() {
    let world = settled(RULES).await;
    world.poll(DAY, &[plan("A", "110", "100", DAY), plan("B", "85", "100", DAY)]).await;
    assert_eq!(
        sent(&world, "hook").await,
        [
            "critical budget.alert.raised: A spend 100 + A over 0 + A cost 90",
            "warning budget.alert.raised: B spend 80"
        ]
    );
    assert_eq!(
        sent(&world, "chat").await,
        [
            "critical budget.alert.raised: A spend 100 + A over 0",
            "warning budget.alert.raised: B spend 80"
        ]
    );
    assert_eq!(
        sent(&world, "desk").await,
        ["warning budget.alert.raised: A over 0"],
        "neither the reasons nor the severity of what others are told"
    );
}

#[tokio::test]
async fn what_another_poll_finds_is_a_message_of_its_own() {
    let world = settled(RULES).await;
    world.poll(DAY, &[plan("A", "85", "100", DAY)]).await;
    assert_eq!(sent(&world, "chat").await, ["warning budget.alert.raised: A spend 80"]);
    let later = "2019-09-17T06:00:00Z";
    world.poll(later, &[plan("A", "110", "100", later)]).await;
    assert_eq!(
        sent(&world, "chat").await,
        ["critical budget.alert.raised: A spend 100 + A over 0"]
    );
}

#[tokio::test]
async fn several_reminders_are_one_and_several_ends_are_one() {
    let world = settled(RULES).await;
    let at = |hours: i64| {
        (DAY.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_hours(hours))
            .to_string()
    };
    let poll = async |hours: i64, cost: &str, budget: &str| {
        let at = at(hours);
        world.poll(&at, &[plan("A", cost, budget, &at)]).await;
    };
    poll(0, "110", "100").await;
    sent(&world, "hook").await;
    poll(25, "110", "100").await;
    assert_eq!(
        sent(&world, "hook").await,
        ["critical budget.alert.reminder: A spend 100 + A over 0"],
        "those that are due"
    );
    poll(50, "110", "100").await;
    assert_eq!(
        sent(&world, "hook").await,
        ["critical budget.alert.reminder: A spend 100 + A over 0 + A cost 90"]
    );
    poll(51, "110", "1000").await;
    assert_eq!(
        sent(&world, "hook").await,
        ["critical budget.alert.resolved: A spend 100 + A over 0"],
        "the cost alone does not read the budget"
    );
    assert_eq!(
        sent(&world, "desk").await,
        ["warning budget.alert.raised: A over 0"],
        "no reminder while that is on its way, and it does not ask for ends"
    );
}

#[tokio::test]
async fn customers_are_counted_for_a_digest_not_alerts() {
    let world = settled(RULES).await;
    world.poll(DAY, &customers(5)).await;
    let chat = sent(&world, "chat").await;
    assert_eq!(chat.len(), 5, "10 alerts about 5 customers: {chat:?}");
    let world = settled(RULES).await;
    world.poll(DAY, &customers(6)).await;
    let chat = sent(&world, "chat").await;
    let [digest] = chat.as_slice() else { panic!("{chat:?}") };
    assert!(digest.starts_with("critical budget.digest digest: C0 spend 100 + C1 "), "{digest}");
    assert_eq!(digest.matches(" over 0").count(), 6);
    assert_eq!(sent(&world, "hook").await.len(), 6, "a program is told of each");
}

#[tokio::test]
async fn no_customer_is_cut_in_two_by_the_parts_of_a_digest() {
    for slice in [usize::MAX, 3] {
        let world = settled(RULES).await.in_slices_of(slice);
        world.poll(DAY, &customers(31)).await;
        let mut parts = BTreeMap::<String, Vec<u32>>::new();
        for delivery in world.owed("chat").await {
            let Message::Digest(digest) = delivery.message else { panic!("{delivery:?}") };
            assert_eq!((digest.parts, digest.total), (3, 62));
            assert!(digest.alerts.len() <= 30, "what fits");
            for one in &digest.alerts {
                parts.entry(one.alert.customer.id.to_string()).or_default().push(digest.part);
            }
        }
        assert_eq!(parts.len(), 31);
        assert!(parts.values().all(|of| of.len() == 2 && of[0] == of[1]), "{slice}: {parts:?}");
    }
}

#[tokio::test]
async fn what_a_silence_hides_is_in_no_message_and_told_alone_later() {
    let world = settled(RULES).await;
    let ledger = world.ledger();
    let silence = Silence {
        id: 0,
        customers: vec![Glob::try_new("a").unwrap()],
        rules: vec![Glob::try_new("over").unwrap()],
        unless_above: None,
        created_at: "2019-09-16T00:00:00Z".parse().unwrap(),
        as_of: "2019-09-16T00:00:00Z".parse().unwrap(),
        ends_at: Some("2019-09-18T00:00:00Z".parse().unwrap()),
        author: "alice".into(),
        reason: "migration".into(),
        expired_at: None,
    };
    ledger.add_silence(silence).await.unwrap();
    ledger.close().await.unwrap();
    world.poll(DAY, &[plan("A", "110", "100", DAY)]).await;
    assert_eq!(sent(&world, "chat").await, ["critical budget.alert.raised: A spend 100"]);
    assert_eq!(sent(&world, "desk").await, [""; 0]);
    let later = "2019-09-18T01:00:00Z";
    world.poll(later, &[plan("A", "110", "100", later)]).await;
    assert!(sent(&world, "chat").await.contains(&"warning budget.alert.raised: A over 0".into()));
    assert_eq!(sent(&world, "desk").await, ["warning budget.alert.raised: A over 0"]);
}

#[tokio::test]
async fn a_subscription_is_told_apart_from_its_customer_and_a_first_account_with_what_is_new() {
    let mut world = World::new(&RULES.replace("[rules.over]", "[rules.later]"));
    world.poll("2019-09-16T00:00:00Z", &customers(7)).await;
    for notifier in ["hook", "chat", "desk"] {
        sent(&world, notifier).await;
    }
    world.change_rules(RULES);
    // The rule is new: what is so already of seven customers is its first account. The first
    // customer reaches a step of an old rule, too.
    let mut records = customers(7);
    records[0] = plan("C0", "210", "200", DAY);
    world.poll(DAY, &records).await;
    let hook = sent(&world, "hook").await;
    let about_c0: Vec<&String> = hook.iter().filter(|line| line.contains("C0 ")).collect();
    assert_eq!(about_c0, ["critical budget.alert.raised: C0 spend 100 + C0 over 0"], "{hook:?}");
    assert_eq!(hook.iter().filter(|line| line.contains(" digest: ")).count(), 1, "{hook:?}");
}

#[tokio::test]
async fn the_same_reasons_are_the_same_message_whoever_plans_it() {
    let world = settled(RULES).await;
    world.poll(DAY, &[plan("A", "110", "100", DAY)]).await;
    let first = world.owed("hook").await;
    assert_eq!(first.len(), 1);
    assert_eq!(world.owed("hook").await, first, "at each attempt");
    let sliced = settled(RULES).await.in_slices_of(1);
    sliced.poll(DAY, &[plan("A", "110", "100", DAY), plan("B", "110", "100", DAY)]).await;
    let told: Vec<String> = sliced.owed("hook").await.iter().map(in_words).collect();
    assert_eq!(
        told,
        [
            "critical budget.alert.raised: A spend 100 + A over 0 + A cost 90",
            "critical budget.alert.raised: B spend 100 + B over 0 + B cost 90"
        ]
    );
}

/// Which alerts are acknowledged, by customer and rule.
fn acknowledged(world: &World) -> Vec<String> {
    let reader = Reader::open(&world.config().ledger).unwrap();
    let known = reader.alerts(&AlertFilter::default()).unwrap().into_iter();
    let mut known: Vec<String> = known
        .filter(|row| row.acknowledged.is_some())
        .map(|row| format!("{} {}", row.snapshot.alert.customer.id, row.snapshot.alert.rule))
        .collect();
    known.sort();
    known
}

#[tokio::test]
async fn who_acknowledges_one_alert_of_a_message_knows_of_all_that_it_told_of_the_customer() {
    let world = settled(RULES).await;
    let mut records = customers(6);
    records.push(plan("A", "95", "100", DAY));
    world.poll(DAY, &records).await;
    let reader = Reader::open(&world.config().ledger).unwrap();
    let alerts = reader.alerts(&AlertFilter::default()).unwrap().into_iter();
    let mut alerts = alerts.map(|row| row.snapshot.alert);
    let over = alerts.find(|one| one.customer.id.as_str() == "C3" && one.rule == "over").unwrap();
    let (ledger, config) = (world.ledger(), world.config());
    let clock: Arc<dyn Clock> = Arc::<SimulatedClock>::clone(&world.clock);
    let Assembly { cycle, .. } = assemble(&config, &ledger, &clock, &world.metrics).unwrap();
    let context = ActionContext::in_process(cycle, config.ledger.clone(), config.file.clone());
    for undo in [false, true] {
        let request =
            AckRequest { alerts: vec![over.reference.clone()], undo, ..AckRequest::default() };
        let answers = request.run(&context, &Author::of(0)).await.unwrap();
        let first = &answers[0].alert;
        assert_eq!((answers.len(), first.id), (3, over.id), "the one that is named comes first");
        let known = acknowledged(&world);
        let all: &[&str] = if undo { &[] } else { &["C3 cost", "C3 over", "C3 spend"] };
        assert_eq!(known, all, "nothing of the others in the same digest");
    }
    ledger.close().await.unwrap();
}
