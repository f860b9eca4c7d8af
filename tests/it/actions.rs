//! What people order reads the ledger without keeping anybody waiting, however large it is.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use budget_alertd::actions::{
    AckRequest, Action, ActionContext, Author, ExpireRequest, ReleaseRequest, RetryRequest,
    SilenceRequest, Until, UntilWord,
};
use budget_alertd::clock::Clock;
use budget_alertd::daemon::{Assembly, assemble};
use budget_alertd::ledger::{AlertFilter, Reader};
use tokio::runtime::Runtime;

use crate::support::world::{SPEND, World, plan};

/// One thread for all, and one for what blocks.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap()
}

/// Acts while the thread for what blocks is held by something else: the others go on, and the order
/// waits for the thread.
fn acts_beside_the_others<A: Action>(world: &World, request: A) -> A::Answer {
    runtime().block_on(async {
        let (ledger, config) = (world.ledger(), world.config());
        let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
        let Assembly { cycle, .. } = assemble(&config, &ledger, &clock, &world.metrics).unwrap();
        let context = ActionContext::in_process(cycle, config.ledger.clone(), config.file.clone());
        let (let_go, held) = std::sync::mpsc::channel::<()>();
        let holding = tokio::task::spawn_blocking(move || held.recv().is_err());
        let author = Author::of(0);
        let mut act = pin!(request.run(&context, &author));
        for _ in 0..10 {
            let is_done =
                poll_fn(|context| Poll::Ready(act.as_mut().poll(context).is_ready())).await;
            assert!(!is_done, "{} reads on the thread of all", A::NAME);
            ledger.alive().await.unwrap();
        }
        drop(let_go);
        let answer = act.await.unwrap();
        assert!(holding.await.unwrap());
        ledger.close().await.unwrap();
        answer
    })
}

#[test]
fn every_action_that_reads_the_ledger_leaves_the_others_their_thread() {
    let world = World::new(SPEND);
    runtime().block_on(
        world.poll("2019-09-20T00:00:00Z", &[plan("A", "85", "100", "2019-09-19T00:00:00Z")]),
    );
    let alert = Reader::open(&world.config().ledger)
        .unwrap()
        .alerts(&AlertFilter::default())
        .unwrap()
        .remove(0)
        .snapshot
        .alert;
    let silence = SilenceRequest {
        customers: vec!["*".to_owned()],
        rules: Vec::new(),
        unless_above: None,
        until: Until::Word(UntilWord::PeriodEnd),
        reason: "known".to_owned(),
        yes: true,
    };
    let added = acts_beside_the_others(&world, silence);
    assert_eq!(added.reach.customers, 1);
    assert!(!acts_beside_the_others(&world, ExpireRequest { id: added.silence.id }).already);
    let acknowledged = acts_beside_the_others(
        &world,
        AckRequest { alerts: vec![alert.reference.clone()], ..AckRequest::default() },
    );
    assert_eq!(acknowledged.len(), 1);
    assert_eq!(acts_beside_the_others(&world, RetryRequest::default()).owed, 0);
    assert_eq!(acts_beside_the_others(&world, ReleaseRequest::default()).deliveries, 0);
}
