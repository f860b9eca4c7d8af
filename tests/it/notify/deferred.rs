//! A recipient whose mailbox is full: what is owed to it waits on a schedule of its own, and the
//! others are told at once. Real sockets, simulated time.

use std::sync::Arc;
use std::time::Duration;

use budget_alertd::clock::Clock;
use budget_alertd::daemon::assemble;
use budget_alertd::delivery::DeliveryWorker;
use budget_alertd::domain::DeliveryState;
use budget_alertd::ledger::{DeliveryFilter, DeliveryRow, Ledger, Reader};
use budget_alertd::simulator::{MailOptions, MailReceiver};

use crate::support::world::{SPEND, World, plan};

const DAY: &str = "2019-09-17T00:00:00Z";
const FULL: &str = "full@partner.example";

/// A notifier with three recipients, the mailbox of one of them full, and a worker on the open
/// ledger.
struct Post {
    world: World,
    receiver: MailReceiver,
    ledger: Ledger,
    workers: Vec<DeliveryWorker>,
}

/// Alerts about this many customers, with `more` for the notifier.
async fn post(number: usize, more: &str) -> Post {
    let world = World::new("");
    let receiver =
        MailReceiver::start(Arc::clone(&world.clock) as Arc<dyn Clock>, MailOptions::default())
            .unwrap();
    receiver.refuse(FULL, 452);
    let mut world = world;
    let mail = |name: &str, to: &str, more: &str| {
        format!(
            "[notifiers.{name}]\ntype = \"email\"\nfrom = \"alerts@partner.example\"\nto = [{to}]\n\
             smtp = {{ host = \"127.0.0.1\", port = {}, tls = \"none\" }}\n{more}\n",
            receiver.port()
        )
    };
    let hook =
        mail("hook", &format!("\"a@partner.example\", \"{FULL}\", \"c@partner.example\""), more);
    let other = if more.contains("fallback") {
        mail("oncall", "\"oncall@partner.example\"", "")
    } else {
        String::new()
    };
    world.change_rules(&format!("{SPEND}{hook}{other}"));
    world.poll(DAY, &[plan("Z", "1", "100", DAY)]).await;
    let records: Vec<_> =
        (0..number).map(|index| plan(&format!("C{index}"), "85", "100", DAY)).collect();
    world.poll(DAY, &records).await;
    let ledger = world.ledger();
    let workers = workers(&world, &ledger);
    Post { world, receiver, ledger, workers }
}

fn workers(world: &World, ledger: &Ledger) -> Vec<DeliveryWorker> {
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    assemble(&world.config(), ledger, &clock, &world.metrics).unwrap().workers
}

impl Post {
    /// Steps through everything that is due now; says how long until there is more.
    async fn settle(&mut self) -> Option<Duration> {
        loop {
            let mut nearest: Option<Duration> = None;
            for worker in &mut self.workers {
                let wait = worker.step(&|| false).await.unwrap().wait;
                nearest = nearest.into_iter().chain(wait).min();
            }
            if nearest.is_none_or(|wait| !wait.is_zero()) {
                return nearest;
            }
        }
    }

    /// Steps until there is nothing to do, moving the clock over every wait; says how long each
    /// wait was.
    async fn run(&mut self) -> Vec<u64> {
        let mut waits = Vec::new();
        while let Some(wait) = self.settle().await {
            waits.push(wait.as_secs());
            self.world.clock.advance(wait);
        }
        waits
    }

    /// The same world after a restart.
    async fn restarted(self) -> Self {
        let Self { world, receiver, ledger, workers: before } = self;
        drop(before);
        ledger.close().await.unwrap();
        let ledger = world.ledger();
        let workers = workers(&world, &ledger);
        Self { world, receiver, ledger, workers }
    }

    fn rows(&self) -> Vec<DeliveryRow> {
        Reader::open(&self.world.config().ledger)
            .unwrap()
            .deliveries(&DeliveryFilter::default())
            .unwrap()
    }

    /// How many mails each recipient has, by name.
    fn received(&self) -> Vec<(String, usize)> {
        let mut recipients: Vec<_> =
            self.receiver.received().into_iter().flat_map(|mail| mail.recipients).collect();
        recipients.sort();
        recipients
            .chunk_by(|a, b| a == b)
            .map(|same| (same[0].split('@').next().unwrap().to_owned(), same.len()))
            .collect()
    }

    fn attempts(&self, outcome: &str) -> String {
        self.world.metric(&format!(
            "budget_alertd_delivery_attempts_total{{notifier=\"hook\",outcome=\"{outcome}\"}}"
        ))
    }
}

fn each(names: &[&str], number: usize) -> Vec<(String, usize)> {
    names.iter().map(|name| ((*name).to_owned(), number)).collect()
}

#[tokio::test]
async fn a_full_mailbox_waits_alone_across_restarts_and_then_gets_all() {
    let mut post = post(3, "").await;
    let wait = post.settle().await.unwrap();
    assert!((4..=6).contains(&wait.as_secs()), "{wait:?}");
    let waits = post.workers[0].step(&|| false).await.unwrap();
    assert!(
        waits.wait.is_some() && !waits.in_backoff,
        "what is newly owed to others does not wait: {waits:?}"
    );
    assert_eq!(post.received(), each(&["a", "c"], 3));
    assert_eq!(post.world.metric("budget_alertd_notifier_in_backoff{notifier=\"hook\"}"), "0");
    assert_eq!(post.attempts("destination-failed"), "0");
    let tried: u64 = post.attempts("recipient-deferred").parse().unwrap();
    let rows = post.rows();
    let owed: Vec<_> = rows.iter().filter(|row| row.state == DeliveryState::Pending).collect();
    assert_eq!(owed.len(), 3);
    assert!(
        owed.iter()
            .all(|row| row.recipient.as_deref() == Some(FULL) && row.deferred_until.is_some()),
        "{owed:?}"
    );
    assert!(
        rows.iter().all(|row| row.state == DeliveryState::Pending || row.deferred_until.is_none())
    );
    let deferred =
        Reader::open(&post.world.config().ledger).unwrap().deferred_recipients().unwrap();
    assert_eq!(
        deferred
            .iter()
            .map(|one| (&*one.notifier, &*one.recipient, one.state.failures))
            .collect::<Vec<_>>(),
        [("hook", FULL, 1)]
    );
    assert!(
        deferred[0]
            .state
            .last_error
            .as_deref()
            .unwrap()
            .starts_with("the mail server refused the recipient: 452 ")
    );

    let mut post = post.restarted().await;
    let again = post.settle().await.unwrap();
    assert!(again <= wait && !again.is_zero(), "{again:?} after {wait:?}");
    assert_eq!(
        post.attempts("recipient-deferred"),
        tried.to_string(),
        "it is not tried before its time"
    );
    post.world.clock.advance(again);
    let longer = post.settle().await.unwrap();
    assert!((24..=36).contains(&longer.as_secs()), "{longer:?}");
    assert_eq!(
        post.attempts("recipient-deferred"),
        (tried + 1).to_string(),
        "it is tried with one message"
    );

    post.receiver.heal();
    post.world.clock.advance(longer);
    assert_eq!(post.settle().await, None);
    assert_eq!(post.received(), each(&["a", "c", "full"], 3));
    assert!(
        post.rows()
            .iter()
            .all(|row| row.state == DeliveryState::Sent && row.deferred_until.is_none())
    );
    assert_eq!(
        Reader::open(&post.world.config().ledger).unwrap().deferred_recipients().unwrap(),
        []
    );
}

#[tokio::test]
async fn a_full_mailbox_costs_a_later_critical_alert_to_others_nothing() {
    let mut post = post(1, "").await;
    post.settle().await;
    post.ledger.close().await.unwrap();
    post.workers.clear();
    post.world
        .poll("2019-09-17T06:00:00Z", &[plan("C0", "120", "100", "2019-09-17T06:00:00Z")])
        .await;
    let ledger = post.world.ledger();
    post.workers = workers(&post.world, &ledger);
    post.ledger = ledger;
    let waits = post.settle().await;
    assert!(waits.is_some());
    assert_eq!(post.received(), each(&["a", "c"], 2));
}

#[tokio::test]
async fn what_a_full_mailbox_is_owed_is_given_up_after_the_time_and_eight_attempts() {
    let mut post = post(2, "give_up_after = \"1m\"").await;
    let waits = post.run().await;
    let bounds = [(4, 6), (24, 36), (96, 144), (240, 360), (480, 720), (480, 720), (480, 720)];
    assert_eq!(waits.len(), bounds.len(), "at least 8 attempts: {waits:?}");
    for (wait, (least, most)) in waits.iter().zip(bounds) {
        assert!((least..=most).contains(wait), "{waits:?}");
    }
    let dead: Vec<_> =
        post.rows().into_iter().filter(|row| row.state == DeliveryState::Dead).collect();
    assert_eq!(dead.len(), 2);
    assert!(dead.iter().all(|row| row.recipient.as_deref() == Some(FULL)));
    assert_eq!(post.received(), each(&["a", "c"], 2));
}

#[tokio::test]
async fn the_operator_is_told_once_of_a_mailbox_that_stays_full_and_of_its_end() {
    let mut post = post(1, "[operator]\nnotify = [\"hook\"]").await;
    let findings = |post: &Post| {
        let open = Reader::open(&post.world.config().ledger).unwrap().findings().unwrap();
        open.into_iter()
            .map(|open| (open.finding.code.as_str(), open.finding.subject, open.finding.summary))
            .collect::<Vec<_>>()
    };
    // Until the first attempt that fails after so many minutes.
    let pass = async |post: &mut Post, minutes: u64| {
        let mut left = Duration::from_mins(minutes);
        while let Some(wait) = post.settle().await {
            post.world.clock.advance(wait);
            left = left.saturating_sub(wait);
            if left.is_zero() {
                break;
            }
        }
        post.settle().await;
    };
    pass(&mut post, 40).await;
    assert_eq!(findings(&post), []);
    assert_eq!(post.received(), each(&["a", "c"], 1));
    pass(&mut post, 60).await;
    let subject = format!("hook: {FULL}");
    let words = format!(
        "notifier \"hook\" has taken nothing for {FULL} for more than an hour: the mail server \
            refused the recipient: 452 "
    );
    let found = findings(&post);
    assert!(
        found.len() == 1
            && (found[0].0, &found[0].1) == ("notifier-failing", &subject)
            && found[0].2.starts_with(&words),
        "{found:?}"
    );
    assert_eq!(post.received(), each(&["a", "c"], 2), "the others are told");
    pass(&mut post, 300).await;
    assert_eq!(post.received(), each(&["a", "c"], 2), "it is told once");
    post.receiver.heal();
    pass(&mut post, 15).await;
    assert_eq!(findings(&post), []);
    assert_eq!(
        post.received(),
        [each(&["a", "c"], 3), each(&["full"], 1)].concat(),
        "and that it is over"
    );
    let mails: Vec<String> =
        post.receiver.received().into_iter().map(|mail| mail.subject).collect();
    assert_eq!(
        mails
            .iter()
            .filter(|subject| subject.contains("takes messages for full@partner.example again"))
            .count(),
        2,
        "{mails:?}"
    );
}

#[tokio::test]
async fn others_stand_in_for_a_full_mailbox_and_for_nobody_else() {
    let mut post = post(1, "fallback = [\"oncall\"]").await;
    post.settle().await;
    assert_eq!(post.received(), each(&["a", "c"], 1));
    let mut left = Duration::from_mins(11);
    while let Some(wait) = post.settle().await.filter(|wait| *wait <= left) {
        post.world.clock.advance(wait);
        left -= wait;
    }
    assert_eq!(post.received(), each(&["a", "c", "oncall"], 1));
}
