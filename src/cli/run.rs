//! `run`: the daemon.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::cli::exit::Outcome;
use crate::cli::open::{self, OpenLedger};
use crate::cli::{control, remote};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::daemon::{self, Daemon, Orders};
use crate::delivery::Stopped;
use crate::domain::utc_day;
use crate::fs::{self, Rights};
use crate::ledger::LedgerError;

/// How long whoever cannot be told is tried again.
const PATIENCE: Duration = Duration::from_secs(20);
/// How soon a server that is away is tried again.
const RETRY: Duration = Duration::from_secs(3);

pub(super) async fn run(path: &Path) -> anyhow::Result<Outcome> {
    let mut orders = orders(path.to_owned())?;
    let config = open::load(path)?;
    let Some(opened) = open_when_there(&config, &mut orders).await else {
        return Ok(Outcome::Done);
    };
    if let Err(error) = &opened {
        tell_unrecorded(&config, error).await;
    }
    let OpenLedger { config, ledger, clock, metrics } = opened?;
    tracing::info!(config = %path.display(), version = env!("CARGO_PKG_VERSION"), "started");
    let orders = Orders { control: control::sockets(&config.state_dir), ..orders };
    Box::pin(Daemon::new(config, ledger, clock, metrics).run(orders)).await?;
    Ok(Outcome::Done)
}

/// Opens the ledger; waits for a server that does not answer. None where it was told to stop
/// before.
async fn open_when_there(
    config: &Config,
    orders: &mut Orders,
) -> Option<anyhow::Result<OpenLedger>> {
    let mut said = String::new();
    loop {
        let attempt = config.clone();
        let opened = tokio::task::spawn_blocking(move || OpenLedger::open(attempt)).await;
        let opened = opened.unwrap_or_else(|error| Err(error.into()));
        let away = |error: &anyhow::Error| match error.downcast_ref::<LedgerError>() {
            Some(error @ LedgerError::Away { .. }) => Some(error.to_string()),
            Some(_) | None => None,
        };
        let Some(why) = opened.as_ref().err().and_then(away) else { return Some(opened) };
        if said != why {
            tracing::error!("waiting for the ledger: {why}");
            said = why;
        }
        tokio::select! {
            () = &mut orders.stop => return None,
            () = tokio::time::sleep(RETRY) => {}
        }
    }
}

/// Tells the operator that the daemon cannot start over its ledger: on that day once, as far as
/// that can be noted, for systemd tries every few seconds.
async fn tell_unrecorded(config: &Config, error: &anyhow::Error) {
    let Some(error) =
        error.downcast_ref::<LedgerError>().filter(|error| !error.is_of_another_process())
    else {
        return;
    };
    let clock = SystemClock::shared();
    let today = utc_day(clock.now()).to_string();
    let note = std::env::var_os("RUNTIME_DIRECTORY")
        .map(|folder| Path::new(&folder).join("told-unrecorded"));
    if note
        .as_ref()
        .is_some_and(|note| fs::read_own(note, 64).is_ok_and(|noted| noted == today.as_bytes()))
    {
        return;
    }
    match daemon::tell_unrecorded(config, Stopped::Start, error, &clock, PATIENCE).await {
        Ok(true) => {
            // Without it, it is told again.
            let _noted_or_not =
                note.map(|note| fs::replace(&note, today.as_bytes(), Rights::Daemon));
        }
        Ok(false) => tracing::warn!(
            "nobody is told that the daemon cannot start: the next start tries again"
        ),
        Err(error) => {
            tracing::warn!("the operator is not told that the daemon cannot start: {error}");
        }
    }
}

/// What signals order. They are taken before anything else, so that none is lost and none kills.
fn orders(path: PathBuf) -> anyhow::Result<Orders> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
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
    let read = remote::server(&path);
    let load = Arc::new(move || open::load(&path).map_err(|mistakes| mistakes.to_string()));
    Ok(Orders { reload: reloads, load, control: Vec::new(), read, stop: Box::pin(stop) })
}
