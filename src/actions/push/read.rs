//! Reads the budget that Partner Center has for a customer, and waits where it asks to be left
//! alone.

use std::time::Duration;

use crate::domain::CustomerId;
use crate::poll::Cycle;
use crate::source::{SourceError, SpendingBudget};

/// The longest `Retry-After` that is waited for: somebody waits for the answer.
const PATIENCE: Duration = Duration::from_mins(5);
/// How often one question waits for it.
const WAITS: usize = 3;

/// What Partner Center has.
pub(super) async fn read(
    cycle: &Cycle,
    customer: &CustomerId,
) -> Result<SpendingBudget, SourceError> {
    for _ in 0..WAITS {
        match cycle.source.spending_budget(customer).await {
            Err(error) if wait_if_asked(cycle, &error).await => {}
            answer => return answer.map(|found| found.unwrap_or(SpendingBudget::Unreadable)),
        }
    }
    let last = cycle.source.spending_budget(customer).await?;
    Ok(last.unwrap_or(SpendingBudget::Unreadable))
}

/// Waits as long as Partner Center asks to be left alone; `false` where it does not ask, or for
/// too long.
pub(super) async fn wait_if_asked(cycle: &Cycle, error: &SourceError) -> bool {
    let Some(wait) = error.retry_after().filter(|wait| *wait <= PATIENCE) else { return false };
    cycle.clock.sleep(wait).await;
    true
}
