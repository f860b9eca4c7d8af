//! What a poll did, for whoever asked for it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{AlertSnapshot, OperatorFinding};
use crate::ledger::AlertRows;
use crate::poll::crossing::CrossingCustomers;

/// Crossings that raised no alert of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// Pairs of customer and rule whose highest crossed step was raised or passed before.
    pub duplicate: u64,
    /// Steps recorded as passed.
    pub passed: u64,
    /// Alerts recorded as silenced.
    pub silenced: u64,
}

/// What a poll did.
#[derive(Debug, Clone)]
pub struct CycleReport {
    /// Usable records.
    pub records: u64,
    /// Records that could not be used.
    pub skipped: u64,
    /// What it raised, worst first; of a mass crossing the worst.
    pub alerts: Vec<AlertSnapshot>,
    /// How many alerts it raised.
    pub raised: u64,
    /// Where the ledger has all of them, of a mass crossing.
    pub rows: Option<AlertRows>,
    /// The customers of those that are no first account.
    pub crossing: CrossingCustomers,
    /// What it kept silent.
    pub suppressed: Suppressed,
    /// Whether the source was read whole.
    pub good: bool,
    /// What went wrong or was odd, in words.
    pub errors: Vec<String>,
    /// The newest date of the data.
    pub newest: Option<Timestamp>,
    /// Why the source could not be read whole, for the operator.
    pub failure: Option<OperatorFinding>,
    /// The source asked not to be polled again before this time is over.
    pub retry_after: Option<Duration>,
}
