//! What the alerts of a digest come to: by severity, and in money by currency. Amounts of different
//! currencies are never added, unknown ones not even to each other.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::domain::{Alert, Currency, Severity};
use crate::notify::message::rows::{Row, known};
use crate::text::amounts::{estimate, money};

/// The totals of `alerts`, in words.
pub(super) fn totals<'a>(
    alerts: &(impl Iterator<Item = &'a Alert> + Clone),
    of_part: bool,
) -> Vec<Row> {
    let customers = each_once(alerts.clone().filter(|alert| alert.has_usage()));
    let cost = Sum::of(customers.iter().map(|alert| (alert, Some(alert.cost.amount), usd(alert))));
    let over = Sum::of(
        customers
            .iter()
            .filter(|alert| alert.over().is_some())
            .map(|alert| (alert, alert.over(), usd_over(alert))),
    );
    let here = if of_part { " (in this part)" } else { "" };
    let told = |sum: &Sum| {
        Some(sum.in_words()).filter(|text| !text.is_empty()).map(|text| format!("{text}{here}"))
    };
    known([
        ("Alerts", Some(format!("{}{here}", by_severity(alerts)))),
        ("Cost", told(&cost)),
        ("Over", told(&over)),
    ])
}

/// `3 critical · 9 warning`.
fn by_severity<'a>(alerts: &(impl Iterator<Item = &'a Alert> + Clone)) -> String {
    let count = |severity: Severity| {
        (severity, alerts.clone().filter(|alert| alert.severity == severity).count())
    };
    let counted = Severity::ALL.iter().rev().copied().map(count).filter(|(_, count)| *count > 0);
    counted
        .map(|(severity, count)| format!("{count} {}", severity.as_str()))
        .collect::<Vec<_>>()
        .join(" · ")
}

/// Each customer and period once, whatever alerts there are; a subscription alone only where its
/// customer is not there as a whole.
fn each_once<'a>(alerts: impl Iterator<Item = &'a Alert>) -> Vec<&'a Alert> {
    let mut found: BTreeMap<_, &Alert> = BTreeMap::new();
    for alert in alerts {
        let key = (
            alert.customer.id.key().as_str().to_owned(),
            alert.billing_period.start,
            alert.subscription.clone(),
        );
        found.entry(key).or_insert(alert);
    }
    let is_part = |key: &(String, jiff::Timestamp, Option<String>)| {
        key.2.is_some() && found.contains_key(&(key.0.clone(), key.1, None))
    };
    found.iter().filter(|(key, _)| !is_part(key)).map(|(_, alert)| *alert).collect()
}

/// The cost in US dollars, as told or as it is.
fn usd(alert: &Alert) -> Option<Decimal> {
    alert.cost.usd.or_else(|| in_dollars(alert).then_some(alert.cost.amount))
}

fn usd_over(alert: &Alert) -> Option<Decimal> {
    if in_dollars(alert) { alert.over() } else { alert.usd_over() }
}

fn in_dollars(alert: &Alert) -> bool {
    alert.cost.currency.is_some_and(|currency| currency.as_str() == "USD")
}

/// A sum for each currency.
#[derive(Default)]
struct Sum {
    amounts: BTreeMap<String, (Currency, Decimal)>,
    /// How many customers are in no known currency.
    unknown: u32,
    dollars: Decimal,
    /// How many customers have an amount in dollars, and how many none.
    with_dollars: u32,
    without_dollars: u32,
}

impl Sum {
    fn of<'a>(
        parts: impl Iterator<Item = (&'a &'a Alert, Option<Decimal>, Option<Decimal>)>,
    ) -> Self {
        let mut sum = Self::default();
        for (alert, amount, dollars) in parts {
            match (alert.cost.currency, amount) {
                (Some(currency), Some(amount)) => {
                    let (_, total) = sum
                        .amounts
                        .entry(currency.as_str().to_owned())
                        .or_insert((currency, Decimal::ZERO));
                    *total = total.saturating_add(amount);
                }
                _ => sum.unknown += 1,
            }
            match dollars {
                Some(dollars) => {
                    (sum.dollars, sum.with_dollars) =
                        (sum.dollars.saturating_add(dollars), sum.with_dollars + 1);
                }
                None => sum.without_dollars += 1,
            }
        }
        sum
    }

    /// `67,000 GBP · 100,500 SEK; about 18,000 USD in all (without 1 customer that has no cost in USD)`.
    fn in_words(&self) -> String {
        let amounts = self.amounts.values().map(|(currency, total)| money(*total, Some(*currency)));
        let unknown = match self.unknown {
            0 => None,
            1 => Some("1 customer in an unknown currency".to_owned()),
            many => Some(format!("{many} customers in unknown currencies")),
        };
        let amounts = amounts.chain(unknown).collect::<Vec<_>>().join(" · ");
        let dollars_alone =
            self.unknown == 0 && self.amounts.len() == 1 && self.amounts.contains_key("USD");
        if self.with_dollars == 0 || dollars_alone {
            return amounts;
        }
        let without = match self.without_dollars {
            0 => String::new(),
            1 => " (without 1 customer that has no cost in USD)".to_owned(),
            many => format!(" (without {many} customers that have no cost in USD)"),
        };
        format!("{amounts}; about {} USD in all{without}", estimate(self.dollars))
    }
}
