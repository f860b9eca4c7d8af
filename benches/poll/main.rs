//! One poll of 100,000 usage records by the daemon and by the Python script a partner would write,
//! side by side on this machine: from the same nginx, in turns. On data it has seen, the daemon
//! takes a quarter of the script's time where nothing else runs; fails if it takes more than half
//! of it, or 40 MiB.
//!
//! `BUDGET_ALERTD` names another binary than the one built here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::print_stdout,
    reason = "a benchmark fails by panicking and prints what it measured"
)]

#[path = "../../tests/real/authority.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod authority;
#[path = "../../tests/real/nginx.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod nginx;
#[path = "../../tests/real/process.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod process;
mod records;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use authority::Authority;
use nginx::Nginx;
use records::Form;
use serde_json::Value;
use tempfile::TempDir;

const RECORDS: u64 = 100_000;
const ROUNDS: usize = 7;
/// The daemon may take this share of the script's time: one in …
const ONE_IN: u32 = 2;
/// The daemon's memory stays below this.
const PEAK_KIB: u64 = 40 * 1024;

fn main() {
    let nginx = Nginx::start(&Authority::new());
    let good = [Form::Indented, Form::Compact].map(|form| side_by_side(&nginx, form));
    assert!(good.iter().all(|good| *good), "too slow, or too large");
}

/// Runs both on records in this form, prints what they took, and says whether the daemon keeps its
/// promise.
fn side_by_side(nginx: &Nginx, form: Form) -> bool {
    let over = records::write(&nginx.serve("/v1/customers/usagerecords"), RECORDS, form).unwrap();
    let sides = Sides::new(nginx);
    println!("{RECORDS} records, {form:?}, {over} customers over 80 %");
    let daemon = sides.daemon();
    assert_eq!(
        (&daemon.said["source"], &daemon.said["records"]),
        (&"ok".into(), &RECORDS.into()),
        "{}",
        daemon.said
    );
    assert_eq!(
        daemon.said["alerts"].as_array().map(Vec::len),
        usize::try_from(over).ok(),
        "one alert for each"
    );
    let script = sides.script();
    assert_eq!(
        (&script.said["records"], &script.said["over"]),
        (&RECORDS.into(), &over.into()),
        "{}",
        script.said
    );
    print("first poll", &[daemon], &[script]);

    let (mut daemon, mut script) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        daemon.push(sides.daemon());
        script.push(sides.script());
    }
    for run in &daemon {
        assert_eq!(
            (&run.said["source"], &run.said["records"]),
            (&"ok".into(), &RECORDS.into()),
            "{}",
            run.said
        );
        assert_eq!(
            (&run.said["alerts"], &run.said["suppressed"]["duplicate"]),
            (&Value::Array(Vec::new()), &over.into()),
            "{}",
            run.said
        );
    }
    assert!(script.iter().all(|run| run.said["over"] == over && run.said["new"] == 0));
    print("second poll", &daemon, &script);
    median(&daemon) * ONE_IN <= median(&script) && peak(&daemon) < PEAK_KIB
}

/// One run of either side.
struct Run {
    took: Duration,
    peak_kib: u64,
    said: Value,
}

/// Both sides, each with a ledger of its own.
struct Sides {
    folder: TempDir,
    url: String,
    binary: PathBuf,
}

impl Sides {
    fn new(nginx: &Nginx) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let configuration = include_str!("alert-rules.toml")
            .replace("@URL@", nginx.url("").trim_end_matches('/'))
            .replace("@STATE@", &folder.path().join("state").display().to_string());
        std::fs::write(folder.path().join("alert-rules.toml"), configuration).unwrap();
        Self {
            folder,
            url: nginx.url("/v1/customers/usagerecords"),
            binary: process::budget_alertd(),
        }
    }

    fn daemon(&self) -> Run {
        let configuration = self.folder.path().join("alert-rules.toml");
        self.measure(
            &self.binary,
            &[
                Path::new("--config"),
                &configuration,
                "poll".as_ref(),
                "--format".as_ref(),
                "json".as_ref(),
            ],
        )
    }

    fn script(&self) -> Run {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/python/cron_poll.py");
        let (database, alerts) =
            (self.folder.path().join("script.db"), self.folder.path().join("alerts.jsonl"));
        self.measure("/usr/bin/python3".as_ref(), &[&script, self.url.as_ref(), &database, &alerts])
    }

    /// Runs a program to its end, with its time by our clock and its peak by GNU time.
    fn measure(&self, program: &Path, arguments: &[&Path]) -> Run {
        let peak = self.folder.path().join("peak");
        let mut command = Command::new("/usr/bin/time");
        command
            .args(["--quiet", "--format=%M", "--output"])
            .arg(&peak)
            .arg(program)
            .args(arguments);
        let start = Instant::now();
        let said = process::succeed(&mut command);
        let took = start.elapsed();
        let peak_kib = std::fs::read_to_string(peak).unwrap().trim().parse().unwrap();
        let said = serde_json::from_str(&said)
            .unwrap_or_else(|error| panic!("{}: {error}: {said}", program.display()));
        Run { took, peak_kib, said }
    }
}

fn print(what: &str, daemon: &[Run], script: &[Run]) {
    for (side, runs) in [("daemon", daemon), ("script", script)] {
        println!("  {what:12} {side}  {:7.3} s  {:7} KiB", median(runs).as_secs_f64(), peak(runs));
    }
    println!(
        "  {what:12} ratio   {:7.3}",
        median(daemon).as_secs_f64() / median(script).as_secs_f64()
    );
}

fn median(runs: &[Run]) -> Duration {
    let mut times: Vec<_> = runs.iter().map(|run| run.took).collect();
    times.sort();
    times[times.len() / 2]
}

fn peak(runs: &[Run]) -> u64 {
    runs.iter().map(|run| run.peak_kib).max().unwrap_or(0)
}
