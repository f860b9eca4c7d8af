//! Delivers what is owed once, for commands that end: until nothing is owed or the time is over.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::ledger::LedgerError;
use crate::pipeline::Courier;

/// What was delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// Deliveries accepted.
    pub sent: u64,
    /// Deliveries given up.
    pub dead: u64,
}

/// Runs all couriers beside each other until none has anything due, or `wait` is over. What is in flight then may finish.
pub async fn drain(couriers: Vec<Courier>, clock: &Arc<dyn Clock>, wait: Duration) -> Result<Drained, LedgerError> {
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    for courier in couriers {
        tasks.spawn(empty(courier, Arc::clone(clock), stopped.clone()));
    }
    let mut drained = Drained::default();
    let mut failure = None;
    let mut deadline = clock.sleep(wait);
    loop {
        tokio::select! {
            ended = tasks.join_next() => match ended {
                Some(Ok(Ok(part))) => {
                    drained.sent += part.sent;
                    drained.dead += part.dead;
                }
                Some(Ok(Err(error))) => failure = Some(error),
                Some(Err(error)) => tracing::error!(%error, "a delivery loop broke"),
                None => break,
            },
            () = &mut deadline, if !*stop.borrow() => drop(stop.send_replace(true)),
        }
    }
    failure.map_or(Ok(drained), Err)
}

/// Delivers until nothing is due; what is due at first is tried whatever the time.
async fn empty(mut courier: Courier, clock: Arc<dyn Clock>, mut stopped: watch::Receiver<bool>) -> Result<Drained, LedgerError> {
    let mut drained = Drained::default();
    let mut begun = false;
    loop {
        let stop = stopped.clone();
        let progress = courier.step(&|| begun && *stop.borrow()).await?;
        begun = true;
        drained.sent += progress.sent;
        drained.dead += progress.dead;
        let Some(wait) = progress.wait else { return Ok(drained) };
        if *stopped.borrow() {
            return Ok(drained);
        }
        if !wait.is_zero() {
            tokio::select! {
                () = clock.sleep(wait) => {}
                _ = stopped.changed() => return Ok(drained),
            }
        }
    }
}
