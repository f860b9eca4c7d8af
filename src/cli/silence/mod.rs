//! `silence`: keeps alerts of some customers and rules from being told for a time; who did it, why
//! and until when stays written.

mod add;
mod list;

use std::path::Path;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::actions::{ExpireRequest, Expired};
use crate::cli::control::Control;
use crate::cli::exit::Outcome;
use crate::cli::open::CommandContext;
use crate::cli::{output, text};
use crate::clock::SystemClock;
use crate::listings::silences::scope;

#[derive(Debug, Args)]
pub(super) struct Silence {
    #[command(subcommand)]
    order: Order,
}

#[derive(Debug, Subcommand)]
enum Order {
    /// Make a silence, and say what it hides now
    #[command(
        after_help = "What comes up meanwhile is recorded. When no silence covers it any more, it \
            is told if it is still true.\n\nExample: budget-alertd silence add --customer \
            \"Contoso*\" --until period-end --reason \"migration, agreed\" --unless-above 300"
    )]
    Add(add::Add),
    /// List silences: who, why, until when, and how much they have hidden
    #[command(after_help = "Example: budget-alertd silence list --all --format json")]
    List(list::List),
    /// End a silence now
    #[command(after_help = "Example: budget-alertd silence expire 3")]
    Expire(Expire),
}

#[derive(Debug, Args)]
struct Expire {
    /// Its number, as listed
    id: i64,
}

impl Silence {
    /// Whether it lists, and changes nothing.
    pub(super) fn only_lists(&self) -> bool {
        matches!(self.order, Order::List(_))
    }

    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        match &self.order {
            Order::Add(add) => add.run(path).await,
            Order::List(list) => list.run(path),
            Order::Expire(expire) => expire.run(path).await,
        }
    }
}

impl Expire {
    async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let control = Control::open(CommandContext::look(path)?).await?;
        let Expired { silence, already, uncovered } =
            control.ask(ExpireRequest { id: self.id }).await?;
        let scope = scope(&silence);
        output::page(&match (already, uncovered) {
            (true, _) => format!("Silence {} of {scope} was over already.\n", silence.id),
            (false, 0) => format!(
                "Silence {} of {scope} is over. It hides nothing that would now be told.\n",
                silence.id
            ),
            (false, hidden) => {
                let hidden = text::count(hidden, "silenced alert");
                format!(
                    "Silence {} of {scope} is over. The next poll tells what is still true of \
                        {hidden}.\n",
                    silence.id
                )
            }
        })?;
        Ok(Outcome::Done)
    }
}

fn now() -> Timestamp {
    SystemClock::shared().now()
}
