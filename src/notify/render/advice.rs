//! What to think of first: whether the cost rises as it does when somebody else spends, or as any month does.

use rust_decimal::Decimal;

use crate::domain::{Metric, Severity};
use crate::notify::render::telling::Telling;
use crate::notify::render::times;

const STOLEN: &str = " If this is not expected, treat it as stolen credentials.";
const LOOK_TODAY: &str = " If this is not expected, find out today what is running.";
const STALE: &str = " Look whether the subscription was cancelled, or Microsoft is late.";

/// A rise from data that is nearer than this counts as if it had taken so long.
const SHORTEST: i64 = 3600;
const DAY: i64 = 86_400;

impl Telling<'_> {
    /// What to do next, as the end of the second line.
    pub(crate) fn advice(&self) -> &'static str {
        match (self.alert.metric, self.alert.severity) {
            (Metric::StaleHours, _) => STALE,
            (_, Severity::Info) => "",
            // Without history, the worse is assumed.
            (_, Severity::Critical) if self.rises_fast().unwrap_or(true) => STOLEN,
            _ => LOOK_TODAY,
        }
    }

    /// Whether the cost more than doubled since the data before, or rises by more than a quarter of the budget a day; none
    /// when nothing is known of the time before.
    fn rises_fast(&self) -> Option<bool> {
        let cost = self.alert.cost.amount;
        if self.alert.over_zero || self.alert.metric == Metric::UnbudgetedCost {
            return Some(true);
        }
        let previous = self.context.previous.as_ref().map(|previous| (previous.usage_as_of, previous.cost));
        let (since, from) = self.rise().map(|rise| (rise.since, rise.from)).or(previous)?;
        let rise = cost.saturating_sub(from);
        if rise > from {
            return Some(true);
        }
        let Some(budget) = &self.alert.budget else { return Some(false) };
        let seconds = times::seconds_between(since, self.as_of()).max(SHORTEST);
        let per_day = rise.checked_div(Decimal::from(seconds))?.checked_mul(Decimal::from(DAY))?;
        Some(per_day > budget.amount.checked_div(Decimal::from(4))?)
    }
}
