//! Reads who is at the other end of a notifier. What is unwise about it is left to `audience`, what
//! may go to fixed addresses to `mailboxes`, what customers are told to `notify`.

use crate::config::reader::{Span, Table};
use crate::config::value::short;
use crate::domain::{Addresses, Audience, Readers};

/// Whether a notifier's table says that customers read its messages.
pub(crate) fn is_customers(notifier: &Table<'_>) -> bool {
    notifier.text("audience").is_some_and(|audience| audience.value == Audience::Customer.as_str())
}

/// Whether its messages go to each customer's contacts.
pub(crate) fn to_contacts(notifier: &Table<'_>) -> bool {
    is_customers(notifier)
        && notifier.text("type").is_some_and(|kind| is_mail(kind.value))
        && is_set(notifier, "to_customer_contacts")
}

/// Whether a type of notifier sends mail.
pub(crate) fn is_mail(kind: &str) -> bool {
    matches!(kind, "email" | "graph-mail")
}

fn is_set(table: &Table<'_>, key: &str) -> bool {
    table.boolean(key).unwrap_or(false)
}

/// Who reads the messages of a notifier, and whether they see amounts.
pub(crate) fn read(table: &Table<'_>) -> (Readers, bool) {
    let kind = table.text("type").map_or("", |kind| kind.value);
    let mistake = |key: &str, text: String| table.reader.mistake(value_span(table, key), text);
    if !is_customers(table) {
        for key in
            ["show_cost", "to_customer_contacts"].into_iter().filter(|key| is_set(table, key))
        {
            mistake(
                key,
                format!("\"{key}\" is for messages to customers: add audience = \"customer\""),
            );
        }
        return (Readers::Partner, false);
    }
    if !is_mail(kind) && kind != "webhook" {
        mistake(
            "audience",
            format!(
                "customers are told by \"email\", \"graph-mail\" or \"webhook\", not by \"{}\"",
                short(kind)
            ),
        );
    }
    if !is_mail(kind) && is_set(table, "to_customer_contacts") {
        mistake("to_customer_contacts", "only mail can go to the customers' contacts".to_owned());
    }
    let readers = match kind {
        _ if to_contacts(table) => {
            if let Some(to) = table.entry("to") {
                table.reader.warning(
                    to.key,
                    "\"to\" is not used: the messages go to each customer's contacts",
                );
            }
            Readers::Contacts
        }
        // Whose they are is settled when all customers are known.
        kind if is_mail(kind) => Readers::Addresses(Addresses::default()),
        _ => Readers::Program,
    };
    (readers, is_set(table, "show_cost"))
}

/// The place of a key's value; without the key, that of the table.
pub(crate) fn value_span(table: &Table<'_>, key: &str) -> Span {
    table.entry(key).map_or_else(|| table.span.clone(), |entry| entry.span)
}
