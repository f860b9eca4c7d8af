//! The versions of the ledger: what brings one to the next, and what each looks like.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::fs;
use crate::ledger::error::LedgerError;
use crate::ledger::lock::beside;

/// What brings a ledger from each version to the next; applied in order, never changed once
/// released.
const MIGRATIONS: [&str; 8] = [
    include_str!("schema.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
    include_str!("schema-6.sql"),
    include_str!("schema-7.sql"),
    include_str!("schema-8.sql"),
];
/// The version this program writes (`PRAGMA user_version`).
pub(super) const VERSION: i64 = 8;

/// The first version that has a chain of events.
pub(super) const FIRST_WITH_CHAIN: i64 = 6;

/// The version of a ledger, refused when it is newer than this program.
pub(super) fn version(connection: &Connection, path: &Path) -> Result<i64, LedgerError> {
    let found = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|error| LedgerError::of(path, error))?;
    if found > VERSION {
        let copy = (VERSION + 1..=found)
            .map(|version| copy_before(path, version))
            .find(|copy| fs::exists(copy).unwrap_or(false));
        return Err(LedgerError::NewerVersion {
            path: path.to_owned(),
            found,
            known: VERSION,
            copy,
        });
    }
    Ok(found)
}

/// Where the copy is of a ledger as it was before it was brought to a version.
pub(super) fn copy_before(path: &Path, version: i64) -> PathBuf {
    beside(path, &format!(".before-{version}"))
}

/// Applies what is missing, with its version in one transaction: all of it or nothing.
pub(super) fn migrate(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let found = version(connection, path)?;
    up_to(connection, found, VERSION).map_err(|error| LedgerError::of(path, error))
}

fn up_to(connection: &Connection, found: i64, wanted: i64) -> rusqlite::Result<()> {
    let steps = (1_i64..).zip(MIGRATIONS);
    let steps: Vec<&str> =
        steps.filter(|(to, _)| (found + 1..=wanted).contains(to)).map(|(_, step)| step).collect();
    if steps.is_empty() {
        return Ok(());
    }
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    steps.into_iter().try_for_each(|step| transaction.execute_batch(step))?;
    transaction.pragma_update(None, "user_version", wanted)?;
    transaction.commit()
}

/// The first table or index that is not as this version has it; none where all are. Tables whose
/// names are in `besides` may be there too.
pub(super) fn difference(
    connection: &Connection,
    version: i64,
    besides: &[&str],
) -> rusqlite::Result<Option<String>> {
    let model = model_of(version)?;
    let (wanted, mut found) = (parts(&model)?, parts(connection)?);
    found.retain(|name, _| !besides.contains(&name.as_str()));
    let names = wanted.keys().chain(found.keys());
    Ok(names.into_iter().find(|name| wanted.get(*name) != found.get(*name)).cloned())
}

/// An empty ledger of the newest version, to look at its tables.
pub(super) fn model() -> rusqlite::Result<Connection> {
    model_of(VERSION)
}

fn model_of(version: i64) -> rusqlite::Result<Connection> {
    let model = Connection::open_in_memory()?;
    up_to(&model, 0, version)?;
    Ok(model)
}

/// What a database is made of, by name, without what SQLite adds by itself.
fn parts(connection: &Connection) -> rusqlite::Result<BTreeMap<String, String>> {
    let mut statement = connection
        .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
