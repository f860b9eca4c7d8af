//! What a rule costs for each customer: a first poll under a hundred rules that nobody is over, less
//! one under a single rule.

use std::fmt::Write;
use std::time::Duration;

use crate::center::Center;
use crate::goals::{Goal, Goals};
use crate::records::Form;
use crate::sides::{Found, Sides};

/// Beside the one of the configuration.
const MORE_RULES: u32 = 99;
const METRICS: [&str; 5] =
    ["percent_used", "forecast_percent", "pace", "usd_total_cost", "daily_percent"];
const ROUNDS: usize = 3;

/// Prints it, by the time of the processor: both write the same into their ledgers.
pub(crate) fn measure(center: &mut Center, records: u64, goals: &mut Goals) {
    center.publish(records, Form::Compact);
    let more = more_rules();
    let (mut one, mut hundred) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        one.push(Sides::new(center, "").daemon(center, Found::All).processor);
        hundred.push(Sides::new(center, &more).daemon(center, Found::All).processor);
    }
    let least = |times: &[Duration]| times.iter().min().unwrap().as_secs_f64();
    let (one, hundred) = (least(&one), least(&hundred));
    println!("processor time of a first poll: {one:.2} s under 1 rule, {hundred:.2} s under 100");
    let nanoseconds = (hundred - one) * 1e9 / (f64::from(MORE_RULES) * records as f64);
    let what = "evaluation, 100 rules, a customer and rule";
    goals.hold(what, nanoseconds, "ns", Goal::AtMost(1000.0));
}

/// Rules of every kind, whose steps nobody reaches.
fn more_rules() -> String {
    let mut text = String::new();
    for number in 0..MORE_RULES {
        let metric = METRICS[number as usize % METRICS.len()];
        write!(
            text,
            "\n[rules.more-{number}]\nmetric = \"{metric}\"\nnotify = [\"itsm\"]\nsteps = [{{ at = \
                {}000000 }}, {{ at = {}000000 }}]\n",
            number + 1,
            number + 2
        )
        .unwrap();
    }
    text
}
