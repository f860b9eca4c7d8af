//! The ledger of deliveries that stand in for others.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::Route;
use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::store::count;
use crate::ledger::table::standins;

/// What a look at a notifier's deliveries came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoodIn {
    /// How many deliveries are owed to other notifiers by it.
    pub owed: u64,
    /// When the oldest of those was recorded for which nobody stands in yet.
    pub next: Option<Timestamp>,
}

impl Ledger {
    /// Owes to other notifiers what this one has given up, and what it has owed since `overdue` or
    /// longer: each message once, unless the other tells the same anyway. Where not `all` its
    /// recipients fail, what it has owed is that to those who are deferred. Writes nothing when
    /// there is nothing of the kind.
    pub async fn fall_back(
        &self,
        notifier: &str,
        overdue: Option<Timestamp>,
        all: bool,
        to: Arc<[Route]>,
        now: Timestamp,
    ) -> Result<StoodIn, LedgerError> {
        let name = notifier.to_owned();
        let (unaided, next) = self
            .thread
            .run(move |connection| standins::unaided(connection, &name, overdue, all, now))
            .await?;
        if unaided.is_empty() {
            return Ok(StoodIn { owed: 0, next });
        }
        let name = notifier.to_owned();
        let owed = self
            .thread
            .write(move |connection| standins::fall_back(connection, &name, &unaided, &to, now))
            .await?;
        Ok(StoodIn { owed: count(owed), next })
    }
}
