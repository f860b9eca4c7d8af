//! How a customer's cost went in one billing period: a few dates of its data, for the chart of a
//! message. What is drawn of them is left to the message.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::BillingPeriod;

/// The cost up to one date of the data. In JSON a pair: seconds since 1970, and the cost as a
/// string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The date of the data.
    pub at: Timestamp,
    /// The cost of the period up to then.
    pub cost: Decimal,
}

/// How many parts of a period have a point each, at most.
const PARTS: i64 = 40;

/// Of points in the order of their dates those that a chart needs: within `period`, and the last of
/// each fortieth of it.
pub fn cost_history(period: &BillingPeriod, points: impl IntoIterator<Item = Point>) -> Vec<Point> {
    let part = |at: Timestamp| {
        let whole = period.end.duration_since(period.start);
        let passed = at.duration_since(period.start).as_secs().saturating_mul(PARTS);
        passed.checked_div(whole.max(SignedDuration::from_secs(1)).as_secs()).unwrap_or_default()
    };
    let mut kept: Vec<Point> = Vec::new();
    for point in points.into_iter().filter(|point| period.holds(point.at)) {
        if kept.last().is_some_and(|last| part(last.at) == part(point.at)) {
            kept.pop();
        }
        kept.push(point);
    }
    kept
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.at.as_second(), self.cost.to_string()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (seconds, cost) = <(i64, std::borrow::Cow<'de, str>)>::deserialize(deserializer)?;
        let at = Timestamp::from_second(seconds).map_err(serde::de::Error::custom)?;
        Ok(Self { at, cost: cost.parse().map_err(serde::de::Error::custom)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PeriodSource;

    #[test]
    fn a_course_has_few_points_and_ends_with_the_last() {
        let period = BillingPeriod::calendar_month(
            "2026-11-14T00:00:00Z".parse().unwrap(),
            PeriodSource::CalendarMonth,
        );
        let hourly = (-50_i64..800).map(|hour| Point {
            at: period.start + SignedDuration::from_hours(hour),
            cost: Decimal::from(hour),
        });
        let cost_history = cost_history(&period, hourly);
        assert_eq!(
            (cost_history.len(), cost_history.last().unwrap().cost),
            (40, Decimal::from(719))
        );
        let json = serde_json::to_string(&cost_history[..2]).unwrap();
        assert_eq!(json, r#"[[1793552400,"17"],[1793617200,"35"]]"#);
        assert_eq!(serde_json::from_str::<Vec<Point>>(&json).unwrap(), cost_history[..2]);
    }
}
