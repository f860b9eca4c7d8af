//! `GET /api/v1/daemon`: who answers, so that a command knows whether this is the daemon of its ledger.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ledger::Leadership;
use crate::web::json;
use crate::web::refused::problem;
use crate::web::shown::Shown;

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// The ledger's file, absolute.
    pub ledger: PathBuf,
    /// The same file by device and inode: within the unit, folders have other names.
    pub ledger_file: Option<(u64, u64)>,
    /// The configuration's file, absolute.
    pub config: PathBuf,
    /// Files of the configuration that have changed since it was loaded.
    #[serde(default)]
    pub changed: Vec<PathBuf>,
    /// Whether it leads; a standby neither polls nor delivers.
    #[serde(default = "leads")]
    pub leads: bool,
    /// The host that leads in its place, where that is known.
    #[serde(default)]
    pub leader: Option<String>,
    /// Since when nothing can be recorded, and why.
    #[serde(default)]
    pub unwritable: Option<Unwritable>,
}

/// Why nothing can be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unwritable {
    /// Since when.
    pub since: Timestamp,
    /// Why, one line.
    pub why: String,
}

impl About {
    /// This process with its ledger and its configuration.
    pub fn this(ledger: &Path, config: &Path) -> Self {
        Self {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ledger: absolute(ledger),
            ledger_file: std::fs::metadata(ledger).ok().map(|data| (data.dev(), data.ino())),
            config: absolute(config),
            changed: Vec::new(),
            leads: true,
            leader: None,
            unwritable: None,
        }
    }

    /// Whether both speak of the same ledger.
    pub fn has_ledger_of(&self, other: &Self) -> bool {
        self.ledger == other.ledger
            || (self.ledger_file.is_some() && self.ledger_file == other.ledger_file)
    }
}

fn leads() -> bool {
    true
}

fn absolute(path: &Path) -> PathBuf {
    // What a server is called is no place on this machine.
    if path.starts_with("postgres:") {
        return path.to_owned();
    }
    std::fs::canonicalize(path)
        .or_else(|_| std::path::absolute(path))
        .unwrap_or_else(|_| path.to_owned())
}

pub(super) async fn show(State(shown): State<Shown>) -> Response {
    let Some(context) = shown.actions else {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "no daemon answers here");
    };
    let failure = context.cycle.borrow().as_ref().and_then(|cycle| cycle.metrics.writes.failure());
    let unwritable = failure.map(|failure| Unwritable { since: failure.since, why: failure.why });
    let leadership =
        context.cycle.borrow().as_ref().map(|cycle| cycle.ledger.leadership().borrow().clone());
    let (leads, leader) = match leadership {
        Some(Leadership::Standby { leader }) => (false, leader),
        Some(Leadership::Leading) | None => (true, None),
    };
    let files = context.daemon.as_ref().map(|daemon| daemon.files.borrow().clone());
    // Files may be on another machine.
    let changed = tokio::task::spawn_blocking(move || files.unwrap_or_default().changed());
    let changed = changed.await.unwrap_or_default();
    json::document(&About {
        changed,
        leads,
        leader,
        unwritable,
        ..About::this(&context.ledger.path, &context.config)
    })
}
