//! What happened to a customer's data that may hide something: visible, but no alert of its own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[derive(IntoStaticStr, VariantArray, EnumString)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
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
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name used in JSON and in the ledger.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Reads the name used in the ledger.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
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
