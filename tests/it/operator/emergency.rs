//! What the operator is told when the ledger cannot be written. Simulated time, real sockets.

use std::sync::Arc;
use std::time::Duration;

use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::daemon::assemble;
use budget_alertd::delivery::{Emergency, Occurrence};
use budget_alertd::domain::Message;
use budget_alertd::ledger::{Ledger, Reader};
use budget_alertd::metrics::{Metrics, WriteFailure};
use budget_alertd::simulator::{Fault, HttpReceiver, Request};

use crate::support::world::{SPEND, World};

const DAY: &str = "2019-09-17T00:00:00Z";

struct Post {
    world: World,
    receiver: HttpReceiver,
    ledger: Ledger,
    occurrence: Occurrence,
}

impl Post {
    fn new(kind: &str) -> Self {
        let clock: Arc<dyn Clock> = SimulatedClock::starting_at(DAY.parse().unwrap());
        let receiver = HttpReceiver::start(clock).unwrap();
        let world = World::new(&format!(
            "{SPEND}[operator]\nnotify = [\"oncall\"]\n[notifiers.hook]\ntype = \"webhook\"\nurl = \
                \"http://127.0.0.1:9/\"\n[notifiers.oncall]\ntype = \"{kind}\"\nurl = \"{}\"\n",
            receiver.url("/")
        ));
        world.clock.advance_to(DAY.parse().unwrap());
        let ledger = world.ledger();
        Self { world, receiver, ledger, occurrence: Occurrence::default() }
    }

    /// As after each reload: what tells is new, what was told is known.
    fn emergency(&self) -> Emergency {
        let clock = Arc::clone(&self.world.clock) as Arc<dyn Clock>;
        let assembly =
            assemble(&self.world.config(), &self.ledger, &clock, &Metrics::new()).unwrap();
        assembly.emergency().with_occurrence(self.occurrence.clone())
    }

    /// Looks every five seconds for so long.
    async fn look(&self, seconds: u64, failure: Option<&WriteFailure>) {
        for _ in 0..seconds / 5 {
            self.emergency().step(failure).await.unwrap();
            self.world.clock.advance(Duration::from_secs(5));
        }
    }

    fn failure(&self) -> WriteFailure {
        let clock = &self.world.clock;
        WriteFailure {
            since: clock.now(),
            began: clock.monotonic(),
            why: "the disk is full".to_owned(),
        }
    }

    fn received(&self) -> Vec<String> {
        self.receiver.received().iter().map(Request::text).collect()
    }

    /// What the ledger owes the operator.
    async fn owed(&self) -> Vec<String> {
        let due = self.ledger.due("oncall", Vec::new(), 100).await.unwrap().into_iter();
        let news = due.filter_map(|delivery| {
            if let Message::Operator(news) = delivery.message { Some(news) } else { None }
        });
        news.map(|news| format!("{} over={}: {}", news.code, news.over, news.summary)).collect()
    }
}

#[tokio::test]
async fn it_is_told_once_from_memory_and_its_end_is_owed_by_the_ledger() {
    let post = Post::new("webhook");
    let failure = post.failure();
    post.look(10, Some(&failure)).await;
    assert_eq!(post.received().len(), 0, "another program may hold the ledger for a moment");
    post.look(60, Some(&failure)).await;
    let told = post.received();
    assert_eq!(told.len(), 1);
    assert!(
        told[0]
            .contains("nothing can be recorded, and so no new overspend is told: the disk is full"),
        "{}",
        told[0]
    );
    // A little thing fits now and then.
    post.look(15, None).await;
    post.look(600, Some(&failure)).await;
    assert_eq!(post.received().len(), 1);
    assert_eq!(post.owed().await, Vec::<String>::new());
    post.look(60, None).await;
    assert_eq!(
        post.owed().await,
        ["ledger-unwritable over=true: the ledger can be written again after 11 min"]
    );
    assert_eq!(post.received().len(), 1);
    assert_eq!(post.ledger.read(Reader::findings).await.unwrap(), []);
}

#[tokio::test]
async fn a_notifier_that_fails_is_tried_again_under_the_same_identity() {
    let post = Post::new("webhook");
    let failure = post.failure();
    post.receiver.fail(Fault::status(503));
    post.look(60, Some(&failure)).await;
    assert!(post.receiver.attempts().len() >= 2, "{:?}", post.receiver.attempts().len());
    post.receiver.heal();
    post.look(600, Some(&failure)).await;
    assert_eq!(post.received().len(), 1);
    let identities: std::collections::BTreeSet<_> = post
        .receiver
        .attempts()
        .iter()
        .map(|request| request.request.header("webhook-id").unwrap().to_owned())
        .collect();
    assert_eq!(identities.len(), 1);
}

#[tokio::test]
async fn what_passes_at_once_is_not_told_and_neither_is_its_end() {
    let post = Post::new("webhook");
    post.look(10, Some(&post.failure())).await;
    post.look(60, None).await;
    assert_eq!((post.received().len(), post.owed().await.len()), (0, 0));
}

#[tokio::test]
async fn an_alertmanager_is_shown_it_as_long_as_it_lasts() {
    let post = Post::new("alertmanager");
    let failure = post.failure();
    post.look(300, Some(&failure)).await;
    let shown = post.received();
    assert!((4..=6).contains(&shown.len()), "{}", shown.len());
    assert!(
        shown[0].contains("\"ledger-unwritable\"") && shown[0].contains("2019-09-17T00:05:1"),
        "{}",
        shown[0]
    );
}
