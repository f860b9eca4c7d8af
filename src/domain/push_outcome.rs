//! What came of a budget that was pushed to Partner Center.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use crate::domain::Currency;

/// What came of a budget that was pushed to Partner Center.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum PushOutcome {
    /// Partner Center has it, as was read afterwards.
    Written,
    /// Partner Center had it already.
    Same,
    /// It was not tried, or what is there now is somebody else's.
    Skipped,
    /// Partner Center does not take it.
    Refused,
    /// It is not there, or nobody knows.
    Failed,
}

impl PushOutcome {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether Partner Center has the budget.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Written | Self::Same)
    }
}

/// A budget that was written to Partner Center.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenBudget {
    /// When it was read back.
    pub at: Timestamp,
    /// The amount that was there before; none where there was no budget.
    #[serde(with = "crate::domain::recorded")]
    pub before: Option<Decimal>,
    /// The amount.
    #[serde(with = "rust_decimal::serde::str")]
    pub amount: Decimal,
    /// The currency of both.
    pub currency: Currency,
}

impl WrittenBudget {
    /// Whether usage data that reports this amount does not show it yet: it has the one before.
    pub fn is_awaited(&self, reported: Option<Decimal>) -> bool {
        reported == self.before && reported != Some(self.amount)
    }
}
