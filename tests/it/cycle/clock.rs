//! A clock that was years ahead, and is right again: nothing waits until it has caught up.

use std::sync::Arc;
use std::time::Duration;

use budget_alertd::clock::{Clock, SystemClock};
use budget_alertd::daemon::{Assembly, assemble};
use budget_alertd::domain::{Message, Silence};
use budget_alertd::ledger::{Ledger, NotifierState, Reader};
use budget_alertd::metrics::Metrics;
use budget_alertd::simulator::{Fault, HttpReceiver};

use crate::support::world::{SPEND, World, plan};

const AHEAD: &str = "2036-01-01T00:00:00Z";
const NOW: &str = "2019-09-17T00:00:00Z";

fn assembly(world: &World, ledger: &Ledger) -> Assembly {
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    assemble(&world.config(), ledger, &clock, &Metrics::new()).unwrap()
}

#[tokio::test]
async fn a_source_that_fails_since_the_future_is_told() {
    let world =
        World::new(&format!("{SPEND}[operator]\nnotify = [\"hook\"]\n")).with_clock_at(AHEAD);
    world.write("nonsense");
    world.poll_source(AHEAD).await;
    assert_eq!(world.owed("hook").await.len(), 0);
    let world = world.with_clock_at(NOW);
    world.poll_source(NOW).await;
    let owed = world.owed("hook").await;
    assert!(
        matches!(&owed[0].message, Message::Operator(news) if news.code.as_str() == "source-failing"),
        "{owed:?}"
    );
    assert_eq!(owed.len(), 1);
}

/// An alert owed since 2036 to `hook`, for which `oncall` stands in, and the clock is right again.
async fn owed_since_the_future(hook: &HttpReceiver, watcher: &HttpReceiver) -> World {
    let world = World::new(&format!(
        "{SPEND}[operator]\nheartbeat_url = \"{}\"\n[notifiers.hook]\ntype = \"webhook\"\nurl = \
            \"{}\"\nfallback = [\"oncall\"]\n[notifiers.oncall]\ntype = \"webhook\"\nurl = \
            \"http://127.0.0.1:9/\"\n",
        watcher.url("/"),
        hook.url("/"),
    ))
    .with_clock_at(AHEAD);
    world.poll(AHEAD, &[plan("A", "90", "100", NOW)]).await;
    world.with_clock_at(NOW)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_since_the_future_is_told_by_the_fallback_and_keeps_the_heartbeat_back() {
    let [hook, watcher] = [(), ()].map(|()| HttpReceiver::start(SystemClock::shared()).unwrap());
    hook.fail(Fault::status(503));
    let world = owed_since_the_future(&hook, &watcher).await;
    let ledger = world.ledger();
    let mut assembly = assembly(&world, &ledger);
    assembly.heartbeat.unwrap().beat(&ledger, &*world.clock).await;
    assert_eq!(watcher.received().len(), 0);
    let worker = assembly.workers.iter_mut().find(|worker| worker.name() == "hook").unwrap();
    worker.step(&|| false).await.unwrap();
    let owed = ledger.due("oncall", Vec::new(), 10).await.unwrap();
    assert_eq!(
        owed.iter().map(|delivery| delivery.stands_in_for.as_deref()).collect::<Vec<_>>(),
        [Some("hook")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notifier_that_rests_until_the_future_is_tried_now() {
    let [hook, watcher] = [(), ()].map(|()| HttpReceiver::start(SystemClock::shared()).unwrap());
    let world = owed_since_the_future(&hook, &watcher).await;
    let ledger = world.ledger();
    let rests = NotifierState {
        failures: 3,
        next_probe_at: Some(AHEAD.parse().unwrap()),
        ..NotifierState::default()
    };
    ledger.set_notifier_state("hook", rests).await.unwrap();
    let mut assembly = assembly(&world, &ledger);
    let worker = assembly.workers.iter_mut().find(|worker| worker.name() == "hook").unwrap();
    assert_eq!(worker.step(&|| false).await.unwrap().sent, 1);
}

#[tokio::test]
async fn a_silence_that_was_made_or_ended_in_the_future_hides_nothing() {
    for (made, ended) in [(AHEAD, None), ("2019-09-16T00:00:00Z", Some(AHEAD))] {
        let world = World::new(SPEND).with_clock_at(NOW);
        let ledger = world.ledger();
        let made = made.parse().unwrap();
        let silence = Silence {
            id: 0,
            customers: Vec::new(),
            rules: Vec::new(),
            unless_above: None,
            created_at: made,
            as_of: made,
            ends_at: Some("2036-01-02T00:00:00Z".parse().unwrap()),
            author: "root".to_owned(),
            reason: "for a day".to_owned(),
            expired_at: None,
        };
        let id = ledger.add_silence(silence).await.unwrap();
        if let Some(ended) = ended {
            ledger.expire_silence(id, ended.parse().unwrap()).await.unwrap();
        }
        ledger.close().await.unwrap();
        world.poll(NOW, &[plan("A", "90", "100", NOW)]).await;
        assert_eq!(world.owed("hook").await.len(), 1);
    }
}

#[tokio::test]
async fn a_clock_that_is_behind_for_a_moment_ends_no_silence() {
    let world = World::new(SPEND).with_clock_at(NOW);
    world.poll(NOW, &[plan("A", "10", "100", NOW)]).await;
    let ledger = world.ledger();
    let now: jiff::Timestamp = NOW.parse().unwrap();
    let silence = Silence {
        id: 0,
        customers: Vec::new(),
        rules: Vec::new(),
        unless_above: None,
        created_at: now,
        as_of: now,
        ends_at: Some(now + Duration::from_hours(24)),
        author: "root".to_owned(),
        reason: "for a day".to_owned(),
        expired_at: None,
    };
    ledger.add_silence(silence).await.unwrap();
    ledger.close().await.unwrap();
    // A host without a clock of its own begins in the past.
    let behind = "2019-01-01T00:00:00Z";
    let world = world.with_clock_at(behind);
    world.poll(behind, &[plan("A", "90", "100", NOW)]).await;
    assert_eq!(world.owed("hook").await.len(), 0);
    let alerts = Reader::open(&world.config().ledger)
        .unwrap()
        .alerts(&budget_alertd::ledger::AlertFilter::default())
        .unwrap();
    assert_eq!(alerts.len(), 1);
}
