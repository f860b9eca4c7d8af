//! The ledger for notifiers that are shown what is open, in place of being owed messages. What they
//! are shown, and how, is left to `delivery`.

use jiff::Timestamp;

use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::listing::AlertToMirror;
use crate::ledger::table::mirror;

impl Ledger {
    /// Those alerts in these rows that are meant for a notifier.
    pub async fn alerts_to_mirror(
        &self,
        rows: Vec<i64>,
        notifier: &str,
    ) -> Result<Vec<AlertToMirror>, LedgerError> {
        let notifier = notifier.to_owned();
        self.thread.run(move |connection| mirror::alerts(connection, &rows, &notifier)).await
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
