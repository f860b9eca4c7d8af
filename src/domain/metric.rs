//! What rules measure: the metrics, how each is computed from a record's inputs, and a step
//! crossed.

use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::domain::{
    FormulaInputs, Inputs, MetricValue, MissingInput, Severity, Timing, canonical, percent_of,
    rounded,
};

/// A quantity that a rule compares with its steps, in the order of the documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[derive(IntoStaticStr, VariantArray, EnumString, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Metric {
    /// Share of the budget used, in percent.
    PercentUsed,
    /// Share of the budget used at the end of the period if it goes on as on average, in percent.
    ForecastPercent,
    /// Percent used minus percent of the period elapsed, in points.
    Pace,
    /// Cost minus budget, in the customer's currency.
    AmountOver,
    /// Budget minus cost; fires at or below its steps.
    AmountLeft,
    /// Cost in the customer's currency.
    TotalCost,
    /// Cost in US dollars.
    UsdTotalCost,
    /// Cost of a customer without any budget.
    UnbudgetedCost,
    /// Rise of the cost per 24 hours between the last two dates of the data, in the customer's
    /// currency.
    DailyCost,
    /// The same in points of the budget.
    DailyPercent,
    /// What was spent in 24 hours as a multiple of what is usual.
    Spike,
    /// How old the data is, in hours.
    StaleHours,
    /// How long a security alert of Microsoft has not been answered, in hours.
    SecurityAlertHours,
}

/// What the steps of a metric are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Percent of the budget.
    Percent,
    /// Points: percent of the budget, ahead of the period or a day.
    Points,
    /// Amounts in the customer's currency, given by currency.
    Money,
    /// US dollars.
    UsDollars,
    /// Multiples of what is usual.
    Times,
    /// Hours.
    Hours,
}

/// On which side of a step a metric fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// At or above the step.
    Up,
    /// At or below the step.
    Down,
}

impl Direction {
    /// Whether `value` has reached the step `at`.
    pub fn reached(self, value: Decimal, at: Decimal) -> bool {
        match self {
            Self::Up => value >= at,
            Self::Down => value <= at,
        }
    }

    /// Whether the step `a` is reached no earlier than the step `b`: the same, or further along the
    /// ladder.
    pub fn at_or_beyond(self, a: Decimal, b: Decimal) -> bool {
        self.reached(a, b)
    }
}

impl Metric {
    /// Every name.
    pub const NAMES: &'static [&'static str] = <Self as VariantNames>::VARIANTS;

    /// Every metric.
    pub const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;

    /// The name used in configuration and JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Reads the name used in configuration and JSON.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// Which of several equally bad alerts about one customer is told first; lower ones are.
    pub(crate) fn urgency(self) -> u8 {
        match self {
            Self::Spike | Self::DailyCost | Self::DailyPercent | Self::SecurityAlertHours => 0,
            Self::PercentUsed
            | Self::AmountOver
            | Self::AmountLeft
            | Self::TotalCost
            | Self::UsdTotalCost
            | Self::UnbudgetedCost => 1,
            Self::ForecastPercent | Self::Pace => 2,
            Self::StaleHours => 3,
        }
    }

    /// On which side of a step it fires.
    pub fn direction(self) -> Direction {
        if self == Self::AmountLeft { Direction::Down } else { Direction::Up }
    }

    /// What its steps are counted in.
    pub fn unit(self) -> Unit {
        match self {
            Self::PercentUsed | Self::ForecastPercent => Unit::Percent,
            Self::Pace | Self::DailyPercent => Unit::Points,
            Self::AmountOver
            | Self::AmountLeft
            | Self::TotalCost
            | Self::UnbudgetedCost
            | Self::DailyCost => Unit::Money,
            Self::UsdTotalCost => Unit::UsDollars,
            Self::Spike => Unit::Times,
            Self::StaleHours | Self::SecurityAlertHours => Unit::Hours,
        }
    }

    /// Whether its steps are amounts in the customer's currency, given by currency.
    pub fn is_money(self) -> bool {
        self.unit() == Unit::Money
    }

    /// Whether a changed budget changes its value, so that an alert belongs to the amount it was
    /// raised under.
    pub fn reads_budget(self) -> bool {
        self.is_percent() || matches!(self, Self::AmountOver | Self::AmountLeft)
    }

    /// Whether it is counted in percent, or points, of the budget: any cost over a budget of zero
    /// is over every step.
    pub fn is_percent(self) -> bool {
        matches!(self.unit(), Unit::Percent | Unit::Points)
    }

    /// Whether it alerts again on each UTC day of the data.
    pub fn is_daily(self) -> bool {
        matches!(self, Self::DailyCost | Self::DailyPercent | Self::Spike)
    }

    /// Whether it judges the subscriptions that have budgets of their own, too.
    pub fn is_for_subscriptions(self) -> bool {
        self.reads_budget() || self == Self::Spike
    }

    /// Whether it needs earlier dates of the data.
    pub fn reads_history(self) -> bool {
        self.is_daily()
    }

    /// Its value for these inputs, or which of them is missing.
    pub fn value(self, inputs: &Inputs) -> Result<MetricValue, MissingInput> {
        let budget = || inputs.budget.ok_or(MissingInput::Budget);
        let number = match self {
            Self::PercentUsed => return Ok(percent_used(inputs, budget()?)),
            Self::ForecastPercent => {
                let amount = budget()?;
                let forecast = inputs.timing?.forecast(inputs.cost.max(Decimal::ZERO))?;
                return Ok(share(forecast, amount));
            }
            Self::Pace => {
                let (amount, timing) = (budget()?, inputs.timing?);
                return Ok(match percent_used(inputs, amount) {
                    MetricValue::Number(_) => MetricValue::Number(pace(inputs, amount, timing)),
                    MetricValue::OverZero => MetricValue::OverZero,
                });
            }
            Self::AmountOver => inputs.cost.saturating_sub(budget()?),
            Self::AmountLeft => budget()?.saturating_sub(inputs.cost),
            Self::UsdTotalCost => inputs.usd_cost.ok_or(MissingInput::UsdCost)?,
            Self::UnbudgetedCost if inputs.budget.is_some() => return Err(MissingInput::NoBudget),
            Self::TotalCost | Self::UnbudgetedCost => inputs.cost,
            Self::DailyCost => inputs.rise?.daily_cost(),
            Self::DailyPercent => return Ok(share(inputs.rise?.per_day, budget()?)),
            // Its rule reads it, from many days and from the spikes that it remembers.
            Self::Spike => return Err(MissingInput::EarlierDate),
            Self::StaleHours => inputs.stale_hours?,
            // It is not about usage.
            Self::SecurityAlertHours => return Err(MissingInput::SecurityAlert),
        };
        Ok(MetricValue::Number(number))
    }

    /// What its formula was given beside cost and budget; none for metrics that need no more.
    pub fn formula_inputs(self, inputs: &Inputs) -> Option<FormulaInputs> {
        let timing = inputs.timing.ok();
        let percent_used = Self::PercentUsed.value(inputs).ok().and_then(MetricValue::number);
        match self {
            Self::ForecastPercent => Some(FormulaInputs {
                elapsed_hours: timing.map(|timing| timing.elapsed_hours()),
                period_hours: timing.map(|timing| timing.period_hours()),
                forecast_cost: timing
                    .and_then(|timing| timing.forecast(inputs.cost).ok())
                    .map(|cost| canonical(rounded(cost, 2))),
                ..FormulaInputs::default()
            }),
            Self::Pace => Some(FormulaInputs {
                percent_used,
                percent_elapsed: timing.map(|timing| timing.percent_elapsed()),
                ..FormulaInputs::default()
            }),
            Self::DailyCost | Self::DailyPercent => inputs.rise.ok().map(|rise| FormulaInputs {
                since: Some(rise.since),
                since_cost: Some(rise.from),
                hours: Some(rise.hours()),
                daily_cost: Some(rise.daily_cost()),
                ..FormulaInputs::default()
            }),
            Self::PercentUsed
            | Self::AmountOver
            | Self::AmountLeft
            | Self::TotalCost
            | Self::UsdTotalCost
            | Self::UnbudgetedCost
            | Self::Spike
            | Self::StaleHours
            | Self::SecurityAlertHours => None,
        }
    }
}

/// The larger of the reported and the computed percentage; a negative cost is 0 %.
fn percent_used(inputs: &Inputs, amount: Decimal) -> MetricValue {
    match share(inputs.cost, amount) {
        MetricValue::Number(computed) if !amount.is_zero() => MetricValue::Number(canonical(
            inputs.reported_percent.map_or(computed, |reported| reported.max(computed)),
        )),
        value @ (MetricValue::Number(_) | MetricValue::OverZero) => value,
    }
}

/// How far the larger of the reported and the computed percentage is ahead of the time that is
/// over, in points.
fn pace(inputs: &Inputs, amount: Decimal, timing: Timing) -> Decimal {
    let cost = inputs.cost.max(Decimal::ZERO);
    let computed = timing.ahead(cost, amount);
    let reported = inputs
        .reported_percent
        .filter(|_| !amount.is_zero())
        .and_then(|percent| timing.ahead(percent, Decimal::ONE_HUNDRED));
    // Nothing is used of a budget of zero that has cost nothing.
    computed.max(reported).unwrap_or_else(|| -timing.percent_elapsed())
}

/// Percent of a budget; nothing and less is 0 %, anything over a budget of zero is over every step.
fn share(cost: Decimal, amount: Decimal) -> MetricValue {
    let cost = cost.max(Decimal::ZERO);
    match percent_of(cost, amount) {
        Some(percent) => MetricValue::Number(percent),
        None if cost.is_zero() => MetricValue::Number(Decimal::ZERO),
        None => MetricValue::OverZero,
    }
}

/// One step of a rule's ladder that a value has reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrossedStep {
    /// The threshold, canonical.
    pub at: Decimal,
    /// Whether it stands in the configuration; false for those of `then_every`.
    pub written: bool,
    /// How bad.
    pub severity: Severity,
    /// The notifiers it is owed to, by name.
    pub notify: Arc<[Box<str>]>,
    /// How often it is told again while it is true; `None`: never.
    pub remind_every: Option<Duration>,
}

/// A rule whose value has reached at least one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    /// The steps reached, from the first of the ladder to the highest; never empty. Of the steps of
    /// `then_every` only the highest and the 50 before it are named, the lower ones are implied.
    pub steps: Vec<CrossedStep>,
    /// The next step of the ladder, where there is one.
    pub next_at: Option<Decimal>,
}

impl Crossing {
    /// The highest step reached (the lowest for `amount_left`).
    pub fn highest(&self) -> Option<&CrossedStep> {
        self.steps.last()
    }
}
