//! Whether what must be kept can be written: what `/readyz`, `status`, the gauge and the operator's
//! message go by. Who writes what, and how often it is tried again, is the loops'.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus::IntGauge;

/// Since when something cannot be written, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteFailure {
    /// Since when, by the wall clock.
    pub since: Timestamp,
    /// The same by the monotonic clock.
    pub began: Duration,
    /// Why, one line.
    pub why: String,
}

/// The writers whose last write failed, by name. Cloning shares it.
#[derive(Clone)]
pub struct Writes {
    failing: Arc<Mutex<BTreeMap<String, WriteFailure>>>,
    /// `ledger_writable`.
    writable: IntGauge,
    /// `operator_findings{code="ledger-unwritable"}`: this finding is in no ledger.
    finding: IntGauge,
}

impl Writes {
    /// Everything can be written, until somebody says otherwise.
    pub(super) fn new(writable: IntGauge, finding: IntGauge) -> Self {
        writable.set(1);
        Self { failing: Arc::default(), writable, finding }
    }

    /// A writer could not write. A failure that lasts keeps its beginning.
    pub fn failed(&self, writer: &str, failure: WriteFailure) {
        let mut failing = self.lock();
        let (since, began) = failing
            .get(writer)
            .map_or((failure.since, failure.began), |last| (last.since, last.began));
        failing.insert(writer.to_owned(), WriteFailure { since, began, ..failure });
        self.show(&failing);
    }

    /// A writer has written, or has ended.
    pub fn succeeded(&self, writer: &str) {
        self.succeeded_all(|failing| failing == writer);
    }

    /// The same for several writers.
    pub fn succeeded_all(&self, which: impl Fn(&str) -> bool) {
        let mut failing = self.lock();
        failing.retain(|writer, _| !which(writer));
        self.show(&failing);
    }

    /// What has not been written for the longest time; none while all can be written.
    pub fn failure(&self) -> Option<WriteFailure> {
        self.lock().values().min_by_key(|failure| failure.began).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, WriteFailure>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, failing: &BTreeMap<String, WriteFailure>) {
        self.writable.set(i64::from(failing.is_empty()));
        self.finding.set(i64::from(!failing.is_empty()));
    }
}
