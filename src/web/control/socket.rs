//! The socket's file: where it is looked for, how it is made, and that it goes with the daemon.
//! Serving on it is left to `daemon`.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::fs;

/// Its name.
const NAME: &str = "control.sock";
/// The same until it is ready; no longer than the name.
const UNREADY: &str = "control.new";
/// The owner and the group may connect.
const MODE: u32 = 0o660;
/// The most bytes that the path of a socket may have (`sun_path`, without its end).
const LONGEST: usize = 107;

/// Where a daemon's socket can be, the first choice first: the first folder of
/// `$RUNTIME_DIRECTORY`, then the state folder.
pub fn socket_paths(runtime_directory: Option<&OsStr>, state_dir: &Path) -> Vec<PathBuf> {
    let first =
        runtime_directory.and_then(|folders| folders.as_bytes().split(|byte| *byte == b':').next());
    let runtime = first
        .filter(|folder| !folder.is_empty())
        .map(|folder| Path::new(OsStr::from_bytes(folder)));
    runtime.into_iter().chain([state_dir]).map(|folder| folder.join(NAME)).collect()
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The path is too long for a socket.
    #[error("{} has {} bytes, and a socket's path may have {LONGEST}: choose a shorter state_dir", .0.display(), .0.as_os_str().len())]
    TooLong(PathBuf),
    /// Another daemon answers there.
    #[error("another process listens on {}", .0.display())]
    Taken(PathBuf),
    /// Something else has its name.
    #[error("{} is no socket: move it away", .0.display())]
    NotASocket(PathBuf),
    /// The system does not allow it.
    #[error("cannot listen on {}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The file of a socket that is listened on; it goes when this is dropped.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
}

impl Socket {
    /// Listens at `path`. A socket that nobody listens on any more gives way: its daemon was
    /// killed.
    pub fn bind(path: &Path) -> Result<(Self, UnixListener), SocketError> {
        if path.as_os_str().len() > LONGEST {
            return Err(SocketError::TooLong(path.to_owned()));
        }
        match path.symlink_metadata() {
            Ok(data) if !data.file_type().is_socket() => {
                return Err(SocketError::NotASocket(path.to_owned()));
            }
            Ok(_) if UnixStream::connect(path).is_ok() => {
                return Err(SocketError::Taken(path.to_owned()));
            }
            _ => {}
        }
        let listener =
            listen(path).map_err(|source| SocketError::Io { path: path.to_owned(), source })?;
        Ok((Self { path: path.to_owned() }, listener))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Listens under another name first: nobody can connect before the rights are set, and the move
/// replaces what was left.
fn listen(path: &Path) -> io::Result<UnixListener> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::make_folder(folder, 0o700)?;
        if let Some(fs::Tightened { before, now, .. }) = fs::tighten_folder(folder) {
            tracing::warn!(
                "others could put something into {} (mode {before:o}); that is ended (mode \
                    {now:o})",
                folder.display()
            );
        }
    }
    fs::listen(path, UNREADY, MODE)
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Err(error) = fs::remove(&self.path) {
            tracing::debug!(%error, "the control socket is gone already");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_runtime_folder_comes_before_the_state_folder() {
        let socket_paths = |runtime: Option<&str>| {
            let socket_paths = socket_paths(runtime.map(OsStr::new), Path::new("/state"));
            socket_paths.iter().map(|place| place.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            socket_paths(Some("/run/a:/run/b")),
            ["/run/a/control.sock", "/state/control.sock"]
        );
        assert_eq!(socket_paths(Some("")), ["/state/control.sock"]);
        assert_eq!(socket_paths(None), ["/state/control.sock"]);
    }
}
