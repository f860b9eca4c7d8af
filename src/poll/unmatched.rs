//! What the configuration describes and the collections do not have: customers and subscriptions of
//! which no usage was ever found, patterns of rules that fit nobody.

use std::collections::{BTreeSet, HashSet};

use crate::alerting::KnownCustomers;
use crate::budgets::Config;
use crate::domain::{CustomerId, CustomerKey, Glob};
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::text::{customer_hash, customer_key_hash};

/// A pattern of a rule, with the rule's name.
pub(crate) type RulePattern<'a> = (&'a str, &'a Glob);

/// Subscriptions with budgets of which no usage was ever found, by customers that were answered
/// about.
pub(crate) fn never_seen(
    budgets: &Config,
    known: &mut KnownCustomers,
    unread: &BTreeSet<CustomerKey>,
) -> Vec<String> {
    let mut never = Vec::new();
    let customers = budgets.customers_with_subscription_budgets();
    for (customer, local) in customers.filter(|(key, _)| !unread.contains(*key)) {
        let Some(id) = CustomerId::try_new(customer.as_str()) else { continue };
        let keys = local.subscriptions.keys();
        let unseen =
            keys.filter(|own| !is_known(known, &CustomerKey::of_subscription(&id, own.as_str())));
        never.extend(
            unseen.map(|own| format!("{} of customer {}", own.as_str(), customer.as_str())),
        );
    }
    never.sort_unstable();
    never
}

/// Customers that are described here and of whom no usage was ever found.
pub(crate) fn unknown(budgets: &Config, known: &mut KnownCustomers) -> Vec<String> {
    let keys = budgets.customers.keys().filter(|key| !is_known(known, key));
    let mut unknown: Vec<String> = keys.map(|key| key.as_str().to_owned()).collect();
    unknown.sort_unstable();
    unknown
}

fn is_known(known: &mut KnownCustomers, key: &CustomerKey) -> bool {
    known.find(customer_key_hash(key)).is_some()
}

/// Those of the patterns that fit none of the customers that were read as records which fit no
/// customer of the collection at all. One that fitted somebody the last time may fit somebody whose
/// item was passed over: the ledger has their names, and the next poll reads whoever it fits.
pub(crate) async fn idle(
    patterns: &[RulePattern<'_>],
    known: &mut KnownCustomers,
    ledger: &Ledger,
) -> Result<Vec<String>, LedgerError> {
    let named = patterns.iter().map(|(rule, pattern)| {
        (format!("\"{}\" of rule \"{rule}\"", pattern.as_str()), (*pattern).clone())
    });
    let was_idle = |text: &String| known.idle.as_ref().is_none_or(|idle| idle.contains(text));
    let (idle, doubtful): (Vec<_>, Vec<_>) = named.partition(|(text, _)| was_idle(text));
    let mut idle: Vec<String> = idle.into_iter().map(|(text, _)| text).collect();
    if !doubtful.is_empty() {
        let passed_over = known.passed_over().collect();
        let search = ledger.read(move |reader| find(reader, &passed_over, doubtful));
        let (left, found) = search.await?;
        for customer in found {
            if let Some(row) = known.find(customer) {
                known.keep_item(row, None);
            }
        }
        idle.extend(left);
    }
    Ok(idle)
}

/// Looks for one customer among some for each pattern, by what is recorded of them: the patterns
/// without any, and the customers.
fn find(
    reader: &Reader,
    among: &HashSet<u128>,
    mut patterns: Vec<(String, Glob)>,
) -> Result<(Vec<String>, Vec<u128>), LedgerError> {
    let mut found = Vec::new();
    reader.each_customer(|seen| {
        let customer = customer_hash(&seen.customer);
        if patterns.is_empty() || !among.contains(&customer) {
            return;
        }
        let before = patterns.len();
        let label = seen.label.as_deref();
        patterns.retain(|(_, pattern)| !fits(pattern, &seen.customer, &seen.name, label));
        if patterns.len() < before {
            found.push(customer);
        }
    })?;
    Ok((patterns.into_iter().map(|(text, _)| text).collect(), found))
}

/// Whether a pattern fits the customer's id, name or label.
pub(crate) fn fits(pattern: &Glob, customer: &CustomerId, name: &str, label: Option<&str>) -> bool {
    pattern.fits_any([Some(customer.as_str()), Some(name), label])
}
