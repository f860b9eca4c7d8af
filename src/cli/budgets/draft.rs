//! The new spreadsheet in the making: the customer of each row is found, the row is checked and
//! joined with what the old spreadsheet says. What it changes in force is left to the import.

use std::collections::HashMap;
use std::path::Path;

use crate::alerting::CustomerState;
use crate::budgets::sheet::{Column, Fault, Placed, Row, Sheet};
use crate::budgets::{LocalCustomer, SubscriptionKey};
use crate::cli::budgets::customers::{Customers, Match, Unmatched};
use crate::cli::budgets::outcome::{RowOutcome, Status};
use crate::cli::budgets::record::{Key, Record, Style, written};
use crate::cli::budgets::{Books, changes};
use crate::cli::text::clean;
use crate::config::{self, Config, Described, Names};
use crate::domain::same_name;
use crate::domain::{CustomerKey, Plan};

/// Records in their order, each once.
#[derive(Default)]
pub(super) struct Records {
    /// The comments above the first row.
    comments: String,
    pub(super) list: Vec<Record>,
    paths: HashMap<Key, usize>,
}

impl Records {
    /// What a spreadsheet says so far; it has been loaded, so that nothing is wrong with it.
    pub(super) fn read(file: Option<&Path>) -> anyhow::Result<Self> {
        let mut records = Self::default();
        let Some(file) = file.filter(|file| file.exists()) else { return Ok(records) };
        let text = config::spreadsheet_text(file).map_err(anyhow::Error::msg)?;
        let above = text
            .trim_start_matches('\u{feff}')
            .split_inclusive('\n')
            .take_while(|line| line.starts_with('#'));
        records.comments = above.collect();
        let Some(sheet) = Sheet::open(&text, &mut Vec::new()) else { return Ok(records) };
        for row in sheet.rows() {
            let id = row
                .customer_id
                .as_ref()
                .map(|id| id.value.clone().into_owned())
                .unwrap_or_default();
            let record = Record::of_row(&row, &sheet, &id, None);
            records.put(record.key(), record);
        }
        Ok(records)
    }

    fn get(&self, key: &Key) -> Option<&Record> {
        self.paths.get(key).and_then(|place| self.list.get(*place))
    }

    fn put(&mut self, key: Key, record: Record) {
        let place = *self.paths.entry(key).or_insert(self.list.len());
        match self.list.get_mut(place) {
            Some(old) => *old = record,
            None => self.list.push(record),
        }
    }
}

/// The new spreadsheet in the making.
pub(super) struct Draft<'b> {
    books: &'b Books,
    names: Names<'b>,
    records: Records,
    /// The lines that the customers and subscriptions stand on.
    named: HashMap<Key, usize>,
    faults: Vec<Fault>,
}

impl<'b> Draft<'b> {
    /// A draft that says what the old spreadsheet does.
    pub(super) fn new(books: &'b Books, old: Records) -> Self {
        Self {
            books,
            names: Names::of_config(&books.now),
            records: old,
            named: HashMap::new(),
            faults: Vec::new(),
        }
    }

    /// Whether a row was about the same.
    pub(super) fn is_named(&self, record: &Record) -> bool {
        self.named.contains_key(&record.key())
    }

    /// How many records are the old ones still.
    pub(super) fn kept(&self) -> usize {
        self.records.list.iter().filter(|record| !self.is_named(record)).count()
    }

    /// What is wrong with the rows.
    pub(super) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    /// Takes over every row that nothing is wrong with.
    pub(super) fn read(&mut self, text: &str, customers: &mut Customers<'_>) -> Vec<RowOutcome> {
        let Some(sheet) = Sheet::open(text, &mut self.faults) else { return Vec::new() };
        if ![Column::CustomerId, Column::Name, Column::Label]
            .into_iter()
            .any(|column| sheet.has(column))
        {
            let text =
                "no column is called customer_id, name or label: each row is found by one of them"
                    .to_owned();
            self.faults.push(Fault { span: sheet.heading(), text });
        }
        sheet.rows().map(|row| self.take(row, &sheet, customers)).collect()
    }

    fn take(
        &mut self,
        mut row: Row<'_>,
        sheet: &Sheet<'_>,
        customers: &mut Customers<'_>,
    ) -> RowOutcome {
        let mut outcome = begun(&row);
        let found = customers.find(&row);
        if let Ok(found) = &found {
            self.complete(&mut row, customers.seen(&found.key), &found.key);
        }
        Described::of(&mut row, &self.names);
        let invalid = !row.faults.is_empty();
        outcome.details.extend(row.faults.iter().map(|fault| fault.text.clone()));
        self.faults.append(&mut row.faults);
        let found = match found {
            Err(Unmatched::Unknown(why)) => return refused(outcome, Status::Unknown, why),
            Err(Unmatched::Ambiguous(why)) => return refused(outcome, Status::Ambiguous, why),
            Ok(found) => found,
        };
        let seen = customers.seen(&found.key);
        outcome.know(&found, &row, seen, &self.books.now);
        if invalid {
            return RowOutcome { status: Status::Invalid, ..outcome };
        }
        let table = self.books.tables.budgets.customers.get(&found.key);
        if let Some(why) = clash(&row, seen, table) {
            return refused(outcome, Status::Clash, why);
        }
        let subscription = row.subscription_id.as_ref().map(|id| SubscriptionKey::of(&id.value));
        let key = (found.key.clone(), subscription);
        if let Some(first) = self.named.insert(key.clone(), row.line) {
            return refused(
                outcome,
                Status::Duplicate,
                format!("line {first} is about the same; keep one of them"),
            );
        }
        let mut record = Record::of_row(&row, sheet, &found.id, self.records.get(&key));
        if let (None, Some(table)) = (&record.subscription_id, table) {
            record.forget_copies(table);
            let tables = self.books.tables.file.display();
            if let (Some(_), Some(own)) = (record.budget, table.budget) {
                let why = format!(
                    "[customers] in {tables} sets its budget to {}, which wins: change it there",
                    changes::budget(Some(own))
                );
                return refused(outcome, Status::Overruled, why);
            }
            let parts = record.overruled_by(table);
            if !parts.is_empty() {
                outcome.notes.push(format!(
                    "[customers] in {tables} sets its {}, which wins",
                    parts.join(", ")
                ));
            }
        }
        self.records.put(key, record);
        outcome
    }

    /// A budget without a currency is in the customer's, as far as that is known.
    fn complete(&self, row: &mut Row<'_>, seen: Option<&CustomerState>, key: &CustomerKey) {
        let Some(budget) = &row.budget else { return };
        if row.currency.is_some() || !row.faults.is_empty() {
            return;
        }
        let local = self.books.now.budgets.customers.get(key);
        let own =
            local.and_then(|local| local.budget.map(|budget| budget.currency).or(local.currency));
        let known = seen.and_then(|seen| seen.currency).or(own);
        row.currency = known.map(|currency| Placed { value: currency, span: budget.span.clone() });
    }

    /// The spreadsheet as it is to be; what says nothing is left out.
    pub(super) fn text(&self, customers: &Customers<'_>) -> anyhow::Result<String> {
        let known = |record: &Record| customers.seen(&CustomerKey::of(&record.customer_id));
        let worth = |(record, seen): &(Record, Option<&CustomerState>)| {
            !record.is_empty(seen.and_then(|seen| seen.currency))
        };
        let records: Vec<_> = self
            .records
            .list
            .iter()
            .map(|record| (record.clone(), known(record)))
            .filter(worth)
            .collect();
        Ok(format!(
            "{}{}",
            self.records.comments,
            written(&records, Style { decimal_comma: false, told: false })?
        ))
    }
}

fn begun(row: &Row<'_>) -> RowOutcome {
    let called = [&row.label, &row.name, &row.customer_id].into_iter().flatten().next();
    RowOutcome {
        line: row.line,
        status: Status::Unchanged,
        customer_id: row.customer_id.as_ref().map(|id| id.value.clone().into_owned()),
        name: called.map(|name| clean(&name.value)).unwrap_or_default(),
        subscription_id: row.subscription_id.as_ref().map(|id| id.value.clone().into_owned()),
        matched_by: None,
        budgets: ("none".to_owned(), "none".to_owned()),
        details: Vec::new(),
        notes: Vec::new(),
        raised: Vec::new(),
    }
}

fn refused(mut outcome: RowOutcome, status: Status, why: String) -> RowOutcome {
    outcome.details.insert(0, why);
    RowOutcome { status, ..outcome }
}

/// The currency of an Azure plan is Microsoft's; a legacy customer's is what its table says, else
/// what is set here.
fn clash(
    row: &Row<'_>,
    seen: Option<&CustomerState>,
    table: Option<&LocalCustomer>,
) -> Option<String> {
    let own = row.currency.as_ref()?.value;
    let read = seen.filter(|seen| seen.plan == Plan::AzurePlan).and_then(|seen| seen.currency);
    let theirs = read.or_else(|| table.and_then(|table| table.currency))?;
    (own != theirs).then(|| {
        format!("its usage is in {theirs}, not in {own}: a budget in {own} would not be used")
    })
}

impl RowOutcome {
    /// What is known of the customer that was found.
    fn know(&mut self, found: &Match, row: &Row<'_>, seen: Option<&CustomerState>, now: &Config) {
        self.customer_id = Some(found.id.clone());
        self.matched_by = Some(found.by);
        let label =
            now.budgets.customers.get(&found.key).and_then(|local| local.profile.label.as_deref());
        if let Some(name) =
            label.or(seen.map(|seen| seen.name.as_str())).filter(|name| !name.trim().is_empty())
        {
            self.name = clean(name);
        }
        // Whoever sorts one column of a spreadsheet alone parts ids from their names.
        if let (Some(written), Some(seen), "customer_id") = (&row.name, seen, found.by)
            && ![Some(seen.name.as_str()), label]
                .into_iter()
                .flatten()
                .any(|name| same_name(name, &written.value))
        {
            self.notes.push(format!(
                "the row is called \"{}\", the customer with its id \"{}\"",
                clean(&written.value),
                clean(&seen.name)
            ));
        }
    }
}
