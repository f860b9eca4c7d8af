//! `budgets import`: finds the customer of each row, checks the row, says what it changes and what
//! would alert then, and writes the spreadsheet that `[customers_csv]` names; all of it or nothing.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::budgets::{Prefer, SubscriptionKey};
use crate::cli::budgets::customers::Customers;
use crate::cli::budgets::draft::{Draft, Records};
use crate::cli::budgets::outcome::{Status, Summary};
use crate::cli::budgets::record::Record;
use crate::cli::budgets::{Books, changes, file, report};
use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::text::clean;
use crate::cli::{Format, harmless, output};
use crate::clock::SystemClock;
use crate::config::{self, Config, Environment};
use crate::domain::{CustomerId, CustomerKey};
use crate::ledger::Reader;

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The spreadsheet, saved as CSV
    file: PathBuf,
    /// Where to write the customers, in place of the file that `[customers_csv]` names
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Drop what the old file says of customers and subscriptions that are not in the new one
    #[arg(long)]
    replace: bool,
    /// Only say what it would do
    #[arg(long)]
    dry_run: bool,
    /// How to print it; as CSV, the rows
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Import {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let text = config::spreadsheet_text(&self.file).map_err(WrongUsage)?;
        let books = Books::open(path, self.replace)?;
        let target = self.output.clone().or_else(|| books.file.clone());
        if target.is_none() && !self.dry_run {
            let wanted = "add [customers_csv] with path = \"customers.csv\" to it, or name a file \
                with --output";
            return Err(WrongUsage(format!(
                "{} names no spreadsheet of customers: {wanted}",
                path.display()
            ))
            .into());
        }
        let reader = Reader::open(&books.now.ledger)?;
        let mut customers = Customers::read(&books.now, Some(&reader))?;
        let before = Records::read(books.file.as_deref().or(target.as_deref()));
        let (old, replaced) = if self.replace {
            (Records::default(), before.unwrap_or_default().list)
        } else {
            (before?, Vec::new())
        };
        let mut draft = Draft::new(&books, old);
        let rows = draft.read(&text, &mut customers);
        let new = draft.text(&customers)?;
        let shown = target.as_deref().unwrap_or(Path::new("customers.csv"));
        let after = config::load_with(path, &Environment::of_process(), Some((shown, &new)))?;
        let mut summary = Summary {
            file: self.file.clone(),
            rows,
            kept: draft.kept(),
            dropped: replaced.iter().filter(|record| !draft.is_named(record)).map(said).collect(),
            faults: config::shown_faults(&self.file, &text, draft.into_faults()),
            warnings: after
                .warnings
                .iter()
                .filter(|warning| !books.now.warnings.contains(warning))
                .cloned()
                .collect(),
            in_force: books.file.is_some() && books.file == target,
            output: target,
            dry_run: self.dry_run,
            written: false,
        };
        explain(&mut summary, &books.now, &after, &customers)?;
        self.write(&mut summary, &new)?;
        self.print(&summary)?;
        Ok(if summary.is_refused() { Outcome::Failed } else { Outcome::Done })
    }

    fn write(&self, summary: &mut Summary, text: &str) -> anyhow::Result<()> {
        let elsewhere = !summary.in_force;
        if let Some(target) = &summary.output
            && !self.dry_run
            && !summary.is_refused()
            && (elsewhere || summary.changes_anything())
        {
            file::write(target, text)?;
            summary.written = true;
        }
        Ok(())
    }

    fn print(&self, summary: &Summary) -> anyhow::Result<()> {
        match self.format {
            Format::Text => {
                // What is wrong with a row stands in its line of the page.
                let said = |fault: &&String| {
                    summary
                        .rows
                        .iter()
                        .flat_map(|row| &row.details)
                        .any(|detail| fault.contains(detail.as_str()))
                };
                summary
                    .faults
                    .iter()
                    .filter(|fault| !said(fault))
                    .for_each(|fault| eprintln!("{}", harmless::text(fault)));
                output::page(&report::page(summary))
            }
            Format::Json => output::json(&report::document(summary)),
            Format::Csv => report::print_csv(summary),
        }
    }
}

/// A record in a few words.
fn said(record: &Record) -> String {
    let budget = record
        .budget
        .zip(record.currency)
        .map(|(amount, currency)| format!(", {} {currency}", amount.normalize()));
    clean(record.label.as_deref().unwrap_or(&record.customer_id)) + &budget.unwrap_or_default()
}

/// Compares what is in force with what would be, and asks what the next poll would raise.
fn explain(
    summary: &mut Summary,
    now: &Config,
    after: &Config,
    customers: &Customers<'_>,
) -> anyhow::Result<()> {
    let now_at = SystemClock::shared().now();
    for row in summary.rows.iter_mut().filter(|row| !row.status.is_refused()) {
        let key = CustomerKey::of(row.customer_id.as_deref().unwrap_or_default());
        let (before, new) = (now.budgets.customers.get(&key), after.budgets.customers.get(&key));
        if let Some(id) = row.subscription_id.as_deref().map(SubscriptionKey::of) {
            let (before, new) = (
                before.and_then(|local| local.subscriptions.get(&id)),
                new.and_then(|local| local.subscriptions.get(&id)),
            );
            row.budgets = (
                changes::budget(before.map(|own| own.budget)),
                changes::budget(new.map(|own| own.budget)),
            );
            row.details = changes::of_subscription(before, new);
        } else {
            row.budgets = (
                changes::budget(before.and_then(|local| local.budget)),
                changes::budget(new.and_then(|local| local.budget)),
            );
            row.details = changes::of_customer(
                before,
                new,
                customers.seen(&key).and_then(|seen| seen.currency),
            );
        }
        if row.details.is_empty() {
            continue;
        }
        row.status = Status::Changed;
        if let Some(theirs) = customers.seen(&key).and_then(|seen| seen.partner_center_budget)
            && let Some(change) = row
                .details
                .first_mut()
                .filter(|_| row.subscription_id.is_none() && row.budgets.0 != row.budgets.1)
        {
            let in_force = if after.budgets.prefer == Prefer::Local {
                ""
            } else {
                ", which is in force: prefer = \"partner-center\""
            };
            *change = format!("{change} (Partner Center has {}{in_force})", theirs.normalize());
        }
        let subject = match (&row.subscription_id, CustomerId::try_new(key.as_str())) {
            (Some(subscription), Some(customer)) => {
                CustomerKey::of_subscription(&customer, subscription)
            }
            _ => key,
        };
        if let Some(remembered) = customers.remembered(&subject)? {
            row.raised = changes::raised(after, &remembered, now_at);
        }
    }
    Ok(())
}
