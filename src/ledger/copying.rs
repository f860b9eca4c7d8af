//! Copies a whole database into a file that is being written.

use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::fs::Unfinished;
use crate::ledger::error::LedgerError;

/// Copies a database as it is at one moment. The copy keeps no log: it is one file.
pub(super) fn copy_into(
    original: &Connection,
    from: &Path,
    unfinished: &Unfinished,
    to: &Path,
) -> Result<(), LedgerError> {
    let mut copy = reopen(unfinished, to)?;
    // In one step, so that a writer beside it does not make it start over.
    let copied = Backup::new(original, &mut copy)
        .and_then(|backup| backup.run_to_completion(i32::MAX, Duration::ZERO, None));
    copied.map_err(|error| {
        // What cannot be written is the copy; damage is the original's.
        let damaged = error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt);
        LedgerError::of(if damaged { from } else { to }, error)
    })?;
    copy.close().map_err(|(_, error)| LedgerError::of(to, error))?;
    // That it has a write-ahead log stands in its header (sqlite.org/fileformat2.html, 1.3.3).
    unfinished.file().write_all_at(&[1, 1], 18).map_err(LedgerError::io(to))
}

/// Opens what is being written: it is synced as a whole, and nothing is made beside it.
pub(super) fn reopen(unfinished: &Unfinished, to: &Path) -> Result<Connection, LedgerError> {
    let path = unfinished.path().map_err(LedgerError::io(to))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let open = || {
        let connection = Connection::open_with_flags(&path, flags)?;
        connection.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA trusted_schema = OFF;",
        )?;
        Ok(connection)
    };
    open().map_err(|error: rusqlite::Error| LedgerError::of(to, error))
}
