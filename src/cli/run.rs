//! `run`: the daemon.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::cli::control;
use crate::cli::exit::Outcome;
use crate::cli::open::{self, Bench};
use crate::daemon::{Daemon, Orders};

pub(super) async fn run(path: &Path) -> anyhow::Result<Outcome> {
    let orders = orders(path.to_owned())?;
    let Bench { config, ledger, clock, metrics } = Bench::open(open::load(path)?)?;
    tracing::info!(config = %path.display(), version = env!("CARGO_PKG_VERSION"), "started");
    let orders = Orders { control: control::sockets(&config.state_dir), ..orders };
    Daemon::new(config, ledger, clock, metrics).run(orders).await?;
    Ok(Outcome::Done)
}

/// What signals order. They are taken before anything else, so that none is lost and none kills.
fn orders(path: PathBuf) -> anyhow::Result<Orders> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hang_up = signal(SignalKind::hangup())?;
    let (reload, reloads) = mpsc::channel(1);
    let forward = async move {
        while hang_up.recv().await.is_some() {
            // One reload waiting is enough for any number of signals.
            let _one_waits_already = reload.try_send(());
        }
    };
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = forward => {}
        }
    };
    let load = Arc::new(move || open::load(&path).map_err(|mistakes| mistakes.to_string()));
    Ok(Orders { reload: reloads, load, control: Vec::new(), stop: Box::pin(stop) })
}
