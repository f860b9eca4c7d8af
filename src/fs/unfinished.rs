//! A file that another library writes by its path: under another name first, moved into its place
//! once it is on disk.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::fstat;

use crate::fs::Rights;
use crate::fs::folder::Folder;
use crate::fs::own::real_path;
use crate::fs::replace::{hand_over, unfinished};
use crate::fs::sweep::sweep_file;
use crate::fs::walk::End;

/// A file that is being written; removed when it is dropped before it is finished.
pub struct Unfinished {
    folder: Folder,
    name: OsString,
    /// Its name until it is finished.
    for_now: OsString,
    /// Open all the while: its lock says to others that somebody is at it.
    file: File,
    path: PathBuf,
}

impl Unfinished {
    /// Begins the file at `path`; refused where there is something already.
    pub fn begin(path: &Path, rights: Rights) -> io::Result<Self> {
        let (folder, name) = Folder::of(path, End::Name)?;
        match folder.handle(&name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => return Err(found.err().unwrap_or(io::ErrorKind::AlreadyExists.into())),
        }
        sweep_file(&folder, &name);
        let for_now = unfinished(&name);
        let file = folder.make_file(&for_now)?;
        // Where there are no locks, nobody sweeps either.
        drop(file.try_lock());
        let path = path.with_file_name(&for_now);
        let begun = Self { folder, name, for_now, file, path };
        hand_over(&begun.file, &begun.folder, &begun.name, rights)?;
        Ok(begun)
    }

    /// Where it is written. Whoever opens it there must close it before it is finished.
    pub fn path(&self) -> io::Result<PathBuf> {
        real_path(&self.path)
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Moves it into its place, unless something has come there meanwhile: on disk, and safe from a
    /// power cut, when this returns.
    pub fn finish(self) -> io::Result<()> {
        let (own, found) = (fstat(&self.file)?, fstat(self.folder.handle(&self.for_now)?)?);
        if (own.st_dev, own.st_ino) != (found.st_dev, found.st_ino) {
            return Err(io::Error::other("it was exchanged while it was written"));
        }
        self.file.sync_all()?;
        self.folder.rename_new(&self.for_now, &self.name)?;
        self.folder.sync()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Once it is finished nothing has this name; what cannot be removed is swept later.
        drop(self.folder.remove(&self.for_now));
    }
}
