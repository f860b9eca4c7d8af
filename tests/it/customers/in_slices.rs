//! A mass crossing that is recorded in slices: messages to customers wait until the poll is over,
//! and are held or let go as a whole, whatever happens in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use budget_alertd::clock::Clock;
use budget_alertd::daemon::assemble;
use budget_alertd::domain::{FindingCode, Message};
use budget_alertd::ledger::{HoldFilter, Ledger, LedgerError, Reader};

use super::{DAY, rules};
use crate::support::world::{Record, World, plan};

/// How many customers have contacts.
const CUSTOMERS: usize = 30;
const LATER: &str = "2019-09-17T01:00:00Z";

fn world() -> World {
    let ids: Vec<String> = (0..CUSTOMERS).map(|number| format!("C{number}")).collect();
    let rules = rules(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    World::new(&format!("{rules}[operator]\nnotify = [\"hook\"]\n")).in_slices_of(2)
}

/// All customers at this cost of 100, and so many others that cost little.
fn records(cost: &str, others: usize) -> Vec<Record> {
    let others = (0..others).map(|number| plan(&format!("Z{number}"), "10", "100", DAY));
    (0..CUSTOMERS)
        .map(|number| plan(&format!("C{number}"), cost, "100", DAY))
        .chain(others)
        .collect()
}

/// Customers of whom something is owed to themselves, and how often: due now, and held.
async fn told(world: &World) -> (BTreeMap<String, usize>, u64) {
    let mut due = BTreeMap::new();
    for delivery in world.owed("customers").await {
        *due.entry(delivery.recipient.unwrap_or_default()).or_default() += 1;
    }
    let owed = Reader::open(&world.config().ledger).unwrap().owed().unwrap();
    (due, owed.iter().map(|owed| owed.held).sum())
}

fn everybody_once() -> BTreeMap<String, usize> {
    (0..CUSTOMERS).map(|number| (format!("C{number}@C{number}.example"), 1)).collect()
}

fn open(world: &World) -> Vec<String> {
    let findings = Reader::open(&world.config().ledger).unwrap().findings().unwrap();
    findings
        .into_iter()
        .filter(|open| open.finding.code == FindingCode::MassCrossing)
        .map(|open| open.finding.summary)
        .collect()
}

/// What the operator was told of suspiciously many customers.
async fn news(world: &World) -> Vec<String> {
    let news = world.owed("hook").await.into_iter().filter_map(|delivery| match delivery.message {
        Message::Operator(news) if news.code == FindingCode::MassCrossing => Some(news.summary),
        _ => None,
    });
    news.collect()
}

async fn release(world: &World) {
    let ledger = world.ledger();
    ledger.release(HoldFilter::default(), world.clock.now()).await.unwrap();
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn of_a_suspicious_poll_the_first_slices_are_held_too() {
    let world = world();
    world.poll(DAY, &records("10", 0)).await;
    world.poll(LATER, &records("110", 0)).await;
    let (due, held) = told(&world).await;
    assert_eq!((due.len(), held), (0, 30));
    let news = news(&world).await;
    assert!(
        matches!(&news[..], [one] if one.contains("30 of 30 customers") && one.contains("30 messages to customers are held")),
        "{news:?}"
    );
    release(&world).await;
    assert_eq!(told(&world).await, (everybody_once(), 0));
}

#[tokio::test]
async fn of_any_other_poll_everything_is_let_go_at_its_end() {
    let world = world();
    world.poll(DAY, &records("10", 700)).await;
    world.poll(LATER, &records("110", 700)).await;
    assert_eq!(told(&world).await, (everybody_once(), 0), "30 of 730 are not more than 1 in 20");
    assert_eq!((open(&world), news(&world).await), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn what_looked_suspicious_on_the_way_is_judged_by_the_whole_poll() {
    let world = world();
    // Records are looked at in batches of 4000, and the first one has all that cross.
    let collection = |cost: &str, others: &str| {
        let more = (0..300).map(|number| plan(&format!("Y{number}"), cost, "100", DAY));
        let others = (0..7700).map(|number| plan(&format!("Z{number}"), others, "100", DAY));
        records(cost, 0).into_iter().chain(more).chain(others).collect::<Vec<_>>()
    };
    world.poll(DAY, &collection("10", "10")).await;
    world.poll(LATER, &collection("110", "11")).await;
    assert_eq!(told(&world).await, (everybody_once(), 0), "330 of 8030 are not more than 1 in 20");
    assert_eq!((open(&world), news(&world).await), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn what_an_earlier_poll_held_stays_held() {
    let world = world();
    world.poll(DAY, &records("10", 700)).await;
    world.poll(LATER, &records("85", 0)).await;
    assert_eq!(told(&world).await.1, 30);
    world.poll("2019-09-17T02:00:00Z", &records("110", 700)).await;
    let (due, held) = told(&world).await;
    assert_eq!(
        (due, held),
        (everybody_once(), 30),
        "the later ones are of a poll that was not suspicious"
    );
    assert_eq!(open(&world).len(), 1);
}

/// Polls with a ledger that may not grow beyond so many pages; whether it came to its end.
async fn poll_within(world: &World, pages: u32) -> bool {
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let ledger = Ledger::open_within(
        &world.config().ledger,
        pages,
        world.metrics.clone(),
        Arc::clone(&clock),
    )
    .unwrap();
    let result: Result<_, LedgerError> = {
        let mut assembly = assemble(&world.config(), &ledger, &clock, &world.metrics).unwrap();
        Arc::get_mut(&mut assembly.cycle).unwrap().slice = 2;
        assembly.cycle.run(false).await
    };
    ledger.close().await.unwrap();
    result.is_ok()
}

/// Breaks a poll off in many places, and polls again: `check` sees the world after it, and what was
/// held before.
async fn break_off(others: usize, check: impl AsyncFn(&World, &str)) {
    let mut in_between = 0;
    for more in (0..).step_by(6) {
        let world = world();
        world.poll(DAY, &records("10", others)).await;
        let pages =
            u32::try_from(std::fs::metadata(world.config().ledger.path).unwrap().len() / 4096)
                .unwrap();
        world.put(&records("110", others));
        let whole = poll_within(&world, pages + more).await;
        let (due, held) = told(&world).await;
        if !whole && held > 0 {
            in_between += 1;
            assert_eq!(due.len(), 0, "nobody is told before the poll is over");
        }
        // A poll that reads nothing decides nothing.
        world.write("");
        world.poll_source(LATER).await;
        if !whole && held > 0 {
            assert_eq!(
                (told(&world).await.1, open(&world).len(), news(&world).await.len()),
                (held, 1, 1),
                "held, and said"
            );
        }
        world.poll(LATER, &records("110", others)).await;
        check(&world, &format!("{more} pages more, {held} held in between")).await;
        if whole {
            break;
        }
    }
    assert!(in_between > 0);
}

#[tokio::test]
async fn a_poll_that_is_gone_on_with_lets_go_what_the_first_one_held() {
    break_off(700, async |world, case| {
        assert_eq!(told(world).await, (everybody_once(), 0), "{case}");
        assert_eq!(open(world), Vec::<String>::new(), "{case}");
    })
    .await;
}

#[tokio::test]
async fn a_suspicious_poll_that_is_gone_on_with_is_one_crossing() {
    break_off(0, async |world, case| {
        let (due, held) = told(world).await;
        assert_eq!((due.len(), held, open(world).len()), (0, 30, 1), "{case}");
        release(world).await;
        assert_eq!(told(world).await, (everybody_once(), 0), "{case}");
    })
    .await;
}
