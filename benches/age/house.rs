//! A daemon whose ledger grows from day to day, by polls as any other.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::receiver::Receiver;
use crate::timed::{self, Run};

/// Its folder, with the configuration, the usage and the ledger.
pub(crate) struct House {
    folder: TempDir,
    receiver: Receiver,
}

impl House {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Self { folder, receiver: Receiver::start() }
    }

    /// Lets it run by a rule about budgets, and by rules about days, too.
    pub(crate) fn rule(&self, about_days: bool) {
        let configuration = include_str!("alert-rules.toml")
            .replace("@FOLDER@", &self.folder.path().display().to_string())
            .replace("@URL@", &self.receiver.url);
        let days = if about_days { include_str!("rules-about-days.toml") } else { "" };
        std::fs::write(self.configuration(), configuration + "\n" + days).unwrap();
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.path().join("alert-rules.toml")
    }

    /// Where its source lies.
    pub(crate) fn usage(&self) -> PathBuf {
        self.folder.path().join("usage.json")
    }

    /// A poll that reads all of so many records, and raises so many alerts.
    pub(crate) fn poll(&self, customers: usize, alerts: usize) -> Run {
        let run = timed::poll(&self.configuration(), &["--wait", "5m"]);
        let said = &run.said;
        assert_eq!(
            (&said["source"], &said["records"]),
            (&"ok".into(), &customers.into()),
            "{}",
            said["errors"]
        );
        assert_eq!(said["alerts"].as_array().map(Vec::len), Some(alerts));
        assert_eq!(said["deliveries"]["pending"], 0, "{}", said["deliveries"]);
        run
    }

    /// How large the ledger is, in bytes.
    pub(crate) fn size(&self) -> u64 {
        std::fs::metadata(self.folder.path().join("state/ledger.db")).unwrap().len()
    }
}
