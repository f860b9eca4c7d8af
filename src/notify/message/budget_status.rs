//! How a customer stands by the rule's metric, and the smallest phrases for it. Sentences are in
//! `sentence`, what stands beside a name in `brief`.

use rust_decimal::Decimal;

use crate::domain::spike::SpikeView;
use crate::domain::{Metric, rounded};
use crate::notify::message::telling::AlertWording;
use crate::text::amounts::{percent, percentage, points};

/// How cost and budget stand to each other, in the words of the rule's metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BudgetStatus {
    /// Above the budget, by so much.
    Over(Decimal),
    /// Above a budget of zero.
    OverZero,
    /// Within the budget, with so much left.
    Left(Decimal),
    /// A cost that is judged without looking at the budget.
    Cost,
    /// A cost in US dollars, likewise.
    UsdCost(Decimal),
    /// A cost without any budget.
    Unbudgeted,
    /// On the way to so many percent of the budget.
    Heading(Decimal),
    /// So many points more of the budget used than of the period elapsed.
    Ahead(Decimal),
    /// Rising by so much a day.
    Rising(Decimal),
    /// Rising by so many points of the budget a day.
    RisingShare(Decimal),
    /// Spending far more than usual on a day.
    Spike(SpikeView),
    /// Without new usage for so many hours.
    Stale(Decimal),
    /// With a security alert of Microsoft that has not been answered for so many hours.
    Security(Decimal),
}

/// How a cost differs from its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Margin {
    /// Above the budget, by so much.
    Over(Decimal),
    /// Above a budget of zero.
    OverZero,
    /// Within the budget, with so much left.
    Left(Decimal),
}

impl AlertWording<'_> {
    /// How the customer stands.
    pub(crate) fn budget_status(&self) -> BudgetStatus {
        let alert = self.alert;
        if let (Metric::Spike, Some(spike)) = (alert.metric, alert.spike) {
            return BudgetStatus::Spike(spike);
        }
        match (alert.metric, alert.number()) {
            (Metric::UsdTotalCost, _) => {
                alert.cost.usd.map_or(BudgetStatus::Cost, BudgetStatus::UsdCost)
            }
            (Metric::UnbudgetedCost, _) => BudgetStatus::Unbudgeted,
            (Metric::ForecastPercent, Some(percent)) => BudgetStatus::Heading(percent),
            (Metric::Pace, Some(points)) => BudgetStatus::Ahead(points),
            (Metric::DailyCost, Some(rise)) => BudgetStatus::Rising(rise),
            (Metric::DailyPercent, Some(points)) => BudgetStatus::RisingShare(points),
            (Metric::StaleHours, Some(hours)) => BudgetStatus::Stale(hours),
            (Metric::SecurityAlertHours, hours) => {
                BudgetStatus::Security(hours.unwrap_or_default())
            }
            (Metric::TotalCost | Metric::DailyCost | Metric::Spike | Metric::StaleHours, _) => {
                BudgetStatus::Cost
            }
            _ => match self.against_budget() {
                Some(Margin::Over(over)) => BudgetStatus::Over(over),
                Some(Margin::OverZero) => BudgetStatus::OverZero,
                Some(Margin::Left(left)) => BudgetStatus::Left(left),
                None => BudgetStatus::Cost,
            },
        }
    }

    /// How cost and budget differ, whatever the metric; none without a budget.
    pub(crate) fn against_budget(&self) -> Option<Margin> {
        let (cost, budget) = (self.alert.cost.amount, self.alert.budget.as_ref()?.amount);
        if budget.is_zero() && cost > Decimal::ZERO {
            return Some(Margin::OverZero);
        }
        let left = || Margin::Left(budget.saturating_sub(cost));
        Some(self.alert.over().map_or_else(left, Margin::Over))
    }

    /// The cost at the period's end that a forecast's percentage means.
    pub(super) fn forecast_cost(&self) -> Option<Decimal> {
        let BudgetStatus::Heading(value) = self.budget_status() else { return None };
        let budget = self.alert.budget.as_ref()?.amount;
        let told = self.alert.inputs.as_ref().and_then(|inputs| inputs.forecast_cost);
        told.or_else(|| value.checked_mul(budget)?.checked_div(Decimal::ONE_HUNDRED))
    }

    /// A forecast is no exact number: whole percent, unless that would put it on the other side of
    /// a step.
    pub(super) fn about(&self, value: Decimal) -> Decimal {
        let whole = rounded(value, 0);
        let misleads =
            whole < self.alert.threshold || self.context.next_at.is_some_and(|next| whole >= next);
        if misleads { value } else { whole }
    }

    /// (`31 points`, `ahead of the month`).
    pub(super) fn ahead(&self, value: Decimal) -> (String, String) {
        let side = if value.is_sign_negative() { "behind" } else { "ahead of" };
        (points(self.about(value).abs()), format!("{side} {}", self.period.kind))
    }

    /// ` after 35% of November`, with this sign of percent.
    pub(super) fn after(&self, sign: &str) -> String {
        self.elapsed_share()
            .map(|share| format!(" after {}{sign} of {}", percentage(share), self.period.name))
            .unwrap_or_default()
    }

    /// ` with 35 % of the period over`.
    pub(super) fn after_period(&self) -> String {
        self.elapsed_share()
            .map(|share| format!(" with {} of {} over", percent(share), self.period.kind))
            .unwrap_or_default()
    }
}

/// Whole hours: `52 h`.
pub(super) fn whole_hours(hours: Decimal) -> String {
    format!("{} h", percentage(hours.trunc()))
}
