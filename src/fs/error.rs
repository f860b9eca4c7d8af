//! What a file is that cannot be used, in words.

use std::io;

use rustix::fs::{FileType, Stat};

/// Refuses whatever is no regular file.
pub(super) fn regular(stat: &Stat) -> io::Result<()> {
    let what = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => return Ok(()),
        FileType::Directory => return Err(rustix::io::Errno::ISDIR.into()),
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        _ => "a device",
    };
    Err(refused(format!("it is {what}, not a regular file")))
}

/// Refuses a file that has other names too: what is written to it would change whatever they stand for.
pub(super) fn single(stat: &Stat) -> io::Result<()> {
    regular(stat)?;
    let names = stat.st_nlink;
    if names > 1 { Err(refused(format!("it has {names} names (hard links), and a file of the program has one"))) } else { Ok(()) }
}

/// A refusal of what lies in the place of a file.
pub(super) fn refused(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
