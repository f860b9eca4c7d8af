//! A folder held open, what is done to the names in it, and how folders are made.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{
    Access, AtFlags, Gid, Mode, OFlags, RenameFlags, Stat, Uid, accessat, fchmod, fchown, fstat,
    mkdirat, openat, renameat, renameat_with, unlinkat,
};
use rustix::io::Errno;

use crate::fs::error::{foreign, single};
use crate::fs::walk::{End, walk};

/// A folder held open.
pub(super) struct Folder {
    fd: OwnedFd,
}

impl Folder {
    /// The folder at `path`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { fd: walk(path, End::Folder)?.0 })
    }

    /// The folder of a file, and the file's name in it.
    pub(super) fn of(file: &Path, end: End) -> io::Result<(Self, OsString)> {
        let (fd, name) = walk(file, end)?;
        Ok((Self { fd }, name.ok_or(Errno::ISDIR)?))
    }

    /// Opens a regular file that has this name alone, for reading or more; never waits.
    pub(super) fn open_file(&self, name: &OsStr, access: OFlags) -> io::Result<File> {
        let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = match openat(&self.fd, name, flags, Mode::empty()) {
            // What refuses to be opened so is no regular file; the look says what it is.
            Err(error @ (Errno::LOOP | Errno::NXIO)) => {
                return Err(self.look(name).err().unwrap_or(error.into()));
            }
            opened => opened?,
        };
        single(&fstat(&fd)?)?;
        Ok(File::from(fd))
    }

    /// Makes a file that is not there yet, for its owner only.
    pub(super) fn make_file(&self, name: &OsStr) -> io::Result<File> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR)?))
    }

    /// Refuses whatever has this name and is no regular file with one name.
    pub(super) fn look(&self, name: &OsStr) -> io::Result<()> {
        single(&rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Gives what root has just made here to the owner of the folder, so that the daemon can use it
    /// whoever ran a command first.
    pub(super) fn give(&self, made: &File) -> io::Result<()> {
        let (folder, stat) = (fstat(&self.fd)?, fstat(made)?);
        if stat.st_uid == 0 && (folder.st_uid, folder.st_gid) != (stat.st_uid, stat.st_gid) {
            fchown(made, Some(Uid::from_raw(folder.st_uid)), Some(Gid::from_raw(folder.st_gid)))?;
        }
        Ok(())
    }

    /// Gives a file in this folder another name.
    pub(super) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(renameat(&self.fd, from, &self.fd, to)?)
    }

    /// The same, unless something has that name already.
    pub(super) fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        match renameat_with(&self.fd, from, &self.fd, to, RenameFlags::NOREPLACE) {
            // A file system that cannot; whoever makes the same file at this instant is not seen
            // there.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                match rustix::fs::statat(&self.fd, to, AtFlags::SYMLINK_NOFOLLOW) {
                    Err(Errno::NOENT) => self.rename(from, to),
                    Err(error) => Err(error.into()),
                    Ok(_) => Err(Errno::EXIST.into()),
                }
            }
            renamed => Ok(renamed?),
        }
    }

    /// Removes a name, whatever has it; that nothing has it is fine.
    pub(super) fn remove(&self, name: &OsStr) -> io::Result<()> {
        match unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What was made, renamed and removed here survives a power cut when this returns.
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(self.readable()?)?)
    }

    /// The same folder, for what a mere path of it does not allow.
    pub(super) fn readable(&self) -> io::Result<OwnedFd> {
        Ok(openat(
            &self.fd,
            ".",
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?)
    }

    /// Its device and number.
    pub(super) fn identity(&self) -> io::Result<(u64, u64)> {
        let stat = self.stat()?;
        Ok((stat.st_dev, stat.st_ino))
    }

    /// Whose it is, among others.
    pub(super) fn stat(&self) -> io::Result<Stat> {
        Ok(fstat(&self.fd)?)
    }

    /// Fails where this process may not read and write what has this name; looks only.
    pub(super) fn check_access(&self, name: &OsStr) -> io::Result<()> {
        Ok(accessat(&self.fd, name, Access::READ_OK | Access::WRITE_OK, AtFlags::EACCESS)?)
    }

    /// Fails where this process may not make anything in the folder; looks only.
    pub(super) fn check_writable(&self) -> io::Result<()> {
        Ok(accessat(&self.fd, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)?)
    }

    /// The same error, with what to do where the file belongs to another user than this process and
    /// the folder do.
    pub(super) fn explained(&self, path: &Path, name: &OsStr, error: io::Error) -> io::Error {
        let own = rustix::process::geteuid().as_raw();
        let found = self.handle(name).and_then(|file| Ok((fstat(&file)?, self.stat()?)));
        match found {
            Ok((file, folder))
                if error.kind() == io::ErrorKind::PermissionDenied
                    && file.st_uid != own
                    && folder.st_uid == own =>
            {
                foreign(path, &file, &folder)
            }
            _ => error,
        }
    }

    /// What has this name, without anything being done to it.
    pub(super) fn handle(&self, name: &OsStr) -> io::Result<OwnedFd> {
        Ok(openat(
            &self.fd,
            name,
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )?)
    }

    fn make_child(&self, name: &OsStr, mode: u32) -> io::Result<()> {
        mkdirat(&self.fd, name, Mode::RWXU)?;
        let child = openat(
            &self.fd,
            name,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        // Whatever the umask is.
        Ok(fchmod(&child, Mode::from_raw_mode(mode))?)
    }
}

/// Makes a folder with this mode, and those above it, where there is none.
pub fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    match Folder::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        there => return there.map(drop),
    }
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
        make_folder(above, mode)?;
    }
    let (above, name) = Folder::of(path, End::Name)?;
    match above.make_child(&name, mode) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Folder::open(path).map(drop),
        outcome => outcome,
    }
}

/// Makes a folder that is not there yet, for its owner only.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    let (above, name) = Folder::of(path, End::Name)?;
    above.make_child(&name, 0o700)
}

/// Removes a folder with all that is in it; links in it are removed, not followed.
pub fn remove_folder(path: &Path) -> io::Result<()> {
    std::fs::remove_dir_all(path)
}

/// The folder of a file; the working directory for a bare name.
pub(super) fn folder_of(file: &Path) -> PathBuf {
    file.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
        .to_owned()
}
