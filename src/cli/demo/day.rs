//! One line a day: how the customers stand, by what the ledger remembers of them.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::alerting::CustomerState;
use crate::cli::demo::words::{BOLD, DIM, RED, YELLOW, bar, day, fitted, paint};

/// How the customers stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct DaySummary {
    over: usize,
    near: usize,
    worst: Option<(String, Decimal)>,
}

impl DaySummary {
    /// By what is remembered of them.
    pub(super) fn of(remembered: &[CustomerState]) -> Self {
        let percent = |seen: &&CustomerState| seen.computed_percent.unwrap_or_default();
        let over_zero = |seen: &&CustomerState| {
            seen.budget.is_some_and(|amount| amount.is_zero()) && seen.cost > Decimal::ZERO
        };
        let over = |seen: &&CustomerState| percent(seen) >= Decimal::ONE_HUNDRED || over_zero(seen);
        let worst = remembered.iter().max_by_key(percent);
        Self {
            over: remembered.iter().filter(over).count(),
            near: remembered
                .iter()
                .filter(|seen| !over(seen) && percent(seen) >= Decimal::from(80))
                .count(),
            worst: worst.map(|seen| (seen.name.clone(), percent(&seen))),
        }
    }

    /// `Mon 12 Oct  ████████████████▎···   82 %  Adventure Works Cykel AB   1 over budget, 2 near it`
    pub(super) fn line(&self, at: Timestamp, width: usize) -> String {
        let date = paint(BOLD, &fitted(&day(at), 10));
        let Some((name, percent)) = &self.worst else { return format!(" {date}") };
        // The counts take 25 columns, the date 13, the number 8; the rest is shared by bar and
        // name.
        let rest = width.saturating_sub(48).max(24);
        let bar_columns = rest * 2 / 5;
        let over = if self.over > 0 {
            paint(RED, &format!("{} over budget", self.over))
        } else {
            paint(DIM, "none over budget")
        };
        let near = if self.near > 0 {
            format!("{}{}", paint(DIM, ", "), paint(YELLOW, &format!("{} near", self.near)))
        } else {
            String::new()
        };
        let name = fitted(name, rest - bar_columns);
        format!(
            " {date}  {} {:>4} %  {name}  {over}{near}",
            bar(*percent, bar_columns),
            percent.trunc()
        )
    }
}
