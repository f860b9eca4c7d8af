//! Local knowledge of customers: labels, budgets, tags, contacts.

use std::collections::HashMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::domain::{Currency, CustomerKey, Profile};

/// Which budget is in force where two exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prefer {
    /// The local one.
    #[default]
    Local,
    /// Partner Center's.
    PartnerCenter,
}

/// A budget set in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalBudget {
    /// The amount, zero or above.
    pub amount: Decimal,
    /// Its currency.
    pub currency: Currency,
}

/// What the configuration says of one customer.
#[derive(Debug, Clone, Default)]
pub struct LocalCustomer {
    /// Label, tags, contacts and so on.
    pub profile: Arc<Profile>,
    /// Its budget, if set here.
    pub budget: Option<LocalBudget>,
    /// The currency of a legacy customer, whose records name none.
    pub currency: Option<Currency>,
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
