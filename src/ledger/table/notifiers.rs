//! How each notifier's destination is doing, across restarts.

use crate::ledger::column::{self, Count, Instant, Length};
use crate::ledger::entry::NotifierState;
use crate::ledger::sql::{self, Connection, Optional, Row, named_params};

/// The state of a notifier; that of one which never failed when nothing is recorded.
pub(in crate::ledger) fn state(connection: &Connection, name: &str) -> sql::Result<NotifierState> {
    let mut statement = connection.prepare_cached("SELECT * FROM notifier WHERE name = ?1")?;
    Ok(statement.query_row([name], read).optional()?.unwrap_or_default())
}

/// The states of all notifiers that ever failed, by name.
pub(in crate::ledger) fn states(
    connection: &Connection,
) -> sql::Result<Vec<(String, NotifierState)>> {
    let mut statement = connection.prepare_cached("SELECT * FROM notifier ORDER BY name")?;
    statement.query_map((), |row| Ok((row.get("name")?, read(row)?)))?.collect()
}

/// How it is doing, by the columns of a row.
pub(in crate::ledger) fn read(row: &Row<'_>) -> sql::Result<NotifierState> {
    Ok(NotifierState {
        failures: row.get("failures")?,
        failing_since: column::instant_if_any(row, "failing_since")?,
        next_probe_at: column::instant_if_any(row, "next_probe_at")?,
        probes: column::count(row, "probes")?,
        possible: row.get::<_, Length>("possible")?.0,
        last_error: row.get("last_error")?,
    })
}

/// Replaces the state of a notifier.
pub(in crate::ledger) fn replace(
    connection: &Connection,
    name: &str,
    state: &NotifierState,
) -> sql::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO notifier (name, failures, failing_since, next_probe_at, probes, possible, last_error)
             VALUES (:name, :failures, :failing_since, :next_probe_at, :probes, :possible, :last_error)
             ON CONFLICT (name) DO UPDATE SET failures = :failures, failing_since = :failing_since, next_probe_at = :next_probe_at,
             probes = :probes, possible = :possible, last_error = :last_error",
        )?
        .execute(named_params! {
            ":name": name,
            ":failures": state.failures,
            ":failing_since": state.failing_since.map(Instant),
            ":next_probe_at": state.next_probe_at.map(Instant),
            ":probes": Count(state.probes),
            ":possible": Length(state.possible),
            ":last_error": state.last_error,
        })?;
    Ok(())
}
