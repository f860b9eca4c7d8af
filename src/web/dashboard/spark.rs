//! Small pictures beside numbers, as SVG: a line of 30 days, and a bar of the budget used.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::domain::{BillingPeriod, MetricValue, Sample, utc_day};

/// The size of a line.
const WIDTH: i64 = 120;
const HEIGHT: i64 = 32;
/// How many days it shows.
const DAYS: i64 = 30;

/// A line of the cost in 30 days.
pub(super) struct Spark {
    /// What a path of SVG goes by.
    pub(super) path: String,
    /// The height of the budget, where it is not far above.
    pub(super) budget: Option<i64>,
}

/// The line up to the last date, one point a day, broken where the billing period begins; none
/// where less than two days are known.
pub(super) fn spark(
    samples: &[Sample],
    period: &BillingPeriod,
    budget: Option<Decimal>,
) -> Option<Spark> {
    let days = last_of_each_day(samples);
    let last = days.last().filter(|_| days.len() > 1)?;
    let highest = days.iter().map(|(_, cost)| *cost).max()?;
    // A budget that is far away would press the line flat.
    let budget = budget.filter(|budget| *budget <= highest.saturating_mul(Decimal::TWO));
    let top = budget.unwrap_or_default().max(highest);
    let start = last.0.saturating_sub(SignedDuration::from_hours(DAYS * 24)).ok()?;
    let mut path = String::new();
    let mut before: Option<Timestamp> = None;
    for (at, cost) in &days {
        let broken = before.is_none_or(|before| before < period.start && *at >= period.start);
        let letter = if broken { 'M' } else { 'L' };
        let across = part(seconds(start, *at), DAYS * 24 * 3600, WIDTH);
        // Writing to a text cannot fail.
        let _written = write!(path, "{letter}{across} {}", height(*cost, top));
        before = Some(*at);
    }
    Some(Spark { path, budget: budget.map(|budget| height(budget, top)) })
}

/// The dates and costs of the last data of each day, in their order.
fn last_of_each_day(samples: &[Sample]) -> Vec<(Timestamp, Decimal)> {
    let mut days: Vec<(Timestamp, Decimal)> = Vec::new();
    for sample in samples.iter().filter(|sample| !sample.carried_over) {
        days.pop_if(|(at, _)| utc_day(*at) == utc_day(sample.usage_as_of));
        days.push((sample.usage_as_of, sample.cost.max(Decimal::ZERO)));
    }
    days
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}

/// `share` of `whole`, as a part of `size`.
fn part(share: i64, whole: i64, size: i64) -> i64 {
    let scaled = share.saturating_mul(size).checked_div(whole).unwrap_or_default();
    scaled.clamp(0, size)
}

/// Where an amount stands from the top, one pixel from the edges.
fn height(amount: Decimal, top: Decimal) -> i64 {
    let most = HEIGHT.saturating_sub(2);
    let share = amount.checked_div(top).unwrap_or_default();
    let up = share.saturating_mul(Decimal::from(most)).round().to_i64().unwrap_or(most);
    HEIGHT.saturating_sub(1).saturating_sub(up.clamp(0, most))
}

/// A bar of the budget used: 150 % fill it.
pub(super) struct Bar {
    /// How much of 150.
    pub(super) used: i64,
    /// How bad that is, as the style sheet calls it.
    pub(super) mood: &'static str,
}

/// The bar for a share of the budget.
pub(super) fn bar(used: MetricValue) -> Bar {
    let percent = match used {
        MetricValue::Number(percent) => percent.to_i64().unwrap_or(i64::MAX),
        MetricValue::OverZero => i64::MAX,
    };
    let mood = match percent {
        100.. => "critical",
        80.. => "warning",
        _ => "",
    };
    Bar { used: percent.clamp(0, 150), mood }
}
