//! One file that holds all that a ledger is, with what must not be lost beside it; and the way
//! back.
//!
//! A backup is an SQLite file: the ledger as it was at one moment, two more tables, and a mark of
//! its own, so that it is not taken for a ledger: it holds secrets that a ledger does not.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::params;

use crate::fs::{self, Rights, Unfinished};
use crate::ledger::column::{self, Instant};
use crate::ledger::copying::{copy_into, reopen};
use crate::ledger::error::LedgerError;
use crate::ledger::file::{self, APPLICATION_ID, BACKUP_ID};
use crate::ledger::lock::{Lock, beside};
use crate::ledger::sql::{self, Connection};
use crate::ledger::verify::{self, Verified, open_copy};
use crate::ledger::{Config, made, transfer};

/// What a backup has beside the ledger.
const TABLES: &str = "
    CREATE TABLE backup (only INTEGER PRIMARY KEY CHECK (only = 1), made_at INTEGER NOT NULL) STRICT;
    CREATE TABLE backup_file (name TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT, WITHOUT ROWID;";

/// A file that is kept with the ledger. What is in it is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// Its name in the state folder.
    pub name: String,
    /// What is in it.
    pub content: Vec<u8>,
}

impl std::fmt::Debug for KeptFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptFile").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Writes the ledger as it is now, and these files, into one new file, for whoever writes it alone:
/// whole or not at all. The ledger may be in use.
///
/// Fails when there is something at `to`, and when the ledger is damaged.
pub fn back_up(
    config: &Config,
    to: &Path,
    rights: Rights,
    files: &[KeptFile],
    now: Timestamp,
) -> Result<(), LedgerError> {
    let unfinished = if config.server.is_some() {
        from_server(config, to, rights, now)?
    } else {
        let ledger = file::connect_to_read(&config.path)?;
        let unfinished = begin(to, rights)?;
        copy_into(&ledger, &config.path, &unfinished, to)?;
        unfinished
    };
    let mut backup = reopen(&unfinished, to)?;
    let sqlite = |error| LedgerError::of(to, error);
    let write = |backup: &mut rusqlite::Connection| {
        let transaction = backup.transaction()?;
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", BACKUP_ID)?;
        transaction.execute("INSERT INTO backup VALUES (1, ?1)", [Instant(now)])?;
        for KeptFile { name, content } in files {
            transaction
                .execute("INSERT INTO backup_file VALUES (?1, ?2)", params![name, content])?;
        }
        transaction.commit()
    };
    write(&mut backup).map_err(sqlite)?;
    let pages: String =
        backup.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(sqlite)?;
    if pages != "ok" {
        return Err(LedgerError::Corrupt { path: config.path.clone(), what: pages });
    }
    backup.close().map_err(|(_, error)| sqlite(error))?;
    unfinished.finish().map_err(LedgerError::io(to))
}

/// Writes the ledger of a server, as it is now, as a file.
fn from_server(
    config: &Config,
    to: &Path,
    rights: Rights,
    now: Timestamp,
) -> Result<Unfinished, LedgerError> {
    let ledger = file::open_read_only(config)?;
    let unfinished = begin(to, rights)?;
    let copy = reopen(&unfinished, to)?;
    file::initialise(&copy, to, now)?;
    copy.pragma_update(None, "synchronous", "OFF").map_err(|error| LedgerError::of(to, error))?;
    let copy = Connection::Sqlite(copy);
    transfer::copy(&ledger, &copy).map_err(|error| LedgerError::of(&config.path, error))?;
    Ok(unfinished)
}

/// A ledger that is about to take its place, and the files that were kept with it. The place is
/// held.
pub struct Restore {
    path: PathBuf,
    unfinished: Unfinished,
    /// When the backup was made; none for a plain copy of a ledger.
    pub made_at: Option<Timestamp>,
    /// What was kept with the ledger.
    pub files: Vec<KeptFile>,
    /// What the ledger holds.
    pub holds: Verified,
    _lock: Lock,
}

impl Restore {
    /// Checks a backup, or any other copy of a ledger, and writes the ledger of it beside its
    /// place. Nothing is changed yet.
    ///
    /// Fails when another process holds the ledger, when there is one and it is not to be
    /// `replaced`, and when the copy is not sound.
    pub fn begin(config: &Config, from: &Path, replaced: bool) -> Result<Self, LedgerError> {
        if config.server.is_some() {
            return Err(LedgerError::OnServer { path: config.path.clone() });
        }
        file::make_folder(&config.path)?;
        let lock = Lock::take(&config.path)?;
        let is_there = |path: &Path| fs::exists(path).map_err(LedgerError::io(path));
        if !replaced && (is_there(&config.path)? || is_there(&beside(&config.path, "-wal"))?) {
            return Err(LedgerError::WouldReplace { path: config.path.clone() });
        }
        let backup = open_copy(from)?;
        let holds =
            verify::sound(&backup, from, &file::TABLES_OF_BACKUP, None).map_err(verify::of_copy)?;
        let of = |error: sql::Error| verify::of_copy(LedgerError::of(from, error));
        let (made_at, files) = if is_backup(&backup).map_err(of)? {
            (Some(made_at(&backup).map_err(of)?), kept_files(&backup).map_err(of)?)
        } else {
            (None, Vec::new())
        };
        let ready = beside(&config.path, ".restored");
        // What one left that was killed.
        fs::remove(&ready).map_err(LedgerError::io(&ready))?;
        let unfinished = begin(&ready, Rights::Daemon)?;
        let Connection::Sqlite(copy) = &backup else { return Err(LedgerError::Gone) };
        copy_into(copy, from, &unfinished, &config.path)?;
        let ledger = reopen(&unfinished, &config.path)?;
        // What is dropped holds secrets, which the ledger does not.
        let script = format!(
            "PRAGMA secure_delete = ON; BEGIN; DROP TABLE IF EXISTS backup; DROP TABLE IF EXISTS backup_file;
             PRAGMA application_id = {APPLICATION_ID}; COMMIT;"
        );
        ledger.execute_batch(&script).map_err(|error| LedgerError::of(&config.path, error))?;
        ledger.close().map_err(|(_, error)| LedgerError::of(&config.path, error))?;
        let path = config.path.clone();
        Ok(Self { path, unfinished, made_at, files, holds, _lock: lock })
    }

    /// Puts the ledger into its place. What was there is kept under a name that ends in
    /// `.replaced`; the one that was replaced before is gone then.
    ///
    /// Where it ends in between, there is no ledger, which is refused until it is restored.
    pub fn finish(self, now: Timestamp) -> Result<(), LedgerError> {
        let ready = beside(&self.path, ".restored");
        self.unfinished.finish().map_err(LedgerError::io(&ready))?;
        made::note(&self.path, &self.path, now);
        // The ledger first: without it its log is refused, and a log without its ledger is nothing.
        for ending in ["", "-wal", "-journal"] {
            let path = beside(&self.path, ending);
            let aside = beside(&self.path, &format!(".replaced{ending}"));
            fs::remove(&aside).map_err(LedgerError::io(&aside))?;
            fs::move_aside(&path, &name_of(&aside)).map_err(LedgerError::io(&path))?;
        }
        let shared = beside(&self.path, "-shm");
        fs::remove(&shared).map_err(LedgerError::io(&shared))?;
        fs::move_aside(&ready, &name_of(&self.path)).map_err(LedgerError::io(&self.path))
    }
}

fn name_of(path: &Path) -> OsString {
    path.file_name().unwrap_or_default().to_owned()
}

fn begin(to: &Path, rights: Rights) -> Result<Unfinished, LedgerError> {
    Unfinished::begin(to, rights).map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            LedgerError::Occupied { path: to.to_owned() }
        } else {
            LedgerError::io(to)(error)
        }
    })
}

fn is_backup(copy: &Connection) -> sql::Result<bool> {
    copy.query_row("PRAGMA application_id", (), |row| Ok(row.get::<_, u32>(0)? == BACKUP_ID))
}

fn made_at(backup: &Connection) -> sql::Result<Timestamp> {
    backup.query_row("SELECT made_at FROM backup", (), |row| column::instant(row, 0))
}

fn kept_files(backup: &Connection) -> sql::Result<Vec<KeptFile>> {
    let mut statement =
        backup.prepare_cached("SELECT name, content FROM backup_file ORDER BY name")?;
    let files =
        statement.query_map((), |row| Ok(KeptFile { name: row.get(0)?, content: row.get(1)? }))?;
    files.collect()
}
