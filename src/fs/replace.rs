//! Writes a file whole or not at all: under another name first, moved into its place once it is on
//! disk.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{Gid, OFlags, Uid, fchown, fstat};

use crate::fs::folder::Folder;
use crate::fs::sweep::{UNFINISHED, sweep_file};
use crate::fs::user::User;
use crate::fs::walk::End;

/// How often another name is tried.
const TRIES: usize = 64;

/// Tells apart what one process writes at the same time.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// Whose a file becomes that is made or replaced, and who else may do what with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// For the daemon alone: it belongs to the owner of the folder, even when root makes it.
    Daemon,
    /// The same, and the daemon only reads it: a secret that a person has given it.
    DaemonReads,
    /// For this user alone.
    User(User),
    /// For whoever makes it, and for others by this mode.
    Mode(u32),
    /// Like the file before it, in owner and mode; where there is none, for whoever makes it, and
    /// for others by this mode. A link in its place stays one: what it leads to is replaced.
    AsBefore(u32),
}

/// Puts `bytes` at `path`, in place of whatever is there: on disk, and safe from a power cut, when
/// this returns.
pub fn replace(path: &Path, bytes: &[u8], rights: Rights) -> io::Result<()> {
    replace_by(path, rights, |out| out.write_all(bytes))
}

/// The same for what is too large to be in memory: `write` writes it, piece by piece. When that
/// fails, what was there stays.
pub fn replace_by(
    path: &Path,
    rights: Rights,
    mut write: impl FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    put(path, &mut write, rights, Folder::rename)
}

/// The same for `bytes`, but refused when there is something already.
pub fn create(path: &Path, bytes: &[u8], rights: Rights) -> io::Result<()> {
    put(path, &mut |out| out.write_all(bytes), rights, Folder::rename_new)
}

type Move = fn(&Folder, &OsStr, &OsStr) -> io::Result<()>;

type Content<'a> = dyn FnMut(&mut dyn Write) -> io::Result<()> + 'a;

fn put(path: &Path, content: &mut Content<'_>, rights: Rights, into_place: Move) -> io::Result<()> {
    let end = if matches!(rights, Rights::AsBefore(_)) { End::Target } else { End::Name };
    let (folder, name) = Folder::of(path, end)?;
    sweep_file(&folder, &name);
    let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
    for _ in 0..TRIES {
        let unfinished = unfinished(&name);
        let file = match folder.make_file(&unfinished) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            made => made?,
        };
        // Says to others that somebody is at it; where there are no locks, nobody sweeps either.
        drop(file.try_lock());
        let written = hand_over(&file, &folder, &name, rights).and_then(|()| fill(&file, content));
        match written.and_then(|()| into_place(&folder, &unfinished, &name)) {
            Ok(()) => return folder.sync(),
            // Taken for a leftover before it was locked.
            Err(error) if error.kind() == io::ErrorKind::NotFound => last = error,
            Err(error) => {
                // What is left over is nobody's; the error to tell is the first one.
                drop(folder.remove(&unfinished));
                return Err(error);
            }
        }
    }
    Err(last)
}

/// A name that nobody else uses at the same time, except in another container.
pub(super) fn unfinished(name: &OsStr) -> OsString {
    let mut unfinished = OsString::from(".");
    unfinished.push(name);
    unfinished.push(format!(
        ".{}-{}{UNFINISHED}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    ));
    unfinished
}

fn fill(file: &File, content: &mut Content<'_>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    content(&mut out)?;
    out.flush()?;
    file.sync_all()
}

pub(super) fn hand_over(
    file: &File,
    folder: &Folder,
    name: &OsStr,
    rights: Rights,
) -> io::Result<()> {
    let mode = match rights {
        Rights::Daemon => return folder.give(file),
        Rights::DaemonReads => {
            folder.give(file)?;
            0o400
        }
        Rights::User(user) => {
            fchown(file, Some(Uid::from_raw(user.uid)), Some(Gid::from_raw(user.gid)))?;
            0o600
        }
        Rights::Mode(mode) => mode,
        Rights::AsBefore(otherwise) => match folder.open_file(name, OFlags::PATH) {
            Ok(before) => as_before(file, &before)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => otherwise,
            Err(error) => return Err(error),
        },
    };
    // Whatever the umask is.
    file.set_permissions(Permissions::from_mode(mode & 0o777))
}

/// Gives what was made to the owner of the file before, as far as this process may; returns that
/// file's mode.
fn as_before(file: &File, before: &File) -> io::Result<u32> {
    let (stat, made) = (fstat(before)?, fstat(file)?);
    if (stat.st_uid, stat.st_gid) != (made.st_uid, made.st_gid) {
        let given =
            fchown(file, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)));
        if rustix::process::geteuid().is_root() {
            given?;
        }
    }
    Ok(stat.st_mode)
}
