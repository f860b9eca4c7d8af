//! One poll: takes records in ([`intake`], [`settle_batch`], [`subscriptions`]), asks about those
//! about to alert ([`confirm`], [`cost_breakdown`]), records, and looks at earlier alerts
//! ([`follow_up`]). It never spawns; sending is `delivery`'s.

mod confirm;
mod cost_breakdown;
pub(crate) mod cycle;
mod findings;
mod follow_up;
mod intake;
pub(crate) mod namesakes;
mod raising;
mod settle_batch;
mod slices;
mod subscriptions;
mod turns;

pub use cycle::{Cycle, CycleReport, Suppressed};
pub use namesakes::{Named, Namesakes};
pub use slices::{CrossingCustomers, SLICE};
