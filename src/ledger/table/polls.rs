//! Polls: the last one, the last good one, and the rules that have been through a good one.

use crate::alerting::{Interim, PollMemory};
use crate::ledger::column::{self, Count, Instant};
use crate::ledger::entry::PollResult;
use crate::ledger::sql::{self, Connection, Optional, named_params, params};
use crate::ledger::table::alerts::json;

/// What the next poll must know of those before it.
pub(in crate::ledger) fn memory(connection: &Connection) -> sql::Result<PollMemory> {
    let good = result(connection, "good")?;
    let mut statement = connection.prepare_cached("SELECT name FROM rule ORDER BY name")?;
    let settled_rules = statement.query_map((), |row| row.get(0))?.collect::<sql::Result<_>>()?;
    Ok(PollMemory {
        last_good_at: good.as_ref().map(|good| good.at),
        newest: good.as_ref().and_then(|good| good.newest),
        uncovered: good.as_ref().and_then(|good| good.uncovered),
        last_good_items: good.map(|good| good.records.saturating_add(good.skipped)),
        settled_rules,
    })
}

/// What a poll that records in slices, and that is not over, knew last.
pub(in crate::ledger) fn interim(connection: &Connection) -> sql::Result<Option<Interim>> {
    let mut statement = connection.prepare_cached("SELECT interim FROM file")?;
    statement.query_row((), |row| {
        row.get_ref(0)?
            .as_str_or_null()?
            .map(serde_json::from_str)
            .transpose()
            .map_err(column::unreadable)
    })
}

/// The last delivery that was ever owed, by its row.
pub(in crate::ledger) fn last_delivery(connection: &Connection) -> sql::Result<i64> {
    connection
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM delivery")?
        .query_row((), |row| row.get(0))
}

/// The last alert that was ever raised, by its row.
pub(in crate::ledger) fn last_alert(connection: &Connection) -> sql::Result<i64> {
    connection
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM alert")?
        .query_row((), |row| row.get(0))
}

/// Replaces what a poll that records in slices knows so far.
pub(in crate::ledger) fn keep_interim(
    connection: &Connection,
    interim: Option<&Interim>,
) -> sql::Result<()> {
    connection
        .prepare_cached("UPDATE file SET interim = ?1")?
        .execute([interim.map(json).transpose()?])?;
    Ok(())
}

/// The result kept as `which`: `last` or `good`; its rules are not kept.
pub(in crate::ledger) fn result(
    connection: &Connection,
    which: &str,
) -> sql::Result<Option<PollResult>> {
    let mut statement = connection.prepare_cached("SELECT * FROM poll WHERE which = ?1")?;
    let read = statement.query_row([which], |row| {
        Ok(PollResult {
            at: column::instant(row, "at")?,
            good: row.get("good")?,
            records: column::count(row, "records")?,
            skipped: column::count(row, "skipped")?,
            alerts: column::count(row, "alerts")?,
            newest: column::instant_if_any(row, "newest")?,
            errors: serde_json::from_str(row.get_ref("errors")?.as_str()?)
                .map_err(column::unreadable)?,
            uncovered: row
                .get::<_, Option<i64>>("uncovered")?
                .and_then(|count| u64::try_from(count).ok()),
            rules: Vec::new(),
        })
    });
    read.optional()
}

/// Keeps a result, as the last and, when it is good, as the last good one; a good poll settles its
/// rules.
pub(in crate::ledger) fn keep(connection: &Connection, result: &PollResult) -> sql::Result<()> {
    replace(connection, "last", result)?;
    if result.good {
        replace(connection, "good", result)?;
        let mut statement = connection.prepare_cached(
            "INSERT INTO rule (name, settled_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        )?;
        for rule in &result.rules {
            statement.execute(params![rule, Instant(result.at)])?;
        }
    }
    Ok(())
}

fn replace(connection: &Connection, which: &str, result: &PollResult) -> sql::Result<()> {
    let errors = serde_json::to_string(&result.errors).map_err(sql::Error::value)?;
    connection
        .prepare_cached(
            "INSERT INTO poll (which, at, good, records, skipped, alerts, newest, errors, uncovered)
             VALUES (:which, :at, :good, :records, :skipped, :alerts, :newest, :errors, :uncovered)
             ON CONFLICT (which) DO UPDATE SET at = excluded.at, good = excluded.good, records = excluded.records,
             skipped = excluded.skipped, alerts = excluded.alerts, newest = excluded.newest, errors = excluded.errors,
             uncovered = excluded.uncovered",
        )?
        .execute(named_params! {
            ":which": which,
            ":at": Instant(result.at),
            ":good": result.good,
            ":records": Count(result.records),
            ":skipped": Count(result.skipped),
            ":alerts": Count(result.alerts),
            ":newest": result.newest.map(Instant),
            ":errors": errors,
            ":uncovered": result.uncovered.map(Count),
        })?;
    Ok(())
}
