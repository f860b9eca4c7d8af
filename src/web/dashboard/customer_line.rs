//! A customer as its row of the overview shows it.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::alerting::CustomerState;
use crate::domain::{Metric, MetricValue, Sample};
use crate::ledger::CustomerRow;
use crate::listings::words;
use crate::poll::Namesakes;
use crate::text::amounts::{amount_beside, estimate};
use crate::text::{money, percent};
use crate::web::address;
use crate::web::dashboard::spark::{Bar, Spark, bar, spark};

/// A customer in words and pictures.
pub(super) struct Line {
    pub(super) who: String,
    pub(super) address: String,
    /// The severity of its worst open alert.
    pub(super) severity: Option<&'static str>,
    pub(super) used: String,
    pub(super) bar: Option<Bar>,
    pub(super) cost: String,
    pub(super) day: String,
    pub(super) spark: Option<Spark>,
    pub(super) forecast: String,
    pub(super) told: String,
    pub(super) acknowledged: String,
    /// Whether its billing period is over, with no newer data.
    pub(super) is_over: bool,
}

/// The words for a customer.
pub(super) fn line(
    row: &CustomerRow,
    namesakes: &Namesakes,
    now: Timestamp,
    zone: &TimeZone,
) -> Line {
    let seen = &row.seen;
    let used = seen.percent_used();
    let at = |at| words::short_moment(at, now, zone);
    let told = row.told.as_ref();
    let by = |by: &str| words::clean(by.split(" (").next().unwrap_or(by));
    let known = row.open.acknowledged.as_ref().filter(|_| row.open.unacknowledged == 0);
    Line {
        who: words::called(seen, namesakes),
        address: address::customer(seen.customer.as_str()),
        severity: row.open.severity.map(crate::domain::Severity::as_str),
        used: used.map(used_in_words).unwrap_or_default(),
        bar: used.map(bar),
        cost: cost_of_budget(seen),
        day: rise(&row.samples, seen).map(|rise| signed(rise, seen)).unwrap_or_default(),
        spark: spark(&row.samples, &seen.period, seen.budget),
        forecast: forecast(seen, now).unwrap_or_default(),
        told: told
            .map(|(name, when)| format!("{}, {}", words::clean(name), at(*when)))
            .unwrap_or_default(),
        acknowledged: known
            .map(|(when, who)| format!("{}, {}", by(who), at(*when)))
            .unwrap_or_default(),
        is_over: seen.period.end <= now,
    }
}

/// `82.5 %`.
pub(super) fn used_in_words(used: MetricValue) -> String {
    match used {
        MetricValue::Number(used) => percent(used),
        MetricValue::OverZero => "over 0".to_owned(),
    }
}

/// `45,000 of 5,000 SEK`; the cost alone without a budget.
pub(super) fn cost_of_budget(seen: &CustomerState) -> String {
    match seen.budget {
        Some(budget) => {
            format!("{} of {}", amount_beside(seen.cost, budget), money(budget, seen.currency))
        }
        None => format!("{}, no budget", money(seen.cost, seen.currency)),
    }
}

/// By how much the cost rose in the last 24 h of the data; none where that is not known.
fn rise(samples: &[Sample], seen: &CustomerState) -> Option<Decimal> {
    let day = SignedDuration::from_hours(24);
    let before = seen.usage_as_of.instant().checked_sub(day).ok()?;
    let then = samples.iter().rev().find(|sample| sample.usage_as_of <= before)?;
    if !seen.period.holds(then.usage_as_of) || then.carried_over {
        return None;
    }
    seen.cost.checked_sub(then.cost)
}

fn signed(rise: Decimal, seen: &CustomerState) -> String {
    let sign = if rise.is_sign_negative() { "" } else { "+" };
    format!("{sign}{}", money(rise, seen.currency))
}

/// What the cost comes to at the end of the period, as it goes on.
fn forecast(seen: &CustomerState, now: Timestamp) -> Option<String> {
    let inputs = Metric::ForecastPercent.formula_inputs(&seen.inputs(seen.budget))?;
    let cost = estimate(inputs.forecast_cost.filter(|_| seen.period.end > now)?);
    Some(seen.currency.map_or_else(|| cost.clone(), |currency| format!("{cost} {currency}")))
}
