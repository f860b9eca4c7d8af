//! The program's own files: regular ones, with one name, in a folder that is reached by no link of
//! another user.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::fs::folder::{Folder, folder_of};
use crate::fs::read::bounded;
use crate::fs::walk::End;

/// How often it is tried again to open or make a file that comes and goes.
const TRIES: usize = 8;

/// Opens a file for reading.
pub fn open_own(path: &Path) -> io::Result<File> {
    let (folder, name) = Folder::of(path, End::Name)?;
    folder.open_file(&name, OFlags::RDONLY).map_err(|error| folder.explained(path, &name, error))
}

/// Fails where there is a file that this process may not read and write, and says why; does not
/// open it, which for files that others of this process have locked would end their locks.
pub fn check_usable(path: &Path) -> io::Result<()> {
    let (folder, name) = Folder::of(path, End::Name)?;
    match folder.check_access(&name) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(folder.explained(path, &name, error))
        }
        // Whatever else there is, or is not, is found when it is opened.
        _ => Ok(()),
    }
}

/// Fails where this process may not make a file at `path`, whose folder is made where there is none.
/// Looks only.
pub fn check_makeable(path: &Path) -> io::Result<()> {
    let above = folder_of(path);
    match Folder::open(&above) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && above.parent().is_some() => {
            check_makeable(&above)
        }
        opened => opened?.check_writable(),
    }
}

/// Reads a file of up to so many bytes.
pub fn read_own(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    bounded(open_own(path)?, most)
}

/// Opens a file for reading and writing. Where there is none it is made, for its owner only; by
/// root, for the owner of its folder.
pub fn open_or_make(path: &Path) -> io::Result<File> {
    let (folder, name) = Folder::of(path, End::Name)?;
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for _ in 0..TRIES {
        match folder.open_file(&name, OFlags::RDWR) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened.map_err(|error| folder.explained(path, &name, error)),
        }
        match folder.make_file(&name) {
            Ok(made) => return folder.give(&made).map(|()| made),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// Whether there is a file; an error when what is there is no file of the program.
pub fn exists(path: &Path) -> io::Result<bool> {
    let looked = Folder::of(path, End::Name).and_then(|(folder, name)| folder.look(&name));
    match looked {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        looked => looked.map(|()| true),
    }
}

/// Removes a file; that it is not there is fine.
pub fn remove(path: &Path) -> io::Result<()> {
    let (folder, name) = Folder::of(path, End::Name)?;
    folder.remove(&name)
}

/// The path of a file without any link in it, for those who open it by its path.
pub fn real_path(path: &Path) -> io::Result<PathBuf> {
    let (folder, name) = Folder::of(path, End::Name)?;
    let real = std::fs::canonicalize(folder_of(path))?;
    if Folder::open(&real)?.identity()? == folder.identity()? {
        Ok(real.join(name))
    } else {
        Err(io::Error::other("its folder is exchanged while it is opened"))
    }
}
