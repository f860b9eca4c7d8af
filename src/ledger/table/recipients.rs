//! How recipients are doing for whom the destination does not take messages at the moment, across
//! restarts.

use crate::ledger::column::{Count, Instant, Length};
use crate::ledger::entry::NotifierState;
use crate::ledger::listing::DeferredRecipient;
use crate::ledger::sql::{self, Connection, Optional, named_params};
use crate::ledger::table::notifiers;

/// The state of a recipient; that of one who was never deferred when nothing is recorded.
pub(in crate::ledger) fn state(
    connection: &Connection,
    notifier: &str,
    recipient: &str,
) -> sql::Result<NotifierState> {
    let mut statement = connection
        .prepare_cached("SELECT * FROM recipient WHERE notifier = ?1 AND recipient = ?2")?;
    Ok(statement.query_row([notifier, recipient], notifiers::read).optional()?.unwrap_or_default())
}

/// The failed attempts that a delivery of now has no share in: those of its notifier, and of its
/// recipient.
pub(in crate::ledger) fn share(
    connection: &Connection,
    notifier: &str,
    recipient: Option<&str>,
) -> sql::Result<(Count, Length)> {
    let of_notifier = notifiers::state(connection, notifier)?;
    let own = recipient
        .map(|recipient| state(connection, notifier, recipient))
        .transpose()?
        .unwrap_or_default();
    Ok((
        Count(of_notifier.probes.saturating_add(own.probes)),
        Length(of_notifier.possible.saturating_add(own.possible)),
    ))
}

/// All that are deferred, by notifier and address.
pub(in crate::ledger) fn deferred(connection: &Connection) -> sql::Result<Vec<DeferredRecipient>> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM recipient WHERE failures > 0 ORDER BY notifier, recipient",
    )?;
    let rows = statement.query_map((), |row| {
        Ok(DeferredRecipient {
            notifier: row.get("notifier")?,
            recipient: row.get("recipient")?,
            state: notifiers::read(row)?,
        })
    })?;
    rows.collect()
}

/// Whoever is owed messages of a notifier.
pub(in crate::ledger) fn owed(connection: &Connection, notifier: &str) -> sql::Result<Vec<String>> {
    let sql = "SELECT DISTINCT recipient FROM delivery
         WHERE notifier = ?1 AND state = 'pending' AND NOT held AND recipient IS NOT NULL";
    connection.prepare_cached(sql)?.query_map([notifier], |row| row.get(0))?.collect()
}

/// Replaces the state of a recipient.
pub(in crate::ledger) fn replace(
    connection: &Connection,
    notifier: &str,
    recipient: &str,
    state: &NotifierState,
) -> sql::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO recipient (notifier, recipient, failures, failing_since, next_probe_at, probes, possible, last_error)
             VALUES (:notifier, :recipient, :failures, :failing_since, :next_probe_at, :probes, :possible, :last_error)
             ON CONFLICT (notifier, recipient) DO UPDATE SET failures = :failures, failing_since = :failing_since,
             next_probe_at = :next_probe_at, probes = :probes, possible = :possible, last_error = :last_error",
        )?
        .execute(named_params! {
            ":notifier": notifier,
            ":recipient": recipient,
            ":failures": state.failures,
            ":failing_since": state.failing_since.map(Instant),
            ":next_probe_at": state.next_probe_at.map(Instant),
            ":probes": Count(state.probes),
            ":possible": Length(state.possible),
            ":last_error": state.last_error,
        })?;
    Ok(())
}
