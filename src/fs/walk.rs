//! The way from a path to a descriptor of its folder, one name after the other, so that nothing can
//! be exchanged between a look and a step. A symbolic link on the way is followed when it is root's
//! or this process's own user's.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path};

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat};

use crate::fs::error::refused;

/// As many links as the system follows.
const MOST_LINKS: usize = 40;

/// Where a walk ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// In the folder that the path names.
    Folder,
    /// In the folder of the file that the path names; the file itself may be anything, or not be
    /// there.
    Name,
    /// The same, after a link in the file's place was followed.
    Target,
}

/// A folder, and the name in it where the walk ended before one.
pub(super) type Place = (OwnedFd, Option<OsString>);

/// Walks to where `path` leads.
pub(super) fn walk(path: &Path, end: End) -> io::Result<Place> {
    let mut parts: VecDeque<OsString> = names(path).collect();
    let mut folder = step(CWD, ".")?;
    let mut links = 0;
    while let Some(part) = parts.pop_front() {
        let is_name = part != "/" && part != "." && part != "..";
        let is_last = parts.is_empty() && end != End::Folder;
        if is_last && (!is_name || end == End::Name) {
            return if is_name {
                Ok((folder, Some(part)))
            } else {
                Err(rustix::io::Errno::ISDIR.into())
            };
        }
        let found = match step(&folder, &part) {
            Err(error) if is_last && error.kind() == io::ErrorKind::NotFound => {
                return Ok((folder, Some(part)));
            }
            found => found?,
        };
        let stat = fstat(&found)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
            links += 1;
            if links > MOST_LINKS {
                return Err(rustix::io::Errno::LOOP.into());
            }
            trusted(&part, &stat)?;
            let target = OsString::from_vec(readlinkat(&found, "", Vec::new())?.into_bytes());
            for name in names(Path::new(&target)).collect::<Vec<_>>().into_iter().rev() {
                parts.push_front(name);
            }
        } else if is_last {
            return Ok((folder, Some(part)));
        } else {
            folder = found;
        }
    }
    Ok((folder, None))
}

/// The names of a path, `/` among them where it begins with one.
fn names(path: &Path) -> impl Iterator<Item = OsString> {
    path.components()
        .filter(|part| *part != Component::CurDir)
        .map(|part| part.as_os_str().to_owned())
}

fn step(folder: impl AsFd, name: impl rustix::path::Arg) -> io::Result<OwnedFd> {
    Ok(openat(folder, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?)
}

/// A link of another user could lead anywhere, at a time of their choice.
fn trusted(name: &OsString, link: &Stat) -> io::Result<()> {
    let own = rustix::process::geteuid().as_raw();
    if link.st_uid == 0 || link.st_uid == own {
        return Ok(());
    }
    let name = name.to_string_lossy();
    Err(refused(format!(
        "\"{name}\" is a symbolic link of another user (uid {}), which is not followed",
        link.st_uid
    )))
}
