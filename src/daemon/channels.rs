//! What connects those who ask something of the daemon with its loops. It outlives the loops of one
//! configuration.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, watch};

use crate::actions::{
    ActionContext, DaemonLines, DeliveryProgress, PollTicket, ReloadTicket, RunRead,
};
use crate::daemon::poll_requests::PollRequests;
use crate::daemon::reload_requests::Reloads;
use crate::delivery::Progress;
use crate::fs::SeenFiles;
use crate::ledger;
use crate::notify;
use crate::poll::Cycle;

/// The lines between the control socket and the loops.
#[derive(Clone)]
pub(super) struct Lines {
    /// Where polls are asked for.
    polls: mpsc::Sender<PollTicket>,
    /// Where reloads are asked for.
    reloads: mpsc::Sender<ReloadTicket>,
    /// Held by the poll loop for as long as it lives.
    pub(super) poll_requests: Arc<Mutex<PollRequests>>,
    /// Bumped when something new is owed.
    pub(super) owed: watch::Sender<u64>,
    /// How far the workers are.
    pub(super) progress: watch::Sender<DeliveryProgress>,
    /// The files of the configuration in force.
    pub(super) files: watch::Sender<SeenFiles>,
    /// The notifiers of the configuration in force.
    pub(super) notifiers: watch::Sender<Arc<[notify::Config]>>,
    /// What polls under the configuration in force.
    pub(super) cycle: watch::Sender<Option<Arc<Cycle>>>,
}

impl Lines {
    /// New ones, and who waits for a reload.
    pub(super) fn new() -> (Self, Reloads) {
        let (polls, poll_requests) = PollRequests::new();
        let (reloads, waiting) = Reloads::new();
        let lines = Self {
            polls,
            reloads,
            poll_requests: Arc::new(Mutex::new(poll_requests)),
            owed: watch::Sender::new(0),
            progress: watch::Sender::default(),
            files: watch::Sender::default(),
            notifiers: watch::Sender::default(),
            cycle: watch::Sender::new(None),
        };
        (lines, waiting)
    }

    /// Other workers deliver from now on.
    pub(super) fn change_couriers<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let idle = names.map(|name| (Box::from(name), 0)).collect();
        self.progress.send_modify(|progress| progress.idle = idle);
    }

    /// Tells the workers that something new may be owed; returns which call this is.
    pub(super) fn call_couriers(&self) -> u64 {
        self.owed.send_modify(|count| *count = count.wrapping_add(1));
        *self.owed.borrow()
    }

    /// A worker came back from a step that it began after this call.
    pub(super) fn note_progress(&self, worker: &str, call: u64, step: Progress) {
        let is_idle = step.wait.is_none();
        self.progress.send_if_modified(|progress| {
            progress.sent += step.sent;
            progress.dead += step.dead;
            let known = progress.idle.get_mut(worker).filter(|known| is_idle && **known != call);
            let settled = known.is_some();
            if let Some(known) = known {
                *known = call;
            }
            settled || step.sent > 0 || step.dead > 0
        });
    }

    /// Where actions are done in this daemon.
    pub(super) fn context(
        &self,
        ledger: &ledger::Config,
        config: &Path,
        read: Option<RunRead>,
    ) -> ActionContext {
        ActionContext {
            cycle: self.cycle.subscribe(),
            ledger: ledger.clone(),
            config: config.to_owned(),
            notifiers: self.notifiers.subscribe(),
            daemon: Some(DaemonLines {
                polls: self.polls.clone(),
                reloads: self.reloads.clone(),
                files: self.files.subscribe(),
                read,
                owed: self.owed.clone(),
            }),
            pushing: Arc::default(),
        }
    }
}
