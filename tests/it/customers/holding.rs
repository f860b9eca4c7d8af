//! Suspiciously many customers at once: what customers would be told waits for a person.

use std::sync::Arc;

use budget_alertd::clock::Clock;
use budget_alertd::daemon::assemble;
use budget_alertd::domain::{DeliveryState, FindingCode, Silence};
use budget_alertd::ledger::{DeliveryFilter, HoldFilter, Reader};

use super::{DAY, rules};
use crate::support::world::{Record, World, plan};

const CUSTOMERS: usize = 40;

fn world() -> World {
    let ids: Vec<String> = (0..CUSTOMERS).map(|number| format!("C{number}")).collect();
    World::new(&rules(&ids.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// The first `number` at this cost of 100, the others at 10.
fn records(number: usize, cost: &str) -> Vec<Record> {
    (0..CUSTOMERS)
        .map(|index| {
            plan(&format!("C{index}"), if index < number { cost } else { "10" }, "100", DAY)
        })
        .collect()
}

fn open(world: &World) -> Vec<String> {
    let findings = Reader::open(&world.config().ledger).unwrap().findings().unwrap();
    findings
        .into_iter()
        .filter(|open| open.finding.code == FindingCode::MassCrossing)
        .map(|open| open.finding.summary)
        .collect()
}

/// How many deliveries to customers are owed, held and due.
async fn counts(world: &World) -> (u64, u64, usize) {
    let owed = Reader::open(&world.config().ledger).unwrap().owed().unwrap();
    let owed = owed.iter().find(|owed| owed.notifier == "customers");
    (
        owed.map_or(0, |owed| owed.pending),
        owed.map_or(0, |owed| owed.held),
        world.owed("customers").await.len(),
    )
}

#[tokio::test]
async fn what_customers_would_be_told_of_a_mass_crossing_is_held_until_somebody_releases_it() {
    let world = world();
    world.poll(DAY, &records(0, "10")).await;
    world.poll("2019-09-17T01:00:00Z", &records(20, "90")).await;
    assert_eq!(counts(&world).await, (20, 0, 20), "20 are not more than 20");
    world.poll("2019-09-17T02:00:00Z", &records(40, "110")).await;
    assert_eq!(counts(&world).await, (60, 40, 20));
    assert_eq!(world.owed("hook").await.len(), 60, "the partner is told at once");
    let summary = open(&world).remove(0);
    assert!(
        summary.contains("40 of 40 customers")
            && summary.contains("40 messages to customers are held"),
        "{summary}"
    );
    // The finding outlives quiet polls, and what follows a held message waits behind it.
    world.poll("2019-09-17T03:30:00Z", &records(40, "110")).await;
    world.poll("2019-09-17T04:00:00Z", &records(0, "10")).await;
    assert_eq!(open(&world).len(), 1);
    let (owed, held, due) = counts(&world).await;
    assert_eq!((held, due), (40, 20), "{owed}");
    let ledger = world.ledger();
    let one = HoldFilter {
        customer: Some(budget_alertd::domain::CustomerKey::of("c7")),
        ..HoldFilter::default()
    };
    assert_eq!(ledger.release(one, "2019-09-17T05:00:00Z".parse().unwrap()).await.unwrap(), 1);
    assert_eq!(
        ledger
            .release(HoldFilter::default(), "2019-09-17T05:00:00Z".parse().unwrap())
            .await
            .unwrap(),
        39
    );
    ledger.close().await.unwrap();
    assert_eq!(counts(&world).await.1, 0);
    world.poll("2019-09-17T06:00:00Z", &records(0, "10")).await;
    assert_eq!(open(&world).len(), 0);
}

#[tokio::test]
async fn the_end_of_a_silence_over_a_mass_crossing_tells_customers_nothing_either() {
    let world = world();
    world.poll(DAY, &records(0, "10")).await;
    let ledger = world.ledger();
    let silence = Silence {
        id: 0,
        customers: Vec::new(),
        rules: Vec::new(),
        unless_above: None,
        created_at: DAY.parse().unwrap(),
        as_of: DAY.parse().unwrap(),
        ends_at: Some("2019-09-17T02:30:00Z".parse().unwrap()),
        author: "alice".into(),
        reason: "the prices are wrong".into(),
        expired_at: None,
    };
    ledger.add_silence(silence).await.unwrap();
    ledger.close().await.unwrap();
    world.poll("2019-09-17T02:00:00Z", &records(30, "110")).await;
    assert_eq!(counts(&world).await, (0, 0, 0));
    world.poll("2019-09-17T03:00:00Z", &records(30, "110")).await;
    assert_eq!(counts(&world).await, (30, 30, 0));
    assert_eq!(world.owed("hook").await.len(), 30, "the partner is told");
    let summary = open(&world).remove(0);
    assert!(
        summary.contains("30 of 40 customers")
            && summary.contains("30 messages to customers are held"),
        "{summary}"
    );
}

#[tokio::test]
async fn what_is_discarded_is_never_sent_nor_what_becomes_of_it_and_is_no_failure() {
    let world = world();
    world.poll(DAY, &records(0, "10")).await;
    world.poll("2019-09-17T02:00:00Z", &records(40, "110")).await;
    let ledger = world.ledger();
    let now = "2019-09-17T02:30:00Z".parse().unwrap();
    assert_eq!(
        ledger
            .discard(HoldFilter::default(), "discarded by me: wrong prices".to_owned(), now)
            .await
            .unwrap(),
        40
    );
    assert_eq!(
        ledger.retry(budget_alertd::ledger::RetryFilter::default(), now, None).await.unwrap(),
        0,
        "a retry does not bring it back"
    );
    ledger.close().await.unwrap();
    // Reminders and ends are for those who were told.
    world.poll("2019-09-17T04:00:00Z", &records(40, "110")).await;
    let raised: Vec<Record> = records(40, "110")
        .into_iter()
        .map(|record| Record { budget: Some("1000".into()), ..record })
        .collect();
    world.poll("2019-09-17T05:00:00Z", &raised).await;
    assert_eq!(counts(&world).await, (0, 0, 0));
    let rows = Reader::open(&world.config().ledger).unwrap().deliveries(&DeliveryFilter {
        notifier: Some("customers".into()),
        ..DeliveryFilter::default()
    });
    let rows = rows.unwrap();
    assert_eq!(rows.len(), 40);
    assert!(rows.iter().all(|row| row.state == DeliveryState::Dead
        && row.held
        && row.last_detail.as_deref() == Some("discarded by me: wrong prices")));
    assert!(
        Reader::open(&world.config().ledger)
            .unwrap()
            .owed()
            .unwrap()
            .iter()
            .all(|owed| owed.dead == 0)
    );
}

#[tokio::test]
async fn what_is_discarded_is_told_to_nobody_in_its_place() {
    let ids: Vec<String> = (0..CUSTOMERS).map(|number| format!("C{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let fallback = "[notifiers.oncall]\ntype = \"webhook\"\nurl = \
        \"http://127.0.0.1:9/\"\n[notifiers.customers]\nfallback = [\"oncall\"]\n";
    let world = World::new(&rules(&ids).replace("[notifiers.customers]\n", fallback));
    world.poll(DAY, &records(0, "10")).await;
    world.poll("2019-09-17T02:00:00Z", &records(40, "110")).await;
    let ledger = world.ledger();
    ledger
        .discard(
            HoldFilter::default(),
            "discarded by me: wrong prices".to_owned(),
            world.clock.now(),
        )
        .await
        .unwrap();
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    for mut worker in assemble(&world.config(), &ledger, &clock, &world.metrics).unwrap().workers {
        if worker.name() == "customers" {
            worker.step(&|| false).await.unwrap();
        }
    }
    ledger.close().await.unwrap();
    assert_eq!(world.owed("oncall").await.len(), 0);
}
