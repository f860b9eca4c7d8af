//! What is open, and what ended lately, for notifiers that are shown it.

use jiff::Timestamp;

use crate::ledger::column::{self, Instant};
use crate::ledger::listing::AlertToMirror;
use crate::ledger::sql::{self, Connection, Optional, Params, Row, params};
use crate::ledger::table::alerts;

/// The rows of the alerts that are open, then of those that ended since; the newest first each.
/// Reads indexes only: asked for an order, SQLite would go through the whole table instead, which
/// has every alert that ever was.
pub(in crate::ledger) fn open_alerts(
    connection: &Connection,
    ended_since: Timestamp,
) -> sql::Result<Vec<i64>> {
    let mut open = rows(
        connection,
        "SELECT seq FROM alert INDEXED BY alert_open_by_rule WHERE state = 'raised'",
        (),
    )?;
    open.extend(rows(
        connection,
        "SELECT seq FROM alert INDEXED BY alert_ended WHERE ended_at >= ?1",
        [Instant(ended_since)],
    )?);
    Ok(open)
}

fn rows(connection: &Connection, sql: &str, params: impl Params) -> sql::Result<Vec<i64>> {
    let mut rows: Vec<i64> = connection
        .prepare_cached(sql)?
        .query_map(params, |row| row.get(0))?
        .collect::<sql::Result<_>>()?;
    rows.sort_unstable_by(|a, b| b.cmp(a));
    Ok(rows)
}

/// Those alerts in these rows that are meant for a notifier, in the order of the rows.
pub(in crate::ledger) fn alerts(
    connection: &Connection,
    rows: &[i64],
    notifier: &str,
) -> sql::Result<Vec<AlertToMirror>> {
    let mut statement = connection.prepare_cached(
        "SELECT snapshot, state, ended_at, acked_by FROM alert
         WHERE seq = ?1 AND EXISTS (SELECT 1 FROM json_each(alert.notify) WHERE value = ?2)",
    )?;
    let mut found = Vec::new();
    for row in rows {
        found.extend(statement.query_row(params![row, notifier], alert_to_mirror).optional()?);
    }
    Ok(found)
}

fn alert_to_mirror(row: &Row<'_>) -> sql::Result<AlertToMirror> {
    Ok(AlertToMirror {
        snapshot: alerts::snapshot(row)?,
        ended_at: column::instant_if_any(row, "ended_at")?,
        acknowledged_by: row.get("acked_by")?,
    })
}

/// When a notifier was last shown everything.
pub(in crate::ledger) fn shown_at(
    connection: &Connection,
    notifier: &str,
) -> sql::Result<Option<Timestamp>> {
    let mut statement =
        connection.prepare_cached("SELECT shown_at FROM notifier WHERE name = ?1")?;
    Ok(statement
        .query_row([notifier], |row| column::instant_if_any(row, "shown_at"))
        .optional()?
        .flatten())
}

/// Notes that a notifier was shown everything.
pub(in crate::ledger) fn note_shown(
    connection: &Connection,
    notifier: &str,
    at: Timestamp,
) -> sql::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO notifier (name, failures, probes, possible, shown_at) VALUES (?1, 0, 0, 0, ?2)
             ON CONFLICT (name) DO UPDATE SET shown_at = excluded.shown_at",
        )?
        .execute(params![notifier, Instant(at)])?;
    Ok(())
}
