//! Who the customers are to us, from tables and spreadsheets, and the assessment of a record: its
//! currency, budget, billing period and percentages.

mod config;
mod join;
mod place;
pub mod sheet;

pub use config::{Config, LocalBudget, LocalCustomer, LocalSubscription, Prefer, SubscriptionKey};
pub use join::{BudgetOddity, Joined, Unplaced};
pub(crate) use place::period_holding;
pub use place::{FreshSummary, PeriodMemory};

#[cfg(test)]
mod tests;
