//! What to think of first: whether the cost rises as it does when somebody else spends, or as any
//! month does.

use rust_decimal::Decimal;

use crate::domain::{Metric, Severity};
use crate::notify::message::telling::AlertWording;
use crate::text::times;

const STOLEN: &str = " If this is not expected, treat it as stolen credentials.";
const LOOK_TODAY: &str = " If this is not expected, find out today what is running.";
const STALE: &str = " Look whether the subscription was cancelled, or Microsoft is late.";

/// Far over a budget is this much of it, in percent, or more.
const FAR_OVER: Decimal = Decimal::from_parts(200, 0, 0, false, 0);
/// A rise from data that is nearer than this counts as if it had taken so long.
const SHORTEST: i64 = 3600;
const DAY: i64 = 86_400;

impl AlertWording<'_> {
    /// What to do next, as the end of the second line.
    pub(crate) fn advice(&self) -> &'static str {
        match (self.alert.metric, self.alert.severity) {
            (Metric::StaleHours, _) => STALE,
            (Metric::SecurityAlertHours, _) if self.is_security_test() => "",
            (Metric::SecurityAlertHours, _) => STOLEN,
            (_, Severity::Info) => "",
            (Metric::Spike, _) => STOLEN,
            (_, Severity::Critical) if self.looks_stolen() => STOLEN,
            _ => LOOK_TODAY,
        }
    }

    /// A rise within a day speaks for itself; else only a cost far over its budget after a steep
    /// climb does.
    fn looks_stolen(&self) -> bool {
        self.alert.metric.is_daily()
            || (self.is_far_over() && self.climbed_steeply().unwrap_or(false))
    }

    fn is_far_over(&self) -> bool {
        let Some(budget) = &self.alert.budget else { return false };
        let far = budget
            .amount
            .checked_mul(FAR_OVER)
            .and_then(|amount| amount.checked_div(Decimal::ONE_HUNDRED));
        far.is_some_and(|far| {
            self.alert.cost.amount > Decimal::ZERO && self.alert.cost.amount >= far
        })
    }

    /// Whether the cost more than doubled since the data before, or rises by more than a quarter of
    /// the budget a day; none when nothing is known of the time before.
    fn climbed_steeply(&self) -> Option<bool> {
        let previous =
            self.context.previous.as_ref().map(|previous| (previous.usage_as_of, previous.cost));
        let earlier = || {
            self.context
                .cost_history
                .iter()
                .rfind(|point| point.at < self.as_of())
                .map(|point| (point.at, point.cost))
        };
        let (since, from) =
            self.rise().map(|rise| (rise.since, rise.from)).or(previous).or_else(earlier)?;
        let rise = self.alert.cost.amount.saturating_sub(from);
        if rise > from {
            return Some(true);
        }
        let quarter = self.alert.budget.as_ref()?.amount.checked_div(Decimal::from(4))?;
        let seconds = times::seconds_between(since, self.as_of()).max(SHORTEST);
        let per_day = rise.checked_div(Decimal::from(seconds))?.checked_mul(Decimal::from(DAY))?;
        Some(per_day > quarter)
    }
}
