//! What a file is that cannot be used, in words.

use std::io;
use std::path::Path;

use rustix::fs::{FileType, Stat};

/// Refuses whatever is no regular file.
pub(super) fn regular(stat: &Stat) -> io::Result<()> {
    let what = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => return Ok(()),
        FileType::Directory => return Err(rustix::io::Errno::ISDIR.into()),
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice | FileType::Unknown => "a device",
    };
    Err(refused(format!("it is {what}, not a regular file")))
}

/// Refuses a file that has other names too: what is written to it would change whatever they stand
/// for.
pub(super) fn single(stat: &Stat) -> io::Result<()> {
    regular(stat)?;
    let names = stat.st_nlink;
    if names > 1 {
        Err(refused(format!(
            "it has {names} names (hard links), and a file of the program has one"
        )))
    } else {
        Ok(())
    }
}

/// A file of another user in a folder of this process's own, with the way to give it back.
pub(super) fn foreign(path: &Path, file: &Stat, folder: &Stat) -> io::Error {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (owner, uid, gid) = (file.st_uid, folder.st_uid, folder.st_gid);
    let text = format!(
        "it belongs to another user (uid {owner}); give it back, as root: chown {uid}:{gid} {}",
        path.display()
    );
    io::Error::new(io::ErrorKind::PermissionDenied, text)
}

/// A refusal of what lies in the place of a file.
pub(super) fn refused(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
