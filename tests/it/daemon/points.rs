//! A kill at each named point between decided, recorded, sent and marked. Nothing in the daemon
//! knows of it: a lock on the ledger's file, taken by the test, and a receiver that waits hold the
//! daemon still at each of them.

use std::net::TcpListener;
use std::time::Duration;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{
    Endpoint, Fault, HttpReceiver, PartnerCenter, ReceivedRequest, SignIn, SimCustomer,
};
use rusqlite::Connection;

use super::life::from_partner_center;
use super::{configuration, over_budget, with_hook};
use crate::support::process::{House, Process, SOON, eventually, try_socket};

const SENT: &str = "SELECT count(*) FROM delivery WHERE state = 'sent'";
const PENDING: &str = "SELECT count(*) FROM delivery WHERE state = 'pending'";

fn receiver() -> HttpReceiver {
    HttpReceiver::start(SystemClock::shared()).unwrap()
}

/// A house whose daemon polls one customer over its budget, once.
fn house(receiver: &HttpReceiver) -> House {
    let house = House::new(&configuration(receiver, "1h"));
    house.save_usage(over_budget(0..1));
    house
}

/// Takes the ledger's write lock.
fn hold(house: &House) -> Connection {
    let lock = house.sqlite();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    lock
}

/// Waits until the daemon's ledger thread waits for the lock: an order that it has to look into,
/// about a silence that is not there, gets no answer any more.
fn wait_until_held(house: &House) {
    let socket = house.path("state/control.sock");
    eventually(SOON, "the ledger to wait for its lock", || {
        let order = b"{\"id\": 99}";
        let asked = try_socket(&socket, "POST", "/api/v1/silence/expire", order);
        asked.is_none().then_some(())
    });
}

/// Starts the daemon until its one alert is with the receiver, whose answer takes a second, and
/// holds the ledger.
async fn start_and_hold_before_marking(
    house: &House,
    receiver: &HttpReceiver,
) -> (Process, Connection) {
    receiver.fail_once(Fault::Slow(Duration::from_secs(1)));
    let process = house.start();
    receiver.wait_for_attempts(1).await.unwrap();
    process.wait_for_metric("polls_total{result=\"ok\"}", "1");
    let lock = hold(house);
    wait_until_held(house);
    (process, lock)
}

fn identities(requests: &[ReceivedRequest]) -> Vec<&str> {
    requests.iter().map(|seen| seen.request.header("webhook-id").unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn decided_but_not_recorded_is_decided_again() {
    let center = PartnerCenter::start(SystemClock::shared(), SignIn::default()).unwrap();
    let customer = |cost: u32| {
        let as_of = "2019-09-17T17:08:11Z".parse().unwrap();
        let customer = SimCustomer::azure_plan("C1", "Contoso", "SEK", as_of)
            .with_budget(100.into())
            .with_cost(cost.into());
        vec![customer.with_subscription("S1", "Prod", cost.into())]
    };
    center.set_customers(customer(50));
    let receiver = receiver();
    let house = House::new(&from_partner_center(&center, &receiver));
    let process = house.start();
    process.wait_for_metric("polls_total{result=\"ok\"}", "1");

    center.fail_once(Endpoint::Summary, Fault::Slow(Duration::from_secs(1)));
    center.set_customers(customer(150));
    eventually(SOON, "the alert to be confirmed", || {
        center
            .requests()
            .iter()
            .any(|request| request.path.ends_with("/usagesummary"))
            .then_some(())
    });
    let lock = hold(&house);
    wait_until_held(&house);
    process.kill();
    drop(lock);
    assert_eq!(house.number("SELECT count(*) FROM alert"), 0);
    assert_eq!(receiver.attempts().len(), 0);

    let process = house.start();
    receiver.wait_for(1).await.unwrap();
    process.wait_for_metric("deliveries_total{notifier=\"hook\",result=\"sent\"}", "1");
    assert_eq!((house.number("SELECT count(*) FROM alert"), house.number(SENT)), (1, 1));
    assert_eq!(receiver.attempts().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_but_not_sent_is_sent_once() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let house =
        House::new(&with_hook(&format!("http://{}/", silent.local_addr().unwrap()), "1h", ""));
    house.save_usage(over_budget(0..1));
    let process = house.start();
    let connection = silent.accept().unwrap();
    process.kill();
    drop(connection);
    assert_eq!((house.number(PENDING), house.number("SELECT attempts FROM delivery")), (1, 0));

    let receiver = receiver();
    house.configure(&configuration(&receiver, "1h"));
    let process = house.start();
    receiver.wait_for(1).await.unwrap();
    process.wait_for_metric("deliveries_total{notifier=\"hook\",result=\"sent\"}", "1");
    assert_eq!((house.number(SENT), house.number("SELECT count(*) FROM alert")), (1, 1));
    assert_eq!(receiver.attempts().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sent_but_not_answered_is_sent_again_under_the_same_identity() {
    let receiver = receiver();
    let house = house(&receiver);
    receiver.fail_once(Fault::Hang);
    let process = house.start();
    receiver.wait_for_attempts(1).await.unwrap();
    process.kill();
    assert_eq!((house.number(PENDING), house.number("SELECT attempts FROM delivery")), (1, 0));

    let process = house.start();
    let attempts = receiver.wait_for_attempts(2).await.unwrap();
    process.wait_for_metric("deliveries_total{notifier=\"hook\",result=\"sent\"}", "1");
    assert_eq!(identities(&attempts)[0], identities(&attempts)[1]);
    assert_eq!(attempts[0].request.text(), attempts[1].request.text());
    assert_eq!((receiver.attempts().len(), house.number(SENT)), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_but_not_marked_is_repeated_under_the_same_identity() {
    let receiver = receiver();
    let house = house(&receiver);
    let (process, lock) = start_and_hold_before_marking(&house, &receiver).await;
    process.kill();
    drop(lock);
    assert_eq!((receiver.received().len(), house.number(PENDING)), (1, 1));

    let process = house.start();
    let attempts = receiver.wait_for_attempts(2).await.unwrap();
    process.wait_for_metric("deliveries_total{notifier=\"hook\",result=\"sent\"}", "1");
    assert_eq!(identities(&attempts)[0], identities(&attempts)[1]);
    assert_eq!(attempts[0].request.text(), attempts[1].request.text());
    assert_eq!((receiver.attempts().len(), house.number(SENT)), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn marked_is_never_repeated() {
    let receiver = receiver();
    let house = house(&receiver);
    let process = house.start();
    eventually(SOON, "the delivery to be marked", || {
        let reader = budget_alertd::ledger::Reader::open(&house.ledger()).ok()?;
        reader.owed().ok().filter(|owed| owed.is_empty() && receiver.attempts().len() == 1)
    });
    process.kill();

    house.save_usage(over_budget(0..2));
    let process = house.start();
    process.wait_for_metric("deliveries_total{notifier=\"hook\",result=\"sent\"}", "1");
    let attempts = receiver.wait_for_attempts(2).await.unwrap();
    assert_ne!(identities(&attempts)[0], identities(&attempts)[1]);
    assert!(attempts[1].request.text().contains("customer-0001"));
    assert_eq!((receiver.attempts().len(), house.number(SENT)), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_but_not_markable_is_not_sent_again_by_this_process_not_even_after_a_reload() {
    let receiver = receiver();
    let house = house(&receiver);
    let (process, lock) = start_and_hold_before_marking(&house, &receiver).await;
    process.wait_for_log("delivery waits: ");
    drop(lock);
    process.hang_up();
    process.wait_for_log("reloaded");
    process.wait_for_metric("polls_total{result=\"ok\"}", "2");
    process.wait_for_metric("deliveries_pending{notifier=\"hook\"}", "0");
    assert_eq!((receiver.attempts().len(), house.number(SENT)), (1, 1));
    assert_eq!(process.terminate().0, Some(0));
}
