//! A rule as it is written down, before it is compiled, and what can be wrong with it.

use std::collections::BTreeMap;
use std::time::Duration;

use rust_decimal::Decimal;

use crate::domain::{Currency, Metric, Rearm, Severity, Unit};
use crate::rules::{FloorSpec, Selection};

/// A threshold, or the distance between the steps of `then_every`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// Percent, or US dollars.
    Number(Decimal),
    /// Money, by the customer's currency.
    ByCurrency(BTreeMap<Currency, Decimal>),
}

impl At {
    /// The number for one ladder: the bare one, or the one in its currency.
    pub(crate) fn in_currency(&self, currency: Option<Currency>) -> Option<Decimal> {
        match (self, currency) {
            (Self::Number(number), None) => Some(*number),
            (Self::ByCurrency(amounts), Some(currency)) => amounts.get(&currency).copied(),
            _ => None,
        }
    }

    /// Its numbers, each with its currency.
    pub(crate) fn numbers(&self) -> Vec<(Option<Currency>, Decimal)> {
        match self {
            Self::Number(number) => vec![(None, *number)],
            Self::ByCurrency(amounts) => {
                amounts.iter().map(|(currency, amount)| (Some(*currency), *amount)).collect()
            }
        }
    }
}

/// A step as written.
#[derive(Debug, Clone)]
pub struct StepSpec {
    /// The threshold.
    pub at: At,
    /// How bad.
    pub severity: Severity,
    /// The notifiers that take the place of the rule's.
    pub notify: Option<Vec<Box<str>>>,
    /// How often it is told again while it is true; `None`: as the rule says.
    pub remind_every: Option<Duration>,
}

/// A rule as written.
#[derive(Debug, Clone)]
pub struct RuleSpec {
    /// Its name.
    pub name: Box<str>,
    /// The name it had before.
    pub formerly: Option<Box<str>>,
    /// What it is for.
    pub description: Option<String>,
    /// What it measures.
    pub metric: Metric,
    /// What a raised budget does.
    pub rearm: Rearm,
    /// The notifiers of steps that name none.
    pub notify: Vec<Box<str>>,
    /// How often steps that don't say so themselves are told again; `None`: never.
    pub remind_every: Option<Duration>,
    /// The distance between the steps beyond the last written one.
    pub then_every: Option<At>,
    /// The smallest excess that a rule about spikes tells of.
    pub floor: FloorSpec,
    /// The written steps.
    pub steps: Vec<StepSpec>,
    /// The customers it judges.
    pub selection: Selection,
}

impl RuleSpec {
    /// The notifiers that its steps tell.
    pub fn notifiers(&self) -> impl Iterator<Item = &Box<str>> {
        self.steps.iter().flat_map(|step| step.notify.as_ref().unwrap_or(&self.notify))
    }
}

/// What is wrong with a rule; `step` counts from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It has no steps.
    #[error("a rule needs at least one step")]
    NoSteps,
    /// A bare number where an amount needs a currency.
    #[error("{} is money: give an amount for each currency, for example \
        {{ SEK = 5000, EUR = 450 }}", metric.as_str())]
    BareNumber {
        /// The step; none for `then_every`.
        step: Option<usize>,
        /// The rule's metric.
        metric: Metric,
    },
    /// Amounts by currency where a bare number is meant.
    #[error("{} is counted in {}: give a bare number, not amounts by currency", metric.as_str(), in_words(metric.unit()))]
    AmountsByCurrency {
        /// The step; none for `then_every`.
        step: Option<usize>,
        /// The rule's metric.
        metric: Metric,
    },
    /// No currency at all.
    #[error("no amount is given: name at least one currency, for example {{ SEK = 5000 }}")]
    NoAmount {
        /// The step; none for `then_every`.
        step: Option<usize>,
    },
    /// A step below zero of a metric that is always above it.
    #[error("a step of {} cannot be negative", metric.as_str())]
    Negative {
        /// The step.
        step: usize,
        /// The rule's metric.
        metric: Metric,
    },
    /// A step that any day would reach.
    #[error("a step of spike is a multiple of the usual and must be above 1")]
    NotAboveOne {
        /// The step.
        step: usize,
    },
    /// No floor at all.
    #[error(
        "spike needs the smallest excess to tell of: floor by currency, for example \
        {{ SEK = 1000, EUR = 100 }}, or floor_percent of the budget, for example 2, or both"
    )]
    NoFloor,
    /// A floor of zero or less.
    #[error("{key} must be above zero")]
    FloorTooLow {
        /// The key.
        key: &'static str,
    },
    /// A floor where nothing reads it.
    #[error("{key} is for metric = \"spike\" only")]
    FloorOfAnother {
        /// The key.
        key: &'static str,
    },
    /// Conditions on security alerts where nothing reads them.
    #[error(
        "match.alert_type, alert_severity and confidence are for \
        metric = \"security_alert_hours\" only"
    )]
    SecurityOfAnother,
    /// A step that does not follow the one before.
    #[error("steps must be strictly {}: {at}{} comes after {before}{}", order_of(*metric), InCurrency(*currency), InCurrency(*currency))]
    OutOfOrder {
        /// The step.
        step: usize,
        /// The rule's metric.
        metric: Metric,
        /// The ladder's currency.
        currency: Option<Currency>,
        /// Its threshold.
        at: Decimal,
        /// The threshold before it.
        before: Decimal,
    },
    /// A step that tells nobody.
    #[error("nobody is told: add notify = [\"…\"] to the rule or to this step")]
    NobodyTold {
        /// The step.
        step: usize,
    },
    /// A distance of zero or less, or too small to be added to the last step.
    #[error("then_every must be above zero, and large enough to be added to the last step")]
    ThenEveryTooSmall,
    /// A distance in a currency that no step has.
    #[error("then_every has {0}, but no step is given in {0}")]
    ThenEveryWithoutStep(Currency),
}

impl RuleError {
    /// The step it is about; none for the rule as a whole or its `then_every`.
    pub fn step(&self) -> Option<usize> {
        match self {
            Self::BareNumber { step, .. }
            | Self::AmountsByCurrency { step, .. }
            | Self::NoAmount { step } => *step,
            Self::Negative { step, .. }
            | Self::NotAboveOne { step }
            | Self::OutOfOrder { step, .. }
            | Self::NobodyTold { step } => Some(*step),
            Self::NoSteps
            | Self::NoFloor
            | Self::FloorTooLow { .. }
            | Self::FloorOfAnother { .. }
            | Self::SecurityOfAnother
            | Self::ThenEveryTooSmall
            | Self::ThenEveryWithoutStep(_) => None,
        }
    }

    /// The key of the rule, or of its step, that it is about.
    pub fn key(&self) -> &'static str {
        match self {
            Self::NoFloor => "metric",
            Self::FloorTooLow { key } | Self::FloorOfAnother { key } => key,
            Self::SecurityOfAnother => "match",
            Self::NobodyTold { .. } => "severity",
            Self::BareNumber { step, .. }
            | Self::AmountsByCurrency { step, .. }
            | Self::NoAmount { step } => step.map_or("then_every", |_| "at"),
            Self::Negative { .. } | Self::NotAboveOne { .. } | Self::OutOfOrder { .. } => "at",
            Self::NoSteps | Self::ThenEveryTooSmall | Self::ThenEveryWithoutStep(_) => "then_every",
        }
    }
}

fn in_words(unit: Unit) -> &'static str {
    match unit {
        Unit::UsDollars => "US dollars",
        Unit::Points => "points",
        Unit::Times => "times the usual",
        Unit::Hours => "hours",
        // Amounts by currency are right for money.
        Unit::Percent | Unit::Money => "percent",
    }
}

fn order_of(metric: Metric) -> &'static str {
    match metric.direction() {
        crate::domain::Direction::Up => "ascending",
        crate::domain::Direction::Down => "descending",
    }
}

/// A currency behind a number, where there is one.
struct InCurrency(Option<Currency>);

impl std::fmt::Display for InCurrency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |currency| write!(f, " {currency}"))
    }
}
