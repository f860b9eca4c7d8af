//! What the daemon takes after many polls of one process: as much as after a few.

use crate::center::Center;
use crate::goals::{Goal, Goals};
use crate::records::Form;
use crate::running::Running;
use crate::sides::{Found, Sides, check_poll};
use crate::timed;

const POLLS: u32 = 1_000;
/// When it is looked at first.
const FEW: u32 = 10;
/// Of so many polls, the data of one has changed.
const ONE_CHANGED_OF: u32 = 24;

/// Prints it, of a daemon that is asked for all of them.
pub(crate) fn measure(center: &mut Center, records: u64, goals: &mut Goals) {
    center.publish(records, Form::Compact);
    let sides = Sides::new(center, "");
    sides.daemon(center, Found::All);
    let mut running = Running::start(&sides.configuration());
    running.wait_for("customers read");
    let mut few = 0;
    for poll in 1..=POLLS {
        if poll % ONE_CHANGED_OF == FEW / 2 {
            center.publish_next();
        }
        check_poll(&timed::poll(&sides.configuration(), &[]).said, center, Found::Nothing);
        if poll == FEW {
            few = running.memory_kib("VmHWM");
        }
    }
    let many = running.memory_kib("VmHWM");
    println!(
        "a daemon that runs, {records} records: {few} KiB at most by the {FEW}th poll, {many} KiB \
            by the {POLLS}th"
    );
    let ratio = many as f64 / few as f64;
    goals.hold("peak memory of `run`, 1,000th poll : 10th", ratio, "x", Goal::AtMost(1.05));
}
