//! `ledger`: orders about the ledger as a whole.

mod backup;
mod copy;
mod restore;
mod verify;

use std::path::Path;

use clap::{Args, Subcommand};

use crate::cli::exit::Outcome;
use crate::cli::open::CommandContext;
use crate::cli::output::{self, Tone, tick};
use crate::cli::text;
use crate::clock::SystemClock;
use crate::ledger::{ChangedEvent, Ledger as Store, Verified};

#[derive(Debug, Args)]
pub(super) struct Ledger {
    #[command(subcommand)]
    order: Order,
}

#[derive(Debug, Subcommand)]
enum Order {
    /// Write the ledger and the sign-in into one file, beside a running daemon or without
    #[command(
        after_help = "Refused where the file exists. The file is a secret: it holds the refresh \
            tokens.\n\nExample: budget-alertd ledger backup /root/budget-alertd.backup"
    )]
    Backup(backup::Backup),
    /// Say whether the ledger, or a backup of it, is sound and as it was recorded; print its head
    #[command(
        after_help = "The head is the hash of the last event, and of all before it: keep it \
            elsewhere, and --head says later whether anything before it was changed. Exits with 1 \
            when it is damaged or was changed.\n\nExample: budget-alertd ledger verify \
            /root/budget-alertd.backup"
    )]
    Verify(verify::Verify),
    /// Bring a ledger back from a backup, with the sign-in
    #[command(
        after_help = "What was recorded after the backup is told again, under the same identities. \
            Exits with 3 beside a running daemon.\n\nExample: budget-alertd ledger restore \
            /root/budget-alertd.backup"
    )]
    Restore(restore::Restore),
    /// Copy the ledger to another place: from a file to a PostgreSQL server for several hosts, or
    /// back
    #[command(
        after_help = "Refused where the other place holds anything. Exits with 3 beside a running \
            daemon. Nothing is told twice by whoever goes on with the copy.\n\nExample: \
            budget-alertd ledger copy --from sqlite:ledger.db --to postgres://budget@db.example/alerts"
    )]
    Copy(copy::Copy),
    /// Begin a new ledger in place of one that is lost: everything that is over is told again
    #[command(
        after_help = "Refused where there is a ledger: move it away first. Exits with 3 beside a \
            running daemon.\n\nExample: budget-alertd ledger new"
    )]
    New,
}

impl Ledger {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        match &self.order {
            Order::Backup(backup) => backup.run(path),
            Order::Verify(verify) => verify.run(path),
            Order::Restore(restore) => restore.run(path),
            Order::Copy(copy) => copy.run(path),
            Order::New => new(path),
        }
    }
}

fn new(path: &Path) -> anyhow::Result<Outcome> {
    let context = CommandContext::look(path)?;
    context.warn();
    let ledger = &context.paths.ledger;
    Store::make_new(ledger, SystemClock::shared().now())?;
    output::page(&format!("{}\n", tick(Tone::Good, "made", &ledger.path.display().to_string())))?;
    output::aside(
        "The next poll begins as on the first day: what is over its steps is told again.\n",
    );
    Ok(Outcome::Done)
}

/// `event 3 (attempt, 2026-11-14T18:08:00Z, 5f0c1c3e-…) was changed`.
fn changed(ChangedEvent { number, kind, at, about }: &ChangedEvent) -> String {
    let (kind, about) = (text::clean(kind), text::clean(about));
    format!("event {number} ({kind}, {at}, {about}) was changed")
}

/// `version 8, 2 alerts, 3 deliveries`.
fn holds(Verified { version, alerts, deliveries, .. }: &Verified) -> String {
    let (alerts, deliveries) =
        (text::count(*alerts, "alert"), text::count(*deliveries, "delivery"));
    format!("version {version}, {alerts}, {deliveries}")
}
