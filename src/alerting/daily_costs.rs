//! What a customer has spent on each day, for people who look back at it: the rise between two dates
//! of the data belongs to the days after the first. Together it is what the source said.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, ToSpan as _};
use rust_decimal::Decimal;

use crate::alerting::{CustomerState, NewSample};
use crate::budgets;
use crate::domain::spike::CostDate;
use crate::domain::{PeriodSource, Plan, rounded, utc_day};

/// Of so many days before it the usual is taken, and of no fewer than these.
const DAYS: usize = 35;
const FEWEST: usize = 3;

/// What was spent on each day, in UTC, where that is known. A correction is below zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DailyCosts(pub BTreeMap<Date, Decimal>);

impl DailyCosts {
    /// From all that was read of a customer, in the order of reading.
    pub fn of(seen: &CustomerState, samples: &[NewSample]) -> Self {
        let mut last_of_day: BTreeMap<Date, CostDate> = BTreeMap::new();
        for date in samples.iter().map(|sample| date(seen, sample)) {
            let day = last_of_day.entry(utc_day(date.at)).or_insert(date);
            if (date.start, date.at) >= (day.start, day.at) {
                *day = date;
            }
        }
        let mut costs = Self::default();
        let mut before: Option<CostDate> = None;
        for date in last_of_day.into_values() {
            match before {
                Some(before) => costs.rise(before, date),
                // Nothing was spent before the first day of a period.
                None if date.is_start_known && utc_day(date.start) == utc_day(date.at) => {
                    costs.0.insert(utc_day(date.at), date.cost);
                }
                None => {}
            }
            before = Some(date);
        }
        costs
    }

    /// Gives the rise between two dates to the days after the first, or from the start of the
    /// period on.
    fn rise(&mut self, before: CostDate, date: CostDate) {
        let (day, begins) = (utc_day(date.at), utc_day(date.start));
        let (from, cost) = if before.start == date.start {
            (utc_day(before.at), before.cost)
        } else if date.is_start_known {
            (utc_day(before.at).max(begins.saturating_sub(1.day())), Decimal::ZERO)
        } else {
            return;
        };
        let rise = date.cost.saturating_sub(cost);
        let first = from.saturating_add(1.day()).min(day);
        let days: Vec<Date> = first.series(1.day()).take_while(|one| *one <= day).collect();
        let share = rise.checked_div(Decimal::from(days.len())).unwrap_or(rise);
        let mut rest = rise;
        for one in days {
            // The last day has what is left over by rounding.
            let own = if one == day { rest } else { rounded(share, 2) };
            rest = rest.saturating_sub(own);
            let spent = self.0.entry(one).or_default();
            *spent = spent.saturating_add(own);
        }
    }

    /// What is usual before a day: the median of up to 35 days; none where too few are known.
    pub fn usual_before(&self, day: Date) -> Option<Decimal> {
        let mut before: Vec<Decimal> =
            self.0.range(..day).rev().take(DAYS).map(|(_, spent)| *spent).collect();
        if before.len() < FEWEST {
            return None;
        }
        before.sort_unstable();
        before.get(before.len() / 2).copied()
    }

    /// What was spent on these days, as far as it is known; none where nothing is.
    pub fn spent(&self, from: Date, until: Date) -> Option<Decimal> {
        let days = || self.0.range(from..=until.max(from));
        days().next()?;
        Some(days().fold(Decimal::ZERO, |sum, (_, spent)| sum.saturating_add(*spent)))
    }

    /// How much more than this much a day was spent on these days, at least nothing.
    pub fn above(&self, usual: Decimal, from: Date, until: Date) -> Option<Decimal> {
        let days = self.0.range(from..=until.max(from)).count();
        let expected = usual.saturating_mul(Decimal::from(days));
        Some(self.spent(from, until)?.saturating_sub(expected).max(Decimal::ZERO))
    }
}

/// What was taken for late data of the period before is of its last day.
fn date(seen: &CustomerState, sample: &NewSample) -> CostDate {
    let holding = |at| budgets::period_holding(seen.plan, at, &seen.named);
    let (mut at, mut period) = (sample.usage_as_of, holding(sample.usage_as_of));
    if sample.carried_over
        && let Ok(last) = period.start.checked_sub(SignedDuration::from_secs(1))
    {
        (at, period) = (last, holding(last));
    }
    CostDate {
        at,
        cost: sample.cost,
        start: period.start,
        is_start_known: seen.plan == Plan::AzurePlan
            || period.source == PeriodSource::SubscriptionSummary,
    }
}
