//! Says whether a ledger, or a copy of one, is sound: every page, every reference, every table.

use std::path::Path;

use rusqlite::OpenFlags;

use crate::fs;
use crate::ledger::Config;
use crate::ledger::column;
use crate::ledger::error::LedgerError;
use crate::ledger::file::{self, Content};
use crate::ledger::lock::beside;
use crate::ledger::proof::{self, Proof};
use crate::ledger::schema;
use crate::ledger::sql::{self, Connection};

/// What a sound ledger, or a copy of one, holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Its schema's version.
    pub version: i64,
    /// How many alerts it has.
    pub alerts: u64,
    /// How many deliveries.
    pub deliveries: u64,
    /// What became of its chain of events; none in a version that has none.
    pub proof: Option<Proof>,
}

/// Verifies the ledger itself, beside whoever writes it.
/// Looks for the event whose hash begins with `head`, in hex, where one is asked for.
pub fn verify(config: &Config, head: Option<&str>) -> Result<Verified, LedgerError> {
    if config.server.is_some() {
        let connection = file::open_read_only(config)?;
        return connection
            .snapshot(|connection| holds(connection, schema::VERSION, head))
            .map_err(|error| LedgerError::of(&config.path, error));
    }
    let connection = Connection::Sqlite(file::connect_to_read(&config.path)?);
    sound(&connection, &config.path, &[], head)
}

/// Verifies a backup, or any other copy of a ledger.
pub fn verify_copy(path: &Path, head: Option<&str>) -> Result<Verified, LedgerError> {
    let connection = open_copy(path)?;
    sound(&connection, path, &file::TABLES_OF_BACKUP, head).map_err(of_copy)
}

/// What is wrong with a copy: the way out is another one.
pub(super) fn of_copy(error: LedgerError) -> LedgerError {
    if let LedgerError::Corrupt { path, what } = error {
        LedgerError::DamagedCopy { path, what }
    } else {
        error
    }
}

/// Opens a copy for reading, wherever it is.
pub(super) fn open_copy(path: &Path) -> Result<Connection, LedgerError> {
    file::check_sqlite()?;
    let mut file = fs::open(path).map_err(LedgerError::io(path))?;
    let (Content::Ledger | Content::Backup) = file::content(&mut file, path).map_err(of_copy)?;
    let real = std::fs::canonicalize(path).map_err(LedgerError::io(path))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let has_log = std::fs::metadata(beside(&real, "-wal")).is_ok_and(|log| log.len() > 0);
    let opened = if has_log {
        rusqlite::Connection::open_with_flags(&real, flags)
    } else {
        // Nobody writes it, and nothing is to be made beside it.
        let flags = flags | OpenFlags::SQLITE_OPEN_URI;
        rusqlite::Connection::open_with_flags(still(&real), flags)
    };
    let connection = opened.map_err(|error| LedgerError::of(path, error))?;
    schema::version(&connection, path)?;
    Ok(Connection::Sqlite(connection))
}

/// The URI of a file that does not change (<https://sqlite.org/uri.html>).
fn still(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let mut uri = "file://".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(*byte));
            }
            other => uri.extend([format!("%{other:02x}")]),
        }
    }
    uri + "?immutable=1"
}

/// Looks at everything, but for tables named in `besides`.
pub(super) fn sound(
    connection: &Connection,
    path: &Path,
    besides: &[&str],
    head: Option<&str>,
) -> Result<Verified, LedgerError> {
    let of = |error| LedgerError::of(path, error);
    let Connection::Sqlite(file) = connection else { return Err(LedgerError::Gone) };
    // All of it as it is at one moment.
    let transaction = file.unchecked_transaction().map_err(of)?;
    let version = schema::version(file, path)?;
    sound_file(&transaction, path, version, besides)?;
    holds(connection, version, head).map_err(|error| LedgerError::of(path, error))
}

/// Looks at what SQLite itself knows of: pages, tables, references.
fn sound_file(
    file: &rusqlite::Connection,
    path: &Path,
    version: i64,
    besides: &[&str],
) -> Result<(), LedgerError> {
    let sqlite = |error| LedgerError::of(path, error);
    let damaged = |what| LedgerError::Corrupt { path: path.to_owned(), what };
    let pages: String =
        file.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(sqlite)?;
    if pages != "ok" {
        return Err(damaged(pages));
    }
    if let Some(name) = schema::difference(file, version, besides).map_err(sqlite)? {
        return Err(damaged(format!("\"{name}\" is not as version {version} has it")));
    }
    broken_reference(file).map_err(sqlite)?.map_or(Ok(()), |what| Err(damaged(what)))
}

/// Counts what it holds, and looks through its chain.
pub(super) fn holds(
    connection: &Connection,
    version: i64,
    head: Option<&str>,
) -> sql::Result<Verified> {
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table}");
        connection.query_row(&sql, (), |row| column::count(row, 0))
    };
    let has_chain = version >= schema::FIRST_WITH_CHAIN;
    let proof = has_chain.then(|| proof::prove(connection, head)).transpose()?;
    Ok(Verified { version, alerts: count("alert")?, deliveries: count("delivery")?, proof })
}

fn broken_reference(file: &rusqlite::Connection) -> rusqlite::Result<Option<String>> {
    let mut statement = file.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    rows.next()?
        .map(|row| {
            let (from, to): (String, String) = (row.get(0)?, row.get(2)?);
            let number = row.get::<_, Option<i64>>(1)?;
            let number = number.map(|number| format!(" {number}")).unwrap_or_default();
            Ok(format!("row{number} of \"{from}\" refers to a row of \"{to}\" that is not there"))
        })
        .transpose()
}
