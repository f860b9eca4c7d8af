//! What a person said of a spike: that it was to be expected, or that it was fraud.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::spike::reading::SpikeMark;

/// What somebody said of a day that was a spike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpikeNote {
    /// What it was.
    pub mark: SpikeMark,
    /// Who said so.
    pub by: Box<str>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<Box<str>>,
    /// The last day of the data, in UTC, up to which every spike is expected, whatever the rule.
    pub until: Option<Date>,
}

impl SpikeNote {
    /// Whether it says beforehand that a spike on this day is expected.
    pub fn expects(&self, day: Date) -> bool {
        self.mark == SpikeMark::Expected && self.until.is_some_and(|until| day <= until)
    }

    /// Whether two days were marked by one order.
    pub fn is_same_order(&self, other: &Self) -> bool {
        (self.at, &self.by) == (other.at, &other.by)
    }
}
