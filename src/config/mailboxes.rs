//! Settles what may go to a notifier's own addresses where customers read them: never what is about
//! one customer to the mailbox of another.

use std::collections::{BTreeMap, BTreeSet};

use crate::budgets;
use crate::config::named_customers::{called, listed};
use crate::config::reader::Table;
use crate::config::value::quoted;
use crate::domain::{Addresses, CustomerKey, Readers, bare_address};
use crate::notify::{Config, Kind};

/// Settles it for every notifier: says who reads along, and refuses what would put one customer's
/// numbers into the mailbox of another.
pub(crate) fn settle(root: &Table<'_>, budgets: &budgets::Config, notifiers: &mut [Config]) {
    for notifier in notifiers {
        let addresses = addresses(notifier);
        let Readers::Addresses(own) = &mut notifier.readers else { continue };
        let told = Told::of(root, budgets, &notifier.name);
        *own = Addresses {
            owners: owners(budgets, &addresses),
            about: told.rules.is_empty().then(|| told.customers.clone()),
        };
        judge(root, budgets, &notifier.name, own, &told);
    }
}

/// The addresses that a notifier is given, in lowercase.
pub(crate) fn addresses(notifier: &Config) -> Vec<String> {
    let to: &[_] = match &notifier.kind {
        Kind::Email(email) => &email.to,
        Kind::GraphMail(mail) => &mail.to,
        Kind::Slack(_)
        | Kind::Webhook(_)
        | Kind::Teams(_)
        | Kind::PagerDuty(_)
        | Kind::Alertmanager(_) => &[],
    };
    to.iter().map(|to| to.email.to_string().to_lowercase()).collect()
}

/// Whose contacts these addresses are.
fn owners(
    budgets: &budgets::Config,
    addresses: &[String],
) -> BTreeMap<String, BTreeSet<CustomerKey>> {
    let mut owners: BTreeMap<String, BTreeSet<CustomerKey>> = BTreeMap::new();
    for (key, local) in &budgets.customers {
        let contacts =
            local.profile.contacts.iter().map(|contact| bare_address(contact).to_lowercase());
        for contact in contacts.filter(|contact| addresses.contains(contact)) {
            owners.entry(contact).or_default().insert(key.clone());
        }
    }
    owners
}

/// Whom a notifier is told about.
struct Told<'a> {
    /// The rules that name it and may be about anybody.
    rules: Vec<&'a str>,
    /// The customers that name it, and those that a rule is about and nobody else.
    customers: BTreeSet<CustomerKey>,
}

impl<'a> Told<'a> {
    fn of(root: &Table<'a>, budgets: &budgets::Config, notifier: &str) -> Self {
        let naming = budgets
            .customers
            .iter()
            .filter(|(_, local)| local.profile.notify.iter().any(|name| **name == *notifier));
        let mut told =
            Self { rules: Vec::new(), customers: naming.map(|(key, _)| key.clone()).collect() };
        let names_it =
            |table: &Table<'_>| table.texts("notify").iter().any(|name| name.value == notifier);
        for (name, rule) in root.named("rules") {
            if names_it(&rule) || rule.tables("steps").iter().flatten().any(names_it) {
                match only(&rule, budgets) {
                    Some(customers) => told.customers.extend(customers),
                    None => told.rules.push(name),
                }
            }
        }
        told
    }
}

/// The customers that a rule names by their ids, where it names all by these.
fn only(rule: &Table<'_>, budgets: &budgets::Config) -> Option<Vec<CustomerKey>> {
    let ids: Vec<_> = rule
        .table_or_empty("match")
        .texts("customers")
        .iter()
        .map(|id| CustomerKey::written(id.value))
        .collect();
    (!ids.is_empty() && ids.iter().all(|id| budgets.customers.contains_key(id))).then_some(ids)
}

fn judge(
    root: &Table<'_>,
    budgets: &budgets::Config,
    notifier: &str,
    own: &Addresses,
    told: &Told<'_>,
) {
    let Some(table) = root
        .named("notifiers")
        .into_iter()
        .find(|(name, _)| *name == notifier)
        .map(|(_, table)| table)
    else {
        return;
    };
    let span = table.entry("to").map_or_else(|| table.span.clone(), |to| to.span);
    let names = |customers: &BTreeSet<CustomerKey>| {
        listed(&customers.iter().map(|key| called(budgets, key)).collect::<Vec<_>>())
    };
    let about = match (told.rules.as_slice(), own.about.as_ref()) {
        ([], None) => return,
        ([], Some(customers)) => format!("each of these customers: {}", names(customers)),
        ([rule], _) => format!("every customer of the rule {}", quoted(&[*rule])),
        (rules, _) => format!("every customer of the rules {}", quoted(rules)),
    };
    let others = |owners: &BTreeSet<CustomerKey>| {
        !told.rules.is_empty() || told.customers.iter().any(|told| !owners.contains(told))
    };
    let mut theirs = own.owners.iter().filter(|(_, owners)| others(owners)).peekable();
    if theirs.peek().is_none() && (!told.rules.is_empty() || told.customers.len() > 1) {
        let text = format!(
            "its addresses get a message about {about}; one customer in each: right for a mailbox \
                of your own, for the customers' own addresses set to_customer_contacts = true"
        );
        root.reader.warning(span.clone(), text);
    }
    for (address, owners) in theirs {
        let text = format!(
            "{} is a contact of {} and would get what is about {about}: set to_customer_contacts = \
                true, or name an address of your own",
            quoted(&[&**address]),
            names(owners)
        );
        root.reader.mistake(span.clone(), text);
    }
}
