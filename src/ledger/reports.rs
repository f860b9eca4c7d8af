//! The ledger of reports: which occasion was reported last, and what is owed for it.

use jiff::Timestamp;

use crate::alerting::NewMessage;
use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::table::reports;

impl Ledger {
    /// Records that an occasion is reported, with what is owed for it: both or nothing. Nothing
    /// where another one than `before` was recorded meanwhile; returns whether it was recorded.
    pub async fn record_report(
        &self,
        before: Option<Timestamp>,
        occasion: Timestamp,
        messages: Vec<NewMessage>,
        now: Timestamp,
    ) -> Result<bool, LedgerError> {
        self.thread
            .write(move |connection| reports::record(connection, before, occasion, &messages, now))
            .await
    }
}
