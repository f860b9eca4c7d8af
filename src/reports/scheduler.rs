//! Reports when one is due: durably, once for each occasion.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::domain::{Report, Route};
use crate::ledger::{self, LedgerError, Reader};
use crate::poll::Cycle;
use crate::reports::{Due, ReportSchedule};
use crate::reports::{Scope, report, report_messages};

/// What reports: a configuration's timetable, and to whom it goes.
pub struct ReportScheduler {
    /// When.
    pub schedule: ReportSchedule,
    /// To whom.
    pub routes: Vec<Route>,
    /// The ledger's file, for reading beside the ledger's thread.
    pub ledger: ledger::Config,
    /// Rules, budgets, the ledger and the clock in force.
    pub cycle: Arc<Cycle>,
    /// The last occasion when the clock was found to be behind what was reported.
    pub watched: Mutex<Option<Timestamp>>,
}

impl ReportScheduler {
    /// Reports, if an occasion has come that was not reported; returns whether it did. A daemon
    /// that was down reports the last occasion once.
    pub async fn step(self: &Arc<Self>) -> Result<bool, LedgerError> {
        let reported = self.cycle.ledger.read(Reader::reported).await?;
        let now = self.cycle.clock.now();
        let behind = reported.is_some_and(|reported| self.schedule.is_behind(reported, now));
        let watched = self.watched().filter(|_| behind);
        *self.watched() = watched;
        let (occasion, messages) = match self.schedule.due(reported, watched, now) {
            Due::Not => return Ok(false),
            Due::Watch(occasion) => {
                *self.watched() = Some(occasion);
                return Ok(false);
            }
            Due::From(occasion) => (occasion, Vec::new()),
            Due::Now(occasion) => {
                let report = self.report(occasion, reported, now).await?;
                (occasion, report_messages(&report, &self.routes, self.cycle.ledger.identity()))
            }
        };
        let owes = !messages.is_empty();
        let recorded = self.cycle.ledger.record_report(reported, occasion, messages, now).await?;
        Ok(recorded && owes)
    }

    fn watched(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The report of an occasion, read on a thread of its own: it may take seconds for very many
    /// customers.
    async fn report(
        self: &Arc<Self>,
        occasion: Timestamp,
        reported: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Report, LedgerError> {
        // A daemon that was down for long tells of all of that time.
        let since = self.schedule.before(occasion).min(reported.unwrap_or(occasion));
        let scope = Scope { every: self.schedule.every, since, now };
        let scheduler = Arc::clone(self);
        ledger::read(&self.ledger, move |reader| {
            report(reader, &scheduler.cycle.budgets, &scheduler.cycle.rules, scope)
        })
        .await
    }
}
