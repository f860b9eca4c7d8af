//! What happened to a customer's data that may hide something: visible, but no alert of its own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventCode {
    /// A budget that was there is gone.
    BudgetRemoved,
    /// The budget was lowered within a billing period.
    BudgetCut,
    /// The budget was raised within a billing period.
    BudgetRaised,
    /// A budget came to a customer that had none.
    BudgetSet,
    /// The cost fell within a billing period.
    CostFell,
    /// The reported and the computed percentage began to disagree.
    PercentsDisagree,
    /// The last good poll had no record of the customer.
    Disappeared,
    /// A customer that had disappeared has a record again.
    Returned,
}

impl EventCode {
    /// Every code.
    pub const ALL: [Self; 8] = [
        Self::BudgetRemoved,
        Self::BudgetCut,
        Self::BudgetRaised,
        Self::BudgetSet,
        Self::CostFell,
        Self::PercentsDisagree,
        Self::Disappeared,
        Self::Returned,
    ];

    /// The name used in JSON and in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BudgetRemoved => "budget-removed",
            Self::BudgetCut => "budget-cut",
            Self::BudgetRaised => "budget-raised",
            Self::BudgetSet => "budget-set",
            Self::CostFell => "cost-fell",
            Self::PercentsDisagree => "percents-disagree",
            Self::Disappeared => "disappeared",
            Self::Returned => "returned",
        }
    }

    /// Reads the name used in the ledger.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }
}

/// One thing that happened to one customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerEvent {
    /// When it was noticed.
    pub at: Timestamp,
    /// What.
    pub code: EventCode,
    /// In words, with the numbers.
    pub detail: String,
}
