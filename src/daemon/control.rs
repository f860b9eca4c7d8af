//! The control socket's life: opened in the first place that can be had, served beside the loops,
//! gone with the daemon. Without one, the daemon runs all the same; commands then find the ledger
//! held.

use std::path::PathBuf;

use tokio::net::UnixListener;
use tokio::task::JoinHandle;

use crate::actions::RunRead;
use crate::daemon::Daemon;
use crate::web::Limits;
use crate::web::control::{self, Socket, SocketError};

/// A socket that is served. Its connections end when this is dropped.
pub(super) struct Control {
    socket: Option<Socket>,
    task: JoinHandle<()>,
}

impl Daemon {
    /// Serves the control socket in the first of these paths that can be had.
    pub(super) fn open_control(
        &self,
        paths: &[PathBuf],
        read: Option<&RunRead>,
    ) -> Option<Control> {
        for place in paths {
            match Socket::bind(place)
                .and_then(|(socket, listener)| self.serve_control(socket, listener, read.cloned()))
            {
                Ok(control) => return Some(control),
                Err(error) => tracing::warn!("no control socket there: {error}"),
            }
        }
        if !paths.is_empty() {
            tracing::warn!("commands that write, such as poll, cannot act beside this daemon");
        }
        None
    }

    fn serve_control(
        &self,
        socket: Socket,
        listener: std::os::unix::net::UnixListener,
        read: Option<RunRead>,
    ) -> Result<Control, SocketError> {
        let failed = |source| SocketError::Io { path: socket.path().to_owned(), source };
        let listener = UnixListener::from_std(listener).map_err(failed)?;
        tracing::info!("commands are taken at {}", socket.path().display());
        let shown = self.shown(read);
        let task = tokio::spawn(async move {
            match control::serve(listener, Limits::control(), shown).await {}
        });
        Ok(Control { socket: Some(socket), task })
    }
}

impl Control {
    /// From now on who looks for the socket finds nobody; those who have asked may still be
    /// answered.
    pub(super) fn close(&mut self) {
        self.socket = None;
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
    }
}
