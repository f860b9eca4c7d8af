//! Deliveries: what is tried when, what is given up, and that nothing is told twice. Real sockets,
//! simulated time.

use std::sync::Arc;
use std::time::Duration;

use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::daemon::assemble;
use budget_alertd::delivery::DeliveryWorker;
use budget_alertd::domain::Delivery;
use budget_alertd::ledger::{DeliveryFilter, Ledger, Reader};
use budget_alertd::metrics::Metrics;
use budget_alertd::simulator::{Answer, Fault, HttpReceiver};

use crate::support::world::{SPEND, World, plan};

const DAY: &str = "2019-09-17T00:00:00Z";

/// A world whose alerts go to a receiver, the receiver, and a worker on the open ledger.
struct Post {
    world: World,
    clock: Arc<SimulatedClock>,
    receiver: HttpReceiver,
    ledger: Ledger,
    worker: DeliveryWorker,
}

/// `number` customers over their budgets, not yet told to anyone.
async fn post(number: usize, more: &str) -> Post {
    let clock: Arc<dyn Clock> = SimulatedClock::starting_at(DAY.parse().unwrap());
    let receiver = HttpReceiver::start(clock).unwrap();
    let hook = format!(
        "[notifiers.hook]\ntype = \"webhook\"\nurl = \"{}\"\n{more}\n",
        receiver.url("/hook")
    );
    let world = World::new(&format!("{SPEND}{hook}"));
    world.poll(DAY, &[plan("Z", "1", "100", DAY)]).await;
    let records: Vec<_> =
        (0..number).map(|index| plan(&format!("C{index}"), "85", "100", DAY)).collect();
    world.poll(DAY, &records).await;
    let ledger = world.ledger();
    let worker = worker(&world, &ledger);
    Post { clock: Arc::clone(&world.clock), world, receiver, ledger, worker }
}

fn worker(world: &World, ledger: &Ledger) -> DeliveryWorker {
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    assemble(&world.config(), ledger, &clock, &Metrics::new()).unwrap().workers.remove(0)
}

impl Post {
    /// One step of the worker.
    async fn step(&mut self) -> String {
        let progress = self.worker.step(&|| false).await.unwrap();
        let wait = progress.wait.map_or("idle".to_owned(), |wait| {
            if wait.is_zero() { "on".to_owned() } else { format!("wait {} s", wait.as_secs()) }
        });
        format!("{} sent, {} dead, {wait}", progress.sent, progress.dead)
    }

    /// Steps until there is nothing to do, moving the clock over every wait; says how long each
    /// wait was.
    async fn run(&mut self) -> Vec<u64> {
        let mut waits = Vec::new();
        while let Some(wait) = self.worker.step(&|| false).await.unwrap().wait {
            if !wait.is_zero() {
                waits.push(wait.as_secs());
                self.clock.advance(wait);
            }
        }
        waits
    }

    /// Names of the customers in the order in which the receiver was told of them.
    fn attempts(&self) -> Vec<String> {
        let requests = self.receiver.attempts();
        requests.iter().map(|attempt| customer(&attempt.request.text())).collect()
    }

    fn states(&self) -> Vec<String> {
        let reader = Reader::open(&self.world.config().ledger).unwrap();
        let mut rows: Vec<String> = reader
            .deliveries(&DeliveryFilter::default())
            .unwrap()
            .iter()
            .map(|row| row.state.as_str().to_owned())
            .collect();
        rows.sort();
        rows
    }
}

fn customer(body: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(body).unwrap();
    json["data"]["alerts"][0]["customer"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_failing_destination_is_probed_with_another_delivery_each_time_and_one_success_frees_all()
{
    let mut post = post(3, "").await;
    post.receiver.fail(Fault::status(503));
    assert!(post.step().await.starts_with("0 sent, 0 dead"));
    for _ in 0..6 {
        let progress = post.worker.step(&|| false).await.unwrap();
        post.clock.advance(progress.wait.unwrap());
        post.worker.step(&|| false).await.unwrap();
    }
    let attempts = post.attempts();
    assert_eq!(attempts.len(), 7);
    assert!(
        attempts.windows(2).all(|pair| pair[0] != pair[1]),
        "never the same twice in a row: {attempts:?}"
    );
    post.receiver.heal();
    post.clock.advance(Duration::from_mins(15));
    post.run().await;
    assert_eq!(post.states(), ["sent", "sent", "sent"]);
    assert_eq!(post.receiver.received().len(), 3);
}

#[tokio::test]
async fn the_waits_grow_from_five_seconds_to_ten_minutes() {
    let mut post = post(1, "give_up_after = \"1h\"").await;
    post.receiver.fail(Fault::status(503));
    let waits = post.run().await;
    let bounds = [(4, 6), (24, 36), (96, 144), (240, 360), (480, 720), (480, 720)];
    for (wait, (least, most)) in waits.iter().zip(bounds) {
        assert!((least..=most).contains(wait), "{waits:?}");
    }
    assert!(waits.len() >= 7, "at least 8 probes before anything is given up: {waits:?}");
    assert_eq!(post.states(), ["dead"]);
}

#[tokio::test]
async fn a_delivery_is_given_up_only_after_the_time_and_eight_probes() {
    let mut post = post(2, "give_up_after = \"1m\"").await;
    post.receiver.fail(Fault::status(503));
    let waits = post.run().await;
    assert_eq!(waits.len(), 7, "the minute is over long before the eighth probe: {waits:?}");
    assert_eq!(post.states(), ["dead", "dead"]);
    assert_eq!(post.ledger.read(Reader::owed).await.unwrap()[0].dead, 2);
}

#[tokio::test]
async fn retry_after_replaces_the_next_probe() {
    let mut post = post(1, "").await;
    post.receiver.fail_once(Fault::Answer(Answer::throttled(57)));
    assert_eq!(post.run().await, [57]);
    assert_eq!(post.states(), ["sent"]);
}

#[tokio::test]
async fn an_absurd_retry_after_is_capped_at_an_hour() {
    let mut post = post(1, "").await;
    post.receiver.fail_once(Fault::Answer(Answer::throttled(4_000_000)));
    assert_eq!(post.run().await, [3600]);
    assert_eq!(post.states(), ["sent"]);
}

#[tokio::test]
async fn a_refused_message_is_dead_at_once_and_costs_the_others_nothing() {
    let mut post = post(3, "").await;
    post.receiver.fail_once(Fault::status(422));
    assert_eq!(post.run().await, Vec::<u64>::new(), "no wait");
    assert_eq!(post.states(), ["dead", "sent", "sent"]);
}

#[tokio::test]
async fn an_ambiguous_failure_repeats_the_same_delivery_with_the_same_identity() {
    let mut post = post(2, "").await;
    post.receiver.fail_once(Fault::Reset);
    post.run().await;
    let ids: Vec<String> = post
        .receiver
        .attempts()
        .iter()
        .map(|attempt| attempt.request.header("webhook-id").unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
    let bodies = post.receiver.attempts();
    assert_eq!(bodies[0].request.body, bodies[1].request.body, "the same to the byte");
    assert_eq!(post.states(), ["sent", "sent"]);
}

#[tokio::test]
async fn backoff_survives_a_restart() {
    let mut post = post(1, "").await;
    post.receiver.fail(Fault::Answer(Answer::throttled(600)));
    assert_eq!(post.step().await, "0 sent, 0 dead, on");
    post.worker = worker(&post.world, &post.ledger);
    assert_eq!(post.step().await, "0 sent, 0 dead, wait 600 s");
    assert_eq!(post.receiver.attempts().len(), 1);
}

#[tokio::test]
async fn a_retried_delivery_starts_anew_with_the_same_identity() {
    let mut post = post(1, "").await;
    post.receiver.fail_once(Fault::status(400));
    post.run().await;
    assert_eq!(post.states(), ["dead"]);
    let now = post.clock.now();
    assert_eq!(
        post.ledger.retry(budget_alertd::ledger::RetryFilter::default(), now, None).await.unwrap(),
        1
    );
    post.run().await;
    assert_eq!(post.states(), ["sent"]);
    let ids: Vec<String> = post
        .receiver
        .attempts()
        .iter()
        .map(|attempt| attempt.request.header("webhook-id").unwrap().to_owned())
        .collect();
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn deliveries_of_a_notifier_that_is_gone_are_dead_at_once() {
    let post = post(2, "").await;
    assert_eq!(
        post.ledger.drop_undeliverable(vec!["other".into()], post.clock.now()).await.unwrap(),
        2
    );
    assert_eq!(post.states(), ["dead", "dead"]);
}

#[tokio::test]
async fn what_was_accepted_but_cannot_be_marked_is_not_sent_again() {
    let mut post = post(1, "").await;
    let path = post.world.config().ledger.path;
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(
        post.worker.step(&|| false).await.is_err(),
        "the mark cannot be written while somebody else writes"
    );
    other.execute_batch("ROLLBACK").unwrap();
    post.run().await;
    assert_eq!(post.states(), ["sent"]);
    assert_eq!(post.receiver.attempts().len(), 1);
}

#[tokio::test]
async fn a_stop_between_two_deliveries_leaves_the_rest_owed() {
    let mut post = post(3, "").await;
    let stopped = std::sync::atomic::AtomicU32::new(0);
    let stop = || stopped.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= 1;
    assert_eq!(post.worker.step(&stop).await.unwrap().sent, 1);
    assert_eq!(post.states(), ["pending", "pending", "sent"]);
}

#[tokio::test]
async fn whatever_stands_in_retry_after_the_next_attempt_is_neither_at_once_nor_long_after() {
    for (value, least, most) in [
        ("0", 1, 1),
        ("-5", 4, 6),
        ("soon", 4, 6),
        ("99999999999999999999999", 4, 6),
        ("31536000", 3600, 3600),
        ("Sun, 17 Sep 2119 00:00:00 GMT", 3600, 3600),
        ("Mon, 16 Sep 2019 00:00:00 GMT", 1, 1),
    ] {
        let mut post = post(1, "").await;
        post.receiver.fail_once(Fault::Answer(Answer::new(429).with_header("Retry-After", value)));
        let waits = post.run().await;
        assert!(
            matches!(waits[..], [wait] if (least..=most).contains(&wait)),
            "{value}: {waits:?}"
        );
        assert_eq!(post.states(), ["sent"]);
        let attempts = post.receiver.attempts();
        assert_eq!(
            attempts[0].request.header("webhook-id"),
            attempts[1].request.header("webhook-id")
        );
        assert_eq!(attempts[0].request.body, attempts[1].request.body);
    }
}

#[tokio::test]
async fn several_that_fail_together_are_one_failure_and_one_probe_follows() {
    let mut post = post(60, "").await;
    let stopped = std::sync::atomic::AtomicU32::new(0);
    let stop = || stopped.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= 20;
    assert_eq!(post.worker.step(&stop).await.unwrap().sent, 20);
    post.receiver.fail(Fault::status(503));
    assert_eq!(post.step().await, "0 sent, 0 dead, on");
    let together = post.receiver.attempts().len() - 20;
    assert!(together > 10, "{together} at once");
    let state = post.ledger.notifier_state("hook").await.unwrap();
    assert_eq!((state.failures, state.probes), (1, 1));
    let wait = post.worker.step(&|| false).await.unwrap().wait.unwrap();
    assert!((4..=6).contains(&wait.as_secs()), "{wait:?}");
    post.clock.advance(wait);
    assert_eq!(post.step().await, "0 sent, 0 dead, on");
    assert_eq!(post.receiver.attempts().len(), 20 + together + 1, "one probe");
    let attempts = post.attempts();
    assert!(
        !attempts[20..20 + together].contains(&attempts[20 + together]),
        "with one that was not tried yet"
    );
    post.receiver.heal();
    post.clock.advance(Duration::from_mins(1));
    assert_eq!(post.run().await, Vec::<u64>::new());
    assert_eq!(post.receiver.received().len(), 60);
    assert_eq!(post.states(), vec!["sent"; 60]);
}

#[tokio::test]
async fn of_several_with_an_unknown_end_each_is_repeated_under_its_identity() {
    let mut post = post(60, "").await;
    let stopped = std::sync::atomic::AtomicU32::new(0);
    let stop = || stopped.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= 20;
    post.worker.step(&stop).await.unwrap();
    post.receiver.fail(Fault::Reset);
    post.step().await;
    let unknown = post.attempts()[20..].to_vec();
    post.receiver.heal();
    post.run().await;
    let attempts = post.receiver.attempts();
    let identities: std::collections::BTreeSet<_> =
        attempts.iter().map(|attempt| attempt.request.header("webhook-id")).collect();
    assert_eq!((identities.len(), attempts.len()), (60, 60 + unknown.len()));
    assert_eq!(post.attempts()[20 + unknown.len()], unknown[0], "the first of them is the probe");
    assert_eq!(post.states(), vec!["sent"; 60]);
}

#[tokio::test]
async fn what_one_customer_is_told_of_arrives_in_its_order_beside_many_others() {
    let clock: Arc<dyn Clock> = SimulatedClock::starting_at(DAY.parse().unwrap());
    let receiver = HttpReceiver::start(clock).unwrap();
    let hook =
        format!("[notifiers.hook]\ntype = \"webhook\"\nurl = \"{}\"\n", receiver.url("/hook"));
    let rule = |(name, at): (&str, u32)| {
        format!(
            "[rules.{name}]\nmetric = \"percent_used\"\nnotify = [\"hook\"]\nsteps = \
                [{{ at = {at} }}]\n"
        )
    };
    let rules = [("d", 80), ("b", 85), ("c", 90), ("a", 95)];
    let world = World::new(&format!("{}{hook}", rules.map(rule).concat()));
    world.poll(DAY, &[plan("Z", "1", "100", DAY)]).await;
    // Each poll finds one more reason, which is a message of its own.
    for (_, at) in rules {
        let records: Vec<_> =
            (0..40).map(|index| plan(&format!("C{index}"), &at.to_string(), "100", DAY)).collect();
        world.poll(DAY, &records).await;
    }
    let ledger = world.ledger();
    let owed: Vec<String> = told(&ledger.due("hook", Vec::new(), 1000).await.unwrap());
    let mut worker = worker(&world, &ledger);
    while worker.step(&|| false).await.unwrap().wait.is_some() {}
    let attempts = receiver.attempts();
    let arrived: Vec<String> =
        attempts.iter().map(|attempt| customer_and_rule(&attempt.request.text())).collect();
    assert_eq!(arrived.len(), 160);
    for index in 0..40 {
        let of_one = |all: &[String]| -> Vec<String> {
            all.iter().filter(|told| told.starts_with(&format!("C{index} "))).cloned().collect()
        };
        assert_eq!(of_one(&arrived), of_one(&owed));
    }
}

fn told(owed: &[Delivery]) -> Vec<String> {
    let alerts = owed.iter().flat_map(|delivery| delivery.message.alerts());
    alerts
        .map(|snapshot| format!("{} {}", snapshot.alert.customer.id.as_str(), snapshot.alert.rule))
        .collect()
}

fn customer_and_rule(body: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(body).unwrap();
    format!("{} {}", customer(body), json["data"]["alerts"][0]["rule"].as_str().unwrap())
}
