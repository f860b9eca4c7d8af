//! The keys that sign links of messages, each with the time since when it signs.

use crate::alerting::links::LinkKey;
use crate::ledger::column::{self, Instant};
use crate::ledger::sql::{self, Connection, Row, params};

/// All that are kept, oldest first.
pub(in crate::ledger) fn all(connection: &Connection) -> sql::Result<Vec<LinkKey>> {
    connection
        .prepare_cached("SELECT id, secret, since FROM link_key ORDER BY id")?
        .query_map((), key)?
        .collect()
}

fn key(row: &Row<'_>) -> sql::Result<LinkKey> {
    let secret = row.get_ref("secret")?.as_blob()?.to_vec();
    Ok(LinkKey::new(row.get("id")?, column::instant(row, "since")?, secret))
}

/// Adds one.
pub(in crate::ledger) fn add(connection: &Connection, key: &LinkKey) -> sql::Result<()> {
    connection
        .prepare_cached("INSERT INTO link_key (id, secret, since) VALUES (?1, ?2, ?3)")?
        .execute(params![i64::from(key.id), key.expose(), Instant(key.since)])
        .map(drop)
}

/// Forgets the one of this number.
pub(in crate::ledger) fn forget(connection: &Connection, id: u32) -> sql::Result<()> {
    connection
        .prepare_cached("DELETE FROM link_key WHERE id = ?1")?
        .execute([i64::from(id)])
        .map(drop)
}
