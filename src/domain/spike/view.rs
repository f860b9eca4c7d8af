//! A spike as an alert has it: the numbers that it was judged by.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::canonical;
use crate::domain::spike::reading::{Floor, Reading};

/// The numbers of a spike, in the currency of the cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpikeView {
    /// The day of the data, in UTC.
    pub day: Date,
    /// What was spent in 24 hours.
    #[serde(with = "rust_decimal::serde::str")]
    pub rate: Decimal,
    /// What is usual.
    #[serde(with = "rust_decimal::serde::str")]
    pub usual: Decimal,
    /// How much more than usual it is.
    #[serde(with = "rust_decimal::serde::str")]
    pub excess: Decimal,
    /// How far above the usual the highest of the days before was.
    #[serde(with = "rust_decimal::serde::str")]
    pub highest_earlier_excess: Decimal,
    /// The smallest excess that matters to the rule.
    #[serde(with = "rust_decimal::serde::str")]
    pub floor: Decimal,
    /// How many days the usual is the median of.
    pub days: usize,
    /// How many times the usual it is, to two decimals; none where nothing was spent before.
    #[serde(with = "crate::domain::recorded")]
    pub times: Option<Decimal>,
}

impl SpikeView {
    /// The numbers of a reading.
    pub fn of(reading: &Reading, floor: Floor) -> Self {
        Self {
            day: reading.day,
            rate: canonical(reading.rate),
            usual: canonical(reading.usual),
            excess: canonical(reading.excess()),
            highest_earlier_excess: canonical(reading.highest_earlier_excess),
            floor: canonical(floor.0),
            days: reading.days,
            times: reading.times().map(canonical),
        }
    }
}
