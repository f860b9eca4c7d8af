//! What a digest comes to of which only the worst alerts are told one by one.

use std::collections::{BTreeMap, HashSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::{Alert, Currency, Severity};

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

impl DigestTotals {
    /// What these alerts come to. What a customer is over its budget counts once.
    pub fn of(alerts: &[&Alert], left_out: u32) -> Self {
        let (mut by_severity, mut by_currency) = (
            BTreeMap::<Severity, u32>::new(),
            BTreeMap::<Option<String>, (Option<Currency>, u32, Decimal)>::new(),
        );
        let mut customers = HashSet::new();
        for alert in alerts {
            *by_severity.entry(alert.severity).or_default() += 1;
            let code = alert.cost.currency.map(|currency| currency.to_string());
            let (_, count, over) =
                by_currency.entry(code).or_insert((alert.cost.currency, 0, Decimal::ZERO));
            *count += 1;
            if customers.insert(alert.key()) {
                *over = over.saturating_add(alert.over().unwrap_or_default());
            }
        }
        Self {
            left_out,
            by_severity: by_severity.into_iter().rev().collect(),
            by_currency: by_currency.into_values().collect(),
        }
    }
}
