//! Numbers of a rule as people read them, on the scale of its metric.

use rust_decimal::Decimal;

use crate::domain::{Currency, Metric, MetricValue, Unit};
use crate::text::{money, percent};

/// Numbers on the scale of a metric.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// The metric.
    pub(crate) metric: Metric,
    /// The customer's currency.
    pub(crate) currency: Option<Currency>,
}

impl Scale {
    /// A step: `80 %`, `5,000 SEK`, `12 points`.
    pub(crate) fn step(self, value: Decimal) -> String {
        match self.metric.unit() {
            Unit::Percent => percent(value),
            Unit::Points => format!("{} points", money(value, None)),
            Unit::Times => format!("{} times", money(value, None)),
            Unit::Hours => format!("{} h", money(value, None)),
            Unit::UsDollars => format!("{} USD", money(value, None)),
            Unit::Money => self.amount(value),
        }
    }

    /// A value with what it is: `80 % of the budget used`.
    pub(crate) fn value(self, value: Decimal) -> String {
        let what = match self.metric {
            Metric::PercentUsed => " of the budget used",
            Metric::ForecastPercent => " of the budget at the end of the period, as it goes on",
            Metric::Pace => " ahead of the period",
            Metric::DailyCost | Metric::DailyPercent => " a day",
            Metric::Spike => " the usual",
            Metric::StaleHours => " old",
            Metric::SecurityAlertHours => " not answered",
            Metric::AmountOver if value < Decimal::ZERO => {
                return format!("{} below the budget", self.amount(value.abs()));
            }
            Metric::AmountOver => " over the budget",
            Metric::AmountLeft if value < Decimal::ZERO => {
                return format!("nothing left, {} over the budget", self.amount(value.abs()));
            }
            Metric::AmountLeft => " left",
            Metric::TotalCost | Metric::UsdTotalCost | Metric::UnbudgetedCost => " of cost",
        };
        format!("{}{what}", self.step(value))
    }

    /// The same, or that the cost is over a budget of zero.
    pub(crate) fn value_or_over_zero(self, value: MetricValue) -> String {
        match value {
            MetricValue::Number(number) => self.value(number),
            MetricValue::OverZero if self.metric == Metric::Spike => {
                "nothing was spent before".to_owned()
            }
            MetricValue::OverZero => "cost over a budget of zero".to_owned(),
        }
    }

    /// An amount in the customer's currency.
    pub(crate) fn amount(self, value: Decimal) -> String {
        money(value, self.currency)
    }
}
