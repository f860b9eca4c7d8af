//! The daemon and the scripts that a partner might run in its place, each with a ledger of its own.
//! Every run is checked: it read all records and found whom it had to.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::center::Center;
use crate::timed::{self, Run};

/// A script in Python.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Script {
    /// Reads the whole answer with `json` and `Decimal`.
    Cron,
    /// Reads it as a stream, with ijson.
    Ijson,
    /// The same, and writes the rows that the daemon's first poll writes.
    IjsonWithHistory,
}

/// What a run found that was not known before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    All,
    Nothing,
}

/// All sides, without anything that they know.
pub(crate) struct Sides {
    folder: TempDir,
}

impl Sides {
    /// With these rules beside the daemon's own.
    pub(crate) fn new(center: &Center, more_rules: &str) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let configuration = include_str!("alert-rules.toml")
            .replace("@URL@", &center.url())
            .replace("@STATE@", &folder.path().join("state").display().to_string());
        let sides = Self { folder };
        std::fs::write(sides.configuration(), configuration + more_rules).unwrap();
        sides
    }

    /// What the daemon runs with.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.path().join("alert-rules.toml")
    }

    /// One poll by the daemon, from the start of its process to its end.
    pub(crate) fn daemon(&self, center: &Center, found: Found) -> Run {
        let run = timed::poll(&self.configuration(), &[]);
        check_poll(&run.said, center, found);
        run
    }

    /// One run of a script, likewise.
    pub(crate) fn script(&self, script: Script, center: &Center, found: Found) -> Run {
        let (file, mode) = match script {
            Script::Cron => ("cron_poll.py", None),
            Script::Ijson => ("ijson_poll.py", None),
            Script::IjsonWithHistory => ("ijson_poll.py", Some("history")),
        };
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/python").join(file);
        let (url, place) = (center.records_url(), self.folder.path().join(format!("{script:?}")));
        let (database, alerts) = (place.with_extension("db"), place.with_extension("jsonl"));
        let mode = mode.map(Path::new);
        let arguments = [&*file, url.as_ref(), &database, &alerts].into_iter().chain(mode);
        let arguments: Vec<&Path> = arguments.collect();
        let run = timed::run("/usr/bin/python3".as_ref(), &arguments, self.folder.path());
        let said = &run.said;
        assert_eq!((&said["records"], &said["over"]), (&center.count.into(), &center.over.into()));
        assert_eq!(said["new"] == 0, found == Found::Nothing, "{said}");
        assert!(
            said["backend"].is_null() || said["backend"] == "yajl2_c",
            "ijson without C: {said}"
        );
        run
    }
}

/// Fails unless a poll read everything, and raised what it had to.
pub(crate) fn check_poll(said: &Value, center: &Center, found: Found) {
    assert_eq!((&said["source"], &said["records"]), (&"ok".into(), &center.count.into()), "{said}");
    let raised = said["alerts"].as_array().map(Vec::len);
    let wanted = if found == Found::All { center.over } else { 0 };
    assert_eq!(raised, usize::try_from(wanted).ok(), "one alert for each: {}", said["suppressed"]);
    if found == Found::Nothing {
        assert_eq!(said["suppressed"]["duplicate"], center.over, "{said}");
    }
}
