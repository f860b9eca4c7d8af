//! The lock that keeps a ledger to one process, and the names of the files beside it.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::fs;
use crate::ledger::error::LedgerError;

/// A child that another thread is just starting has a copy of every open file until its program
/// begins: a lock of this very process that was given back a moment ago may seem to be held for so
/// many tries, each after so long.
const OWN_TRIES: u32 = 100;
const OWN_WAIT: Duration = Duration::from_millis(2);

/// An exclusive lock, held until it is dropped or the process ends, however that happens.
pub(super) struct Lock(#[expect(dead_code, reason = "holds the lock by being open")] File);

impl Lock {
    /// Takes the lock of the ledger at `path`, and leaves word of who holds it.
    #[expect(
        clippy::disallowed_methods,
        reason = "milliseconds, and only where this process has held the lock itself"
    )]
    pub(super) fn take(path: &Path) -> Result<Self, LedgerError> {
        let beside = beside(path, ".lock");
        let mut file = fs::open_or_make(&beside).map_err(LedgerError::io(&beside))?;
        let mut tries = OWN_TRIES;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    let by = holder(&mut file);
                    if tries == 0 || by != Some(std::process::id()) {
                        return Err(LedgerError::Held { path: path.to_owned(), by });
                    }
                }
                Err(TryLockError::Error(error)) => return Err(LedgerError::io(&beside)(error)),
            }
            tries -= 1;
            std::thread::sleep(OWN_WAIT);
        }
        // Only news for people: a full disk must not keep the daemon from starting.
        let _written_or_not = sign(&mut file);
        Ok(Self(file))
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(20).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// The file beside the ledger whose name ends in `ending`.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Whether a file in the ledger's folder is of the ledger at `path`, by its name.
pub fn is_own_file(path: &Path, name: &OsStr) -> bool {
    let is_named = |own: PathBuf| own.file_name() == Some(name);
    let endings = [
        ".lock",
        "-wal",
        "-shm",
        "-journal",
        ".restored",
        ".replaced",
        ".replaced-wal",
        ".replaced-journal",
    ];
    let before = beside(path, ".before-");
    let is_before = before.file_name().is_some_and(|before| {
        name.as_bytes()
            .strip_prefix(before.as_bytes())
            .is_some_and(|version| !version.is_empty() && version.iter().all(u8::is_ascii_digit))
    });
    is_before
        || is_named(path.to_owned())
        || is_named(path.with_extension("made"))
        || endings.iter().any(|ending| is_named(beside(path, ending)))
}

/// The folder of a file; the working directory for a bare name.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
