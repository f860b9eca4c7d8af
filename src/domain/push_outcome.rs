//! What came of a budget that was pushed to Partner Center.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// What came of a budget that was pushed to Partner Center.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
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
