//! `budgets export`: a row for each customer, with what it costs and what is set here for it.

use std::path::{Path, PathBuf};

use clap::Args;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::budgets::LocalCustomer;
use crate::cli::budgets::customers::Customers;
use crate::cli::budgets::record::{Record, Style, percent, written};
use crate::cli::budgets::{Books, changes, file};
use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::table::{Column, Listing};
use crate::cli::{Format, output, text};
use crate::domain::{Currency, CustomerKey, Plan, UsageDate, rounded};
use crate::ledger::{LedgerError, Reader, Seen};

#[derive(Debug, Args)]
pub(super) struct Export {
    /// Write it to this file instead of the terminal
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
    /// Part cells by ";" and write 1234,50, as spreadsheet programs in most of Europe expect it
    #[arg(long)]
    decimal_comma: bool,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
}

/// A customer that was seen, or is described here, or both.
struct Exported<'a> {
    key: CustomerKey,
    id: String,
    seen: Option<&'a Seen>,
    local: Option<&'a LocalCustomer>,
}

impl Export {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        if self.output.is_some() && self.format == Format::Text {
            return Err(WrongUsage("a file is written as csv or json, not as text".to_owned()).into());
        }
        if let Some(file) = self.output.as_ref().filter(|file| !self.force && file.symlink_metadata().is_ok()) {
            return Err(WrongUsage(format!("{} is there already, and may hold budgets; --force replaces it", file.display())).into());
        }
        let books = Books::open(path, false)?;
        let reader = match Reader::open(&books.now.ledger) {
            // The first poll may be waiting for the very file that this writes.
            Err(LedgerError::Missing { .. }) => None,
            reader => Some(reader?),
        };
        let customers = Customers::read(&books.now, reader.as_ref())?;
        let exported = gathered(&books, &customers);
        let text = match self.format {
            Format::Text => {
                output::page(&page(&exported))?;
                return Ok(Outcome::Done);
            }
            Format::Json => output::json_text(&exported.iter().map(document).collect::<Vec<_>>())? + "\n",
            Format::Csv => self.sheet(&exported)?,
        };
        match &self.output {
            None => output::document(&text)?,
            Some(file) => {
                file::write(file, &text)?;
                let customers = text::count(u64::try_from(exported.len()).unwrap_or(u64::MAX), "customer");
                let early =
                    if reader.is_none() { " No poll has read usage yet: after the first one, export again with --force." } else { "" };
                output::page(&format!("Wrote {customers} to {}.{early}\n", file.display()))?;
            }
        }
        Ok(Outcome::Done)
    }

    fn sheet(&self, exported: &[Exported<'_>]) -> anyhow::Result<String> {
        let records: Vec<(Record, Option<&Seen>)> = exported
            .iter()
            .flat_map(|customer| {
                let (nothing, currency) = (LocalCustomer::default(), customer.seen.and_then(|seen| seen.currency));
                let records = Record::of_customer(&customer.id, customer.local.unwrap_or(&nothing), currency);
                records.into_iter().map(|record| (record, customer.seen))
            })
            .collect();
        // Spreadsheet programs take a file without a byte order mark for another encoding.
        let mark = if self.output.is_some() { "\u{feff}" } else { "" };
        Ok(format!("{mark}{}", written(&records, Style { decimal_comma: self.decimal_comma, told: true })?))
    }
}

/// Those that were seen, by name, then those that are only described here.
fn gathered<'a>(books: &'a Books, customers: &'a Customers<'_>) -> Vec<Exported<'a>> {
    let locals = &books.now.budgets.customers;
    let seen = customers.all().iter().map(|seen| {
        let key = seen.customer.key();
        Exported { id: seen.customer.to_string(), local: locals.get(&key), seen: Some(seen), key }
    });
    let mut unseen: Vec<Exported<'_>> = locals
        .iter()
        .filter(|(key, _)| customers.seen(key).is_none())
        .map(|(key, local)| Exported { key: key.clone(), id: key.as_str().to_owned(), seen: None, local: Some(local) })
        .collect();
    unseen.sort_by(|a, b| a.key.cmp(&b.key));
    seen.chain(unseen).collect()
}

fn page(exported: &[Exported<'_>]) -> String {
    let mut table = Listing::new(&[
        Column::Left("CUSTOMER"),
        Column::Right("BUDGET HERE"),
        Column::Right("IN PARTNER CENTER"),
        Column::Right("COST"),
        Column::Right("USED"),
        Column::Left("OWNER"),
    ]);
    for customer in exported {
        let local = customer.local.and_then(|local| local.budget);
        let seen = customer.seen;
        let money = |amount: Decimal, currency: Option<Currency>| format!("{amount} {}", text::or_nothing(currency)).trim_end().to_owned();
        let currency = seen.and_then(|seen| seen.currency);
        table.add(vec![
            text::clean(called(customer)),
            local.map(|budget| changes::budget(Some(budget))).unwrap_or_default(),
            seen.and_then(|seen| seen.partner_center_budget).map(|amount| money(amount, currency)).unwrap_or_default(),
            seen.map(|seen| money(rounded(seen.cost, 2), currency)).unwrap_or_default(),
            seen.and_then(percent).map(|percent| format!("{percent} %")).unwrap_or_default(),
            text::clean(customer.local.and_then(|local| local.profile.owner.as_deref()).unwrap_or_default()),
        ]);
    }
    table.lines(0).join("\n") + "\n"
}

fn called<'a>(customer: &'a Exported<'_>) -> &'a str {
    let label = customer.local.and_then(|local| local.profile.label.as_deref());
    let name = customer.seen.map(|seen| seen.name.as_str()).filter(|name| !name.trim().is_empty());
    label.or(name).unwrap_or(&customer.id)
}

#[derive(Serialize)]
struct Document<'a> {
    customer_id: &'a str,
    name: Option<&'a str>,
    label: Option<&'a str>,
    plan: Option<Plan>,
    currency: Option<Currency>,
    #[serde(with = "rust_decimal::serde::str_option")]
    partner_center_budget: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::str_option")]
    budget: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::str_option")]
    cost: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::str_option")]
    percent_used: Option<Decimal>,
    usage_as_of: Option<UsageDate>,
    contacts: &'a [String],
    owner: Option<&'a str>,
    tags: &'a [String],
    notify: &'a [Box<str>],
    mute_rules: &'a [Box<str>],
    subscriptions: Vec<Subscription<'a>>,
}

#[derive(Serialize)]
struct Subscription<'a> {
    id: &'a str,
    label: Option<&'a str>,
    #[serde(with = "rust_decimal::serde::str")]
    budget: Decimal,
    currency: Currency,
}

fn document<'a>(customer: &'a Exported<'_>) -> Document<'a> {
    let (seen, local) = (customer.seen, customer.local);
    let profile = local.map(|local| &*local.profile);
    let currency = local.and_then(|local| local.budget.map(|budget| budget.currency).or(local.currency));
    let subscriptions = local.into_iter().flat_map(|local| &local.subscriptions).map(|(id, subscription)| Subscription {
        id: id.as_str(),
        label: subscription.label.as_deref(),
        budget: subscription.budget.amount,
        currency: subscription.budget.currency,
    });
    Document {
        customer_id: &customer.id,
        name: seen.map(|seen| seen.name.as_str()),
        label: profile.and_then(|profile| profile.label.as_deref()),
        plan: seen.map(|seen| seen.plan),
        currency: currency.or(seen.and_then(|seen| seen.currency)),
        partner_center_budget: seen.and_then(|seen| seen.partner_center_budget),
        budget: local.and_then(|local| local.budget).map(|budget| budget.amount),
        cost: seen.map(|seen| seen.cost),
        percent_used: seen.and_then(percent),
        usage_as_of: seen.map(|seen| seen.usage_as_of),
        contacts: profile.map(|profile| profile.contacts.as_slice()).unwrap_or_default(),
        owner: profile.and_then(|profile| profile.owner.as_deref()),
        tags: profile.map(|profile| profile.tags.as_slice()).unwrap_or_default(),
        notify: profile.map(|profile| profile.notify.as_slice()).unwrap_or_default(),
        mute_rules: profile.map(|profile| profile.mute_rules.as_slice()).unwrap_or_default(),
        subscriptions: subscriptions.collect(),
    }
}
