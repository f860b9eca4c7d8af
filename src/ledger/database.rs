//! The ledger on a PostgreSQL server: its tables are made where there are none, those of an older
//! version are brought to this one, and those of another program or a newer version are refused.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use crate::fs;
use crate::ledger::column::{Id, Instant};
use crate::ledger::error::LedgerError;
use crate::ledger::leadership::Seat;
use crate::ledger::lock::folder_of;
use crate::ledger::made;
use crate::ledger::schema::VERSION;
use crate::ledger::server::Server;
use crate::ledger::sql::{self, Connection, Database, params};

/// The tables of the first version that there was on a server, then what brings them to each next
/// one; applied in order, never changed once released. A step only adds: a host that still leads
/// with the version before must be able to go on.
const MIGRATIONS: [(i64, &str); 2] =
    [(7, include_str!("schema-postgres.sql")), (8, include_str!("schema-postgres-8.sql"))];
/// The first version on a server.
const FIRST: i64 = 7;
/// Whoever makes the tables has this lock, so that several hosts that start at once make them once.
const MAKING: &str = "SELECT pg_advisory_xact_lock(1650946412) IS NULL";
/// How many of the tables of a ledger there are, and whether one of them is a ledger's.
const KNOWN: &str = "SELECT count(*), count(*) FILTER (WHERE table_name = 'file' AND column_name = 'epoch')
    FROM information_schema.columns WHERE table_schema = current_schema() AND table_name IN ('file', 'chain', 'delivery')";

/// Opens the ledger for writing; makes its tables where there are none and, as is noted, were none.
pub(super) fn open(
    server: &Server,
    path: &Path,
    seat: Arc<Seat>,
    now: Timestamp,
) -> Result<Connection, LedgerError> {
    let connection = connect(server, seat);
    if let Some(note) = server.note()
        && !is_ledger(&connection).map_err(|error| LedgerError::of(path, error))?
    {
        made::refuse_lost(&note, path)?;
    }
    prepare(connection, server, path, now)
}

/// The same by order of a person, whatever was there before.
pub(super) fn open_or_make(
    server: &Server,
    path: &Path,
    now: Timestamp,
) -> Result<Connection, LedgerError> {
    prepare(connect(server, Arc::new(Seat::vacant())), server, path, now)
}

fn prepare(
    connection: Connection,
    server: &Server,
    path: &Path,
    now: Timestamp,
) -> Result<Connection, LedgerError> {
    let version = make(&connection, now).map_err(|error| LedgerError::of(path, error))?;
    check(version, path)?;
    if let Some(note) = server.note() {
        let folder = folder_of(&note);
        fs::make_folder(folder, 0o700).map_err(LedgerError::io(folder))?;
        made::note(&note, path, now);
    }
    Ok(connection)
}

fn connect(server: &Server, seat: Arc<Seat>) -> Connection {
    Connection::Postgres(Box::new(Database::of(server, seat)))
}

/// Makes the tables where there are none, and brings older ones to this version, all of it or
/// nothing; returns their version.
fn make(connection: &Connection, now: Timestamp) -> sql::Result<i64> {
    connection.transaction(|| {
        connection.query_row(MAKING, (), |_| Ok(()))?;
        let is_new = !is_ledger(connection)?;
        let found = if is_new { 0 } else { version(connection)? };
        for (to, step) in MIGRATIONS.into_iter().filter(|(to, _)| *to > found) {
            connection.batch(step)?;
            if is_new && to == FIRST {
                let row = "INSERT INTO file (\"only\", created_at, clean, identity) \
                    VALUES (1, ?1, 1, ?2)";
                connection.execute(row, params![Instant(now), Id(Uuid::new_v4())])?;
            }
            connection.execute("UPDATE file SET version = ?1", params![to])?;
        }
        version(connection)
    })
}

/// Opens an existing ledger for reading.
pub(super) fn open_read_only(server: &Server, path: &Path) -> Result<Connection, LedgerError> {
    let connection = connect(server, Arc::new(Seat::vacant()));
    let of = |error| LedgerError::of(path, error);
    if !is_ledger(&connection).map_err(of)? {
        return Err(LedgerError::Missing { path: path.to_owned() });
    }
    check(version(&connection).map_err(of)?, path)?;
    Ok(connection)
}

/// Makes a ledger by order of a person. Fails when there is one.
pub(super) fn make_new(server: &Server, path: &Path, now: Timestamp) -> Result<(), LedgerError> {
    match open_read_only(server, path) {
        Ok(_) => Err(LedgerError::There { path: path.to_owned() }),
        Err(LedgerError::Missing { .. }) => open_or_make(server, path, now).map(drop),
        Err(error) => Err(error),
    }
}

/// Whether there are the tables of a ledger; an error where there are others of their names.
fn is_ledger(connection: &Connection) -> sql::Result<bool> {
    let (columns, own): (i64, i64) =
        connection.query_row(KNOWN, (), |row| Ok((row.get(0)?, row.get(1)?)))?;
    if columns > 0 && own == 0 {
        return Err(sql::Error::value("it has tables of another program"));
    }
    Ok(own > 0)
}

fn version(connection: &Connection) -> sql::Result<i64> {
    connection.query_row("SELECT version FROM file", (), |row| row.get(0))
}

fn check(found: i64, path: &Path) -> Result<(), LedgerError> {
    let (path, known) = (path.to_owned(), VERSION);
    match found.cmp(&VERSION) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => {
            Err(LedgerError::NewerVersion { path, found, known, copy: None })
        }
        std::cmp::Ordering::Less => Err(LedgerError::OlderVersion { path, found, known }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::schema::model;
    use crate::ledger::transfer::TABLES;

    /// The columns of a table as all steps together make them.
    fn columns(table: &str) -> Vec<String> {
        let all: String = MIGRATIONS.iter().map(|(_, step)| *step).collect();
        let (_, rest) = all.split_once(&format!("CREATE TABLE {table} (")).unwrap();
        let (body, _) = rest.split_once(";\n").unwrap();
        let added = format!("ALTER TABLE {table} ADD COLUMN ");
        let names =
            body.split(['\n', '(']).chain(all.lines().filter_map(|line| line.strip_prefix(&added)));
        let names = names.filter_map(|line| line.split_whitespace().next());
        names.map(|name| name.trim_matches('"').to_owned()).collect()
    }

    #[test]
    fn both_engines_have_the_same_tables_with_the_same_columns() {
        let model = model().unwrap();
        for table in TABLES {
            let own = columns(table);
            let mut statement = model.prepare("SELECT name FROM pragma_table_info(?1)").unwrap();
            let names = statement.query_map([table], |row| row.get::<_, String>(0)).unwrap();
            for name in names.map(Result::unwrap) {
                assert!(own.contains(&name), "{table} has no column {name} on a server: {own:?}");
            }
        }
        let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table'";
        let tables: i64 = model.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(usize::try_from(tables).unwrap(), TABLES.len());
        assert_eq!(MIGRATIONS.first().map(|(to, _)| *to), Some(FIRST));
        assert_eq!(MIGRATIONS.last().map(|(to, _)| *to), Some(VERSION));
        for (to, step) in &MIGRATIONS[1..] {
            let default = format!("ALTER TABLE file ALTER COLUMN version SET DEFAULT {to};");
            assert!(step.contains(&default), "what is copied here has version {to}");
        }
    }
}
