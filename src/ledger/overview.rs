//! What the overview of customers asks for and gets: a page of them, the worst first, and what
//! all of them come to.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::alerting::CustomerState;
use crate::domain::{CustomerKey, Plan, Sample, Severity, name_key};

/// Where a page of customers goes on: behind one of them, by its place in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CustomerCursor {
    /// Its rank.
    pub(in crate::ledger) worst: i64,
    /// Its row.
    pub(in crate::ledger) row: i64,
}

impl CustomerCursor {
    /// As it stands in an address.
    pub fn as_text(self) -> String {
        format!("{}-{}", self.worst, self.row)
    }

    /// Reads what [`Self::as_text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (worst, row) = text.split_once('-')?;
        Some(Self { worst: worst.parse().ok()?, row: row.parse().ok()? })
    }
}

/// Which customers to list; all of them when nothing is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerFilter {
    /// A part of the name, the label or the id, as [`name_key`] has it.
    pub wanted: Option<String>,
    /// Of this plan.
    pub plan: Option<Plan>,
    /// With costs in this currency; an empty one stands for those of unknown currency.
    pub currency: Option<String>,
    /// Only these.
    pub keys: Option<HashSet<CustomerKey>>,
    /// With an open alert of this severity.
    pub severity: Option<Severity>,
    /// Whether there is a budget.
    pub has_budget: Option<bool>,
    /// Whether somebody knows of all its open alerts; those without any are neither.
    pub acknowledged: Option<bool>,
}

impl CustomerFilter {
    /// Takes a part of a name in any case and form.
    #[must_use]
    pub fn named(self, text: &str) -> Self {
        let wanted = name_key(text);
        Self { wanted: (!wanted.is_empty()).then_some(wanted), ..self }
    }

    /// Whether it lists all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A page of customers.
#[derive(Debug, Clone)]
pub struct CustomerPage {
    /// The worst first.
    pub rows: Vec<CustomerRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<CustomerCursor>,
    /// How many there are on all pages.
    pub total: u64,
}

/// A customer in the overview.
#[derive(Debug, Clone)]
pub struct CustomerRow {
    /// Its last seen state.
    pub seen: CustomerState,
    /// The dates of its data in the last 30 days, oldest first; of each what was read last.
    pub samples: Vec<Sample>,
    /// Its alerts that are not over.
    pub open: OpenOfCustomer,
    /// Who was told of an alert of it last, and when.
    pub told: Option<(String, Timestamp)>,
}

/// The alerts of a customer that are not over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenOfCustomer {
    /// How many there are.
    pub count: u64,
    /// The severity of the worst of them.
    pub severity: Option<Severity>,
    /// How many of them nobody has acknowledged.
    pub unacknowledged: u64,
    /// Who acknowledged the newest that somebody did, and when.
    pub acknowledged: Option<(Timestamp, String)>,
}

/// What all customers come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerTotals {
    /// How many customers there are, subscriptions with budgets of their own counted too.
    pub customers: u64,
    /// How many are at or over their budget.
    pub over: u64,
    /// How many US cents the ones with such costs are over, about.
    pub over_cents: u64,
    /// How many are over it, and have no cost in US dollars.
    pub over_uncounted: u64,
    /// Customers with an open critical alert that nobody has acknowledged.
    pub unacknowledged_critical: u64,
    /// Customers with any other open alert that nobody has acknowledged.
    pub unacknowledged_other: u64,
    /// Customers whose open alerts are all acknowledged.
    pub acknowledged: u64,
}
