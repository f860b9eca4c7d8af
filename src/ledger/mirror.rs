//! The ledger for notifiers that are shown what is open, in place of being owed messages. What they
//! are shown, and how, is left to `delivery`.

use jiff::Timestamp;

use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::listing::{AlertToMirror, OpenFinding};
use crate::ledger::table::{findings, mirror};

impl Ledger {
    /// The rows of the alerts that are open, then of those that ended at this instant or later; the
    /// newest first each.
    pub async fn open_alerts(&self, ended_since: Timestamp) -> Result<Vec<i64>, LedgerError> {
        self.thread.run(move |connection| mirror::open_alerts(connection, ended_since)).await
    }

    /// Those alerts in these rows that are meant for a notifier.
    pub async fn alerts_to_mirror(
        &self,
        rows: Vec<i64>,
        notifier: &str,
    ) -> Result<Vec<AlertToMirror>, LedgerError> {
        let notifier = notifier.to_owned();
        self.thread.run(move |connection| mirror::alerts(connection, &rows, &notifier)).await
    }

    /// The findings that were closed at this instant or later, with when.
    pub async fn closed_findings(
        &self,
        since: Timestamp,
    ) -> Result<Vec<(OpenFinding, Timestamp)>, LedgerError> {
        self.thread.run(move |connection| findings::closed_since(connection, since)).await
    }

    /// When a notifier was last shown everything.
    pub async fn shown_at(&self, notifier: &str) -> Result<Option<Timestamp>, LedgerError> {
        let notifier = notifier.to_owned();
        self.thread.run(move |connection| mirror::shown_at(connection, &notifier)).await
    }

    /// Notes that a notifier was shown everything that had happened by then.
    pub async fn note_shown(&self, notifier: &str, at: Timestamp) -> Result<(), LedgerError> {
        let notifier = notifier.to_owned();
        self.thread.write(move |connection| mirror::note_shown(connection, &notifier, at)).await
    }
}
