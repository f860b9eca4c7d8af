//! The part of a configuration that finds the ledger and the daemon, for what must go on beside a
//! file that does not load.
//!
//! What is wrong with the file is left to `load`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeTable;

use crate::config::load::MOST;
use crate::config::reader::{Reader, Table};
use crate::config::{Config, Environment, process, source};
use crate::fs;
use crate::text::decode;

/// Where a configuration's ledger and daemon are, and by which times to speak of them.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The configuration's file.
    pub file: PathBuf,
    /// The folder of the ledger, and of the daemon's socket.
    pub state_dir: PathBuf,
    /// The ledger.
    pub ledger: crate::ledger::Config,
    /// For times in what is printed.
    pub time_zone: jiff::tz::TimeZone,
    /// How often the source is polled.
    pub poll_interval: Duration,
    /// How long the source may fail before it is news.
    pub source_failing_after: Duration,
    /// The names of the notifiers, in the order of the file.
    pub notifiers: Vec<String>,
}

impl Config {
    /// Its paths.
    pub fn paths(&self) -> Paths {
        Paths {
            file: self.file.clone(),
            state_dir: self.state_dir.clone(),
            ledger: self.ledger.clone(),
            time_zone: self.time_zone.clone(),
            poll_interval: self.poll_interval,
            source_failing_after: self.operator.source_failing_after,
            notifiers: self.notifiers.iter().map(|notifier| notifier.name.to_string()).collect(),
        }
    }
}

/// Reads of the file at `path` only its paths, whatever is wrong with it; a default stands for what
/// cannot be made out. `None` where the file itself cannot be read.
pub fn load_paths(path: &Path, environment: &Environment) -> Option<Paths> {
    let bytes = fs::read(path, MOST).ok()?;
    let text = decode(bytes).unwrap_or_else(|error| error.readable);
    let (document, _) = DeTable::parse_recoverable(&text);
    let reader = Reader::new(environment, path);
    let root = Table::root(&reader, document.get_ref());
    let daemon = root.table_or_empty("daemon");
    let state_dir = process::state_dir(&daemon);
    Some(Paths {
        file: path.to_owned(),
        ledger: process::ledger(&root.table_or_empty("ledger"), &state_dir)
            .unwrap_or_else(|| process::default_ledger(&state_dir)),
        state_dir,
        time_zone: process::time_zone(&daemon).unwrap_or(jiff::tz::TimeZone::UTC),
        poll_interval: source::poll_interval(&root.table_or_empty("source")),
        source_failing_after: process::source_failing_after(&root.table_or_empty("operator")),
        notifiers: root.named("notifiers").into_iter().map(|(name, _)| name.to_owned()).collect(),
    })
}
