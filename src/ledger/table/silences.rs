//! Silences: what is recorded but not delivered for a time.

use jiff::Timestamp;

use crate::domain::{Glob, Silence};
use crate::ledger::column::{self, Exact, Instant};
use crate::ledger::sql::{self, Connection, Row, named_params, params};
use crate::ledger::table::alerts::json;

/// Adds a silence; its number and the date of the data are given here, whatever it has.
pub(in crate::ledger) fn add(connection: &Connection, silence: &Silence) -> sql::Result<i64> {
    let texts = |globs: &[Glob]| json(&globs.iter().map(Glob::as_str).collect::<Vec<_>>());
    connection
        .prepare_cached(
            "INSERT INTO silence (customers, rules, unless_above, created_at, as_of, ends_at, author, reason)
             VALUES (:customers, :rules, :unless_above, :created_at,
             coalesce((SELECT newest FROM poll WHERE which = 'good'), :created_at), :ends_at, :author, :reason) RETURNING id",
        )?
        .query_row(named_params! {
            ":customers": texts(&silence.customers)?,
            ":rules": texts(&silence.rules)?,
            ":unless_above": silence.unless_above.map(Exact),
            ":created_at": Instant(silence.created_at),
            ":ends_at": silence.ends_at.map(Instant),
            ":author": silence.author,
            ":reason": silence.reason,
        }, |row| row.get(0))
}

/// All silences, oldest first.
pub(in crate::ledger) fn all(connection: &Connection) -> sql::Result<Vec<Silence>> {
    connection
        .prepare_cached("SELECT * FROM silence ORDER BY id")?
        .query_map((), silence)?
        .collect()
}

fn silence(row: &Row<'_>) -> sql::Result<Silence> {
    Ok(Silence {
        id: row.get("id")?,
        customers: globs(row, "customers")?,
        rules: globs(row, "rules")?,
        unless_above: column::decimal_if_any(row, "unless_above")?,
        created_at: column::instant(row, "created_at")?,
        as_of: column::instant(row, "as_of")?,
        ends_at: column::instant_if_any(row, "ends_at")?,
        author: row.get("author")?,
        reason: row.get("reason")?,
        expired_at: column::instant_if_any(row, "expired_at")?,
    })
}

fn globs(row: &Row<'_>, name: &str) -> sql::Result<Vec<Glob>> {
    let texts: Vec<String> =
        serde_json::from_str(row.get_ref(name)?.as_str()?).map_err(column::unreadable)?;
    texts.iter().map(|text| Glob::try_new(text).map_err(column::unreadable)).collect()
}

/// Lets the silences that cover a rule cover it under its new name as well.
pub(in crate::ledger) fn rename_rule(
    connection: &Connection,
    before: &str,
    now: &str,
) -> sql::Result<()> {
    for mut silence in all(connection)? {
        if silence.rename_rule(before, now) {
            let rules = json(&silence.rules.iter().map(Glob::as_str).collect::<Vec<_>>())?;
            connection
                .prepare_cached("UPDATE silence SET rules = ?2 WHERE id = ?1")?
                .execute(params![silence.id, rules])?;
        }
    }
    Ok(())
}

/// Ends a silence before its time; returns whether it was there and had not been ended.
pub(in crate::ledger) fn expire(
    connection: &Connection,
    id: i64,
    now: Timestamp,
) -> sql::Result<bool> {
    let ended = connection
        .prepare_cached("UPDATE silence SET expired_at = ?2 WHERE id = ?1 AND expired_at IS NULL")?
        .execute(params![id, Instant(now)])?;
    Ok(ended > 0)
}
