//! Warns of customers that would hear of others, or of nothing. What may go to fixed addresses is
//! left to `mailboxes`, what customers are told to `notify`.

use std::collections::{BTreeMap, BTreeSet};

use crate::budgets;
use crate::config::mailboxes;
use crate::config::named_customers::{NAMED, called, listed};
use crate::config::names::Names;
use crate::config::notifier_readers::{is_customers, is_mail, value_span};
use crate::config::reader::{Placed, Table};
use crate::config::value::quoted;
use crate::domain::same_name;
use crate::domain::{Addresses, CustomerKey, Glob, Profile, Readers, bare_address};
use crate::notify::Config;

/// What is allowed but unwise: addresses that customers share, customers whose contacts nobody
/// knows, rules that tell nobody but customers.
pub(crate) fn warn(
    root: &Table<'_>,
    names: &Names<'_>,
    budgets: &budgets::Config,
    notifiers: &[Config],
) {
    let shared = shared_addresses(budgets, notifiers);
    let place = ["customers", "customers_csv"]
        .into_iter()
        .find_map(|key| root.entry(key))
        .map_or(0..0, |entry| entry.key);
    for (address, customers) in shared.iter().take(NAMED) {
        let text = format!(
            "{} is an address of several customers, and gets what is about each: {}",
            quoted(&[address]),
            listed(customers)
        );
        root.reader.warning(place.clone(), text);
    }
    if shared.len() > NAMED {
        root.reader.warning(
            place,
            format!("{} more addresses belong to several customers", shared.len() - NAMED),
        );
    }
    for notifier in notifiers.iter().filter(|notifier| notifier.readers == Readers::Contacts) {
        warn_of_unknown_contacts(root, &notifier.name, budgets);
    }
    for (_, rule) in root.named("rules") {
        warn_of_customers_only(&rule, names, notifiers);
    }
    warn_of_no_partner(root);
}

/// Mails to customers say whom to contact.
fn warn_of_no_partner(root: &Table<'_>) {
    let is_mail_to_customers = |table: &Table<'_>| {
        is_customers(table) && table.text("type").is_some_and(|kind| is_mail(kind.value))
    };
    let first = root.named("notifiers").into_iter().find(|(_, table)| is_mail_to_customers(table));
    if let Some((name, table)) = first.filter(|_| root.entry("partner").is_none()) {
        let text = format!(
            "{} tells customers to contact \"your Azure provider\": say who that is in [partner], \
                with name and contact",
            quoted(&[name])
        );
        table.reader.warning(value_span(&table, "audience"), text);
    }
}

/// The addresses that messages about more than one customer go to, with what these are called.
fn shared_addresses(budgets: &budgets::Config, notifiers: &[Config]) -> Vec<(String, Vec<String>)> {
    let mut owners: BTreeMap<String, BTreeSet<&CustomerKey>> = BTreeMap::new();
    for (key, local) in &budgets.customers {
        for contact in &local.profile.contacts {
            owners.entry(bare_address(contact).to_lowercase()).or_default().insert(key);
        }
    }
    for notifier in notifiers {
        let Readers::Addresses(Addresses { about: Some(about), .. }) = &notifier.readers else {
            continue;
        };
        // Addresses of several customers are warned of by themselves.
        if let (Some(one), 1) = (about.first(), about.len()) {
            for to in mailboxes::addresses(notifier) {
                owners.entry(to).or_default().insert(one);
            }
        }
    }
    let called =
        |keys: BTreeSet<&CustomerKey>| keys.into_iter().map(|key| called(budgets, key)).collect();
    owners
        .into_iter()
        .filter(|(_, keys)| keys.len() > 1)
        .map(|(address, keys)| (address, called(keys)))
        .collect()
}

fn warn_of_unknown_contacts(root: &Table<'_>, notifier: &str, budgets: &budgets::Config) {
    let names_it = |texts: Vec<Placed<&str>>| texts.iter().any(|text| text.value == notifier);
    let rules = root.named("rules").into_iter().filter(|(_, rule)| {
        names_it(rule.texts("notify"))
            || rule.tables("steps").iter().flatten().any(|step| names_it(step.texts("notify")))
    });
    let rules: Vec<_> = rules.collect();
    let is_told = |key: &CustomerKey, profile: &Profile| {
        profile.notify.iter().any(|name| **name == *notifier)
            || rules.iter().any(|(name, rule)| may_judge(name, rule, key, profile))
    };
    let silent = budgets
        .customers
        .iter()
        .filter(|(key, local)| local.profile.contacts.is_empty() && is_told(key, &local.profile));
    let mut silent: Vec<String> = silent.map(|(key, _)| called(budgets, key)).collect();
    silent.sort();
    let span = root
        .named("notifiers")
        .into_iter()
        .find(|(name, _)| *name == notifier)
        .map_or(0..0, |(_, table)| table.span);
    if budgets.customers.values().all(|local| local.profile.contacts.is_empty()) {
        root.reader.warning(
            span,
            format!("{} tells nobody: no customer has contacts", quoted(&[notifier])),
        );
    } else if !silent.is_empty() {
        root.reader.warning(
            span,
            format!(
                "{} tells nobody about customers without contacts: {}",
                quoted(&[notifier]),
                listed(&silent)
            ),
        );
    }
}

/// Whether a rule may be about a customer, as far as the file says.
fn may_judge(name: &str, rule: &Table<'_>, key: &CustomerKey, profile: &Profile) -> bool {
    let selection = rule.table_or_empty("match");
    let fits = |pattern: &Placed<&str>| {
        Glob::try_new(pattern.value)
            .is_ok_and(|glob| glob.fits_any([Some(key.as_str()), profile.label.as_deref(), None]))
    };
    let (customers, tags) = (selection.texts("customers"), selection.texts("tags"));
    (customers.is_empty() || customers.iter().any(fits))
        && !selection.texts("exclude").iter().any(fits)
        && (tags.is_empty()
            || tags.iter().any(|tag| profile.tags.iter().any(|own| same_name(own, tag.value))))
        && !profile.mute_rules.iter().any(|muted| **muted == *name)
}

fn warn_of_customers_only(rule: &Table<'_>, names: &Names<'_>, notifiers: &[Config]) {
    // Fixed addresses that get what is about everybody are the partner's own, which is warned of by
    // itself.
    let may_be_own = |name: &str| {
        notifiers.iter().any(|notifier| {
            *notifier.name == *name
                && matches!(&notifier.readers, Readers::Addresses(own) if own.about.is_none())
        })
    };
    let steps = rule.tables("steps");
    let told: Vec<&str> = std::iter::once(rule)
        .chain(steps.iter().flatten())
        .flat_map(|table| table.texts("notify"))
        .map(|name| name.value)
        .collect();
    if !told.is_empty() && told.iter().all(|name| names.is_customers(name) && !may_be_own(name)) {
        let text = format!(
            "[{}] tells customers only: none of your own people hear of what it finds",
            rule.path
        );
        rule.reader.warning(rule.span.clone(), text);
    }
}
