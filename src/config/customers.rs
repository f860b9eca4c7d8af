//! Reads `[budgets]` and `[customers]`, and joins the latter with the spreadsheet of customers.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::budgets::{Config, LocalBudget, LocalCustomer, Prefer};
use crate::config::addresses::addresses;
use crate::config::customers_csv::Read;
use crate::config::ids::Ids;
use crate::config::names::Names;
use crate::config::reader::Table;
use crate::config::value::{hint, short};
use crate::domain::same_name;
use crate::domain::{CustomerKey, Profile};

/// What is known of customers locally: in the spreadsheet, and in tables, which win field by field.
pub(crate) fn read<'a>(
    root: &Table<'a>,
    names: &Names<'a>,
    ids: &Ids,
    spreadsheet: Read,
) -> Config {
    let prefer = match root.table_or_empty("budgets").text("prefer").map(|text| text.value) {
        Some("partner-center") => Prefer::PartnerCenter,
        _ => Prefer::Local,
    };
    let file = spreadsheet.source.map(|source| source.path).unwrap_or_default();
    let mut listed = spreadsheet.customers;
    let mut customers = HashMap::with_capacity(listed.len());
    for (id, table) in root.named("customers") {
        if id.trim().is_empty() {
            table.reader.mistake(table.span.clone(), "a customer needs an id");
            continue;
        }
        let key =
            table.reader.accept(&table.span, ids.key(id)).unwrap_or_else(|| CustomerKey::of(id));
        let own = LocalCustomer {
            profile: Arc::new(profile(&table, names)),
            budget: budget(&table),
            currency: table.currency("currency"),
            ..LocalCustomer::default()
        };
        let local = match listed.remove(&key) {
            Some((other, line)) => {
                warn_of_two_budgets(&table, &own, &other, &format!("{}:{line}", file.display()));
                merged(&own, other)
            }
            None => own,
        };
        if customers.insert(key, local).is_some() {
            let text = format!(
                "the customer \"{}\" is there twice: ids that differ in case only are one customer",
                short(id)
            );
            table.reader.mistake(table.span.clone(), text);
        }
    }
    customers.extend(listed.into_iter().map(|(key, (local, _))| (key, local)));
    Config {
        customers,
        prefer,
        legacy_currency: root.table_or_empty("source").currency("legacy_currency"),
    }
}

/// Warns of tags that rules select by and nobody has.
pub(crate) fn warn_of_unknown_tags(root: &Table<'_>, budgets: &Config) {
    let selecting = root
        .named("rules")
        .into_iter()
        .flat_map(|(_, rule)| rule.table_or_empty("match").texts("tags"));
    let mut selecting = selecting.peekable();
    if selecting.peek().is_none() {
        return;
    }
    let known: BTreeSet<&str> = budgets
        .customers
        .values()
        .flat_map(|local| local.profile.tags.iter().map(String::as_str))
        .collect();
    for tag in selecting.filter(|tag| !known.iter().any(|known| same_name(known, tag.value))) {
        let text = format!(
            "no customer has the tag \"{}\"{}",
            short(tag.value),
            hint(tag.value, known.iter().copied())
        );
        root.reader.warning(tag.span, text);
    }
}

/// What a table says, and where it says nothing, what the spreadsheet says.
fn merged(table: &LocalCustomer, other: LocalCustomer) -> LocalCustomer {
    fn or<T: Clone>(own: &[T], other: &[T]) -> Vec<T> {
        if own.is_empty() { other.to_vec() } else { own.to_vec() }
    }
    let (own, listed) = (&table.profile, &other.profile);
    let profile = Profile {
        label: own.label.clone().or_else(|| listed.label.clone()),
        tags: or(&own.tags, &listed.tags),
        contacts: or(&own.contacts, &listed.contacts),
        owner: own.owner.clone().or_else(|| listed.owner.clone()),
        notify: or(&own.notify, &listed.notify),
        mute_rules: or(&own.mute_rules, &listed.mute_rules),
    };
    LocalCustomer {
        profile: Arc::new(profile),
        budget: table.budget.or(other.budget),
        currency: table.currency.or(other.currency),
        subscriptions: other.subscriptions,
    }
}

fn warn_of_two_budgets(table: &Table<'_>, own: &LocalCustomer, other: &LocalCustomer, place: &str) {
    let shown = |budget: LocalBudget| format!("{} {}", budget.amount, budget.currency);
    if let (Some(own), Some(other)) = (own.budget, other.budget)
        && own != other
    {
        let text = format!(
            "the budget is {} here and {} in {place}: the one here is in force",
            shown(own),
            shown(other)
        );
        table.reader.warning(
            table.entry("budget").map_or_else(|| table.span.clone(), |entry| entry.span),
            text,
        );
    }
}

fn profile<'a>(table: &Table<'a>, names: &Names<'a>) -> Profile {
    Profile {
        label: table.text("label").map(|label| label.value.to_owned()),
        tags: table.texts("tags").iter().map(|tag| tag.value.to_owned()).collect(),
        contacts: addresses(table, "contacts").iter().map(ToString::to_string).collect(),
        owner: table.text("owner").map(|owner| owner.value.to_owned()),
        notify: names.notifiers(table, "notify"),
        mute_rules: names.rules(table, "mute_rules"),
    }
}

fn budget(table: &Table<'_>) -> Option<LocalBudget> {
    let budget = table.table("budget")?;
    budget.require("amount");
    budget.require("currency");
    let (amount, currency) = (budget.positive("amount"), budget.currency("currency"));
    Some(LocalBudget { amount: amount?, currency: currency? })
}
