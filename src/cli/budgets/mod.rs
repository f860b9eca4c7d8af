//! `budgets`: a spreadsheet of customers with their budgets, prefilled out and, checked and
//! explained, in; and what of them a person writes to Partner Center. What its cells mean is left to `budgets::sheet`, what becomes of it in force to
//! `config`.

mod changes;
mod customers;
mod draft;
mod export;
mod file;
mod import;
mod outcome;
mod push;
mod record;
mod report;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rust_decimal::Decimal;

use crate::alerting::CustomerState;
use crate::budgets::{self, LocalCustomer};
use crate::cli::budgets::record::{Record, Style, written};
use crate::cli::exit::Outcome;
use crate::cli::open;
use crate::config::{self, Config, Environment, SecretsFor};

#[derive(Debug, Args)]
pub(super) struct Budgets {
    #[command(subcommand)]
    order: Order,
}

#[derive(Debug, Subcommand)]
enum Order {
    /// Write a spreadsheet with a row for each customer: what it costs, and the budget it has here
    #[command(after_help = "Fill in budget and currency, then hand it to \"budgets import\". \
            [customers_csv] reads it as it is, too.\n\nExample: budget-alertd budgets export \
            --output budgets.csv")]
    Export(export::Export),
    /// Take budgets, contacts and tags from a spreadsheet; all of it or nothing
    #[command(
        after_help = "Rows are found by customer_id, else by name or label. An empty cell empties \
            what it stands for; columns that are not there, and customers that are not in the \
            file, stay as they are.\nExits with 1 when a row is refused; then nothing is \
            written.\n\nExample: budget-alertd budgets import budgets.csv --dry-run"
    )]
    Import(import::Import),
    /// Write the budgets that customers have here to Partner Center
    #[command(
        after_help = "Shows what would be written and asks; without a terminal it needs --yes. \
            What Partner Center has is read before and after each change, and nobody else's change \
            is overwritten. Budgets of subscriptions are not pushed, and none is ever cleared. One \
            that is more than 10 times what Partner Center has, or 20 times the mean month, is \
            written only where --customer names its customer.\nBeside a running daemon, the daemon \
            does it; only root may order it.\n\nExits with 1 when one is skipped, refused or \
            failed.\n\nExample: budget-alertd budgets push --dry-run"
    )]
    Push(push::Push),
}

impl Budgets {
    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        match &self.order {
            Order::Push(push) => push.run(path).await,
            Order::Export(export) => export.run(path),
            Order::Import(import) => import.run(path),
        }
    }
}

/// Writes budgets that are proposed for customers as a spreadsheet that `import` takes, with what is
/// set for them here.
pub(super) fn write_proposed(
    path: &Path,
    known: &budgets::Config,
    proposed: &[(CustomerState, Decimal)],
) -> anyhow::Result<()> {
    let nothing = LocalCustomer::default();
    let rows = proposed.iter().flat_map(|(seen, budget)| {
        let local = known.customers.get(&seen.key()).unwrap_or(&nothing);
        let records = Record::of_customer(seen.customer.as_str(), local, seen.currency);
        records.into_iter().map(move |record| {
            let own = record.subscription_id.is_none().then_some(*budget);
            (Record { budget: own.or(record.budget), ..record }, Some(seen))
        })
    });
    let style = Style { decimal_comma: false, told: true };
    file::write(path, &written(&rows.collect::<Vec<_>>(), style)?)
}

/// The configuration with and without the spreadsheet of customers.
struct Books {
    /// What the tables alone say.
    tables: Config,
    /// What is in force.
    now: Config,
    /// The file that `[customers_csv]` names.
    file: Option<PathBuf>,
}

/// A spreadsheet is read and written without any secret.
fn environment() -> Environment {
    Environment::of_process().with_secrets_for(SecretsFor::Nothing)
}

impl Books {
    /// Loads both. A spreadsheet that is not there yet is an empty one; one that does not load is a
    /// failure, unless it is `replaced` anyway.
    fn open(path: &Path, replaced: bool) -> anyhow::Result<Self> {
        let tables = config::load_with(path, &environment(), None)?;
        let file = tables.customers_csv.as_ref().map(|csv| csv.path.clone());
        let now = match &file {
            Some(file) if !file.exists() => tables.clone(),
            _ => match open::look(path, SecretsFor::Nothing) {
                Err(_) if replaced => tables.clone(),
                loaded => loaded?,
            },
        };
        Ok(Self { tables, now, file })
    }
}
