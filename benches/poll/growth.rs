//! How time and memory of a poll without news grow with the number of records, for the daemon and
//! for the script that reads a stream.

use crate::center::Center;
use crate::goals::{Goal, Goals};
use crate::records::Form;
use crate::sides::{Found, Script, Sides};
use crate::timed::{Run, exponent, median, peak};

/// From each to the next, so many times as many records.
const TIMES: u64 = 10;

/// What one number of records takes.
struct Size {
    daemon: Vec<Run>,
    script: Vec<Run>,
}

/// Prints it for a hundredth, a tenth, once and ten times so many records.
pub(crate) fn measure(center: &mut Center, records: u64, goals: &mut Goals) {
    println!("growth, indented, an unchanged poll; the exponents are those from the row above");
    println!(
        "     records   daemon s    MiB   ijson s    MiB  ratio   exponents of time: daemon, ijson; of memory"
    );
    let mut before: Option<Size> = None;
    for (count, rounds) in
        [(records / 100, 9), (records / 10, 9), (records, 7), (records * TIMES, 3)]
    {
        center.publish(count, Form::Indented);
        let sides = Sides::new(center, "");
        let first = sides.daemon(center, Found::All);
        sides.script(Script::Ijson, center, Found::All);
        let mut size = Size { daemon: Vec::new(), script: Vec::new() };
        for _ in 0..rounds {
            size.daemon.push(sides.daemon(center, Found::Nothing));
            size.script.push(sides.script(Script::Ijson, center, Found::Nothing));
        }
        println!(
            "{}{}",
            size.row(count),
            before.map(|before| size.since(&before)).unwrap_or_default()
        );
        if count > records {
            let what = |poll: &str| format!("peak memory, {count} records, {poll} poll");
            let first_mib = peak(&[first]);
            goals.hold(&what("first"), first_mib, "MiB", Goal::AtMost(64.0));
            let mib = peak(&size.daemon);
            goals.hold(&what("unchanged"), mib, "MiB", Goal::AtMost(64.0));
        }
        before = Some(size);
    }
}

impl Size {
    fn row(&self, count: u64) -> String {
        let (daemon, script) = (median(&self.daemon), median(&self.script));
        format!(
            "  {count:10} {daemon:10.4} {:6.1} {script:9.4} {:6.1} {:6.2}",
            peak(&self.daemon),
            peak(&self.script),
            script / daemon
        )
    }

    fn since(&self, before: &Self) -> String {
        let of = |now: f64, before: f64| exponent(before, now, TIMES as f64);
        format!(
            "   {:5.2}, {:5.2}; {:5.2}, {:5.2}",
            of(median(&self.daemon), median(&before.daemon)),
            of(median(&self.script), median(&before.script)),
            of(peak(&self.daemon), peak(&before.daemon)),
            of(peak(&self.script), peak(&before.script))
        )
    }
}
