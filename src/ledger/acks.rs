//! The ledger of what people say of alerts: that they know of them, and of spikes what they were.

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::spike::SpikeNote;
use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::sql::{self, Connection};
use crate::ledger::table::{acks, life};

impl Ledger {
    /// Notes that somebody knows of an alert, named by its id or by the reference that messages
    /// show: reminders of it end.
    ///
    /// Returns the alert, and whether nobody had said so before; none when there is no such alert.
    pub async fn acknowledge(
        &self,
        alert: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<Option<(Uuid, bool)>, LedgerError> {
        let (alert, by) = (alert.to_owned(), by.to_owned());
        let work = move |connection: &Connection| {
            let found = life::find(connection, &alert)?;
            let know = |id| Ok((id, acks::acknowledge(connection, id, &by, None, now)?));
            found.map(know).transpose()
        };
        self.thread.order(work).await
    }

    /// Notes that somebody knows of these alerts, with a note, and what they say of the runs of
    /// spikes that some of them are about: all of it or nothing.
    pub async fn acknowledge_all(
        &self,
        alerts: Vec<Uuid>,
        (by, now): (String, Timestamp),
        note: Option<String>,
        spikes: Option<SpikeNote>,
    ) -> Result<(), LedgerError> {
        let work = move |connection: &Connection| {
            for alert in alerts {
                acks::acknowledge(connection, alert, &by, note.as_deref(), now)?;
                if let Some(spikes) = &spikes {
                    acks::mark_run(connection, alert, spikes)?;
                }
            }
            Ok(())
        };
        self.thread.order(work).await
    }

    /// Takes back that somebody knows of these alerts, and what was said of the runs of spikes that
    /// some of them are about.
    pub async fn take_back(&self, alerts: Vec<Uuid>, now: Timestamp) -> Result<(), LedgerError> {
        let by = self.author.clone();
        let work = move |connection: &Connection| -> sql::Result<()> {
            for alert in alerts {
                acks::unacknowledge(connection, alert, by.as_deref(), now)?;
                acks::unmark_run(connection, alert, by.as_deref(), now)?;
            }
            Ok(())
        };
        self.thread.order(work).await
    }
}
