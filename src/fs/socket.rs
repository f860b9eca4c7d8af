//! Makes the file of a socket that is listened on.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{FileType, fstat};

use crate::fs::error::refused;
use crate::fs::folder::Folder;
use crate::fs::walk::End;

/// Listens at `path`, in place of whatever is there, with these rights. Until they are set it has
/// the name `unready`, under which nobody looks for it.
pub fn listen(path: &Path, unready: &str, mode: u32) -> io::Result<UnixListener> {
    let (folder, name) = Folder::of(path, End::Name)?;
    folder.remove(OsStr::new(unready))?;
    let listener = UnixListener::bind(path.with_file_name(unready))?;
    set_mode(&folder, OsStr::new(unready), mode)?;
    folder.rename(OsStr::new(unready), &name)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// By a descriptor, since what has the name can change; a socket cannot be opened otherwise.
fn set_mode(folder: &Folder, name: &OsStr, mode: u32) -> io::Result<()> {
    let socket = folder.handle(name)?;
    let stat = fstat(&socket)?;
    let own = rustix::process::geteuid().as_raw();
    if FileType::from_raw_mode(stat.st_mode) != FileType::Socket || stat.st_uid != own {
        return Err(refused("another user has put something in the socket's place".to_owned()));
    }
    std::fs::set_permissions(
        format!("/proc/self/fd/{}", socket.as_raw_fd()),
        Permissions::from_mode(mode),
    )
}
