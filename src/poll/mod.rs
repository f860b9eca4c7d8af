//! One poll: takes records in ([`intake`], [`settle_batch`], [`subscriptions`]), asks about those
//! about to alert ([`confirm`], [`cost_breakdown`]), records, and looks at earlier alerts
//! ([`follow_up`]). It never spawns; sending is `delivery`'s.

mod candidate;
mod confirm;
mod cost_breakdown;
mod crossing;
mod cycle;
mod fan_out;
mod findings;
mod follow_up;
mod intake;
pub(crate) mod namesakes;
mod raising;
mod recorder;
mod report;
mod security;
mod security_list;
mod security_off;
mod security_reading;
mod security_standing;
mod security_usage;
mod settle_batch;
mod subscriptions;
mod turns;
mod unmatched;

pub use crossing::CrossingCustomers;
pub use cycle::Cycle;
pub use namesakes::{Named, Namesakes};
pub use recorder::SLICE;
pub use report::{CycleReport, Suppressed};
pub use security::SecurityReport;
pub use security_reading::SecurityReading;
