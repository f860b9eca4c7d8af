//! Copies everything that a ledger holds into another one, row by row, whatever databases they are
//! on. Both are used by nobody else meanwhile.

use rusqlite::types::Value;

use crate::ledger::schema;
use crate::ledger::sql::{self, Connection, ToSql};

/// The tables: each after those it refers to.
pub(super) const TABLES: [&str; 30] = [
    "file",
    "customer",
    "seen",
    "sample",
    "event",
    "security_alert",
    "security_poll",
    "alert",
    "step",
    "security_step",
    "spike_day",
    "rule_name",
    "message",
    "message_alert",
    "delivery",
    "attempt",
    "sent_message",
    "notifier",
    "recipient",
    "finding",
    "poll",
    "rule",
    "silence",
    "gathered",
    "chain",
    "budget_push",
    "budget_push_try",
    "link_key",
    "collection",
    "collection_part",
];
/// How many values are written by one statement.
const VALUES: usize = 1000;

/// Whether a ledger holds anything that could be lost.
pub(super) fn holds_anything(ledger: &Connection) -> sql::Result<bool> {
    let any = TABLES.iter().filter(|table| !["file", "notifier"].contains(table));
    let any: Vec<String> = any.map(|table| format!("EXISTS (SELECT 1 FROM {table})")).collect();
    ledger.query_row(&format!("SELECT {}", any.join(" OR ")), (), |row| row.get(0))
}

/// Copies all rows, as they are at one moment, into a ledger that was just made: all or none. Both
/// have the newest version.
pub(super) fn copy(from: &Connection, to: &Connection) -> sql::Result<()> {
    let model = schema::model()?;
    from.snapshot(|from| {
        to.transaction(|| {
            // Of a new ledger; it becomes the same as the other.
            to.execute("DELETE FROM file", ())?;
            for table in TABLES {
                copy_table(from, to, table, &columns(&model, table)?)?;
            }
            to.go_on_counting()
        })
    })
}

/// The columns of a table, in quotes: some have names that PostgreSQL keeps for itself.
fn columns(model: &rusqlite::Connection, table: &str) -> sql::Result<Vec<String>> {
    let mut statement = model.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let names = statement.query_map([table], |row| row.get::<_, String>(0))?;
    Ok(names.map(|name| Ok(format!("\"{}\"", name?))).collect::<rusqlite::Result<_>>()?)
}

fn copy_table(
    from: &Connection,
    to: &Connection,
    table: &str,
    columns: &[String],
) -> sql::Result<()> {
    let most = (VALUES / columns.len().max(1)).max(1).saturating_mul(columns.len());
    let mut values: Vec<Value> = Vec::with_capacity(most);
    let names = columns.join(", ");
    from.each(table, &format!("SELECT {names} FROM {table}"), |row| {
        for column in 0..columns.len() {
            values.push(row.get(column)?);
        }
        if values.len() < most {
            return Ok(());
        }
        insert(to, table, &names, columns.len(), &values)?;
        values.clear();
        Ok(())
    })?;
    if values.is_empty() { Ok(()) } else { insert(to, table, &names, columns.len(), &values) }
}

/// Adds rows of so many values each.
fn insert(
    to: &Connection,
    table: &str,
    names: &str,
    width: usize,
    values: &[Value],
) -> sql::Result<()> {
    let mut number = 0;
    let rows: Vec<String> = values
        .chunks(width)
        .map(|row| {
            let places = row.iter().map(|_| {
                number += 1;
                format!("?{number}")
            });
            format!("({})", places.collect::<Vec<_>>().join(", "))
        })
        .collect();
    let sql = format!("INSERT INTO {table} ({names}) VALUES {}", rows.join(", "));
    let values: Vec<&dyn ToSql> = values
        .iter()
        .map(|value| {
            let value: &dyn ToSql = value;
            value
        })
        .collect();
    to.execute(&sql, &*values).map(drop)
}
