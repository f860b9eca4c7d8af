//! From costs that add up over a billing period to what was spent on each day.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use rust_decimal::Decimal;

use crate::domain::period::utc_day;
use crate::domain::rounded;

/// Dates that are nearer to each other say nothing about a day.
const TOO_CLOSE: SignedDuration = SignedDuration::from_hours(12);
/// Data that is later, and a correction that stands for so long, is taken as it is.
const LATE: SignedDuration = SignedDuration::from_hours(72);
const SECONDS_PER_DAY: i64 = 86_400;

/// A date of the data with the cost of its billing period until then. Data that was taken for late
/// data of the period before is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostDate {
    /// The date of the data.
    pub at: Timestamp,
    /// The cost since the period began.
    pub cost: Decimal,
    /// When the period began that it belongs to.
    pub start: Timestamp,
    /// Whether that is known, and not assumed.
    pub is_start_known: bool,
}

/// What was spent in 24 hours around one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayRate {
    /// To two decimals.
    pub rate: Decimal,
    /// The date of the data that it follows from. Days that share a date share its rate.
    pub of: Timestamp,
}

/// Why a date gives no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRate {
    /// It is the first of all, or of a period whose start is not known.
    First,
    /// The date before is less than 12 hours away.
    TooClose,
    /// The cost is below what it was: a correction.
    Corrected,
    /// The cost is what it was: the data of the day is late.
    Late,
    /// The date before is more than 72 hours away.
    Hole,
}

/// What was spent each day, and what the newest date gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayRates {
    /// By day.
    pub days: BTreeMap<Date, DayRate>,
    /// Why the newest date gives no rate; none where it gives one, or there is no date.
    pub newest: Option<NoRate>,
}

/// Where a period stands.
struct Period {
    start: Timestamp,
    /// The last date that counted.
    before: Timestamp,
    /// The cost then, the highest so far.
    peak: Decimal,
    /// The first date below it.
    below_since: Option<Timestamp>,
}

impl DayRates {
    /// The rates of these dates, which may come in any order: of several on one UTC day the last
    /// counts.
    pub fn of(dates: &[CostDate]) -> Self {
        let mut last_of_day: BTreeMap<Date, CostDate> = BTreeMap::new();
        for date in dates {
            let day = last_of_day.entry(utc_day(date.at)).or_insert(*date);
            if (date.start, date.at) >= (day.start, day.at) {
                *day = *date;
            }
        }
        let mut rates = Self::default();
        let (mut period, mut last): (Option<Period>, Option<Decimal>) = (None, None);
        for date in last_of_day.values() {
            rates.newest = rates.count(date, &mut period, &mut last).err();
        }
        rates
    }

    /// Counts one date; its rate goes to the days that it is about.
    fn count(
        &mut self,
        date: &CostDate,
        period: &mut Option<Period>,
        last: &mut Option<Decimal>,
    ) -> Result<(), NoRate> {
        let is_first = period.is_none();
        let begun = period.take().filter(|period| period.start == date.start);
        let period = match begun {
            Some(begun) => period.insert(begun),
            None if is_first || !date.is_start_known => {
                *period = Some(Period::since(date, date.at, date.cost));
                return Err(NoRate::First);
            }
            None => period.insert(Period::since(date, date.start, Decimal::ZERO)),
        };
        let gap = date.at.duration_since(period.before);
        if gap < TOO_CLOSE {
            return Err(NoRate::TooClose);
        }
        if date.cost < period.peak {
            let since = *period.below_since.get_or_insert(date.at);
            if date.at.duration_since(since) >= LATE {
                *period = Period::since(date, date.at, date.cost);
            }
            return Err(NoRate::Corrected);
        }
        period.below_since = None;
        let is_idle = last.is_none_or(|last| last.is_zero()) || gap > LATE;
        if date.cost == period.peak && !is_idle {
            return Err(NoRate::Late);
        }
        if date.cost > period.peak && gap > LATE {
            *period = Period::since(date, date.at, date.cost);
            return Err(NoRate::Hole);
        }
        let rate = per_day(date.cost.saturating_sub(period.peak), gap);
        self.give(date, rate, gap, period);
        (period.before, period.peak, *last) = (date.at, date.cost, Some(rate));
        Ok(())
    }

    /// Gives a rate to the day of its date and to the days that were late.
    fn give(&mut self, date: &CostDate, rate: Decimal, gap: SignedDuration, period: &Period) {
        let half_a_day = SECONDS_PER_DAY / 2;
        let days = (gap.as_secs().saturating_add(half_a_day) / SECONDS_PER_DAY).max(1);
        // The start of a period is no date, so that its own day is free.
        let is_start = period.before == period.start;
        let before = utc_day(period.before);
        let mut day = utc_day(date.at);
        for _ in 0..days {
            if day < before || (day == before && !is_start) {
                break;
            }
            self.days.insert(day, DayRate { rate, of: date.at });
            day = day.saturating_sub(1.day());
        }
    }
}

impl Period {
    fn since(date: &CostDate, before: Timestamp, peak: Decimal) -> Self {
        Self { start: date.start, before, peak, below_since: None }
    }
}

/// A rise in a time as one in 24 hours, to two decimals; in whole seconds.
fn per_day(rise: Decimal, gap: SignedDuration) -> Decimal {
    let (day, seconds) = (Decimal::from(SECONDS_PER_DAY), Decimal::from(gap.as_secs().max(1)));
    let exact = rise.checked_mul(day).and_then(|product| product.checked_div(seconds));
    let near = || rise.checked_div(seconds)?.checked_mul(day);
    rounded(exact.or_else(near).unwrap_or(Decimal::MAX), 2)
}
