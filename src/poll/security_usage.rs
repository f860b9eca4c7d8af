//! What is known of the usage of those whom security alerts are about, and what was spent since.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::alerting::{Depth, RememberedCustomer, spent_since};
use crate::domain::{CustomerKey, SecurityAlert, Spent};
use crate::ledger::LedgerError;
use crate::poll::cycle::Cycle;
use crate::poll::security_standing::Standing;

/// How much of a customer's history says what it has spent since.
const HISTORY: Depth = Depth { samples: 400, spikes: false };

/// Customers, and the subscriptions that have budgets of their own: of no others the costs are
/// remembered.
pub(super) struct KnownUsage(HashMap<CustomerKey, RememberedCustomer>);

impl Cycle {
    /// What is known of the usage of those whom these are about.
    pub(super) async fn usage_of(
        &self,
        stands: &[Standing<'_>],
    ) -> Result<KnownUsage, LedgerError> {
        let now = self.clock.now();
        let alerts = || stands.iter().map(|one| &one.state.alert);
        let customers = alerts().map(|alert| alert.customer.key());
        let keys: HashSet<CustomerKey> =
            customers.chain(alerts().filter_map(of_subscription)).collect();
        let keys = keys.into_iter().map(|key| (key, now)).collect();
        self.ledger.recall(keys, HISTORY).await.map(KnownUsage)
    }
}

impl KnownUsage {
    /// The customer.
    pub(super) fn customer(&self, alert: &SecurityAlert) -> Option<&RememberedCustomer> {
        self.0.get(&alert.customer.key())
    }

    /// What was spent since: in the subscription where that is remembered, else by the customer.
    pub(super) fn spent(&self, alert: &SecurityAlert, since: Timestamp) -> Option<Spent> {
        let customer = self.customer(alert)?;
        let is_alike = |own: &&RememberedCustomer| own.seen.currency == customer.seen.currency;
        let own = of_subscription(alert).and_then(|key| self.0.get(&key)).filter(is_alike);
        own.and_then(|own| spent_since(own, since)).or_else(|| spent_since(customer, since))
    }
}

/// The key of the subscription that it is about.
fn of_subscription(alert: &SecurityAlert) -> Option<CustomerKey> {
    Some(CustomerKey::of_subscription(&alert.customer, alert.only_subscription()?))
}
