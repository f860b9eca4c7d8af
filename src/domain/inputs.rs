//! What metrics are computed from: cost and budget, where the data stands in its billing period,
//! and what earlier data of the period says.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::{BillingPeriod, canonical, percent_of, rounded};

/// A forecast from less of a period than this would be a guess.
const FORECAST_FROM: i64 = 48 * 3600;
/// Dates of the data that are nearer than this say nothing about a day.
const NEAREST: SignedDuration = SignedDuration::from_hours(1);
/// A rise over more than this is no longer one of a day or two.
const FARTHEST: SignedDuration = SignedDuration::from_hours(72);
const SECONDS_PER_DAY: i64 = 86_400;

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
    /// Where the data stands in its billing period.
    pub timing: Result<Timing, MissingInput>,
    /// How the cost rose since the date of the data before.
    pub rise: Result<Rise, MissingInput>,
    /// How old the data was when it was looked at, in hours.
    pub stale_hours: Result<Decimal, MissingInput>,
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
    /// Less than 48 hours of the period are over.
    TooEarly,
    /// The data is dated in the next period but taken for late data of this one.
    TurnOfPeriod,
    /// The period has no earlier date of the data.
    EarlierDate,
    /// The last two dates are less than an hour apart.
    DatesTooClose,
    /// The last two dates are more than 72 hours apart.
    Gap,
    /// The cost fell since the date before.
    CostFell,
    /// The cost is not above what it was before a correction downwards.
    AfterCorrection,
    /// The whole collection is old, or nobody has looked at its age.
    CollectionAge,
    /// The metric is about security alerts, not about usage.
    SecurityAlert,
}

/// Where data stands in its billing period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    elapsed: i64,
    length: i64,
}

impl Timing {
    /// The place of `at` in a period from `start` to `end`; none outside of it.
    pub fn try_new(start: Timestamp, end: Timestamp, at: Timestamp) -> Option<Self> {
        let (elapsed, length) =
            (at.duration_since(start).as_secs(), end.duration_since(start).as_secs());
        (elapsed >= 0 && elapsed <= length && length > 0).then_some(Self { elapsed, length })
    }

    /// Hours of the period that are over, to two decimals.
    pub fn elapsed_hours(&self) -> Decimal {
        hours(self.elapsed)
    }

    /// The length of the period in hours, to two decimals.
    pub fn period_hours(&self) -> Decimal {
        hours(self.length)
    }

    /// The share of the period that is over, in percent to two decimals.
    pub fn percent_elapsed(&self) -> Decimal {
        percent_of(Decimal::from(self.elapsed), Decimal::from(self.length)).unwrap_or_default()
    }

    /// `part` of `whole` less the share of the period that is over, in points, rounded once; none
    /// for a `whole` of zero.
    pub(crate) fn ahead(&self, part: Decimal, whole: Decimal) -> Option<Decimal> {
        let (elapsed, length) = (Decimal::from(self.elapsed), Decimal::from(self.length));
        let difference = || part.checked_mul(length)?.checked_sub(whole.checked_mul(elapsed)?);
        match difference().zip(whole.checked_mul(length)) {
            Some((difference, common)) => percent_of(difference, common),
            // Only magnitudes that cannot be multiplied are rounded before.
            None => Some(percent_of(part, whole)?.saturating_sub(self.percent_elapsed())),
        }
    }

    /// The cost at the end of the period if it goes on as on average; not from less than 48 hours.
    pub fn forecast(&self, cost: Decimal) -> Result<Decimal, MissingInput> {
        if self.elapsed < FORECAST_FROM {
            return Err(MissingInput::TooEarly);
        }
        let (elapsed, length) = (Decimal::from(self.elapsed), Decimal::from(self.length));
        let whole = cost.checked_mul(length).and_then(|product| product.checked_div(elapsed));
        Ok(whole.or_else(|| cost.checked_div(elapsed)?.checked_mul(length)).unwrap_or(Decimal::MAX))
    }
}

/// A date of the data with its cost, as history keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The date of the data.
    pub usage_as_of: Timestamp,
    /// The cost then.
    pub cost: Decimal,
    /// Whether it was taken for late data of the period before.
    pub carried_over: bool,
}

/// The rise of the cost between the last two dates of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rise {
    /// The earlier date.
    pub since: Timestamp,
    /// The cost it rose from: at that date, or higher where it had been higher before a correction.
    pub from: Decimal,
    /// Between the two dates.
    pub seconds: i64,
    /// The rise per 24 hours, with all its digits: what follows from it is rounded once, at the
    /// end.
    pub per_day: Decimal,
}

impl Rise {
    /// The rise from the last of `earlier` dates to the `cost` at a date, both in one billing
    /// period.
    pub fn since(
        earlier: &[Sample],
        period: &BillingPeriod,
        at: Timestamp,
        cost: Decimal,
    ) -> Result<Self, MissingInput> {
        let in_period = |sample: &&Sample| {
            !sample.carried_over && period.holds(sample.usage_as_of) && sample.usage_as_of < at
        };
        let before = || earlier.iter().filter(in_period);
        let nearest =
            before().map(|sample| sample.usage_as_of).max().ok_or(MissingInput::EarlierDate)?;
        let last = before()
            .filter(|sample| at.duration_since(sample.usage_as_of) >= NEAREST)
            .max_by_key(|sample| sample.usage_as_of);
        let last = last.ok_or(MissingInput::DatesTooClose)?;
        let elapsed = at.duration_since(last.usage_as_of);
        if at.duration_since(nearest) > FARTHEST {
            return Err(MissingInput::Gap);
        }
        // What a correction took away and the next date brings back is no rise.
        let from = before().map(|sample| sample.cost).max().unwrap_or(last.cost).max(last.cost);
        if cost < last.cost {
            return Err(MissingInput::CostFell);
        }
        if from > last.cost && cost <= from {
            return Err(MissingInput::AfterCorrection);
        }
        let seconds = elapsed.as_secs();
        let rise = cost.saturating_sub(from);
        let per_day = rise
            .checked_mul(Decimal::from(SECONDS_PER_DAY))
            .and_then(|product| product.checked_div(Decimal::from(seconds)))
            .or_else(|| {
                rise.checked_div(Decimal::from(seconds))?
                    .checked_mul(Decimal::from(SECONDS_PER_DAY))
            });
        Ok(Self {
            since: last.usage_as_of,
            from,
            seconds,
            per_day: per_day.unwrap_or(Decimal::MAX),
        })
    }

    /// The rise per 24 hours, to two decimals.
    pub fn daily_cost(&self) -> Decimal {
        canonical(rounded(self.per_day, 2))
    }

    /// Between the two dates, in hours to two decimals.
    pub fn hours(&self) -> Decimal {
        hours(self.seconds)
    }
}

/// The numbers that a metric's formula was given, beside cost and budget, for whoever reads the
/// alert.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FormulaInputs {
    /// Hours of the period that were over at `usage_as_of`.
    #[serde(with = "crate::domain::recorded", skip_serializing_if = "Option::is_none")]
    pub elapsed_hours: Option<Decimal>,
    /// The length of the period in hours.
    #[serde(with = "crate::domain::recorded", skip_serializing_if = "Option::is_none")]
    pub period_hours: Option<Decimal>,
    /// The cost at the end of the period if it goes on as on average.
    #[serde(with = "crate::domain::recorded", skip_serializing_if = "Option::is_none")]
    pub forecast_cost: Option<Decimal>,
    /// Percent of the budget used.
    #[serde(with = "crate::domain::recorded", skip_serializing_if = "Option::is_none")]
    pub percent_used: Option<Decimal>,
    /// Percent of the period elapsed.
    #[serde(with = "crate::domain::recorded", skip_serializing_if = "Option::is_none")]
    pub percent_elapsed: Option<Decimal>,
    /// The earlier of the last two dates of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The cost at that date.
    #[serde(with = "crate::domain::recorded", skip_serializing_if = "Option::is_none")]
    pub since_cost: Option<Decimal>,
    /// Hours between the two dates.
    #[serde(with = "crate::domain::recorded", skip_serializing_if = "Option::is_none")]
    pub hours: Option<Decimal>,
    /// The rise of the cost per 24 hours.
    #[serde(with = "crate::domain::recorded", skip_serializing_if = "Option::is_none")]
    pub daily_cost: Option<Decimal>,
}

/// Seconds as hours, to two decimals.
pub(crate) fn hours(seconds: i64) -> Decimal {
    canonical(rounded(
        Decimal::from(seconds).checked_div(Decimal::from(3600)).unwrap_or_default(),
        2,
    ))
}
