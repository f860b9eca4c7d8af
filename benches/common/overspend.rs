//! The daemon, with many customers that overspend at once: what it said, how much memory it took,
//! and what its ledger has of it. What receives its messages is the benchmark's.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::timed::{self, Run};

/// The name of a customer.
pub(crate) fn name(number: usize) -> String {
    format!("customer-{number:05}")
}

/// A daemon with a ledger of its own.
pub(crate) struct House {
    pub(crate) folder: TempDir,
    configuration: PathBuf,
}

impl House {
    /// With `notifier`, a table called `out`.
    pub(crate) fn new(notifier: &str) -> Self {
        // On a disk: where temporary files lie is often none.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let configuration = folder.path().join("alert-rules.toml");
        let text = include_str!("alert-rules.toml")
            .replace("@FOLDER@", &folder.path().display().to_string());
        std::fs::write(&configuration, text + notifier).unwrap();
        Self { folder, configuration }
    }

    /// One alert for each of so many customers, all delivered; gives the most memory it took, in
    /// KiB.
    pub(crate) fn alert(&self, customers: usize) -> u64 {
        let usage = self.folder.path().join("usage.json");
        // The first alerts of a ledger would come as a digest.
        save_usage(&usage, customers, 10);
        self.poll();
        save_usage(&usage, customers, 90);
        let run = self.poll();
        assert_eq!(
            run.said["deliveries"],
            serde_json::json!({ "sent": customers, "pending": 0, "dead": 0 })
        );
        assert_eq!(
            self.number("SELECT count(*) FROM delivery WHERE state = 'sent' AND attempts = 1"),
            customers
        );
        assert_eq!(
            self.number("SELECT count(DISTINCT delivery) FROM attempt WHERE outcome = 'accepted'"),
            customers
        );
        run.peak_kib
    }

    /// A number out of the ledger.
    pub(crate) fn number(&self, query: &str) -> usize {
        let ledger = Connection::open(self.folder.path().join("state/ledger.db")).unwrap();
        let number: i64 = ledger.query_row(query, [], |row| row.get(0)).unwrap();
        number.try_into().unwrap()
    }

    fn poll(&self) -> Run {
        timed::poll(&self.configuration, &["--wait", "2m"])
    }
}

/// Usage of all customers, at this percent of their budgets.
fn save_usage(path: &Path, customers: usize, percent: u32) {
    let mut items = String::new();
    for number in 0..customers {
        let (separator, id, name) = (
            if number > 0 { "," } else { "" },
            format!("{number:08x}-0000-4000-8000-000000000000"),
            name(number),
        );
        write!(
            items,
            r#"{separator}{{"budget": {{"amount": 100}}, "percentUsed": {percent}, "isUpgraded": true, "id": "{id}", "resourceId": "{id}", "name": "{name}",
"resourceName": "{name}", "totalCost": {percent}, "usdTotalCost": {percent}, "currencyCode": "SEK", "lastModifiedDate": "2026-11-14T20:08:11.{percent}+00:00"}}"#,
        )
        .unwrap();
    }
    std::fs::write(path, format!(r#"{{"totalCount": {customers}, "items": [{items}]}}"#)).unwrap();
}
