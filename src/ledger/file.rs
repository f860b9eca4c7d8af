//! Opens the ledger's file: made whole or not at all, checked before it is trusted, never silently
//! started again.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};
use uuid::Uuid;

use crate::fs::{self, Rights, Unfinished};
use crate::ledger::column::{self, Id, Instant};
use crate::ledger::copying::copy_into;
use crate::ledger::database;
use crate::ledger::error::LedgerError;
use crate::ledger::lock::{beside, folder_of};
use crate::ledger::schema::{self, VERSION, migrate, version};
use crate::ledger::sql::{self, PATIENCE};
use crate::ledger::{Config, made, transfer, wal};

/// "bgal": marks a file as a ledger of this program (`PRAGMA application_id`).
pub(super) const APPLICATION_ID: u32 = 0x6267_616c;
/// "bgab": marks a file as a backup of one.
pub(super) const BACKUP_ID: u32 = 0x6267_6162;
/// The tables that a backup has beside those of the ledger.
pub(super) const TABLES_OF_BACKUP: [&str; 2] = ["backup", "backup_file"];
/// The files beside the ledger that SQLite opens by their names, and makes where they are not
/// there.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];
/// 3.51.3: before it, two connections could corrupt a write-ahead log (sqlite.org/wal.html, "the
/// WAL-reset bug").
const OLDEST_SOUND_SQLITE: i32 = 3_051_003;

/// Opens the ledger for writing, its lock held; makes it where there is none.
pub(super) fn open(path: &Path, now: Timestamp) -> Result<Connection, LedgerError> {
    check_sqlite()?;
    if !inspect(path)? {
        create(path, now)?;
    }
    wal::check(path)?;
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    prepare(&connection, path)?;
    made::note(path, path, now);
    Ok(connection)
}

/// Makes a new ledger in place of one that is lost.
pub(super) fn make_new(path: &Path, now: Timestamp) -> Result<(), LedgerError> {
    check_sqlite()?;
    match inspect(path) {
        Ok(true) => return Err(LedgerError::There { path: path.to_owned() }),
        Ok(false) | Err(LedgerError::Lost { .. }) => {}
        Err(error) => return Err(error),
    }
    create(path, now)?;
    made::note(path, path, now);
    Ok(())
}

/// Makes the folder of the ledger where there is none, for its owner only.
pub(super) fn make_folder(path: &Path) -> Result<(), LedgerError> {
    let folder = folder_of(path);
    fs::make_folder(folder, 0o700).map_err(LedgerError::io(folder))
}

/// Opens an existing ledger for reading, beside whoever writes it.
pub(super) fn open_read_only(config: &Config) -> Result<sql::Connection, LedgerError> {
    if let Some(server) = &config.server {
        return database::open_read_only(server, &config.path);
    }
    let path = &config.path;
    let connection = connect_to_read(path)?;
    let found = version(&connection, path)?;
    if found < VERSION {
        return Err(LedgerError::OlderVersion { path: path.to_owned(), found, known: VERSION });
    }
    Ok(sql::Connection::Sqlite(connection))
}

/// The same of any version that is known here.
pub(super) fn connect_to_read(path: &Path) -> Result<Connection, LedgerError> {
    check_sqlite()?;
    if !inspect(path)? {
        return Err(LedgerError::Missing { path: path.to_owned() });
    }
    wal::check(path)?;
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    version(&connection, path)?;
    Ok(connection)
}

/// A private copy of the ledger, or an empty one where there is none: whatever is written to it is
/// forgotten.
///
/// It lies in a temporary file of SQLite's own, so that a large ledger does not fill the memory.
pub(super) fn copy(config: &Config, now: Timestamp) -> Result<sql::Connection, LedgerError> {
    check_sqlite()?;
    let path = config.path.as_path();
    let sqlite = |error| LedgerError::of(path, error);
    let mut copy = Connection::open("").map_err(sqlite)?;
    let is_file = config.server.is_none() && inspect(path)?;
    if is_file {
        wal::check(path)?;
        let original = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        version(&original, path)?;
        // In one step, so that a writer beside it does not make it start over.
        Backup::new(&original, &mut copy)
            .and_then(|backup| backup.run_to_completion(i32::MAX, Duration::ZERO, None))
            .map_err(sqlite)?;
        migrate(&copy, path)?;
    } else {
        initialise(&copy, path, now)?;
    }
    copy.execute_batch("PRAGMA synchronous = OFF").map_err(sqlite)?;
    tune(&copy).map_err(sqlite)?;
    let copy = sql::Connection::Sqlite(copy);
    if let Some(server) = &config.server {
        match database::open_read_only(server, path) {
            Ok(original) => {
                transfer::copy(&original, &copy).map_err(|error| LedgerError::of(path, error))?;
            }
            Err(LedgerError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(copy)
}

/// What identities are derived from.
pub(super) fn identity(connection: &sql::Connection) -> sql::Result<Uuid> {
    connection.query_row("SELECT identity FROM file", (), |row| column::id(row, 0))
}

/// Marks the file as closed in order, and moves the write-ahead log into it.
pub(super) fn close(connection: Connection) -> rusqlite::Result<()> {
    connection.execute("UPDATE file SET clean = 1", [])?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)
}

pub(super) fn check_sqlite() -> Result<(), LedgerError> {
    if rusqlite::version_number() < OLDEST_SOUND_SQLITE {
        return Err(LedgerError::OldSqlite { found: rusqlite::version() });
    }
    Ok(())
}

/// Whether there is a ledger at `path`; an error when there is something else.
fn inspect(path: &Path) -> Result<bool, LedgerError> {
    let mut file = match fs::open_own(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return absent(path),
        Err(error) => return Err(LedgerError::io(path)(error)),
    };
    match content(&mut file, path)? {
        Content::Ledger => Ok(true),
        Content::Backup => Err(LedgerError::IsBackup { path: path.to_owned() }),
    }
}

/// What a file of this program holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Ledger,
    Backup,
}

/// What a file holds, by its header; an error when it is something else.
pub(super) fn content(file: &mut File, path: &Path) -> Result<Content, LedgerError> {
    let mut header = Vec::new();
    file.take(100).read_to_end(&mut header).map_err(LedgerError::io(path))?;
    if header.is_empty() {
        return Err(LedgerError::Corrupt { path: path.to_owned(), what: "it is empty".into() });
    }
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(LedgerError::NotOurs { path: path.to_owned(), what: "not an SQLite file" });
    }
    match header.get(68..72) {
        Some(id) if id == APPLICATION_ID.to_be_bytes() => Ok(Content::Ledger),
        Some(id) if id == BACKUP_ID.to_be_bytes() => Ok(Content::Backup),
        Some(_) => Err(LedgerError::NotOurs {
            path: path.to_owned(),
            what: "an SQLite file of another program",
        }),
        None => Err(LedgerError::Corrupt { path: path.to_owned(), what: "it is cut off".into() }),
    }
}

/// A log without its file is what is left of a lost ledger, and SQLite would play it into a new
/// one.
fn absent(path: &Path) -> Result<bool, LedgerError> {
    let log = fs::open_own(&beside(path, "-wal"))
        .and_then(|log| log.metadata())
        .map_or(0, |log| log.len());
    if log > 0 {
        return Err(LedgerError::Corrupt {
            path: path.to_owned(),
            what: "it is gone, but its write-ahead log is there".into(),
        });
    }
    made::refuse_lost(path, path)?;
    Ok(false)
}

/// Makes a new ledger in memory and puts it in its place as a whole, so that a crash leaves none or
/// all of it.
fn create(path: &Path, now: Timestamp) -> Result<(), LedgerError> {
    let sqlite = |error| LedgerError::of(path, error);
    // What an older version left that was killed while it made one.
    fs::remove(&beside(path, ".new")).map_err(LedgerError::io(path))?;
    let mut connection = Connection::open_in_memory().map_err(sqlite)?;
    initialise(&connection, path, now)?;
    let bytes = connection.serialize("main").map_err(sqlite)?;
    fs::create(path, &bytes, Rights::Daemon).map_err(LedgerError::io(path))
}

pub(super) fn initialise(
    connection: &Connection,
    path: &Path,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let begin = format!("PRAGMA synchronous = FULL; PRAGMA application_id = {APPLICATION_ID}");
    connection.execute_batch(&begin).map_err(|error| LedgerError::of(path, error))?;
    migrate(connection, path)?;
    let row = "INSERT INTO file (only, created_at, clean, identity) VALUES (1, ?1, 1, ?2)";
    connection
        .execute(row, params![Instant(now), Id(Uuid::new_v4())])
        .map_err(|error| LedgerError::of(path, error))?;
    Ok(())
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, LedgerError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let writes = flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE);
    for file in std::iter::once(path.to_owned()).chain(BESIDE.map(|ending| beside(path, ending))) {
        let looked = fs::exists(&file)
            .and_then(|there| if there && writes { fs::check_usable(&file) } else { Ok(()) });
        looked.map_err(LedgerError::io(&file))?;
    }
    let real = fs::real_path(path).map_err(LedgerError::io(path))?;
    let open = || {
        let connection = Connection::open_with_flags(&real, flags)?;
        connection.busy_timeout(PATIENCE)?;
        tune(&connection)?;
        Ok(connection)
    };
    open().map_err(|error: rusqlite::Error| LedgerError::of(path, error))
}

/// Settings of a connection, none of them kept in the file. The cache is in KiB when negative. The
/// write-ahead log is moved into the file at each 256 pages, 1 MiB: a long one would fill a disk with
/// little room, on which nothing could be moved out of it any more.
fn tune(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(64);
    // A kept statement stays as it was planned: SQLite would plan many again for each value that is
    // bound to them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(
        "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0; PRAGMA cache_size = -3072;
         PRAGMA journal_size_limit = 8388608; PRAGMA wal_autocheckpoint = 256;",
    )
}

/// Makes a ledger ready for writing: durable, of this version, and checked when the last one who
/// held it did not end in order.
fn prepare(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let sqlite = |error| LedgerError::of(path, error);
    // A ledger that is refused is left as it is, its log not moved into it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(sqlite)?;
    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(sqlite)?;
    if mode != "wal" {
        return Err(LedgerError::Corrupt {
            path: path.to_owned(),
            what: format!("journal mode {mode} instead of wal"),
        });
    }
    connection.execute_batch("PRAGMA synchronous = FULL").map_err(sqlite)?;
    let found = version(connection, path)?;
    let clean: bool =
        connection.query_row("SELECT clean FROM file", [], |row| row.get(0)).map_err(sqlite)?;
    if !clean {
        check_pages(connection, path)?;
    }
    if found < VERSION {
        keep_as_before(connection, path)?;
        migrate(connection, path)?;
    }
    connection.execute("UPDATE file SET clean = 0 WHERE clean <> 0", []).map_err(sqlite)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(sqlite)?;
    // Also whatever a process left in it that was cut short. On a full disk it stays, which is as
    // good.
    drop(sql::checkpoint(connection));
    Ok(())
}

/// Keeps a copy of a ledger of an older version, for the program that wrote it: there is no way
/// back otherwise. One that a start left which was cut short gives way.
fn keep_as_before(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let copy = schema::copy_before(path, VERSION);
    fs::remove(&copy).map_err(LedgerError::io(&copy))?;
    let unfinished = Unfinished::begin(&copy, Rights::Daemon).map_err(LedgerError::io(&copy))?;
    copy_into(connection, path, &unfinished, &copy)?;
    unfinished.finish().map_err(LedgerError::io(&copy))?;
    tracing::info!(ledger.path = %path.display(), "the ledger becomes version {VERSION}; as it was \
        before it is kept as {}", copy.display());
    Ok(())
}

fn check_pages(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    tracing::info!(ledger.path = %path.display(), "the ledger was not closed in order; checking \
        it");
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| LedgerError::of(path, error))?;
    if found == "ok" {
        Ok(())
    } else {
        Err(LedgerError::Corrupt { path: path.to_owned(), what: found })
    }
}
