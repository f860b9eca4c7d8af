//! The ledger of polls: what the next one must know, what it leaves behind, and history, which is thinned once a day.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::ledger::Ledger;
use crate::ledger::entry::{PollMemory, PollResult};
use crate::ledger::error::LedgerError;
use crate::ledger::polled;
use crate::ledger::store::count;
use crate::ledger::table::{history, polls};

/// How often history is thinned.
const THIN_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// How many customers' history is thinned in one transaction.
const THIN_AT_ONCE: u32 = 1000;

impl Ledger {
    /// Marks customers, by their folds, as gone from the last good poll, or as there again. Writes nothing for nobody.
    pub async fn note_presence(&self, folds: HashSet<u128>, gone: bool, now: Timestamp) -> Result<u64, LedgerError> {
        if folds.is_empty() {
            return Ok(0);
        }
        self.thread.write(move |connection| history::note_presence(connection, &folds, gone, now)).await.map(count)
    }

    /// Thins history once a day: each change is kept for 8 days, then one sample a day, then nothing. In small pieces, so that
    /// nobody waits long.
    pub async fn thin_history(&self, now: Timestamp) -> Result<(), LedgerError> {
        let (last, good) = self.thread.run(|connection| Ok((history::pruned_at(connection)?, polls::result(connection, "good")?))).await?;
        // A clock that was ahead proves nothing: neither that history has been thinned, nor that all of it is old.
        let last = last.filter(|last| *last <= now);
        let until = good.and_then(|good| good.newest).map_or(now, |newest| newest.min(now));
        if last.is_some_and(|last| now.duration_since(last) < THIN_EVERY) {
            return Ok(());
        }
        let retention = SignedDuration::try_from(self.retention).unwrap_or(SignedDuration::MAX);
        let keep_from = until.saturating_sub(retention).unwrap_or(Timestamp::MIN);
        let thinning = history::Thinning { keep_from, thinned_to: last.map(|last| last.min(until)), now: until };
        let mut next = Some(i64::MIN);
        while let Some(first) = next {
            next = self.thread.write(move |connection| history::thin(connection, first, THIN_AT_ONCE, &thinning)).await?;
        }
        self.thread.write(move |connection| history::set_pruned_at(connection, now)).await
    }

    /// What the next poll must know of those before it.
    pub async fn poll_memory(&self) -> Result<PollMemory, LedgerError> {
        let memory = self.thread.run(|connection| polls::memory(connection)).await?;
        let steady = self.file.as_deref().and_then(polled::at);
        Ok(PollMemory { last_good_at: memory.last_good_at.map(|at| steady.unwrap_or(at)), ..memory })
    }

    /// Keeps the result of a poll; a good one settles its rules. One that found everything as it was writes nothing but its
    /// time, and that beside the ledger.
    pub async fn finish_poll(&self, result: PollResult) -> Result<(), LedgerError> {
        let (asked, file) = (result.clone(), self.file.clone());
        let steady = file.is_some() && self.thread.run(move |connection| polls::is_steady(connection, &asked)).await?;
        let Some(file) = file.filter(|file| steady && polled::note(file, result.at).is_ok()) else {
            // The time of a good poll that is known only from beside the ledger outlives a failed one.
            let good_at = self.file.as_deref().and_then(polled::at);
            self.thread.write(move |connection| polls::keep(connection, &result, good_at)).await?;
            self.file.as_deref().into_iter().for_each(polled::forget);
            return Ok(());
        };
        tracing::debug!(ledger.path = %file.display(), "a poll without news");
        Ok(())
    }
}
