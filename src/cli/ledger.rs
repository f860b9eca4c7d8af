//! `ledger`: orders about the ledger as a whole.

use std::path::Path;

use clap::{Args, Subcommand};

use crate::cli::exit::Outcome;
use crate::cli::open::CommandContext;
use crate::cli::output::{self, Tone, tick};
use crate::clock::SystemClock;
use crate::ledger::Ledger as Store;

#[derive(Debug, Args)]
pub(super) struct Ledger {
    #[command(subcommand)]
    order: Order,
}

#[derive(Debug, Subcommand)]
enum Order {
    /// Begin a new ledger in place of one that is lost: everything that is over is told again
    #[command(
        after_help = "Refused where there is a ledger: move it away first. Exits with 3 beside a \
            running daemon.\n\nExample: budget-alertd ledger new"
    )]
    New,
}

impl Ledger {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        match self.order {
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
