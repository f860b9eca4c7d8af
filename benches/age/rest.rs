//! `run` with a ledger: how soon it is ready, and what it takes once it has polled and only waits.

use std::time::Duration;

use crate::goals::{Goal, Goals};
use crate::house::House;
use crate::running::Running;

/// For so long it must have done nothing before it counts as at rest.
const QUIET: Duration = Duration::from_secs(3);
const OBSERVED: Duration = Duration::from_secs(30);
const ROUNDS: usize = 3;

/// Prints it.
pub(crate) fn measure(house: &House, what: &str, goals: &mut Goals) {
    let start = || Running::start(&house.configuration());
    let times = (1..ROUNDS).map(|_| start().ready_after);
    let earlier = times.max().unwrap();
    let mut running = start();
    let ready = earlier.max(running.ready_after).as_secs_f64();
    goals.hold(&format!("{what}, start to READY, the slowest of 3"), ready, "s", Goal::AtMost(1.0));

    running.wait_for("customers read");
    while running.processor_ticks_within(QUIET) > 1 {}
    let (wakes, ticks) = (running.wakes(), running.processor_ticks_within(OBSERVED));
    let wakes = (running.wakes() - wakes) as f64 * 60.0 / OBSERVED.as_secs_f64();
    println!(
        "  {what}, at rest: {} KiB resident, {} KiB its own share, {} KiB of it not of a file, {} KiB at most; {wakes:.0} wake-ups \
            a minute, {ticks} ticks of the processor in {} s",
        running.memory_kib("VmRSS"),
        running.proportional_kib(),
        running.memory_kib("RssAnon"),
        running.memory_kib("VmHWM"),
        OBSERVED.as_secs(),
    );
    let resident = running.memory_kib("VmRSS") as f64 / 1024.0;
    goals.hold(&format!("{what}, `run` at rest"), resident, "MiB", Goal::AtMost(15.0));
}
