//! How polls, notifiers and attempts fared.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{Recipients, SentMessage};

/// The result of a poll, for the ledger and `status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollResult {
    /// When it ended.
    pub at: Timestamp,
    /// Whether the source was read whole.
    pub good: bool,
    /// How many records were used.
    pub records: u64,
    /// How many were skipped.
    pub skipped: u64,
    /// How many alerts it raised.
    pub alerts: u64,
    /// The newest date of the data.
    pub newest: Option<Timestamp>,
    /// Why it failed, or what was odd.
    pub errors: Vec<String>,
    /// How many customers could never alert, or fewer: what a growth is measured against; none =
    /// not counted.
    pub uncovered: Option<u64>,
    /// The rules in force, which a good poll settles.
    pub rules: Vec<Box<str>>,
}

/// Alerts that were raised one after another, by their rows: after the one, up to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRows {
    /// The last row before them.
    pub after: i64,
    /// The last of them.
    pub to: i64,
}

/// How a notifier's destination is doing, across restarts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotifierState {
    /// Probes that failed in a row; 0 = not in backoff.
    pub failures: u32,
    /// When the destination began to fail.
    pub failing_since: Option<Timestamp>,
    /// When the next probe may be made, wall clock.
    pub next_probe_at: Option<Timestamp>,
    /// All failed probes ever; a delivery's share is the difference since its recording.
    pub probes: u64,
    /// All time ever in which probes were possible while it failed; likewise.
    pub possible: Duration,
    /// The last failure, without secrets.
    pub last_error: Option<String>,
}

/// How an attempt ended, for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// The delivery.
    pub delivery: Uuid,
    /// When it ended.
    pub at: Timestamp,
    /// One of the metric's outcomes.
    pub outcome: &'static str,
    /// What the destination said, without secrets.
    pub detail: String,
    /// What it was handed, where that is known.
    pub message: Option<Arc<SentMessage>>,
}

/// When a delivery is given up: both limits must be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GiveUp {
    /// Time in which probes were possible, since the delivery was recorded.
    pub after: Duration,
    /// Failed probes of the notifier since then.
    pub probes: u64,
}

/// Which dead deliveries are to be owed again; all of them when nothing is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetryFilter {
    /// Those of this notifier.
    pub notifier: Option<String>,
    /// Those with these ids.
    pub ids: Vec<Uuid>,
}

/// Which held deliveries are meant; all of them when nothing is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HoldFilter {
    /// Those to this notifier.
    pub notifier: Option<String>,
    /// Those about this customer.
    pub customer: Option<crate::domain::CustomerKey>,
    /// Those with these ids.
    pub ids: Vec<Uuid>,
}

/// Another notifier that is to get what was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryTo {
    /// Its name.
    pub notifier: String,
    /// To whom its messages go.
    pub recipients: Recipients,
    /// Whether it keeps incidents, which the end of another notifier's alert must not end.
    pub has_incidents: bool,
}
