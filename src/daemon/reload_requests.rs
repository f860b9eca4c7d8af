//! Who asks for a reload: a signal, which waits for nothing, and people, who wait for the verdict.
//! Whoever asks while a configuration is being loaded waits for the next load: the file may have
//! been read before it was changed.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};

use crate::actions::{ReloadTicket, Reloaded};
use crate::config::Config;
use crate::daemon::{Load, systemd};

/// Requests that may wait to be seen.
const QUEUE: usize = 64;

/// What came of loading a configuration; the outer error is a bug in loading.
pub(super) type Loaded = Result<Result<Config, String>, JoinError>;

/// Reloads that are asked for, and the one under way.
pub(super) struct Reloads {
    requests: mpsc::Receiver<ReloadTicket>,
    /// Who waits for the one under way.
    waiting: Vec<ReloadTicket>,
    loading: Option<JoinHandle<Result<Config, String>>>,
}

impl Reloads {
    /// None yet, and where they are asked for.
    pub(super) fn new() -> (mpsc::Sender<ReloadTicket>, Self) {
        let (sender, requests) = mpsc::channel(QUEUE);
        (sender, Self { requests, waiting: Vec::new(), loading: None })
    }

    /// Waits until a configuration is loaded, which a signal or a person asks for.
    pub(super) async fn loaded(&mut self, signals: &mut mpsc::Receiver<()>, load: &Load) -> Loaded {
        loop {
            if let Some(loading) = &mut self.loading {
                let loaded = loading.await;
                self.loading = None;
                return loaded;
            }
            tokio::select! {
                Some(()) = signals.recv() => {}
                Some(ticket) = self.requests.recv() => self.waiting.push(ticket),
                else => std::future::pending().await,
            }
            while let Ok(ticket) = self.requests.try_recv() {
                self.waiting.push(ticket);
            }
            self.loading = Some(begin(load));
        }
    }

    /// Tells those who wait what came of it.
    pub(super) fn answer(&mut self, reloaded: &Reloaded) {
        for ticket in self.waiting.drain(..) {
            // Who went away need not be told.
            drop(ticket.send(reloaded.clone()));
        }
    }
}

/// A reload begins: the configuration is loaded on a thread of its own, while the daemon goes on
/// with the one before.
fn begin(load: &Load) -> JoinHandle<Result<Config, String>> {
    systemd::reloading();
    let load = Arc::clone(load);
    tokio::task::spawn_blocking(move || load())
}
