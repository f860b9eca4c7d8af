//! A mass crossing is recorded in slices: what comes of it is the same, whatever happens between
//! two of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use budget_alertd::clock::Clock;
use budget_alertd::daemon::assemble;
use budget_alertd::domain::{Digest, Message, Severity};
use budget_alertd::ledger::{AlertFilter, Ledger, LedgerError, Reader};

use crate::support::world::{Record, World, plan};

const DAY: &str = "2019-09-17T00:00:00Z";

const RULES: &str = r#"
[rules.spend]
metric = "percent_used"
notify = ["hook", "chat", "mail"]
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
[operator]
notify = ["hook"]
"#;

/// A second rule that finds the same customers.
fn with_two_rules() -> String {
    format!(
        "{RULES}\n[rules.over]\nmetric = \"amount_over\"\nnotify = [\"hook\", \"chat\", \"mail\"]\n\
         steps = [{{ at = {{ SEK = -10 }} }}]\n"
    )
}

fn customers(number: usize, cost: usize) -> Vec<Record> {
    (0..number)
        .map(|index| plan(&format!("C{index:03}"), &(cost + index).to_string(), "100", DAY))
        .collect()
}

fn digest(message: &Message) -> Option<&Digest> {
    if let Message::Digest(digest) = message { Some(digest) } else { None }
}

/// What a notifier is owed of alerts, a line for each message: its part, and the customers in it.
async fn owed(world: &World, notifier: &str) -> Vec<String> {
    let lines = world
        .owed(notifier)
        .await
        .into_iter()
        .filter(|delivery| !matches!(delivery.message, Message::Operator(_)));
    let line = |delivery: budget_alertd::domain::Delivery| {
        let members: Vec<&str> = delivery
            .message
            .alerts()
            .iter()
            .map(|member| member.alert.customer.id.as_str())
            .collect();
        let part = digest(&delivery.message).map_or("alone".to_owned(), |digest| {
            let Digest { part, parts, total, criticals, baseline, totals, .. } = digest;
            format!("{part}/{parts} of {total} ({criticals} critical, {baseline}) {totals:?}")
        });
        format!("{part}: {} {}", members.join(" "), delivery.recipient.unwrap_or_default())
    };
    lines.map(line).collect()
}

/// Everything that is owed, by notifier.
async fn all_owed(world: &World) -> BTreeMap<&'static str, Vec<String>> {
    let mut all = BTreeMap::new();
    for notifier in ["hook", "chat", "mail"] {
        all.insert(notifier, owed(world, notifier).await);
    }
    all
}

#[tokio::test]
async fn a_first_account_in_slices_is_the_same_digest() {
    let (whole, sliced) = (World::new(RULES), World::new(RULES).in_slices_of(3));
    let told = whole.poll(DAY, &customers(40, 80)).await;
    assert_eq!(sliced.poll(DAY, &customers(40, 80)).await, told);
    let owed = all_owed(&sliced).await;
    assert_eq!(owed, all_owed(&whole).await);
    assert_eq!((owed["hook"].len(), owed["chat"].len(), owed["mail"].len()), (3, 2, 2));
    assert!(
        owed["chat"][0].starts_with("1/2 of 40 (20 critical, true) None: C039 C038"),
        "{}",
        owed["chat"][0]
    );
}

#[tokio::test]
async fn several_reasons_in_slices_are_the_same_messages() {
    let (whole, sliced) =
        (World::new(&with_two_rules()), World::new(&with_two_rules()).in_slices_of(3));
    for world in [&whole, &sliced] {
        world.poll(DAY, &[plan("Z", "1", "100", DAY)]).await;
        world.poll(DAY, &customers(200, 95)).await;
    }
    let (mut of_whole, mut of_sliced) = (all_owed(&whole).await, all_owed(&sliced).await);
    for owed in [&mut of_whole, &mut of_sliced] {
        owed.get_mut("hook").unwrap().sort();
    }
    assert_eq!(of_sliced, of_whole);
    assert_eq!((of_whole["hook"].len(), of_whole["chat"].len()), (200, 5));
}

#[tokio::test]
async fn later_a_webhook_gets_each_alert_and_people_one_digest_of_all_slices() {
    let (whole, sliced) = (World::new(RULES), World::new(RULES).in_slices_of(3));
    for world in [&whole, &sliced] {
        world.poll(DAY, &[plan("Z", "1", "100", DAY)]).await;
        world.poll(DAY, &customers(40, 80)).await;
    }
    let (mut of_whole, mut of_sliced) = (all_owed(&whole).await, all_owed(&sliced).await);
    for owed in [&mut of_whole, &mut of_sliced] {
        // Those that go alone go in the order of their recording.
        owed.get_mut("hook").unwrap().sort();
    }
    assert_eq!(of_sliced, of_whole);
    assert_eq!(of_sliced["hook"].len(), 40);
    let news = sliced
        .owed("hook")
        .await
        .into_iter()
        .filter(|delivery| matches!(delivery.message, Message::Operator(_)));
    let news: Vec<_> = news.map(|delivery| delivery.message).collect();
    let [Message::Operator(news)] = &news[..] else { panic!("{news:?}") };
    assert!(
        news.summary
            .starts_with("40 of 40 customers reached a step in one poll, suspiciously many"),
        "{}",
        news.summary
    );
}

#[tokio::test]
async fn people_get_five_parts_of_the_worst_and_what_all_come_to() {
    for world in [World::new(RULES), World::new(RULES).in_slices_of(20)] {
        world.poll(DAY, &customers(200, 90)).await;
        let chat = world.owed("chat").await;
        let parts: Vec<&Digest> =
            chat.iter().filter_map(|delivery| digest(&delivery.message)).collect();
        assert_eq!(
            parts
                .iter()
                .map(|digest| (digest.part, digest.parts, digest.alerts.len()))
                .collect::<Vec<_>>(),
            [(1, 5, 30), (2, 5, 30), (3, 5, 30), (4, 5, 30), (5, 5, 30)]
        );
        assert_eq!((parts[0].total, parts[0].criticals), (200, 190));
        assert_eq!(
            parts[0].alerts[0].alert.customer.id.as_str(),
            "C199",
            "the worst of all slices"
        );
        let totals = parts[4].totals.clone().unwrap();
        assert_eq!(totals.left_out, 50);
        assert_eq!(totals.by_severity, [(Severity::Critical, 190), (Severity::Warning, 10)]);
        let by_currency: Vec<_> = totals
            .by_currency
            .iter()
            .map(|(code, count, over)| {
                format!("{} {count} {over}", code.map(|code| code.to_string()).unwrap_or_default())
            })
            .collect();
        // 1 + 2 + … + 189 over the budget of 100.
        assert_eq!(by_currency, ["SEK 200 17955"]);
        let hook = world.owed("hook").await;
        let programs: usize = hook
            .iter()
            .filter_map(|delivery| digest(&delivery.message))
            .map(|digest| digest.alerts.len())
            .sum();
        assert_eq!(programs, 200, "a program gets every part");
    }
}

/// Polls with a ledger that may not grow beyond so many pages.
async fn poll_within(world: &World, pages: u32) -> Result<(), LedgerError> {
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let ledger = Ledger::open_within(
        &world.config().ledger,
        pages,
        world.metrics.clone(),
        Arc::clone(&clock),
    )?;
    let result = {
        let mut assembly = assemble(&world.config(), &ledger, &clock, &world.metrics).unwrap();
        Arc::get_mut(&mut assembly.cycle).unwrap().slice = 2;
        assembly.cycle.run(false).await
    };
    ledger.close().await.unwrap();
    result.map(drop)
}

/// How often each alert is told to a notifier; its customer is told of in no second message.
async fn times_told(world: &World, notifier: &str) -> BTreeMap<String, usize> {
    let (mut times, mut told) = (BTreeMap::new(), BTreeSet::new());
    for delivery in world
        .owed(notifier)
        .await
        .iter()
        .filter(|delivery| delivery.recipient.as_deref() != Some("b@partner.example"))
    {
        let mut customers = BTreeSet::new();
        for member in delivery.message.alerts() {
            let alert = &member.alert;
            *times.entry(format!("{} {}", alert.customer.id, alert.rule)).or_default() += 1;
            customers.insert(alert.customer.id.to_string());
        }
        assert!(told.is_disjoint(&customers), "{notifier} is told twice of some of {customers:?}");
        told.extend(customers);
    }
    times
}

/// Each alert that these rules raise about the customers, told once.
fn once(records: &[Record], rules: &[&str]) -> BTreeMap<String, usize> {
    let alerts = rules
        .iter()
        .flat_map(|rule| records.iter().map(move |record| format!("{} {rule}", record.id)));
    alerts.map(|alert| (alert, 1)).collect()
}

#[tokio::test]
async fn what_ends_between_two_slices_is_gone_on_with_and_told_once() {
    each_way_to_end(RULES, &["spend"]).await;
    each_way_to_end(&with_two_rules(), &["spend", "over"]).await;
}

/// Lets a poll end after each page that it writes.
async fn each_way_to_end(toml: &str, rules: &[&str]) {
    let records = customers(30, 95);
    let once = once(&records, rules);
    let count = records.len() * rules.len();
    let (mut broken_off, mut in_between) = (0, 0);
    for more in 0.. {
        let world = World::new(toml).in_slices_of(2);
        world.poll(DAY, &[plan("Z", "1", "100", DAY)]).await;
        let pages =
            u32::try_from(std::fs::metadata(world.config().ledger.path).unwrap().len() / 4096)
                .unwrap();
        world.put(&records);
        let whole = poll_within(&world, pages + more).await.is_ok();
        let recorded = Reader::open(&world.config().ledger)
            .unwrap()
            .alerts(&AlertFilter::default())
            .unwrap()
            .len();
        broken_off += usize::from(!whole);
        in_between += usize::from(!whole && recorded > 0 && recorded < count);
        world.poll(DAY, &records).await;
        for notifier in ["hook", "chat", "mail"] {
            assert_eq!(
                times_told(&world, notifier).await,
                once,
                "{notifier} after {recorded} alerts and {more} pages"
            );
        }
        if whole {
            break;
        }
    }
    assert!(in_between > 0, "{broken_off} polls ended early, {in_between} of them between slices");
}

#[tokio::test]
async fn an_id_that_comes_again_after_its_slice_is_alerted_about_once() {
    let world = World::new(RULES).in_slices_of(2);
    world.poll(DAY, &[plan("Z", "1", "100", DAY)]).await;
    let mut records = customers(12, 95);
    records.extend(customers(12, 95));
    world.poll(DAY, &records).await;
    let once = once(&customers(12, 95), &["spend"]);
    assert_eq!(times_told(&world, "hook").await, once);
    assert_eq!(times_told(&world, "chat").await, once);
}
