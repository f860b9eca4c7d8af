//! Where the ledger lies.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::ledger::server::{Server, ServerError};

/// The ledger's file and what it keeps.
#[derive(Debug, Clone)]
pub struct Config {
    /// The SQLite file, absolute or relative to the working directory; of a server what it is
    /// called.
    pub path: PathBuf,
    /// The database server, where several hosts share the ledger.
    pub server: Option<Server>,
    /// How long history, and what is over, is kept.
    pub retention: Duration,
}

impl Config {
    /// Whether both are the same ledger, reached in the same way.
    pub fn is_at_the_place_of(&self, other: &Self) -> bool {
        self.path == other.path && self.server == other.server
    }

    /// The ledger at a URL: `sqlite:FILE`, relative to a folder, or that of a server.
    pub fn at(url: &str, folder: &Path, retention: Duration) -> Result<Self, ServerError> {
        if let Some(file) = url.strip_prefix("sqlite:") {
            let file = file.strip_prefix("//").unwrap_or(file);
            return Ok(Self { path: folder.join(file), server: None, retention });
        }
        let server = Server::parse(url)?.noted_in(folder);
        Ok(Self { path: server.name(), server: Some(server), retention })
    }
}
