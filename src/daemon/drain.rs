//! Delivers what is owed once, for commands that end: until nothing is owed or the time is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::delivery::DeliveryWorker;
use crate::ledger::LedgerError;

/// What was delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// Deliveries accepted.
    pub sent: u64,
    /// Deliveries given up.
    pub dead: u64,
}

/// Runs all workers beside each other until none has anything due, or `wait` is over. What is in
/// flight then may finish. Those that are done go on when `owed` says that something new is owed:
/// news for the operator, or what another worker has not delivered.
pub async fn drain(
    workers: Vec<DeliveryWorker>,
    mut owed: watch::Receiver<u64>,
    clock: &Arc<dyn Clock>,
    wait: Duration,
) -> Result<Drained, LedgerError> {
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let mut idle = workers;
    owed.mark_changed();
    let (mut drained, mut failure) = (Drained::default(), None);
    let mut deadline = clock.sleep(wait);
    let begin = |tasks: &mut JoinSet<_>, worker, change: u64| {
        let emptied = empty(worker, Arc::clone(clock), stopped.clone());
        tasks.spawn(async move { (emptied.await, change) });
    };
    // How often something new was owed.
    let mut changes = 0_u64;
    loop {
        tokio::select! {
            biased;
            // First, so that nobody counts as done who has not looked.
            _ = owed.changed() => {
                changes = changes.wrapping_add(1);
                idle.drain(..).for_each(|worker| begin(&mut tasks, worker, changes));
            }
            ended = tasks.join_next() => match ended {
                Some(Ok(((worker, part, result), change))) => {
                    drained.sent += part.sent;
                    drained.dead += part.dead;
                    match result {
                        // It may have looked before the last of it was owed.
                        Ok(()) if change != changes => begin(&mut tasks, worker, changes),
                        Ok(()) => idle.push(worker),
                        Err(error) => failure = Some(error),
                    }
                }
                Some(Err(error)) => tracing::error!(%error, "a delivery loop broke"),
                None => break,
            },
            () = &mut deadline, if !*stop.borrow() => drop(stop.send_replace(true)),
        }
    }
    failure.map_or(Ok(drained), Err)
}

/// How many deliveries of a worker are tried whatever the time.
const AT_LEAST: u32 = 10;

/// Delivers until nothing is due; the first that are due are tried whatever the time.
async fn empty(
    mut worker: DeliveryWorker,
    clock: Arc<dyn Clock>,
    mut stopped: watch::Receiver<bool>,
) -> (DeliveryWorker, Drained, Result<(), LedgerError>) {
    let mut drained = Drained::default();
    let tried = AtomicU32::new(0);
    loop {
        let stop = stopped.clone();
        let progress = match worker
            .step(&|| tried.fetch_add(1, Ordering::Relaxed) >= AT_LEAST && *stop.borrow())
            .await
        {
            Ok(progress) => progress,
            Err(error) => return (worker, drained, Err(error)),
        };
        drained.sent += progress.sent;
        drained.dead += progress.dead;
        let wait = progress.wait.filter(|_| !*stopped.borrow());
        let Some(wait) = wait else { return (worker, drained, Ok(())) };
        if !wait.is_zero() {
            tokio::select! {
                () = clock.sleep(wait) => {}
                _ = stopped.changed() => return (worker, drained, Ok(())),
            }
        }
    }
}
