//! Reads `[budgets]` and `[customers]`.

use std::collections::HashMap;
use std::sync::Arc;

use lettre::message::Mailbox;

use crate::budgets::{Config, LocalBudget, LocalCustomer, Prefer};
use crate::config::names::Names;
use crate::config::reader::Table;
use crate::config::value::short;
use crate::domain::{CustomerKey, Profile};

/// What is known of customers locally.
pub(crate) fn read<'a>(root: &Table<'a>, names: &Names<'a>) -> Config {
    let prefer = match root.table_or_empty("budgets").text("prefer").map(|text| text.value) {
        Some("partner-center") => Prefer::PartnerCenter,
        _ => Prefer::Local,
    };
    let mut customers = HashMap::new();
    for (id, table) in root.named("customers") {
        if id.trim().is_empty() {
            table.reader.mistake(table.span.clone(), "a customer needs an id");
        }
        let local = LocalCustomer {
            profile: Arc::new(profile(&table, names)),
            budget: budget(&table),
            currency: table.currency("currency"),
            ..LocalCustomer::default()
        };
        if customers.insert(CustomerKey::of(id), local).is_some() {
            let text = format!("the customer \"{}\" is there twice: ids that differ in case only are one customer", short(id));
            table.reader.mistake(table.span.clone(), text);
        }
    }
    Config { customers, prefer, legacy_currency: root.table_or_empty("source").currency("legacy_currency") }
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

/// The mail addresses of a list, each once: an address is a delivery of its own.
pub(crate) fn addresses(table: &Table<'_>, key: &str) -> Vec<Mailbox> {
    let mut addresses: Vec<Mailbox> = Vec::new();
    for text in table.texts(key) {
        let new = table.reader.accept(&text.span, mailbox(text.value));
        addresses.extend(new.filter(|new| !addresses.iter().any(|seen| seen.email == new.email)));
    }
    addresses
}

/// `name@example.com` or `Name <name@example.com>`.
pub(crate) fn mailbox(text: &str) -> Result<Mailbox, String> {
    let wrong = || format!("\"{}\" is no mail address: write \"name@example.com\" or \"Name <name@example.com>\"", short(text));
    if text.chars().any(char::is_control) { Err(wrong()) } else { text.trim().parse().map_err(|_| wrong()) }
}
