//! A notifier that takes no messages: who is told instead, when, once, and how the message says so.
//! Real sockets, simulated time.

use std::sync::Arc;
use std::time::Duration;

use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::daemon::assemble;
use budget_alertd::delivery::DeliveryWorker;
use budget_alertd::ledger::{DeliveryFilter, HoldFilter, Ledger, Reader};
use budget_alertd::metrics::Metrics;
use budget_alertd::simulator::{Fault, HttpReceiver};

use crate::support::world::{World, plan};

const DAY: &str = "2019-09-17T00:00:00Z";

/// A notifier `ops` with `oncall` to stand in for it, and what each has received.
struct Pair {
    world: World,
    clock: Arc<SimulatedClock>,
    ops: HttpReceiver,
    oncall: HttpReceiver,
    ledger: Ledger,
    workers: Vec<DeliveryWorker>,
    owed: tokio::sync::watch::Receiver<u64>,
}

/// `number` customers over their budgets, owed to `notify`; more keys for `ops` and for `oncall`.
async fn pair(number: usize, notify: &str, ops_keys: &str, oncall_keys: &str) -> Pair {
    let clock: Arc<dyn Clock> = SimulatedClock::starting_at(DAY.parse().unwrap());
    let (ops, oncall) =
        (HttpReceiver::start(Arc::clone(&clock)).unwrap(), HttpReceiver::start(clock).unwrap());
    let world = World::new(&rules(
        notify,
        (&ops, ops_keys),
        (&oncall, oncall_keys),
        "fallback = [\"oncall\"]",
    ));
    world.poll(DAY, &[plan("Z", "1", "100", DAY)]).await;
    let records: Vec<_> =
        (0..number).map(|index| plan(&format!("C{index}"), "85", "100", DAY)).collect();
    world.poll(DAY, &records).await;
    let ledger = world.ledger();
    let (workers, owed) = workers(&world, &ledger);
    Pair { clock: Arc::clone(&world.clock), world, ops, oncall, ledger, workers, owed }
}

fn rules(
    notify: &str,
    (ops, ops_keys): (&HttpReceiver, &str),
    (oncall, oncall_keys): (&HttpReceiver, &str),
    fallback: &str,
) -> String {
    format!(
        "[rules.spend]\nmetric = \"percent_used\"\nnotify = {notify}\nsteps = [{{ at = 80 }}]\n\
         [notifiers.ops]\ntype = \"webhook\"\nurl = \"{}\"\n{fallback}\n{ops_keys}\n\
         [notifiers.oncall]\ntype = \"webhook\"\nurl = \"{}\"\n{oncall_keys}\n",
        ops.url("/ops"),
        oncall.url("/oncall")
    )
}

fn workers(
    world: &World,
    ledger: &Ledger,
) -> (Vec<DeliveryWorker>, tokio::sync::watch::Receiver<u64>) {
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let assembly = assemble(&world.config(), ledger, &clock, &Metrics::new()).unwrap();
    (assembly.workers, assembly.findings.owed().subscribe())
}

impl Pair {
    /// Steps through everything that is due in this time.
    async fn run(&mut self, time: Duration) {
        let mut left = time;
        loop {
            let owed = self.owed.borrow_and_update().to_owned();
            let mut nearest: Option<Duration> = None;
            for worker in &mut self.workers {
                let wait = worker.step(&|| false).await.unwrap().wait;
                nearest = nearest.into_iter().chain(wait).min();
            }
            // One of them has left something to another.
            if *self.owed.borrow() != owed {
                continue;
            }
            match nearest {
                Some(wait) if wait.is_zero() => {}
                Some(wait) if wait <= left => {
                    self.clock.advance(wait);
                    left -= wait;
                }
                _ => {
                    self.clock.advance(left);
                    return;
                }
            }
        }
    }

    /// Every delivery in words, in the order of recording.
    fn deliveries(&self) -> Vec<String> {
        let reader = Reader::open(&self.world.config().ledger).unwrap();
        let rows = reader.deliveries(&DeliveryFilter::default()).unwrap();
        let line = |row: &budget_alertd::ledger::DeliveryRow| {
            let fallback = row
                .fallback_for
                .as_deref()
                .map(|failed| format!(" for {failed}"))
                .unwrap_or_default();
            format!("{}{fallback} {}", row.notifier, row.state.as_str())
        };
        rows.iter().rev().map(line).collect()
    }
}

/// Whose alerts a receiver got, and in whose place.
fn told(receiver: &HttpReceiver) -> Vec<String> {
    let line = |request: &budget_alertd::simulator::Request| {
        let json: serde_json::Value = serde_json::from_str(&request.text()).unwrap();
        let alerts = json["data"]["alerts"].as_array().unwrap();
        let who: Vec<&str> =
            alerts.iter().map(|alert| alert["customer"]["id"].as_str().unwrap()).collect();
        format!("{} {}", who.join("+"), json["data"]["fallback_for"].as_str().unwrap_or("-"))
    };
    receiver.received().iter().map(line).collect()
}

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn what_is_owed_for_ten_minutes_while_the_notifier_fails_is_told_to_another_and_says_so() {
    let mut pair = pair(2, "[\"ops\"]", "", "").await;
    pair.ops.fail(Fault::status(503));
    pair.run(9 * MINUTE).await;
    assert_eq!(pair.deliveries(), ["ops pending", "ops pending"]);
    pair.run(2 * MINUTE).await;
    assert_eq!(
        pair.deliveries(),
        ["ops pending", "ops pending", "oncall for ops sent", "oncall for ops sent"]
    );
    assert_eq!(told(&pair.oncall), ["C0 ops", "C1 ops"]);
    pair.run(60 * MINUTE).await;
    assert_eq!(told(&pair.oncall).len(), 2, "once");
    pair.ops.heal();
    pair.run(15 * MINUTE).await;
    let mut told = told(&pair.ops);
    told.sort();
    assert_eq!(told, ["C0 -", "C1 -"]);
}

#[tokio::test]
async fn a_refused_message_is_told_to_another_at_once() {
    let mut pair = pair(2, "[\"ops\"]", "fallback_after = \"3h\"", "").await;
    pair.ops.fail_once(Fault::status(422));
    pair.run(Duration::ZERO).await;
    assert_eq!(pair.deliveries(), ["ops dead", "ops sent", "oncall for ops sent"]);
    assert_eq!(told(&pair.oncall), ["C0 ops"]);
}

#[tokio::test]
async fn who_is_told_the_same_anyway_is_not_told_twice() {
    let mut pair = pair(2, "[\"ops\", \"oncall\"]", "", "").await;
    pair.ops.fail(Fault::status(503));
    pair.run(20 * MINUTE).await;
    assert_eq!(told(&pair.oncall), ["C0 -", "C1 -"]);
    assert!(
        pair.deliveries().iter().all(|line| !line.contains(" for ")),
        "{:?}",
        pair.deliveries()
    );
}

#[tokio::test]
async fn who_is_told_some_of_the_reasons_anyway_is_told_the_others_alone() {
    let clock: Arc<dyn Clock> = SimulatedClock::starting_at(DAY.parse().unwrap());
    let (ops, oncall) =
        (HttpReceiver::start(Arc::clone(&clock)).unwrap(), HttpReceiver::start(clock).unwrap());
    let both = rules("[\"ops\", \"oncall\"]", (&ops, ""), (&oncall, ""), "fallback = [\"oncall\"]");
    let world = World::new(&format!(
        "{both}[rules.cost]\nmetric = \"total_cost\"\nnotify = [\"ops\"]\nsteps = [{{ at = {{ SEK = 50 }} }}]\n"
    ));
    world.poll(DAY, &[plan("Z", "1", "100", DAY)]).await;
    world.poll(DAY, &[plan("A", "85", "100", DAY)]).await;
    let ledger = world.ledger();
    let (workers, owed) = workers(&world, &ledger);
    let mut pair =
        Pair { clock: Arc::clone(&world.clock), world, ops, oncall, ledger, workers, owed };
    pair.ops.fail(Fault::status(503));
    pair.run(20 * MINUTE).await;
    assert_eq!(told(&pair.oncall), ["A -", "A ops"]);
    let rules: Vec<String> = pair
        .oncall
        .received()
        .iter()
        .map(|request| {
            let json: serde_json::Value = serde_json::from_str(&request.text()).unwrap();
            let alerts = json["data"]["alerts"].as_array().unwrap();
            alerts.iter().map(|alert| alert["rule"].as_str().unwrap()).collect::<Vec<_>>().join("+")
        })
        .collect();
    assert_eq!(rules, ["spend", "cost"]);
}

#[tokio::test]
async fn two_that_stand_in_for_each_other_do_not_send_a_message_round_in_circles() {
    let mut pair = pair(1, "[\"ops\"]", "", "fallback = [\"ops\"]").await;
    pair.ops.fail(Fault::status(503));
    pair.oncall.fail(Fault::status(503));
    pair.run(120 * MINUTE).await;
    assert_eq!(pair.deliveries(), ["ops pending", "oncall for ops pending"]);
    pair.oncall.heal();
    pair.run(15 * MINUTE).await;
    assert_eq!(told(&pair.oncall), ["C0 ops"]);
}

#[tokio::test]
async fn a_restart_forgets_neither_what_is_overdue_nor_who_stood_in() {
    let mut pair = pair(1, "[\"ops\"]", "", "").await;
    pair.ops.fail(Fault::status(503));
    pair.run(5 * MINUTE).await;
    (pair.workers, pair.owed) = workers(&pair.world, &pair.ledger);
    pair.run(8 * MINUTE).await;
    assert_eq!(told(&pair.oncall), ["C0 ops"]);
    (pair.workers, pair.owed) = workers(&pair.world, &pair.ledger);
    pair.run(30 * MINUTE).await;
    assert_eq!(told(&pair.oncall), ["C0 ops"]);
}

#[tokio::test]
async fn who_is_configured_later_does_not_get_what_was_given_up_before() {
    let mut pair = pair(2, "[\"ops\"]", "", "").await;
    let rules = |fallback| rules("[\"ops\"]", (&pair.ops, ""), (&pair.oncall, ""), fallback);
    let (without, with) = (rules(""), rules("fallback = [\"oncall\"]"));
    pair.world.change_rules(&without);
    (pair.workers, pair.owed) = workers(&pair.world, &pair.ledger);
    pair.ops.fail_once(Fault::status(422));
    pair.run(Duration::ZERO).await;
    pair.world.change_rules(&with);
    (pair.workers, pair.owed) = workers(&pair.world, &pair.ledger);
    pair.run(20 * MINUTE).await;
    assert_eq!(pair.deliveries(), ["ops dead", "ops sent"]);
}

#[tokio::test]
async fn who_stood_in_is_told_of_the_end_too() {
    let mut pair = pair(1, "[\"ops\"]", "", "send_resolved = true").await;
    pair.ops.fail(Fault::status(503));
    pair.run(11 * MINUTE).await;
    pair.ops.heal();
    pair.run(11 * MINUTE).await;
    assert_eq!((told(&pair.ops).len(), told(&pair.oncall).len()), (1, 1));
    pair.ledger.close().await.unwrap();
    pair.world
        .poll("2019-09-17T06:00:00Z", &[plan("C0", "85", "1000", "2019-09-17T06:00:00Z")])
        .await;
    pair.ledger = pair.world.ledger();
    (pair.workers, pair.owed) = workers(&pair.world, &pair.ledger);
    pair.run(Duration::ZERO).await;
    assert_eq!(told(&pair.oncall), ["C0 ops", "C0 -"]);
    assert!(pair.oncall.received()[1].text().contains("budget.alert.resolved"));
}

#[tokio::test]
async fn each_reminder_of_a_notifier_that_is_gone_is_told_by_another() {
    let mut pair = pair(1, "[\"ops\"]\nremind_every = \"24h\"", "", "").await;
    pair.ops.fail(Fault::status(422));
    pair.run(Duration::ZERO).await;
    assert_eq!(told(&pair.oncall), ["C0 ops"]);
    for day in 18..=20 {
        pair.ledger.close().await.unwrap();
        let now = format!("2019-09-{day}T06:00:00Z");
        pair.world.poll(&now, &[plan("C0", "85", "100", &now)]).await;
        pair.ledger = pair.world.ledger();
        (pair.workers, pair.owed) = workers(&pair.world, &pair.ledger);
        pair.run(Duration::ZERO).await;
    }
    assert_eq!(told(&pair.oncall), vec!["C0 ops"; 4]);
}

#[tokio::test]
async fn a_digest_that_is_too_large_for_the_other_comes_in_parts() {
    // Mails hold 200 alerts, webhooks 15: what a mail server that is not there would have had goes
    // to the webhook.
    let mut pair = pair(20, "[\"mail\"]", "", MAIL).await;
    pair.run(11 * MINUTE).await;
    let told = told(&pair.oncall);
    assert_eq!(told.len(), 2, "{told:?} {:?}", pair.deliveries());
    let mut customers: Vec<&str> =
        told.iter().flat_map(|line| line.trim_end_matches(" mail").split('+')).collect();
    assert_eq!((told[0].split('+').count(), customers.len()), (15, 20));
    customers.sort_unstable();
    customers.dedup();
    assert_eq!(customers.len(), 20);
    assert_eq!(pair.deliveries(), ["mail pending", "oncall for mail sent", "oncall for mail sent"]);
}

const MAIL: &str = "[notifiers.mail]\ntype = \"email\"\nfrom = \"a@partner.example\"\nto = \
    [\"b@partner.example\"]\nsmtp = { host = \"127.0.0.1\", port = 9, tls = \"none\" }\nfallback = \
    [\"oncall\"]\n";

#[tokio::test]
async fn what_a_customer_could_not_be_told_goes_to_the_partners_own_people_in_their_words() {
    let mut pair = pair(2, "[\"ops\"]", "audience = \"customer\"", "").await;
    pair.ops.fail(Fault::status(503));
    pair.run(11 * MINUTE).await;
    assert_eq!(told(&pair.oncall), ["C0 ops", "C1 ops"]);
    let of_alert = |receiver: &HttpReceiver, key: &str| {
        let json: serde_json::Value =
            serde_json::from_str(&receiver.received().last().unwrap().text()).unwrap();
        json["data"]["alerts"][0][key].clone()
    };
    assert_eq!(of_alert(&pair.oncall, "rule"), "spend");
    assert_eq!(of_alert(&pair.oncall, "cost")["amount"], "85");
    pair.ops.heal();
    pair.run(60 * MINUTE).await;
    assert!(
        of_alert(&pair.ops, "rule").is_null() && of_alert(&pair.ops, "cost").is_null(),
        "the customer is told as ever"
    );
    assert_eq!(told(&pair.oncall).len(), 2);
}

#[tokio::test]
async fn nobody_is_told_instead_of_customers_what_is_held_or_discarded() {
    let mut pair =
        pair(40, "[\"ops\"]", "audience = \"customer\"\ngive_up_after = \"1h\"", "").await;
    pair.ops.fail(Fault::status(503));
    pair.run(120 * MINUTE).await;
    assert_eq!(pair.deliveries(), vec!["ops pending"; 40]);
    pair.ledger
        .discard(HoldFilter::default(), "wrong prices".to_owned(), pair.clock.now())
        .await
        .unwrap();
    (pair.workers, pair.owed) = workers(&pair.world, &pair.ledger);
    pair.run(120 * MINUTE).await;
    assert_eq!(pair.deliveries(), vec!["ops dead"; 40]);
    assert!(pair.oncall.received().is_empty());
}
