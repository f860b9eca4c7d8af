//! The value of a metric, and its two fields in JSON: `value`, null without a number, and
//! `over_zero`.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::canonical;

/// The value of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricValue {
    /// A number.
    Number(Decimal),
    /// Cost above a budget of zero: over every step, with no number to show.
    OverZero,
}

impl MetricValue {
    /// The number; none over a budget of zero.
    pub fn number(self) -> Option<Decimal> {
        match self {
            Self::Number(number) => Some(number),
            Self::OverZero => None,
        }
    }

    /// The same with its number canonical.
    #[must_use]
    pub fn canonical(self) -> Self {
        match self {
            Self::Number(number) => Self::Number(canonical(number)),
            Self::OverZero => Self::OverZero,
        }
    }
}

/// How it stands in JSON.
#[derive(Serialize, Deserialize)]
struct Fields {
    #[serde(with = "crate::domain::recorded")]
    value: Option<Decimal>,
    over_zero: bool,
}

/// Writes both fields.
pub fn serialize<S: Serializer>(
    value: &Option<MetricValue>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let over_zero = *value == Some(MetricValue::OverZero);
    Fields { value: value.and_then(MetricValue::number), over_zero }.serialize(serializer)
}

/// Reads both fields.
pub fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<MetricValue>, D::Error> {
    let Fields { value, over_zero } = Fields::deserialize(deserializer)?;
    Ok(value.map(MetricValue::Number).or(over_zero.then_some(MetricValue::OverZero)))
}
