//! A notifier that does not take messages, told through the others. Simulated time, real sockets.

use std::sync::Arc;
use std::time::Duration;

use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::daemon::assemble;
use budget_alertd::delivery::{DeliveryWorker, OperatorFindings};
use budget_alertd::domain::Message;
use budget_alertd::ledger::Ledger;
use budget_alertd::metrics::Metrics;
use budget_alertd::simulator::{Answer, Fault, HttpReceiver};

use crate::support::world::{SPEND, World, plan};

const DAY: &str = "2019-09-17T00:00:00Z";

/// One alert owed to `hook`, whose receiver can fail; the operator hears by `oncall` and by `hook`.
struct Post {
    world: World,
    receiver: HttpReceiver,
    ledger: Ledger,
    hook: DeliveryWorker,
    desk: OperatorFindings,
}

async fn post(more: &str) -> Post {
    let clock: Arc<dyn Clock> = SimulatedClock::starting_at(DAY.parse().unwrap());
    let receiver = HttpReceiver::start(clock).unwrap();
    let url = receiver.url("/hook");
    let world = World::new(&format!(
        "{SPEND}[operator]\nnotify = [\"oncall\", \"hook\"]\n[notifiers.hook]\ntype = \
            \"webhook\"\nurl = \"{url}\"\n{more}\n[notifiers.oncall]\ntype = \"slack\"\nurl = \
            \"http://127.0.0.1:9/\"\n"
    ));
    world.poll(DAY, &[plan("A", "90", "100", DAY)]).await;
    let ledger = world.ledger();
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let assembly = assemble(&world.config(), &ledger, &clock, &Metrics::new()).unwrap();
    let hook = assembly.workers.into_iter().find(|worker| worker.name() == "hook").unwrap();
    Post { world, receiver, ledger, hook, desk: assembly.findings }
}

impl Post {
    /// Steps, and moves the clock over the wait that follows.
    async fn step(&mut self) {
        let progress = self.hook.step(&|| false).await.unwrap();
        self.world.clock.advance(progress.wait.unwrap_or_default());
    }

    /// The news owed to a notifier, a line each.
    async fn told(&self, notifier: &str) -> Vec<String> {
        let due = self.ledger.due(notifier, Vec::new(), 100).await.unwrap().into_iter();
        let news = due.filter_map(|delivery| {
            if let Message::Operator(news) = delivery.message { Some(news) } else { None }
        });
        news.map(|news| {
            if news.over {
                format!("over: {}", news.summary)
            } else {
                format!("{}: {}", news.code, news.summary)
            }
        })
        .collect()
    }
}

#[tokio::test]
async fn a_notifier_that_fails_is_told_once_through_the_others_and_so_is_its_recovery() {
    let mut post = post("").await;
    post.receiver.fail(Fault::status(503));
    for _ in 0..5 {
        post.step().await;
        // Each wait needs one more step.
        post.step().await;
    }
    let raised =
        "notifier-failing: notifier \"hook\" does not take messages: 503 Service Unavailable";
    assert_eq!(post.told("oncall").await, [raised]);
    post.receiver.heal();
    post.world.clock.advance(Duration::from_mins(15));
    post.step().await;
    let all = post.told("oncall").await;
    assert_eq!(all.len(), 2);
    assert!(all[1].starts_with("over: notifier \"hook\" takes messages again after "), "{all:?}");
    assert_eq!(
        post.told("hook").await,
        Vec::<String>::new(),
        "nobody is told through the notifier it is about"
    );
}

#[tokio::test]
async fn a_moment_of_failure_is_no_news() {
    let mut post = post("").await;
    post.receiver.fail_once(Fault::status(503));
    post.step().await;
    post.desk.tell_overdue().await.unwrap();
    post.receiver.heal();
    for _ in 0..3 {
        post.step().await;
    }
    assert_eq!(post.receiver.received().len(), 1);
    assert_eq!(post.told("oncall").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_destination_that_asks_for_a_long_rest_is_told_without_another_probe() {
    let mut post = post("").await;
    post.receiver.fail_once(Fault::Answer(Answer::throttled(600)));
    post.hook.step(&|| false).await.unwrap();
    post.world.clock.advance(Duration::from_secs(10));
    post.desk.tell_overdue().await.unwrap();
    post.desk.tell_overdue().await.unwrap();
    assert_eq!(post.told("oncall").await.len(), 1);
    assert_eq!(*post.desk.owed().borrow(), 1, "the workers are called once");
}

#[tokio::test]
async fn what_is_given_up_on_another_day_is_told_again() {
    let mut post = post("").await;
    post.receiver.fail(Fault::status(422));
    post.step().await;
    for (hours, messages) in [(23, 1), (1, 2)] {
        post.world.clock.advance(Duration::from_hours(hours));
        post.ledger
            .retry(budget_alertd::ledger::RetryFilter::default(), post.world.clock.now(), None)
            .await
            .unwrap();
        post.step().await;
        assert_eq!(post.told("oncall").await.len(), messages);
    }
}

#[tokio::test]
async fn what_was_given_up_is_told_until_it_is_owed_again() {
    let mut post = post("").await;
    post.receiver.fail_once(Fault::status(422));
    post.step().await;
    let told = post.told("oncall").await;
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("delivery-dead: a delivery of notifier \"hook\" was given up: 422"),
        "{told:?}"
    );
    post.desk.forget_revived().await.unwrap();
    assert_eq!(post.told("oncall").await.len(), 1, "it is still given up");
    post.world.clock.advance(Duration::from_hours(24));
    post.desk.forget_revived().await.unwrap();
    assert_eq!(post.told("oncall").await.len(), 1, "time alone is no news");
    post.ledger
        .retry(budget_alertd::ledger::RetryFilter::default(), post.world.clock.now(), None)
        .await
        .unwrap();
    post.desk.forget_revived().await.unwrap();
    assert_eq!(
        post.told("oncall").await[1..],
        ["over: what notifier \"hook\" had given up is owed again after 24 h"]
    );
}

#[tokio::test]
async fn what_was_given_up_by_one_who_was_killed_before_saying_so_is_told() {
    let post = post("").await;
    let kill_after_giving_up = async || {
        let due = post.ledger.due("hook", Vec::new(), 1).await.unwrap();
        let (delivery, at) = (due[0].id, post.world.clock.now());
        let attempt = budget_alertd::ledger::AttemptRecord {
            delivery,
            at,
            outcome: "message-refused",
            detail: String::new(),
            message: None,
        };
        post.ledger.mark_dead(attempt).await.unwrap();
    };
    kill_after_giving_up().await;
    post.desk.forget_revived().await.unwrap();
    assert_eq!(
        post.told("oncall").await,
        Vec::<String>::new(),
        "who gave it up may be about to say so"
    );
    post.world.clock.advance(Duration::from_mins(1));
    for _ in 0..2 {
        post.desk.forget_revived().await.unwrap();
        assert_eq!(
            post.told("oncall").await,
            ["delivery-dead: notifier \"hook\" has given up deliveries; all in all 1"]
        );
    }

    post.world.clock.advance(Duration::from_hours(24));
    post.ledger
        .retry(budget_alertd::ledger::RetryFilter::default(), post.world.clock.now(), None)
        .await
        .unwrap();
    kill_after_giving_up().await;
    post.world.clock.advance(Duration::from_mins(1));
    for _ in 0..2 {
        post.desk.forget_revived().await.unwrap();
        assert_eq!(post.told("oncall").await.len(), 2, "another day, another loss");
    }
}
