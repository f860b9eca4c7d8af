//! Looks after the program's own files as somebody left them: rights that are too wide, and what
//! root's commands made and were killed before they could give away. Only regular files with one
//! name are touched, by their descriptors.

use std::ffi::{OsStr, OsString};
use std::fs::Permissions;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, Gid, Mode, Stat, Uid, chownat, fstat};

use crate::fs::error::single;
use crate::fs::folder::Folder;

/// Whoever may write in a folder may put anything in a file's place; who may look into it sees
/// names.
const OTHERS_WRITE: u32 = 0o022;

/// A file or folder whose rights were too wide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tightened {
    /// Where it is.
    pub path: PathBuf,
    /// Its mode before.
    pub before: u32,
    /// Its mode now.
    pub now: u32,
}

/// Takes from everybody but their owner whatever they may do with the files in a folder that are
/// the program's. Files of other users are left alone.
pub fn tighten(path: &Path, is_own: impl Fn(&OsStr) -> bool) -> Vec<Tightened> {
    let Ok(folder) = Folder::open(path) else { return Vec::new() };
    let tightened = own_files(&folder, is_own).into_iter().filter_map(|(name, file, stat)| {
        let before = mode(&stat);
        (before & 0o077 != 0 && may_change(&stat)).then_some(())?;
        let now = before & 0o700;
        set_mode(&file, now).ok()?;
        Some(Tightened { path: path.join(name), before, now })
    });
    tightened.collect()
}

/// Takes from everybody but its owner the right to change what a folder holds. One that everybody
/// shares, as `/tmp`, is left alone.
pub fn tighten_folder(path: &Path) -> Option<Tightened> {
    let folder = Folder::open(path).ok()?.readable().ok()?;
    let stat = fstat(&folder).ok()?;
    let before = mode(&stat);
    let is_shared = Mode::from_raw_mode(stat.st_mode).contains(Mode::SVTX);
    (before & OTHERS_WRITE != 0 && !is_shared && may_change(&stat)).then_some(())?;
    let now = before & !OTHERS_WRITE;
    set_mode(&folder, now).ok()?;
    Some(Tightened { path: path.to_owned(), before, now })
}

/// Gives empty files of root's, as a command leaves them that is killed between making and giving,
/// to the owner of their folder. Nothing can be read by that which could not be read before.
pub fn give_back(path: &Path, is_own: impl Fn(&OsStr) -> bool) -> Vec<PathBuf> {
    let is_root = rustix::process::geteuid().is_root();
    let Some((folder, owner)) = Folder::open(path)
        .and_then(|folder| folder.stat().map(|stat| (folder, stat)))
        .ok()
        .filter(|_| is_root)
    else {
        return Vec::new();
    };
    let mut given = Vec::new();
    for (name, file, stat) in own_files(&folder, is_own) {
        let is_left = stat.st_uid == 0 && stat.st_size == 0 && owner.st_uid != 0;
        let (uid, gid) = (Uid::from_raw(owner.st_uid), Gid::from_raw(owner.st_gid));
        if is_left && chownat(&file, "", Some(uid), Some(gid), AtFlags::EMPTY_PATH).is_ok() {
            given.push(path.join(name));
        }
    }
    given
}

/// The regular files with one name that are the program's, without opening them.
fn own_files(folder: &Folder, is_own: impl Fn(&OsStr) -> bool) -> Vec<(OsString, OwnedFd, Stat)> {
    let Ok(names) = folder.readable().and_then(|fd| Ok(Dir::read_from(fd)?)) else {
        return Vec::new();
    };
    let names =
        names.flatten().map(|entry| OsStr::from_bytes(entry.file_name().to_bytes()).to_owned());
    let found = names.filter(|name| is_own(name)).filter_map(|name| {
        let file = folder.handle(&name).ok()?;
        let stat = fstat(&file).ok()?;
        single(&stat).ok()?;
        Some((name, file, stat))
    });
    found.collect()
}

fn mode(stat: &Stat) -> u32 {
    stat.st_mode & 0o7777
}

/// Whether it is this process's own, or root does it.
fn may_change(stat: &Stat) -> bool {
    let own = rustix::process::geteuid();
    own.is_root() || stat.st_uid == own.as_raw()
}

/// By its descriptor, since what has the name can change.
fn set_mode(file: &OwnedFd, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(
        format!("/proc/self/fd/{}", file.as_raw_fd()),
        Permissions::from_mode(mode),
    )
}
