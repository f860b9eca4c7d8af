//! How many customers cross in one poll, and whether that can be true: wrong prices or currencies
//! cross everywhere at once. Messages to customers then wait until a person releases them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::alerting::{NewAlert, NewMessage};
use crate::domain::{Alert, Audience, CustomerKey};

/// More customers than this, and more than one in twenty, do not cross a step in one poll by
/// chance.
const MANY: usize = 20;

/// Customers that crossed in one poll.
#[derive(Debug, Clone, Default)]
pub struct CrossingCustomers {
    /// How many.
    pub customers: usize,
    /// The three with the highest cost in US dollars.
    pub costliest: Vec<Alert>,
}

impl CrossingCustomers {
    /// Adds the alerts of further customers.
    pub(crate) fn add(&mut self, owed: &[NewAlert]) {
        let mut customers: BTreeMap<CustomerKey, &Alert> = BTreeMap::new();
        for alert in worst_first(owed).into_iter().filter(|alert| !alert.baseline) {
            customers.entry(alert.customer.id.key()).or_insert(alert);
        }
        self.customers = self.customers.saturating_add(customers.len());
        let mut alerts: Vec<&Alert> = customers.into_values().collect();
        alerts.sort_by_key(|alert| Reverse((alert.cost.usd, alert.cost.amount)));
        self.costliest.extend(alerts.into_iter().take(3).cloned());
        self.costliest.sort_by_key(|alert| Reverse((alert.cost.usd, alert.cost.amount)));
        self.costliest.truncate(3);
    }

    /// Whether these are suspiciously many in a poll of so many records.
    pub(crate) fn is_suspicious(&self, records: u64) -> bool {
        is_suspicious(self.customers, records)
    }
}

/// Whether suspiciously many customers crossed a step in a poll of so many records.
pub(crate) fn is_suspicious(customers: usize, records: u64) -> bool {
    customers > MANY && u64::try_from(customers).unwrap_or(u64::MAX).saturating_mul(20) > records
}

/// The alerts, the worst first.
pub(crate) fn worst_first(owed: &[NewAlert]) -> Vec<&Alert> {
    let mut alerts: Vec<&Alert> = owed.iter().map(|new| &new.snapshot.alert).collect();
    alerts.sort_by(|a, b| a.worst_first(b));
    alerts
}

/// Lets messages to customers wait until somebody releases them.
pub(crate) fn hold_if(hold: bool, messages: &mut [NewMessage]) {
    for message in messages {
        message.held = hold && message.audience == Audience::Customer;
    }
}
