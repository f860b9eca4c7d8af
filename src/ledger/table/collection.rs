//! The customers of the last collection in its order, with what tells their items: the next poll
//! reads them in one go. It is what the customers' own rows say, or it is not there.

use crate::alerting::{KNOWN_BYTES, KnownCustomer};
use crate::ledger::sql::{self, Connection, Optional, params};

/// How many customers one row holds: as many as fit into a few dozen pages of the file.
const IN_A_ROW: usize = 1024;

/// The customers with their items, and the patterns that fit nobody; none where anything that bears
/// on them has changed.
pub(in crate::ledger) fn known(
    connection: &Connection,
    configuration: u64,
) -> sql::Result<Option<(Vec<KnownCustomer>, Vec<String>)>> {
    let Some(idle) = idle(connection, configuration)? else { return Ok(None) };
    let count = "SELECT coalesce(sum(length(customers)), 0) FROM collection_part";
    let bytes: i64 = connection.query_row(count, (), |row| row.get(0))?;
    let count = usize::try_from(bytes).unwrap_or_default() / KNOWN_BYTES;
    let mut known = Vec::with_capacity(count);
    let mut statement =
        connection.prepare_cached("SELECT customers FROM collection_part ORDER BY part")?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let (customers, rest) = row.get_ref(0)?.as_blob()?.as_chunks();
        if !rest.is_empty() {
            return Ok(None);
        }
        known.extend(customers.iter().filter_map(KnownCustomer::from_bytes));
    }
    Ok(Some((known, idle)))
}

/// The patterns that fit nobody, where what is kept is of this configuration.
fn idle(connection: &Connection, configuration: u64) -> sql::Result<Option<Vec<String>>> {
    let sql = "SELECT idle FROM collection WHERE configuration = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let idle = statement.query_row([configuration.cast_signed()], |row| row.get::<_, String>(0));
    // What cannot be read is as good as not there: everything is read again.
    Ok(idle.optional()?.and_then(|idle| serde_json::from_str(&idle).ok()))
}

/// Keeps what is known of every customer, in the order of the collection.
pub(in crate::ledger) fn keep(
    connection: &Connection,
    customers: &[KnownCustomer],
    idle: &[String],
    configuration: u64,
) -> sql::Result<()> {
    invalidate(connection)?;
    connection.execute("DELETE FROM collection_part", ())?;
    let mut statement = connection
        .prepare_cached("INSERT INTO collection_part (part, customers) VALUES (?1, ?2)")?;
    let mut bytes = Vec::with_capacity(IN_A_ROW.saturating_mul(KNOWN_BYTES));
    for (number, part) in (0_i64..).zip(customers.chunks(IN_A_ROW)) {
        bytes.clear();
        for customer in part {
            bytes.extend_from_slice(&customer.to_bytes());
        }
        statement.execute(params![number, bytes])?;
    }
    let idle = serde_json::to_string(idle).map_err(sql::Error::value)?;
    connection
        .prepare_cached("INSERT INTO collection (configuration, idle) VALUES (?1, ?2)")?
        .execute(params![configuration.cast_signed(), idle])?;
    Ok(())
}

/// Forgets it, since a customer's own row is about to say something else.
pub(in crate::ledger) fn invalidate(connection: &Connection) -> sql::Result<()> {
    connection.prepare_cached("DELETE FROM collection")?.execute(())?;
    Ok(())
}
