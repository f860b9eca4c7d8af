//! `budgets export`: a row for each customer, with what it costs and what is set here for it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use rust_decimal::Decimal;
use serde::Serialize;
use serde::ser::{SerializeSeq as _, Serializer as _};

use crate::alerting::CustomerState;
use crate::budgets::LocalCustomer;
use crate::cli::budgets::record::{Columns, Needs, Record, Style, percent};
use crate::cli::budgets::{Books, changes, file};
use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::harmless::HarmlessJson;
use crate::cli::spreadsheet::Spreadsheet;
use crate::cli::table::{Column, Listing};
use crate::cli::{Format, output, text};
use crate::domain::{Currency, CustomerKey, Plan, UsageDate, rounded};
use crate::ledger::{LedgerError, Reader};

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
    id: &'a str,
    seen: Option<&'a CustomerState>,
    local: Option<&'a LocalCustomer>,
}

impl Export {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        if self.output.is_some() && self.format == Format::Text {
            return Err(
                WrongUsage("a file is written as csv or json, not as text".to_owned()).into()
            );
        }
        if let Some(file) =
            self.output.as_ref().filter(|file| !self.force && file.symlink_metadata().is_ok())
        {
            return Err(WrongUsage(format!(
                "{} is there already, and may hold budgets; --force replaces it",
                file.display()
            ))
            .into());
        }
        let books = Books::open(path, false)?;
        let reader = match Reader::open(&books.now.ledger) {
            // The first poll may be waiting for the very file that this writes.
            Err(LedgerError::Missing { .. }) => None,
            reader => Some(reader?),
        };
        let everybody = Everybody::of(&books, reader.as_ref())?;
        match &self.output {
            None if self.format == Format::Text => output::page(&page(&everybody)?)?,
            None => output::streamed(|out| self.write(&everybody, out).map(drop))?,
            Some(file) => {
                let exported = file::write_by(file, |out| self.write(&everybody, out))?;
                let customers = text::count(exported, "customer");
                let early = if reader.is_none() {
                    " No poll has read usage yet: after the first one, export again with --force."
                } else {
                    ""
                };
                output::page(&format!("Wrote {customers} to {}.{early}\n", file.display()))?;
            }
        }
        Ok(Outcome::Done)
    }

    /// Writes a row, or an object, for each customer; returns how many customers there are.
    fn write(&self, everybody: &Everybody<'_>, out: &mut dyn Write) -> anyhow::Result<u64> {
        if self.format == Format::Json {
            let mut json = serde_json::Serializer::pretty(HarmlessJson(&mut *out));
            let mut objects = json.serialize_seq(None)?;
            let exported =
                everybody.each(|customer| Ok(objects.serialize_element(&document(customer))?))?;
            objects.end()?;
            out.write_all(b"\n")?;
            return Ok(exported);
        }
        if self.output.is_some() {
            // Spreadsheet programs take a file without a byte order mark for another encoding.
            out.write_all("\u{feff}".as_bytes())?;
        }
        let style = Style { decimal_comma: self.decimal_comma, told: true };
        let columns = Columns::of(everybody.needs(), style);
        let mut sheet = Spreadsheet::into(out, style.separator());
        sheet.head(columns.names())?;
        let exported = everybody.each(|customer| {
            let records = customer.records();
            records.iter().try_for_each(|record| sheet.add(&columns.row(record, customer.seen)))
        })?;
        sheet.end()?;
        Ok(exported)
    }
}

impl Exported<'_> {
    fn records(&self) -> Vec<Record> {
        let (nothing, currency) =
            (LocalCustomer::default(), self.seen.and_then(|seen| seen.currency));
        Record::of_customer(self.id, self.local.unwrap_or(&nothing), currency)
    }
}

/// All customers, read one after another: there may be a million.
struct Everybody<'a> {
    books: &'a Books,
    reader: Option<&'a Reader>,
    /// The rows of those that were seen, by name.
    rows: Vec<i64>,
}

impl<'a> Everybody<'a> {
    fn of(books: &'a Books, reader: Option<&'a Reader>) -> anyhow::Result<Self> {
        let rows =
            reader.map_or(Ok(Vec::new()), |reader| reader.customers_by_name(str::to_lowercase))?;
        Ok(Self { books, reader, rows })
    }

    /// Those that were seen, by name, then those that are only described here; returns how many.
    fn each(
        &self,
        mut visit: impl FnMut(&Exported<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<u64> {
        let locals = &self.books.now.budgets.customers;
        let mut unseen: BTreeMap<&CustomerKey, &LocalCustomer> = locals.iter().collect();
        let mut exported = 0;
        for (reader, row) in self
            .reader
            .into_iter()
            .flat_map(|reader| self.rows.iter().map(move |row| (reader, *row)))
        {
            let Some(seen) = reader.customer_in(row)? else { continue };
            let key = seen.customer.key();
            unseen.remove(&key);
            visit(&Exported {
                id: seen.customer.as_str(),
                seen: Some(&seen),
                local: locals.get(&key),
            })?;
            exported += 1;
        }
        for (key, local) in unseen {
            visit(&Exported { id: key.as_str(), seen: None, local: Some(local) })?;
            exported += 1;
        }
        Ok(exported)
    }

    /// What columns they need: only what is described here needs more.
    fn needs(&self) -> Needs {
        let locals = self.books.now.budgets.customers.iter();
        locals.fold(Needs::default(), |needs, (key, local)| {
            needs.and(Needs::of(&Record::of_customer(key.as_str(), local, None)))
        })
    }
}

fn page(everybody: &Everybody<'_>) -> anyhow::Result<String> {
    let mut table = Listing::new(&[
        Column::Left("CUSTOMER"),
        Column::Right("BUDGET HERE"),
        Column::Right("IN PARTNER CENTER"),
        Column::Right("COST"),
        Column::Right("USED"),
        Column::Left("OWNER"),
    ]);
    everybody.each(|customer| {
        table.add(cells(customer));
        Ok(())
    })?;
    Ok(table.lines(0).join("\n") + "\n")
}

fn cells(customer: &Exported<'_>) -> Vec<String> {
    let local = customer.local.and_then(|local| local.budget);
    let seen = customer.seen;
    let money = |amount: Decimal, currency: Option<Currency>| {
        format!("{amount} {}", text::or_nothing(currency)).trim_end().to_owned()
    };
    let currency = seen.and_then(|seen| seen.currency);
    vec![
        text::clean(called(customer)),
        local.map(|budget| changes::budget(Some(budget))).unwrap_or_default(),
        seen.and_then(|seen| seen.partner_center_budget)
            .map(|amount| money(amount, currency))
            .unwrap_or_default(),
        seen.map(|seen| money(rounded(seen.cost, 2), currency)).unwrap_or_default(),
        seen.and_then(percent).map(|percent| format!("{percent} %")).unwrap_or_default(),
        text::clean(
            customer.local.and_then(|local| local.profile.owner.as_deref()).unwrap_or_default(),
        ),
    ]
}

fn called<'a>(customer: &'a Exported<'_>) -> &'a str {
    let label = customer.local.and_then(|local| local.profile.label.as_deref());
    let name = customer.seen.map(|seen| seen.name.as_str()).filter(|name| !name.trim().is_empty());
    label.or(name).unwrap_or(customer.id)
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
    let currency =
        local.and_then(|local| local.budget.map(|budget| budget.currency).or(local.currency));
    let subscriptions =
        local.into_iter().flat_map(|local| &local.subscriptions).map(|(id, subscription)| {
            Subscription {
                id: id.as_str(),
                label: subscription.label.as_deref(),
                budget: subscription.budget.amount,
                currency: subscription.budget.currency,
            }
        });
    Document {
        customer_id: customer.id,
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
