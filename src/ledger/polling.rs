//! The ledger of polls: what the next one must know, and what it leaves behind.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::ledger::Ledger;
use crate::ledger::entry::PollResult;
use crate::ledger::error::LedgerError;
use crate::ledger::store::count;
use crate::ledger::table::{history, polls};

impl Ledger {
    /// Marks customers, by their folds, as gone from the last good poll, or as there again. Writes
    /// nothing for nobody.
    pub async fn note_presence(
        &self,
        folds: HashSet<u128>,
        gone: bool,
        now: Timestamp,
    ) -> Result<u64, LedgerError> {
        if folds.is_empty() {
            return Ok(0);
        }
        self.thread
            .write(move |connection| history::note_presence(connection, &folds, gone, now))
            .await
            .map(count)
    }

    /// Keeps the result of a poll; a good one settles its rules.
    pub async fn finish_poll(&self, result: PollResult) -> Result<(), LedgerError> {
        self.thread.write(move |connection| polls::keep(connection, &result)).await?;
        self.checkpoint().await;
        Ok(())
    }
}
