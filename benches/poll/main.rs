//! One poll of 100,000 usage records by the daemon, from the start of its process to its end,
//! beside the Python scripts that a partner would write, on this machine: from the same nginx, in
//! turns. Beside the floor, too: to parse the same bytes in memory. Then how it grows with the
//! number of records, what memory it takes after many polls, and what a rule costs.
//!
//! Prints each figure with its goal. Fails only if a poll without news takes more than half of the
//! time of the script that loads the whole answer, or more than 40 MiB.
//!
//! `BUDGET_ALERTD` names another binary than the one built here, `RECORDS` another number of
//! records.
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

#[path = "../../tests/real/authority.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod authority;
mod center;
mod evaluation;
mod floor;
#[path = "../common/goals.rs"]
mod goals;
mod growth;
mod many_polls;
#[path = "../../tests/real/nginx.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod nginx;
#[path = "../../tests/real/process.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod process;
#[allow(dead_code, reason = "shared with the tests")]
mod records;
#[path = "../common/running.rs"]
#[allow(dead_code, reason = "shared with another benchmark")]
mod running;
mod sides;
#[path = "../common/timed.rs"]
#[allow(dead_code, reason = "shared with other benchmarks")]
mod timed;

use center::Center;
use goals::{Goal, Goals};
use records::Form;
use sides::{Found, Script, Sides};
use timed::{Run, median, peak};

const RECORDS: u64 = 100_000;
/// Of polls without news, of polls in which some records have changed, and of first polls.
const ROUNDS: usize = 7;
const CHANGED_ROUNDS: usize = 5;
const FIRST_ROUNDS: usize = 3;
/// The daemon may take this share of the script's time: one in …
const ONE_IN: f64 = 2.0;
/// The daemon's memory stays below this, in MiB.
const PEAK: f64 = 40.0;

fn main() {
    let records = std::env::var("RECORDS").map_or(RECORDS, |records| records.parse().unwrap());
    let (mut center, mut goals) = (Center::start(), Goals::new("poll"));
    let good = [Form::Indented, Form::Compact]
        .map(|form| side_by_side(&mut center, records, form, &mut goals));
    evaluation::measure(&mut center, records, &mut goals);
    many_polls::measure(&mut center, records / 10, &mut goals);
    growth::measure(&mut center, records, &mut goals);
    assert!(good.iter().all(|good| *good), "too slow, or too large");
}

/// Runs all sides on records in this form, prints what they took, and says whether the daemon keeps
/// its promise.
fn side_by_side(center: &mut Center, records: u64, form: Form, goals: &mut Goals) -> bool {
    center.publish(records, form);
    println!("{records} records, {form:?}, {} customers over 80 %", center.over);
    let sides = first_polls(center, form, goals);
    let good = unchanged_polls(center, &sides, form, goals);
    changed_polls(center, &sides, form, goals);
    good
}

/// Polls without any knowledge. Gives sides that know everything.
fn first_polls(center: &Center, form: Form, goals: &mut Goals) -> Sides {
    let (mut daemon, mut ijson) = (Vec::new(), Vec::new());
    let all_sides: Vec<_> = (0..FIRST_ROUNDS).map(|_| Sides::new(center, "")).collect();
    for sides in &all_sides {
        daemon.push(sides.daemon(center, Found::All));
        ijson.push(sides.script(Script::IjsonWithHistory, center, Found::All));
    }
    print("first poll", &[("daemon", &daemon), ("ijson, the same rows", &ijson)]);
    let what = |what: &str| format!("first poll, {form:?}, {what}");
    let ratio = median(&ijson) / median(&daemon);
    goals.hold(&what("ijson : daemon"), ratio, "x", Goal::AtLeast(2.0));
    goals.hold(&what("peak memory"), peak(&daemon), "MiB", Goal::AtMost(24.0));
    let sides = all_sides.into_iter().next_back().unwrap();
    for script in [Script::Cron, Script::Ijson] {
        sides.script(script, center, Found::All);
    }
    sides
}

/// Polls of the same bytes again. Says whether the daemon keeps its promise.
fn unchanged_polls(center: &mut Center, sides: &Sides, form: Form, goals: &mut Goals) -> bool {
    let turns = Turns::take(center, sides, ROUNDS, |_| ());
    let floor = floor::parse(&center.answer(), ROUNDS).as_secs_f64();
    turns.print("unchanged");
    println!("  {:12} {:22} {floor:7.3} s", "", "serde_json, in memory");
    let what = |what: &str| format!("unchanged poll, {form:?}, {what}");
    let daemon = median(&turns.daemon);
    let (cron, ijson) = (median(&turns.cron) / daemon, median(&turns.ijson) / daemon);
    goals.hold(&what("json + Decimal : daemon"), cron, "x", Goal::AtLeast(10.0));
    goals.hold(&what("ijson : daemon"), ijson, "x", Goal::AtLeast(6.0));
    goals.hold(&what("daemon : parse in memory"), daemon / floor, "x", Goal::AtMost(1.5));
    goals.hold(&what("peak memory"), peak(&turns.daemon), "MiB", Goal::AtMost(24.0));
    cron >= ONE_IN && peak(&turns.daemon) < PEAK
}

/// Polls in which 5 % of the records have changed.
fn changed_polls(center: &mut Center, sides: &Sides, form: Form, goals: &mut Goals) {
    let turns = Turns::take(center, sides, CHANGED_ROUNDS, Center::publish_next);
    turns.print("5 % changed");
    let what = |what: &str| format!("5 % changed, {form:?}, {what}");
    let ratio = median(&turns.cron) / median(&turns.daemon);
    goals.hold(&what("json + Decimal : daemon"), ratio, "x", Goal::AtLeast(7.0));
    goals.hold(&what("peak memory"), peak(&turns.daemon), "MiB", Goal::AtMost(24.0));
}

/// Runs of all sides that know all already.
struct Turns {
    daemon: Vec<Run>,
    cron: Vec<Run>,
    ijson: Vec<Run>,
}

impl Turns {
    /// One after the other, with something done before each round.
    fn take(
        center: &mut Center,
        sides: &Sides,
        rounds: usize,
        mut before: impl FnMut(&mut Center),
    ) -> Self {
        let mut turns = Self { daemon: Vec::new(), cron: Vec::new(), ijson: Vec::new() };
        for _ in 0..rounds {
            before(center);
            turns.daemon.push(sides.daemon(center, Found::Nothing));
            turns.cron.push(sides.script(Script::Cron, center, Found::Nothing));
            turns.ijson.push(sides.script(Script::Ijson, center, Found::Nothing));
        }
        turns
    }

    fn print(&self, what: &str) {
        let sides = [("daemon", &self.daemon), ("json + Decimal", &self.cron)];
        print(what, &[sides[0], sides[1], ("ijson", &self.ijson)]);
    }
}

fn print(what: &str, sides: &[(&str, &Vec<Run>)]) {
    for (side, runs) in sides {
        println!("  {what:12} {side:22} {:7.3} s  {:7.1} MiB", median(runs), peak(runs));
    }
}
