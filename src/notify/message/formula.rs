//! The numbers of a metric's formula with its result, for whoever wants to reckon after it.

use crate::domain::{FormulaInputs, Metric};
use crate::notify::message::telling::AlertWording;
use crate::text::amounts::{amount, percent, percentage};
use crate::text::times;

impl AlertWording<'_> {
    /// `45 % used − 33.3 % of the period = 11.7 points`; none for metrics that need no more than
    /// cost and budget.
    pub(crate) fn formula(&self) -> Option<String> {
        if self.alert.metric == Metric::Spike {
            return self.spike_formula();
        }
        let inputs = self.alert.inputs.as_ref()?;
        match self.alert.metric {
            Metric::ForecastPercent => self.forecast_formula(inputs),
            Metric::Pace => {
                let (used, elapsed) = inputs.percent_used.zip(inputs.percent_elapsed)?;
                let (used, elapsed, result) =
                    (percent(used), percent(elapsed), self.on_scale(self.alert.number()?));
                Some(format!("{used} used − {elapsed} of the period = {result}"))
            }
            Metric::DailyCost => self.rise_formula(inputs),
            Metric::DailyPercent => {
                Some(format!("{}{}", self.rise_formula(inputs)?, self.of_budget()))
            }
            Metric::PercentUsed
            | Metric::AmountOver
            | Metric::AmountLeft
            | Metric::TotalCost
            | Metric::UsdTotalCost
            | Metric::UnbudgetedCost
            | Metric::Spike
            | Metric::StaleHours
            | Metric::SecurityAlertHours => None,
        }
    }

    /// `2,250 SEK in 252 of 720 hours → 6,429 SEK by the end = 128.57 % of 5,000 SEK`.
    fn forecast_formula(&self, inputs: &FormulaInputs) -> Option<String> {
        let (elapsed, length) = inputs.elapsed_hours.zip(inputs.period_hours)?;
        let (cost, end) =
            (self.money(self.alert.cost.amount), self.estimate(inputs.forecast_cost?));
        let (elapsed, length) = (percentage(elapsed), percentage(length));
        Some(format!(
            "{cost} in {elapsed} of {length} hours → {end} by the end{}",
            self.of_budget()
        ))
    }

    /// `(45,000 − 600) SEK in 24 h → 44,400 SEK a day`.
    fn rise_formula(&self, inputs: &FormulaInputs) -> Option<String> {
        let from = inputs.since_cost?;
        let currency =
            self.alert.cost.currency.map(|currency| format!(" {currency}")).unwrap_or_default();
        let span =
            inputs.hours.map(percentage).map(|hours| format!(" in {hours} h")).unwrap_or_default();
        let since = inputs
            .since
            .map(|since| format!(" since {}", times::moment(since, self.as_of(), self.zone)));
        let per_day = self.money(inputs.daily_cost?);
        let cost = amount(self.alert.cost.amount);
        Some(format!(
            "({cost} − {}){currency}{span}{} → {per_day} a day",
            amount(from),
            since.unwrap_or_default()
        ))
    }

    /// ` = 129 % of 5,000 SEK`.
    fn of_budget(&self) -> String {
        let result = self.alert.number().zip(self.alert.budget.as_ref());
        result
            .map(|(value, budget)| {
                format!(" = {} of {}", percent(value), self.money(budget.amount))
            })
            .unwrap_or_default()
    }
}
