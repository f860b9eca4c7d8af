//! `security`: Microsoft's security alerts as the ledger has them, and the answer to one.

mod page;

use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use crate::actions::{ActionError, ResolveRequest, meant};
use crate::alerting::{ANSWERED_WITHIN, SecurityMemory};
use crate::cli::control::Control;
use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::open::CommandContext;
use crate::cli::{Format, output, spreadsheet};
use crate::clock::SystemClock;
use crate::config::SecretsFor;
use crate::listings::security::{self, SecurityRow};
use crate::source::AnswerReason;

#[derive(Debug, Args)]
pub(super) struct Security {
    #[command(subcommand)]
    order: Order,
}

#[derive(Debug, Subcommand)]
enum Order {
    /// List those that are not answered, and those that were in the last 30 days
    #[command(after_help = "Example: budget-alertd security list --format json")]
    List(List),
    /// Show one with all that is known of it
    #[command(after_help = "Example: budget-alertd security show 5F0C1C3E")]
    Show(Show),
    /// Answer one at Microsoft; that stops nothing in Azure
    #[command(after_help = "Exits with 1 when Microsoft refuses the answer, or does not show it \
        within 6 s.\n\nExample: budget-alertd security resolve 5F0C1C3E --reason fraud")]
    Resolve(Resolve),
}

#[derive(Debug, Args)]
struct List {
    /// How to print them
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
struct Show {
    /// Microsoft's id, the reference of a message about it, or 4 first characters of either
    id: String,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
struct Resolve {
    /// Microsoft's id, the reference of a message about it, or 4 first characters of either
    id: String,
    /// Why it is no longer open
    #[arg(long, value_enum)]
    reason: Reason,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Reason {
    /// Somebody abuses the subscription
    Fraud,
    /// The customer did it and meant it
    Legitimate,
    /// Neither is worth saying
    Ignore,
}

impl From<Reason> for AnswerReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Fraud => Self::Fraud,
            Reason::Legitimate => Self::Legitimate,
            Reason::Ignore => Self::Ignore,
        }
    }
}

impl Security {
    /// Whether it lists, and changes nothing.
    pub(super) fn only_lists(&self) -> bool {
        !matches!(self.order, Order::Resolve(_))
    }

    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        match &self.order {
            Order::List(list) => list.run(path),
            Order::Show(show) => show.run(path),
            Order::Resolve(resolve) => Box::pin(resolve.run(path)).await,
        }
    }
}

impl List {
    fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let context = CommandContext::look(path)?;
        let reader = context.reader()?;
        let now = SystemClock::shared().now();
        let since = now.saturating_sub(ANSWERED_WITHIN).unwrap_or(Timestamp::MIN);
        let SecurityMemory { poll, alerts } = reader.security(since)?;
        let mut rows = Vec::new();
        for alert in &alerts {
            rows.push(SecurityRow::of(alert, &reader, now)?);
        }
        rows.sort_by_key(|row| (row.answered_at, row.since));
        match self.format {
            Format::Text => {
                let zone = &context.paths.time_zone;
                output::page(&page::list(&rows, poll.as_ref(), now, zone))?;
            }
            Format::Json => output::json(&rows)?,
            Format::Csv => {
                spreadsheet::print(&security::HEADING, rows.iter().map(SecurityRow::cells))?;
            }
        }
        Ok(Outcome::Done)
    }
}

impl Show {
    fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let context = CommandContext::look(path)?;
        let reader = context.reader()?;
        let now = SystemClock::shared().now();
        let memory = reader.security(Timestamp::MIN)?;
        let alert = meant(&memory.alerts, &self.id).map_err(usage)?;
        let row = SecurityRow::of(alert, &reader, now)?;
        match self.format {
            Format::Text => {
                let zone = &context.paths.time_zone;
                output::page(&page::one(
                    &row,
                    &alert.state.alert,
                    memory.poll.as_ref(),
                    now,
                    zone,
                ))?;
            }
            Format::Json => output::json(&row)?,
            Format::Csv => spreadsheet::print(&security::HEADING, [row.cells()])?,
        }
        Ok(Outcome::Done)
    }
}

impl Resolve {
    async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let context = CommandContext::look_for(path, SecretsFor::Source)?;
        let zone = context.paths.time_zone.clone();
        let request = ResolveRequest { id: self.id.clone(), reason: self.reason.into() };
        let control = Control::open(context).await?;
        let work = Box::pin(control.ask(request));
        let answered = crate::cli::text::while_waiting("answering at Microsoft", work).await?;
        output::page(&page::answered(&answered, SystemClock::shared().now(), &zone))?;
        Ok(Outcome::Done)
    }
}

fn usage(error: ActionError) -> anyhow::Error {
    match error {
        ActionError::Invalid(text) => WrongUsage(text).into(),
        failed @ (ActionError::Forbidden(_)
        | ActionError::Unavailable(_)
        | ActionError::Ledger(_)
        | ActionError::Unsaved { .. }) => failed.into(),
    }
}
