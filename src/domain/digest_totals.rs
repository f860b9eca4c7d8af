//! What a digest comes to of which only the worst alerts are told one by one.

use std::collections::{BTreeMap, HashSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::{Alert, Currency, CustomerKey, Severity};

/// All alerts of a digest together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DigestTotals {
    /// How many of them are in no part.
    pub left_out: u32,
    /// How many there are of each severity, the worst first.
    pub by_severity: Vec<(Severity, u32)>,
    /// How many there are in each currency, and what their customers are over their budgets; none =
    /// the currency is unknown.
    pub by_currency: Vec<(Option<Currency>, u32, Decimal)>,
}

/// Adds up alerts. What a customer is over its budget counts once, and with it what its
/// subscriptions are over theirs: their cost is part of its own.
#[derive(Debug, Default)]
pub struct DigestSum {
    by_severity: BTreeMap<Severity, u32>,
    by_currency: BTreeMap<Option<String>, (Option<Currency>, u32, Decimal)>,
    customers: HashSet<CustomerKey>,
    /// Of subscriptions: they count where their customer does not.
    subscriptions: BTreeMap<String, (CustomerKey, Option<Currency>, Decimal)>,
}

impl DigestSum {
    /// Adds an alert about this customer, which is `over` its budget by so much.
    pub fn add(
        &mut self,
        severity: Severity,
        customer: CustomerKey,
        currency: Option<Currency>,
        over: Option<Decimal>,
    ) {
        let over = over.unwrap_or_default();
        *self.by_severity.entry(severity).or_default() += 1;
        *self.of_currency(currency).0 += 1;
        if customer.is_subscription() {
            let whole = customer.of_whole();
            let key = customer.as_str().to_owned();
            self.subscriptions.entry(key).or_insert((whole, currency, over));
        } else if self.customers.insert(customer) {
            self.add_money(currency, over);
        }
    }

    /// What they come to, where so many are in no part.
    pub fn totals(mut self, left_out: u32) -> DigestTotals {
        for (whole, currency, over) in std::mem::take(&mut self.subscriptions).into_values() {
            if !self.customers.contains(&whole) {
                self.add_money(currency, over);
            }
        }
        DigestTotals {
            left_out,
            by_severity: self.by_severity.into_iter().rev().collect(),
            by_currency: self.by_currency.into_values().collect(),
        }
    }

    fn of_currency(&mut self, currency: Option<Currency>) -> (&mut u32, &mut Decimal) {
        let code = currency.map(|currency| currency.to_string());
        let (_, count, over) = self.by_currency.entry(code).or_insert((currency, 0, Decimal::ZERO));
        (count, over)
    }

    fn add_money(&mut self, currency: Option<Currency>, over: Decimal) {
        let (_, sum) = self.of_currency(currency);
        *sum = sum.saturating_add(over);
    }
}

impl DigestTotals {
    /// What these alerts come to.
    pub fn of(alerts: &[&Alert], left_out: u32) -> Self {
        let mut sum = DigestSum::default();
        for alert in alerts {
            sum.add(alert.severity, alert.key(), alert.cost.currency, alert.over());
        }
        sum.totals(left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_money_of_a_customer_counts_once() {
        let (sek, mut sum) = (Currency::try_new("SEK").ok(), DigestSum::default());
        let id = |text: &str| crate::domain::CustomerId::try_new(text).unwrap();
        let part = |customer: &str, name: &str| CustomerKey::of_subscription(&id(customer), name);
        for (key, over) in [
            (part("a", "one"), 7),
            (CustomerKey::of("a"), 10),
            (CustomerKey::of("a"), 10),
            (part("b", "one"), 1),
            (part("b", "one"), 1),
            (part("b", "two"), 2),
        ] {
            sum.add(Severity::Warning, key, sek, Some(Decimal::from(over)));
        }
        let totals = sum.totals(4);
        assert_eq!(totals.by_currency, [(sek, 6, Decimal::from(13))]);
        assert_eq!((totals.by_severity, totals.left_out), (vec![(Severity::Warning, 6)], 4));
    }
}
