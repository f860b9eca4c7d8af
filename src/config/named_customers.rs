//! How mistakes and warnings name customers: by their labels, and only the first few.

use crate::budgets;
use crate::config::value::short;
use crate::domain::CustomerKey;

/// How many names are shown; the rest are counted.
pub(crate) const NAMED: usize = 5;

/// What people call a customer, as far as the file says.
pub(crate) fn called(budgets: &budgets::Config, key: &CustomerKey) -> String {
    let label = budgets.customers.get(key).and_then(|local| local.profile.label.clone());
    label.unwrap_or_else(|| key.as_str().to_owned())
}

/// The first of them, and how many more there are.
pub(crate) fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| short(name)).collect();
    let more = names.len().saturating_sub(shown.len());
    format!(
        "{}{}",
        shown.join(", "),
        if more > 0 { format!(" and {more} more") } else { String::new() }
    )
}
