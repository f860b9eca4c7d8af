//! Ten thousand alerts to one webhook by the daemon, each with its durable row in the ledger, and
//! by Debian's Alertmanager, which keeps nothing on disk: side by side on this machine, to the same
//! receiver, in turns. Prints the ratio with its goal, fails unless the daemon sends at least as many
//! a second, each once.
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
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    reason = "a benchmark fails by panicking and prints what it measured"
)]

mod alertmanager;
#[path = "../common/goals.rs"]
#[allow(dead_code, reason = "shared with other benchmarks")]
mod goals;
#[path = "../common/overspend.rs"]
#[allow(dead_code, reason = "shared with another benchmark")]
mod overspend;
#[path = "../../tests/real/process.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod process;
mod receiver;
#[path = "../common/timed.rs"]
#[allow(dead_code, reason = "shared with other benchmarks")]
mod timed;

use std::collections::BTreeSet;
use std::time::Instant;

use goals::{Goal, Goals};
use overspend::{House, name};
use receiver::{Receipt, Receiver};

const ALERTS: usize = 10_000;
const ROUNDS: usize = 3;

fn main() {
    let receiver = Receiver::start();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(daemon(&receiver));
        theirs.push(alertmanager::run(&receiver));
    }
    println!("{ALERTS} alerts to one webhook, from the first receipt to the last");
    for (side, runs) in [("daemon", &ours), ("alertmanager", &theirs)] {
        let all: Vec<_> = runs.iter().map(|run| format!("{:.0}", run.rate)).collect();
        let peak_kib = runs.iter().map(|run| run.peak_kib).max().unwrap();
        println!(
            "  {side:12}  {:7.0} alerts/s  {peak_kib:7} KiB  ({})",
            best(runs),
            all.join(", ")
        );
    }
    let ratio = best(&ours) / best(&theirs);
    let what = "10,000 alerts to a webhook, daemon : Alertmanager";
    Goals::new("webhook").hold(what, ratio, "x", Goal::AtLeast(2.0));
    assert!(ratio >= 1.0, "slower than Alertmanager");
}

/// The daemon's side: a poll that finds all customers over their budgets.
fn daemon(receiver: &Receiver) -> Run {
    let house = House::new(&format!("type = \"webhook\"\nurl = \"{}\"\n", receiver.url));
    let peak_kib = house.alert(ALERTS);
    Run::of(&receiver.take(), peak_kib)
}

/// One run of either side.
pub(crate) struct Run {
    rate: f64,
    peak_kib: u64,
}

impl Run {
    /// What was received, once it is clear that each alert came, and came once.
    pub(crate) fn of(receipts: &[Receipt], peak_kib: u64) -> Self {
        let customers: BTreeSet<_> = receipts.iter().map(customer).collect();
        assert_eq!((receipts.len(), customers.len()), (ALERTS, ALERTS), "each alert once");
        let times = || receipts.iter().map(|receipt| receipt.at);
        let took = |first: Instant, last: Instant| last.duration_since(first).as_secs_f64();
        Self {
            rate: ALERTS as f64 / took(times().min().unwrap(), times().max().unwrap()),
            peak_kib,
        }
    }
}

fn best(runs: &[Run]) -> f64 {
    runs.iter().map(|run| run.rate).fold(0.0, f64::max)
}

fn customer(receipt: &Receipt) -> &[u8] {
    let start =
        memchr::memmem::find(&receipt.text, b"customer-").expect("the name of the customer");
    &receipt.text[start..start + name(0).len()]
}
