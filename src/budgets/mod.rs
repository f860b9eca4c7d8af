//! Who the customers are to us, and the assessment of a record: its currency, budget, billing period and percentages.

mod config;
mod join;
mod place;

pub use config::{Config, LocalBudget, LocalCustomer, Prefer};
pub use join::{BudgetOddity, Joined, Unplaced};
pub use place::{FreshSummary, LastSeen};

#[cfg(test)]
mod tests;
