//! What rules measure: the metrics, how each is computed from a record's inputs, and a step crossed.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::{Severity, canonical, percent_of};

/// A quantity that a rule compares with its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Share of the budget used, in percent.
    PercentUsed,
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

    /// Whether the step `a` is reached no earlier than the step `b`: the same, or further along the ladder.
    pub fn at_or_beyond(self, a: Decimal, b: Decimal) -> bool {
        self.reached(a, b)
    }
}

/// What a metric is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inputs {
    /// Cost in the customer's currency.
    pub cost: Decimal,
    /// Cost in US dollars, where there is one.
    pub usd_cost: Option<Decimal>,
    /// The amount of the budget in force.
    pub budget: Option<Decimal>,
    /// `percentUsed` as reported, where the budget in force is Partner Center's.
    pub reported_percent: Option<Decimal>,
}

/// The value of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricValue {
    /// A number.
    Number(Decimal),
    /// Cost above a budget of zero: over every step, with no number to show.
    OverZero,
    /// An input is missing.
    Missing(MissingInput),
}

/// The input whose absence keeps a metric from having a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingInput {
    /// The customer has no budget.
    Budget,
    /// The customer has a budget, and the metric is about those without.
    NoBudget,
    /// The record has no USD cost.
    UsdCost,
}

impl Metric {
    /// Every metric, in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::PercentUsed, Self::AmountOver, Self::AmountLeft, Self::TotalCost, Self::UsdTotalCost, Self::UnbudgetedCost];

    /// The name used in configuration and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PercentUsed => "percent_used",
            Self::AmountOver => "amount_over",
            Self::AmountLeft => "amount_left",
            Self::TotalCost => "total_cost",
            Self::UsdTotalCost => "usd_total_cost",
            Self::UnbudgetedCost => "unbudgeted_cost",
        }
    }

    /// Reads the name used in configuration and JSON.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.as_str() == name)
    }

    /// On which side of a step it fires.
    pub fn direction(self) -> Direction {
        if self == Self::AmountLeft { Direction::Down } else { Direction::Up }
    }

    /// Whether its steps are amounts in the customer's currency, given by currency.
    pub fn is_money(self) -> bool {
        !matches!(self, Self::PercentUsed | Self::UsdTotalCost)
    }

    /// Whether a changed budget changes its value, so that an alert belongs to the amount it was raised under.
    pub fn reads_budget(self) -> bool {
        matches!(self, Self::PercentUsed | Self::AmountOver | Self::AmountLeft)
    }

    /// Its value for these inputs.
    pub fn value(self, inputs: &Inputs) -> MetricValue {
        match (self, inputs.budget) {
            (Self::PercentUsed, Some(amount)) => percent_used(inputs, amount),
            (Self::AmountOver, Some(amount)) => MetricValue::Number(inputs.cost.saturating_sub(amount)),
            (Self::AmountLeft, Some(amount)) => MetricValue::Number(amount.saturating_sub(inputs.cost)),
            (Self::PercentUsed | Self::AmountOver | Self::AmountLeft, None) => MetricValue::Missing(MissingInput::Budget),
            (Self::UnbudgetedCost, Some(_)) => MetricValue::Missing(MissingInput::NoBudget),
            (Self::TotalCost, _) | (Self::UnbudgetedCost, None) => MetricValue::Number(inputs.cost),
            (Self::UsdTotalCost, _) => inputs.usd_cost.map_or(MetricValue::Missing(MissingInput::UsdCost), MetricValue::Number),
        }
    }
}

/// The larger of the reported and the computed percentage; a negative cost is 0 %.
fn percent_used(inputs: &Inputs, amount: Decimal) -> MetricValue {
    let cost = inputs.cost.max(Decimal::ZERO);
    match percent_of(cost, amount) {
        Some(computed) => MetricValue::Number(canonical(inputs.reported_percent.map_or(computed, |reported| reported.max(computed)))),
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
}

/// A rule whose value has reached at least one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    /// The steps reached, from the first of the ladder to the highest; never empty. Of the steps of `then_every` only
    /// the last 50 before the highest are named, the lower ones are implied.
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
