//! Reads `[customers_csv]`: customers from a spreadsheet, all or nothing. How cells and amounts are
//! written is left to `budgets::sheet`, what [customers] says beside it to `customers`.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lettre::message::Mailbox;

use crate::budgets::sheet::{Column, Fault, Placed, Row, Sheet};
use crate::budgets::{LocalBudget, LocalCustomer, LocalSubscription, SubscriptionKey};
use crate::config::addresses::mailbox;
use crate::config::ids::Ids;
use crate::config::mistakes::{Mistake, Page};
use crate::config::names::Names;
use crate::config::reader::{Span, Table};
use crate::config::value::short;
use crate::domain::{CustomerKey, Profile};
use crate::fs;
use crate::text::{NotText, decode};

/// The most bytes that the file may have: a million customers have room in it.
const MOST: u64 = 1 << 30;

/// Where the customers of the spreadsheet come from.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Spreadsheet<'t> {
    /// From the file that `[customers_csv]` names.
    #[default]
    OnDisk,
    /// From this text, that is or would be in this file, in its place; from nowhere where there is
    /// none.
    Instead(Option<(&'t Path, &'t str)>),
}

/// What was read of the spreadsheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomersCsv {
    /// The file.
    pub path: PathBuf,
    /// How many customers it describes.
    pub customers: usize,
    /// How many of their subscriptions have a budget.
    pub subscriptions: usize,
}

/// The customers of a spreadsheet.
#[derive(Default)]
pub(crate) struct Read {
    /// What it came to, where there is a spreadsheet.
    pub(crate) source: Option<CustomersCsv>,
    /// By id, with the line of the customer's own row.
    pub(crate) customers: HashMap<CustomerKey, (LocalCustomer, usize)>,
    /// What is wrong with it, ready to be shown.
    pub(crate) faults: Vec<String>,
}

/// Reads the spreadsheet that the file names, if it names one.
pub(crate) fn read<'a>(
    root: &Table<'a>,
    names: &Names<'a>,
    ids: &Ids,
    instead: Spreadsheet<'_>,
) -> Read {
    let path = root.table("customers_csv").and_then(|table| table.required_text("path"));
    let file = path.as_ref().map(|path| root.reader.read_path(path));
    match (instead, path.map(|path| path.span), file) {
        (Spreadsheet::OnDisk, Some(span), Some(file)) => match text(&file) {
            Ok(text) => customers(&text, file, names, ids),
            Err(error) => {
                root.reader.mistake(span, error);
                Read::default()
            }
        },
        (Spreadsheet::Instead(Some((file, text))), ..) => {
            customers(text, file.to_owned(), names, ids)
        }
        (Spreadsheet::Instead(None), _, Some(path)) => Read {
            source: Some(CustomersCsv { path, customers: 0, subscriptions: 0 }),
            ..Read::default()
        },
        _ => Read::default(),
    }
}

/// The text of a spreadsheet, or why it cannot be read and what to do.
pub(crate) fn text(file: &Path) -> Result<String, String> {
    let name = file.display();
    let bytes = fs::read(file, MOST).map_err(|error| {
        let hint = "; \"budget-alertd budgets export --output FILE\" makes one";
        format!(
            "cannot read {name}: {error}{}",
            if error.kind() == std::io::ErrorKind::NotFound { hint } else { "" }
        )
    })?;
    let text = decode(bytes).map_err(|NotText { readable, at }| {
        let line = readable.get(..at).unwrap_or_default().matches('\n').count().saturating_add(1);
        format!("{name}:{line}: not UTF-8 text: save it as \"CSV UTF-8\"")
    })?;
    // Lines that end as on the first Macs; "CSV (Macintosh)" still writes them.
    Ok(if text.contains('\n') { text } else { text.replace('\r', "\n") })
}

fn customers(text: &str, file: PathBuf, names: &Names<'_>, ids: &Ids) -> Read {
    let mut faults = Vec::new();
    let mut gathered = Gathered::default();
    if let Some(sheet) = Sheet::open(text, &mut faults) {
        if !sheet.has(Column::CustomerId) {
            let text = "no column is called customer_id: each row is found by it".to_owned();
            faults.push(Fault { span: sheet.heading(), text });
        }
        for mut row in sheet.rows() {
            let local = Described::of(&mut row, names);
            gathered.add(&mut row, local, ids, sheet.has(Column::CustomerId));
            faults.append(&mut row.faults);
        }
    }
    // An export has a row for everybody; most say nothing.
    let nobody = Arc::clone(&gathered.nobody);
    let is_described = |local: &LocalCustomer| {
        !Arc::ptr_eq(&local.profile, &nobody)
            || local.budget.is_some()
            || local.currency.is_some()
            || !local.subscriptions.is_empty()
    };
    gathered.customers.retain(|_, (local, _)| is_described(local));
    let subscriptions =
        gathered.customers.values().map(|(local, _)| local.subscriptions.len()).sum();
    let source = CustomersCsv { customers: gathered.customers.len(), subscriptions, path: file };
    let faults = shown(&source.path, text, faults);
    Read { source: Some(source), customers: gathered.customers, faults }
}

/// What is wrong with a spreadsheet, ready to be shown, in the order of its text.
pub(crate) fn shown(file: &Path, text: &str, faults: Vec<Fault>) -> Vec<String> {
    let mistakes = faults.into_iter().map(|fault| Mistake { span: fault.span, text: fault.text });
    Page::plain(&file.display().to_string(), text).lines(mistakes.collect())
}

/// What a row says, checked as [customers] is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Described {
    /// The customer's profile, or the subscription's label.
    pub(crate) profile: Profile,
    /// The budget.
    pub(crate) budget: Option<LocalBudget>,
}

impl Described {
    /// Checks the addresses and names of a row; what is wrong is noted with it.
    pub(crate) fn of(row: &mut Row<'_>, names: &Names<'_>) -> Self {
        if row.subscription_id.is_some() {
            let foreign = [
                ("contacts", &row.contacts),
                ("tags", &row.tags),
                ("notify", &row.notify),
                ("mute_rules", &row.mute_rules),
            ];
            let owner = row.owner.as_ref().map(|owner| ("owner", owner.span.clone()));
            let found = foreign
                .iter()
                .find_map(|(name, list)| Some((*name, list.first()?.span.clone())))
                .or(owner);
            if let Some((name, span)) = found {
                row.fault(
                    &span,
                    format!(
                        "\"{name}\" belongs into the customer's own row, the one \
                    without a subscription_id"
                    ),
                );
            }
        }
        if let (Some(budget), None, true) = (&row.budget, &row.currency, row.faults.is_empty()) {
            let text = format!("a budget needs a currency: {} of what?", budget.value);
            row.fault(&budget.span.clone(), text);
        }
        let budget = row.budget.as_ref().zip(row.currency.as_ref());
        let text = |cell: &Option<Placed<std::borrow::Cow<'_, str>>>| {
            cell.as_ref().map(|cell| cell.value.clone().into_owned())
        };
        let profile = Profile {
            label: text(&row.label),
            tags: row.tags.iter().map(|tag| tag.value.clone()).collect(),
            contacts: contacts(&row.contacts, &mut row.faults),
            owner: text(&row.owner),
            notify: checked(&row.notify, &mut row.faults, |name| names.notifier(name)),
            mute_rules: checked(&row.mute_rules, &mut row.faults, |name| names.rule(name)),
        };
        Self {
            budget: budget.map(|(amount, currency)| LocalBudget {
                amount: amount.value,
                currency: currency.value,
            }),
            profile,
        }
    }
}

/// The items of a list that are sound.
fn checked<T>(
    list: &[Placed<String>],
    faults: &mut Vec<Fault>,
    check: impl Fn(&str) -> Result<T, String>,
) -> Vec<T> {
    let mut note = |span: &Span, text| faults.push(Fault { span: span.clone(), text });
    list.iter()
        .filter_map(|item| check(&item.value).map_err(|text| note(&item.span, text)).ok())
        .collect()
}

/// The sound addresses, each once.
fn contacts(list: &[Placed<String>], faults: &mut Vec<Fault>) -> Vec<String> {
    let mut found: Vec<Mailbox> = Vec::new();
    for address in checked(list, faults, mailbox) {
        if !found.iter().any(|seen| seen.email == address.email) {
            found.push(address);
        }
    }
    found.iter().map(ToString::to_string).collect()
}

/// Customers as their rows come.
#[derive(Default)]
struct Gathered {
    customers: HashMap<CustomerKey, (LocalCustomer, usize)>,
    /// The lines of the rows about subscriptions.
    subscriptions: HashMap<(CustomerKey, SubscriptionKey), usize>,
    /// Shared by all customers of whom nothing but a budget is said.
    nobody: Arc<Profile>,
}

impl Gathered {
    fn add(&mut self, row: &mut Row<'_>, said: Described, ids: &Ids, identified: bool) {
        let Some(id) = &row.customer_id else {
            if identified {
                row.fault(&row.span.clone(), "the row has no customer_id".to_owned());
            }
            return;
        };
        let (span, shown) = (id.span.clone(), short(&id.value));
        let key = match ids.key(&id.value) {
            Ok(key) => key,
            Err(text) => return row.fault(&span, text),
        };
        if let Some(subscription) = &row.subscription_id {
            let (id, span) = (SubscriptionKey::of(&subscription.value), subscription.span.clone());
            match self.subscriptions.insert((key.clone(), id.clone()), row.line) {
                Some(first) => {
                    row.fault(&span, format!("the subscription has a row already: line {first}"));
                }
                None => self.add_subscription(key, id, said),
            }
            return;
        }
        let currency = row.currency.as_ref().map(|currency| currency.value);
        let profile = if said.profile == Profile::default() {
            Arc::clone(&self.nobody)
        } else {
            Arc::new(said.profile)
        };
        let local =
            LocalCustomer { profile, budget: said.budget, currency, ..LocalCustomer::default() };
        self.add_customer(key, local, row, &span, &shown);
    }

    fn add_customer(
        &mut self,
        key: CustomerKey,
        local: LocalCustomer,
        row: &mut Row<'_>,
        span: &Span,
        shown: &str,
    ) {
        match self.customers.entry(key) {
            Slot::Vacant(free) => drop(free.insert((local, row.line))),
            // So far only rows about its subscriptions were seen.
            Slot::Occupied(mut taken) if taken.get().1 == 0 => {
                let subscriptions = std::mem::take(&mut taken.get_mut().0.subscriptions);
                taken.insert((LocalCustomer { subscriptions, ..local }, row.line));
            }
            Slot::Occupied(taken) => {
                let first = taken.get().1;
                row.fault(
                    span,
                    format!(
                        "the customer \"{shown}\" has a row already: line {first}; \
                    ids in other case are the same"
                    ),
                );
            }
        }
    }

    fn add_subscription(&mut self, key: CustomerKey, id: SubscriptionKey, said: Described) {
        let nobody = &self.nobody;
        let new = || (LocalCustomer { profile: Arc::clone(nobody), ..LocalCustomer::default() }, 0);
        let Some(budget) = said.budget else { return };
        let subscription = LocalSubscription { label: said.profile.label, budget };
        self.customers.entry(key).or_insert_with(new).0.subscriptions.insert(id, subscription);
    }
}
