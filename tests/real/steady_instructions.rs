//! What a poll without news costs for each record, in instructions of the processor, as valgrind
//! counts them: the same on a busy machine and an idle one. It fails when that grows by more than
//! 5 %.
//!
//! The kernel is not counted. What a poll costs at any size cancels out between two sizes. Counted
//! five times, the figures lay within 1 % of each other: when bytes arrive, and in which order
//! tables are, differs. Valgrind shows programs a processor of its own, with AVX2 where the machine
//! has it.

use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::authority::Authority;
use super::browser::records::{Form, write};
use super::nginx::Nginx;
use super::process::succeed;

const FEW: u64 = 1_000;
const MANY: u64 = 3_000;
/// How much more it may be, in percent.
const TOLERANCE: u64 = 5;
/// Where the figure is kept, with how to renew it.
const KEPT: &str = "tests/real/steady-instructions.txt";
const RENEW: &str =
    "UPDATE_FIXTURES=1 cargo test --features real-servers --test real steady_instructions";

#[test]
fn a_record_that_is_as_it_was_costs_no_more_instructions_than_it_did() {
    let polls = Polls::new();
    let (few, many) = (polls.count(FEW), polls.count(MANY));
    let counted = (many - few) / (MANY - FEW);
    let text = std::fs::read_to_string(KEPT).unwrap();
    let (words, kept) = text.trim_end().rsplit_once('\n').unwrap();
    let kept: u64 = kept.parse().unwrap();
    println!("{counted} instructions a record, {kept} kept; {few} a poll of {FEW}");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        return std::fs::write(KEPT, format!("{words}\n{counted}\n")).unwrap();
    }
    assert!(
        counted * 100 <= kept * (100 + TOLERANCE),
        "{counted} instructions for each record of a poll without news, and {kept} were kept. If \
            it is meant: {RENEW}"
    );
}

/// A daemon that polls from a web server, and its ledger.
struct Polls {
    center: Nginx,
    folder: TempDir,
}

impl Polls {
    fn new() -> Self {
        let (center, folder) = (Nginx::start(&Authority::new()), tempfile::tempdir().unwrap());
        let configuration = include_str!("../../benches/poll/alert-rules.toml")
            .replace("@URL@", center.url("").trim_end_matches('/'))
            .replace("@STATE@", &folder.path().join("state").display().to_string());
        std::fs::write(folder.path().join("alert-rules.toml"), configuration).unwrap();
        Self { center, folder }
    }

    /// The instructions of a poll of so many records which all are as they were.
    fn count(&self, records: u64) -> u64 {
        let over = write(&self.center.serve("/v1/customers/usagerecords"), records, Form::Indented)
            .unwrap();
        self.poll(&[]);
        let log = self.folder.path().join("valgrind.log");
        let options = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
        let said = self.poll(&[
            "valgrind",
            options[0],
            options[1],
            &format!("--log-file={}", log.display()),
        ]);
        assert_eq!((&said["records"], &said["alerts"]), (&json!(records), &json!([])), "{said}");
        assert_eq!(said["suppressed"]["duplicate"], over, "{said}");
        let log = std::fs::read_to_string(log).unwrap();
        let counted = log.lines().find_map(|line| line.split_once("Collected : "));
        counted.unwrap_or_else(|| panic!("{log}")).1.trim().parse().unwrap()
    }

    /// One poll by the program built here, of which the figure is kept, run by this program.
    fn poll(&self, by: &[&str]) -> Value {
        let configuration = self.folder.path().join("alert-rules.toml");
        let own = [
            env!("CARGO_BIN_EXE_budget-alertd"),
            "--config",
            configuration.to_str().unwrap(),
            "poll",
            "--format",
            "json",
        ];
        let words = [by, &own].concat();
        let said = succeed(Command::new(words[0]).args(&words[1..]));
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
    }
}
