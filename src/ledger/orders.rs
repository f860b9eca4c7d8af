//! What people order about deliveries, each with its event in the chain.

use jiff::Timestamp;
use serde::Serialize;

use crate::ledger::Ledger;
use crate::ledger::entry::{HoldFilter, RetryFilter, RetryTo};
use crate::ledger::error::LedgerError;
use crate::ledger::sql::{self, Connection};
use crate::ledger::store::count;
use crate::ledger::table::chain::{self, EventKind};
use crate::ledger::table::{holds, retry};

impl Ledger {
    /// Owes again what was given up, to the same notifier or to another; the shares of its failures
    /// start again. Returns how many deliveries are owed by it.
    pub async fn retry(
        &self,
        filter: RetryFilter,
        now: Timestamp,
        to: Option<RetryTo>,
    ) -> Result<u64, LedgerError> {
        let by = self.author.clone();
        self.thread
            .order(move |connection| {
                let owed = retry::revive(connection, &filter, to.as_ref(), now)?;
                let order = Order {
                    what: "deliveries retry",
                    by,
                    deliveries: owed,
                    notifier: filter.notifier,
                    to: to.map(|to| to.notifier),
                    reason: None,
                };
                order.note(connection, now)
            })
            .await
            .map(count)
    }

    /// Lets held deliveries go, which are owed from now on; returns how many.
    pub async fn release(&self, filter: HoldFilter, now: Timestamp) -> Result<u64, LedgerError> {
        let by = self.author.clone();
        self.thread
            .order(move |connection| {
                let deliveries = holds::release(connection, &filter, now)?;
                let what = "deliveries release";
                Order { what, by, deliveries, notifier: filter.notifier, to: None, reason: None }
                    .note(connection, now)
            })
            .await
            .map(count)
    }

    /// Gives held deliveries up for good, for this reason; returns how many.
    pub async fn discard(
        &self,
        filter: HoldFilter,
        why: String,
        now: Timestamp,
    ) -> Result<u64, LedgerError> {
        let by = self.author.clone();
        self.thread
            .order(move |connection| {
                let deliveries = holds::discard(connection, &filter, &why, now)?;
                let (what, notifier) = ("deliveries release --discard", filter.notifier);
                Order { what, by, deliveries, notifier, to: None, reason: Some(why) }
                    .note(connection, now)
            })
            .await
            .map(count)
    }
}

/// An order about deliveries, as the chain has it.
#[derive(Serialize)]
struct Order {
    #[serde(rename = "order")]
    what: &'static str,
    by: Option<String>,
    deliveries: usize,
    notifier: Option<String>,
    to: Option<String>,
    reason: Option<String>,
}

impl Order {
    /// Notes it where it changed anything; returns how many deliveries it concerned.
    fn note(&self, connection: &Connection, now: Timestamp) -> sql::Result<usize> {
        if self.deliveries > 0 {
            chain::add(connection, EventKind::Order, "deliveries", now, self)?;
        }
        Ok(self.deliveries)
    }
}
