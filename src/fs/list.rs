//! The names in a folder of the program, moving one of them to another, and how much room there is.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::Dir;

use crate::fs::folder::Folder;
use crate::fs::walk::End;

/// The names in a folder that are wanted, in their order; none where there is no folder.
pub fn names_in(path: &Path, is_wanted: impl Fn(&OsStr) -> bool) -> io::Result<Vec<OsString>> {
    let folder = match Folder::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?,
    };
    let mut names = Vec::new();
    for entry in Dir::read_from(folder.readable()?)? {
        let name = OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
        if is_wanted(&name) {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Gives a file another name in its folder, in place of whatever has that; safe from a power cut
/// when this returns. That nothing has the name is fine.
pub fn move_aside(path: &Path, to: &OsStr) -> io::Result<()> {
    let (folder, name) = Folder::of(path, End::Name)?;
    match folder.rename(&name, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        renamed => renamed.and_then(|()| folder.sync()),
    }
}

/// How many bytes this user may still write into a folder.
pub fn free_space(folder: &Path) -> io::Result<u64> {
    let space = rustix::fs::statvfs(folder)?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}
