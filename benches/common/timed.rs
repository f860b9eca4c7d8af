//! One run of a program: how long it took by our clock, and what GNU time says of its processor
//! time and its memory.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process;

/// What a run took, and the JSON that it printed.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) took: Duration,
    /// Of the processor, in the program and in the kernel for it.
    pub(crate) processor: Duration,
    pub(crate) peak_kib: u64,
    pub(crate) said: Value,
}

/// Runs a program to its end; GNU time writes into `folder`.
pub(crate) fn run(program: &Path, arguments: &[&Path], folder: &Path) -> Run {
    let notes = folder.join("time");
    let mut command = Command::new("/usr/bin/time");
    command
        .args(["--quiet", "--format=%M %U %S", "--output"])
        .arg(&notes)
        .arg(program)
        .args(arguments);
    let start = Instant::now();
    let said = process::succeed(&mut command);
    let took = start.elapsed();
    let notes = std::fs::read_to_string(&notes).unwrap();
    let notes: Vec<f64> = notes.split_whitespace().map(|note| note.parse().unwrap()).collect();
    let said = serde_json::from_str(&said)
        .unwrap_or_else(|error| panic!("{}: {error}: {said}", program.display()));
    Run {
        took,
        processor: Duration::from_secs_f64(notes[1] + notes[2]),
        peak_kib: notes[0] as u64,
        said,
    }
}

/// One poll by the daemon's own process, under this configuration, with what comes after `poll`.
pub(crate) fn poll(configuration: &Path, options: &[&str]) -> Run {
    let fixed = ["poll", "--format", "json"].map(Path::new);
    let options = options.iter().map(Path::new);
    let arguments: Vec<&Path> =
        [Path::new("--config"), configuration].into_iter().chain(fixed).chain(options).collect();
    run(&process::budget_alertd(), &arguments, configuration.parent().unwrap())
}

/// The middle one.
pub(crate) fn median(runs: &[Run]) -> f64 {
    middle(runs.iter().map(|run| run.took).collect()).as_secs_f64()
}

/// The middle one.
pub(crate) fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The most memory that any of them took, in MiB.
pub(crate) fn peak(runs: &[Run]) -> f64 {
    runs.iter().map(|run| run.peak_kib).max().unwrap_or(0) as f64 / 1024.0
}

/// By which power of what grew `from` became `to`, where it grew `times` as large.
pub(crate) fn exponent(from: f64, to: f64, times: f64) -> f64 {
    (to / from).ln() / times.ln()
}
