//! Where the ledger lies.

use std::path::PathBuf;
use std::time::Duration;

/// The ledger's file and what it keeps.
#[derive(Debug, Clone)]
pub struct Config {
    /// The SQLite file, absolute or relative to the working directory.
    pub path: PathBuf,
    /// How long history, and what is over, is kept.
    pub retention: Duration,
}
