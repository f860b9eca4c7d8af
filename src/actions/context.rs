//! What actions work with: the same in a daemon and in a command, but for the lines that only a
//! daemon has.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};

use crate::actions::{ActionError, PollTicket, ReloadTicket, RunRead};
use crate::fs::SeenFiles;
use crate::ledger::{self, Reader};
use crate::notify;
use crate::poll::Cycle;

/// Where actions are done.
#[derive(Clone)]
pub struct ActionContext {
    /// What polls under the configuration in force: its rules, routes and source, the ledger and
    /// the clock. None while nothing is in force yet.
    pub cycle: watch::Receiver<Option<Arc<Cycle>>>,
    /// The ledger's file, for reading beside the ledger's thread.
    pub ledger: ledger::Config,
    /// The configuration's file.
    pub config: PathBuf,
    /// The notifiers of the configuration in force.
    pub notifiers: watch::Receiver<Arc<[notify::Config]>>,
    /// The lines to a daemon's loops; none in a command.
    pub daemon: Option<DaemonLines>,
    /// Held by whoever changes budgets in Partner Center: two at once would take each other's
    /// changes for a stranger's. When one was asked for last, by the clock's monotonic time.
    pub pushing: Arc<Mutex<Option<Duration>>>,
}

/// The lines to a daemon's loops.
#[derive(Clone)]
pub struct DaemonLines {
    /// Asks for a poll.
    pub polls: mpsc::Sender<PollTicket>,
    /// Asks for a reload.
    pub reloads: mpsc::Sender<ReloadTicket>,
    /// The files of the configuration in force, as they were when they were read.
    pub files: watch::Receiver<SeenFiles>,
    /// Runs commands that only read.
    pub read: Option<RunRead>,
    /// Bumped when something new is owed.
    pub owed: watch::Sender<u64>,
}

impl ActionContext {
    /// A context in a command: this cycle, and no daemon.
    pub fn in_process(cycle: Arc<Cycle>, ledger: ledger::Config, config: PathBuf) -> Self {
        Self {
            cycle: watch::Sender::new(Some(cycle)).subscribe(),
            ledger,
            config,
            notifiers: watch::Sender::default().subscribe(),
            daemon: None,
            pushing: Arc::default(),
        }
    }

    /// The same with these notifiers.
    #[must_use]
    pub fn with_notifiers(self, notifiers: &[notify::Config]) -> Self {
        Self { notifiers: watch::Sender::new(notifiers.into()).subscribe(), ..self }
    }

    /// What is in force.
    pub(crate) fn cycle(&self) -> Result<Arc<Cycle>, ActionError> {
        self.cycle
            .borrow()
            .clone()
            .ok_or_else(|| ActionError::Unavailable("the daemon is starting, ask again".to_owned()))
    }

    /// Reads the ledger beside its thread.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reader) -> Result<T, ActionError> + Send + 'static,
    ) -> Result<T, ActionError> {
        ledger::read(&self.ledger, work).await
    }

    /// Tells the workers that something new is owed; returns which call this is, where a daemon
    /// has workers.
    pub(crate) fn wake_couriers(&self) -> Option<u64> {
        let owed = &self.daemon.as_ref()?.owed;
        owed.send_modify(|count| *count = count.wrapping_add(1));
        Some(*owed.borrow())
    }
}
