//! The lock that keeps a ledger to one process, and the rights of the files beside it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::ledger::error::LedgerError;

/// An exclusive lock, held until it is dropped or the process ends, however that happens.
pub(super) struct Lock(#[expect(dead_code, reason = "holds the lock by being open")] File);

impl Lock {
    /// Takes the lock of the ledger at `path`, and leaves word of who holds it.
    pub(super) fn take(path: &Path) -> Result<Self, LedgerError> {
        let beside = beside(path, ".lock");
        let mut file =
            make(&beside, OpenOptions::new().read(true).write(true).create(true).truncate(false)).map_err(LedgerError::io(&beside))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LedgerError::Held { path: path.to_owned(), by: holder(&mut file) }),
            Err(TryLockError::Error(error)) => return Err(LedgerError::io(&beside)(error)),
        }
        // Only news for people: a full disk must not keep the daemon from starting.
        let _written_or_not = sign(&mut file);
        Ok(Self(file))
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
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

/// Opens a file that is made with mode 0600 where it does not exist. Made by root, it is given to the owner of its
/// folder, so that the daemon can use it whoever ran a command first.
pub(super) fn make(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let file = options.mode(0o600).open(path)?;
    let folder = std::fs::metadata(folder_of(path))?;
    let made = file.metadata()?;
    if made.uid() == 0 && (folder.uid(), folder.gid()) != (made.uid(), made.gid()) {
        std::os::unix::fs::fchown(&file, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(file)
}

/// The folder of a file; the working directory for a bare name.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
