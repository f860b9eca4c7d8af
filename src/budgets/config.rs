//! Local knowledge of customers: labels, budgets, tags, contacts.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::fast::FixedState;
use rust_decimal::Decimal;

use crate::domain::{Currency, CustomerKey, Profile};

/// Which budget is in force where two exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Prefer {
    /// The local one.
    #[default]
    Local,
    /// Partner Center's.
    PartnerCenter,
}

/// A budget set in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LocalBudget {
    /// The amount, zero or above.
    pub amount: Decimal,
    /// Its currency.
    pub currency: Currency,
}

/// What the configuration says of one customer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct LocalCustomer {
    /// Label, tags, contacts and so on.
    pub profile: Arc<Profile>,
    /// Its budget, if set here.
    pub budget: Option<LocalBudget>,
    /// The currency of a legacy customer, whose records name none.
    pub currency: Option<Currency>,
    /// What is said of its subscriptions; few customers have any.
    pub subscriptions: BTreeMap<SubscriptionKey, LocalSubscription>,
}

/// A subscription's id, lower case: ids that differ in case only are one subscription.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionKey(Box<str>);

impl SubscriptionKey {
    /// The key of an id as written by anyone, in any case.
    pub fn of(id: &str) -> Self {
        Self(id.trim().to_lowercase().into())
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the configuration says of one subscription.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LocalSubscription {
    /// The name we call it by.
    pub label: Option<String>,
    /// Its own budget for one billing period.
    pub budget: LocalBudget,
}

/// What is known of customers locally.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// By id.
    pub customers: HashMap<CustomerKey, LocalCustomer>,
    /// Which budget wins.
    pub prefer: Prefer,
    /// The currency of legacy records.
    pub legacy_currency: Option<Currency>,
}

impl Config {
    /// The same for the same knowledge, most likely another one for any other.
    pub fn fingerprint(&self) -> u64 {
        let hasher = FixedState::with_seed(0);
        // In no order: the customers' own hashes are added up.
        let customers = self.customers.iter().map(|customer| hasher.hash_one(customer));
        let customers = customers.fold(0, u64::wrapping_add);
        hasher.hash_one((customers, self.customers.len(), self.prefer, self.legacy_currency))
    }

    /// The customers that have a budget for one of their subscriptions at least, in no order.
    pub fn customers_with_subscription_budgets(
        &self,
    ) -> impl Iterator<Item = (&CustomerKey, &LocalCustomer)> {
        self.customers.iter().filter(|(_, local)| !local.subscriptions.is_empty())
    }
}
