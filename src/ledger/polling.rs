//! The ledger of polls: what the next one must know, and what it leaves behind.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::alerting::KnownCustomer;
use crate::ledger::Ledger;
use crate::ledger::entry::PollResult;
use crate::ledger::error::LedgerError;
use crate::ledger::sql::Connection;
use crate::ledger::store::count;
use crate::ledger::table::{collection, history, polls};

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

    /// Keeps what is known of every customer after a poll under this configuration, with the
    /// patterns of rules that fit nobody.
    pub async fn keep_customers(
        &self,
        customers: Vec<KnownCustomer>,
        idle: Vec<String>,
        configuration: u64,
    ) -> Result<(), LedgerError> {
        let keep = move |connection: &Connection| {
            collection::keep(connection, &customers, &idle, configuration)
        };
        self.thread.write(keep).await
    }

    /// Keeps the result of a poll; a good one settles its rules.
    pub async fn finish_poll(&self, result: PollResult) -> Result<(), LedgerError> {
        self.thread.write(move |connection| polls::keep(connection, &result)).await?;
        self.checkpoint().await;
        Ok(())
    }
}
