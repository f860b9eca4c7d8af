//! What a poll carries from reading to recording: records that may be news, customers that may
//! alert, and what is counted on the way.

use std::collections::HashMap;

use crate::alerting::judging::duplicates;
use crate::alerting::{Decided, RememberedCustomer};
use crate::budgets::Joined;

/// A record that may be news, until it is looked up with others.
pub(crate) struct Pending {
    pub(crate) joined: Joined,
    pub(crate) fingerprint: u64,
    pub(crate) changed: bool,
    /// The fingerprint of another copy that this poll read, if it did.
    pub(crate) other: Option<u64>,
    /// Whether its age counts.
    pub(crate) aged: bool,
    /// Whether the ledger has nothing of the customer yet, so that nothing is to be looked up.
    pub(crate) is_new: bool,
}

impl Pending {
    /// A record that says something new.
    pub(crate) fn new(joined: Joined, fingerprint: u64) -> Self {
        Self { joined, fingerprint, changed: true, other: None, aged: false, is_new: false }
    }
}

/// A customer that may be about to alert, with all that deciding again needs.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) joined: Joined,
    pub(crate) fingerprint: u64,
    pub(crate) aged: bool,
    pub(crate) remembered: Option<RememberedCustomer>,
    pub(crate) decided: Decided,
}

/// What was counted on the way.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) duplicates: u64,
    pub(crate) passed: u64,
    pub(crate) clashes: Vec<String>,
    pub(crate) unknown_currencies: u64,
    /// Records whose percentage is not that of their cost and budget.
    pub(crate) percents_disagree: u64,
    /// Customers whose subscriptions could not be read, each with why.
    pub(crate) unread: Vec<String>,
    /// Subscriptions with budgets of which no usage was ever found.
    pub(crate) never_seen: Vec<String>,
    /// Customers that are described here and of whom no usage was ever found.
    pub(crate) unknown: Vec<String>,
    /// Patterns of rules that fit no customer.
    pub(crate) idle: Vec<String>,
    /// Customers that no rule can alert about, by the metric's reasons.
    pub(crate) uncovered: HashMap<&'static str, i64>,
}

impl Tally {
    pub(crate) fn count(&mut self, decided: &Decided) {
        self.duplicates += u64::from(duplicates(decided));
        self.count_passed(decided);
    }

    pub(crate) fn count_passed(&mut self, decided: &Decided) {
        let passed = decided.late.len()
            + decided.raise.iter().map(|raise| raise.passed.len()).sum::<usize>();
        self.passed += u64::try_from(passed).unwrap_or(u64::MAX);
    }
}
