//! What identifies a rule to the rest of the house, and what it says of a customer.

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::domain::spike::{Floor, Reading};
use crate::domain::{Metric, Verdict};

/// Whether a step alerts again in the same period after the budget was raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rearm {
    /// Under an amount above every one it alerted under, once the customer was seen below it.
    #[default]
    OnRaise,
    /// Not before the next period.
    Never,
}

/// A rule as its alerts know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFacts {
    /// Its name in the configuration.
    pub name: Box<str>,
    /// The name it had before, whose alerts count as its own.
    pub formerly: Option<Box<str>>,
    /// What it is for, in the operator's words.
    pub description: Option<String>,
    /// What it measures.
    pub metric: Metric,
    /// What a raised budget does.
    pub rearm: Rearm,
}

impl RuleFacts {
    /// Whether a name is this rule's, or was.
    pub fn is_called(&self, name: &str) -> bool {
        *self.name == *name || self.formerly.as_deref() == Some(name)
    }
}

/// What a rule about spikes has read of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpikeReading {
    /// The day beside what is usual.
    pub reading: Reading,
    /// The smallest excess that matters for this customer.
    pub floor: Floor,
    /// The rule's lowest step.
    pub lowest: Decimal,
}

impl SpikeReading {
    /// Whether a run of spikes goes on with this day.
    pub fn goes_on(&self) -> bool {
        self.reading.goes_on(self.lowest, self.floor)
    }
}

/// What one rule says of one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The rule.
    pub rule: Arc<RuleFacts>,
    /// Its verdict.
    pub verdict: Verdict,
    /// What a rule about spikes has read, where there was anything to read.
    pub spike: Option<SpikeReading>,
    /// The thresholds written for this customer, reached or not; none where the rule is not for it.
    pub written: Option<Arc<[Decimal]>>,
}
