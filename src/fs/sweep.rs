//! Removes what processes left that were killed between writing a file and moving it into its
//! place.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{Dir, OFlags};

use crate::fs::folder::Folder;

/// The end of the names of files that are being written.
pub(super) const UNFINISHED: &str = ".unfinished";

/// Removes every unfinished file in a folder that nobody writes any more.
pub fn sweep(folder: &Path) {
    if let Ok(folder) = Folder::open(folder) {
        sweep_names(&folder, |name| {
            name.first() == Some(&b'.') && name.ends_with(UNFINISHED.as_bytes())
        });
    }
}

/// The same for one file, also for names as they once were: `.NAME.PROCESS`.
pub(super) fn sweep_file(folder: &Folder, name: &OsStr) {
    sweep_names(folder, |found| {
        let rest = found
            .strip_prefix(b".")
            .and_then(|rest| rest.strip_prefix(name.as_bytes()))
            .and_then(|rest| rest.strip_prefix(b"."));
        rest.is_some_and(|rest| {
            rest.ends_with(UNFINISHED.as_bytes()) || rest.iter().all(u8::is_ascii_digit)
        })
    });
}

/// What cannot be looked at or removed stays: it is in nobody's way.
fn sweep_names(folder: &Folder, is_unfinished: impl Fn(&[u8]) -> bool) {
    let Ok(names) = folder.readable().and_then(|fd| Ok(Dir::read_from(fd)?)) else { return };
    for entry in names.flatten() {
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if !is_unfinished(name.as_bytes()) {
            continue;
        }
        let Ok(file) = folder.open_file(name, OFlags::RDONLY) else { continue };
        // Whoever writes it holds its lock.
        if file.try_lock().is_ok() {
            drop(folder.remove(name));
        }
    }
}
