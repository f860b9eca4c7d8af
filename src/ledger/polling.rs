//! The ledger of polls: what the next one must know, and what it leaves behind.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::alerting::{Interim, PollMemory};
use crate::domain::Alert;
use crate::ledger::Ledger;
use crate::ledger::entry::{AlertRows, PollResult};
use crate::ledger::error::LedgerError;
use crate::ledger::store::count;
use crate::ledger::table::{history, listings, polls};

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

    /// What the next poll must know of those before it.
    pub async fn poll_memory(&self) -> Result<PollMemory, LedgerError> {
        self.thread.run(|connection| polls::memory(connection)).await
    }

    /// What a poll that recorded in slices knew last, when it was broken off.
    pub async fn interim(&self) -> Result<Option<Interim>, LedgerError> {
        self.thread.run(|connection| polls::interim(connection)).await
    }

    /// What a poll knows that is about to record in slices.
    pub async fn new_interim(&self) -> Result<Interim, LedgerError> {
        self.thread
            .run(|connection| {
                Ok(Interim { after: polls::last_delivery(connection)?, ..Interim::default() })
            })
            .await
    }

    /// The row of the last alert.
    pub async fn last_alert(&self) -> Result<i64, LedgerError> {
        self.thread.run(|connection| polls::last_alert(connection)).await
    }

    /// The first of some alerts, no more than `limit`, each with its row.
    pub async fn raised(
        &self,
        rows: AlertRows,
        limit: u32,
    ) -> Result<Vec<(i64, Alert)>, LedgerError> {
        self.thread.run(move |connection| listings::raised(connection, rows, limit)).await
    }

    /// Keeps the result of a poll; a good one settles its rules.
    pub async fn finish_poll(&self, result: PollResult) -> Result<(), LedgerError> {
        self.thread.write(move |connection| polls::keep(connection, &result)).await?;
        self.checkpoint().await;
        Ok(())
    }
}
