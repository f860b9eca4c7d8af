//! The loops of one configuration, started and stopped together.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::daemon::Assembly;
use crate::daemon::channels::Lines;
use crate::daemon::signals::{PollStatus, Signals};
use crate::daemon::{claims, loops, reports, security, standby, writes};
use crate::delivery::DeliveryWorker;
use crate::metrics::Metrics;

/// How often what is read is read again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Intervals {
    /// Usage.
    pub(super) usage: Duration,
    /// Security alerts; none where none are to be read.
    pub(super) security: Option<Duration>,
}

/// Running loops. Dropping it ends them at once.
pub(super) struct Generation {
    stop: watch::Sender<bool>,
    status: watch::Receiver<PollStatus>,
    tasks: JoinSet<()>,
    leads: bool,
}

impl Generation {
    /// Starts the loops; `before` is what the ones before them came to.
    pub(super) fn start(
        assembly: Assembly,
        intervals: Intervals,
        before: PollStatus,
        lines: &Lines,
        clock: &Arc<dyn Clock>,
        metrics: &Metrics,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (status, seen) = watch::channel(before);
        let signals = Signals { stop: stopped, lines: lines.clone(), status };
        lines.change_couriers(assembly.workers.iter().map(DeliveryWorker::name));
        lines.cycle.send_replace(Some(Arc::clone(&assembly.cycle)));
        let mut tasks = JoinSet::new();
        for worker in assembly.workers {
            tasks.spawn(loops::deliver(
                worker,
                Arc::clone(clock),
                metrics.clone(),
                signals.clone(),
            ));
        }
        for mirror in assembly.mirrors {
            tasks.spawn(loops::mirror(mirror, Arc::clone(clock), metrics.clone(), signals.clone()));
        }
        tasks.spawn(writes::watch(
            assembly.writes,
            Arc::clone(clock),
            metrics.clone(),
            signals.clone(),
        ));
        if let Some(scheduler) = assembly.scheduler {
            tasks.spawn(reports::report(scheduler, signals.clone()));
        }
        tasks.spawn(claims::remind(assembly.claims, metrics.clone(), signals.clone()));
        if let Some(interval) = intervals.security {
            let cycle = Arc::clone(&assembly.cycle);
            tasks.spawn(security::read(cycle, interval, signals.clone()));
        }
        tasks.spawn(loops::poll(assembly.cycle, assembly.heartbeat, intervals.usage, signals));
        Self { stop, status: seen, tasks, leads: true }
    }

    /// Starts what is done while another host leads, by the same configuration.
    pub(super) fn stand_by(
        assembly: Assembly,
        poll_interval: Duration,
        before: PollStatus,
        lines: &Lines,
        metrics: &Metrics,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (status, seen) = watch::channel(before);
        let signals = Signals { stop: stopped, lines: lines.clone(), status };
        lines.change_couriers(std::iter::empty());
        lines.cycle.send_replace(Some(Arc::clone(&assembly.cycle)));
        let mut tasks = JoinSet::new();
        tasks.spawn(standby::stand_by(assembly.cycle, poll_interval, metrics.clone(), signals));
        Self { stop, status: seen, tasks, leads: false }
    }

    /// Whether it polls and delivers.
    pub(super) fn leads(&self) -> bool {
        self.leads
    }

    /// What the last poll came to.
    pub(super) fn status(&self) -> PollStatus {
        self.status.borrow().clone()
    }

    /// Waits until a loop ends although it was not told to, which only a bug can do.
    pub(super) async fn broken(&mut self) -> String {
        match self.tasks.join_next().await {
            Some(Err(error)) => error.to_string(),
            Some(Ok(())) => "a loop ended".to_owned(),
            None => std::future::pending().await,
        }
    }

    /// Stops the loops: what is in flight may finish within `grace`, the rest is cut off and stays
    /// owed.
    pub(super) async fn stop(mut self, grace: Duration) -> Ended {
        self.stop.send_replace(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        // Real time, not the clock's: it bounds what others take to answer.
        let finished = tokio::time::timeout(grace, all).await.is_ok();
        self.tasks.abort_all();
        while self.tasks.join_next().await.is_some() {}
        Ended { finished, status: self.status() }
    }
}

/// How the loops ended.
pub(super) struct Ended {
    /// Whether all of them finished what they had begun.
    pub(super) finished: bool,
    /// What the last poll came to.
    pub(super) status: PollStatus,
}
