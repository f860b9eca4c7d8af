//! What is usual for a day, and how far above it the day is.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use crate::domain::rounded;
use crate::domain::spike::rates::{DayRate, DayRates};

/// How many days before are looked at: five of each weekday.
pub(super) const WINDOW_DAYS: i64 = 35;
/// Fewer usable days say nothing: one of each weekday.
const FEWEST_DAYS: usize = 7;
/// Fewer days of one weekday say nothing about it.
const FEWEST_OF_WEEKDAY: usize = 3;
/// A spike is left out of what is usual for so many days.
pub(super) const NEW_NORMAL_DAYS: i64 = 14;

/// How a person marked a spike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, EnumString)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum SpikeMark {
    /// It was to be expected: it is usual at once.
    Expected,
    /// It was fraud: it never becomes usual.
    Fraud,
}

impl SpikeMark {
    /// The name used in the ledger.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Reads the name used in the ledger.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// A day whose spending was judged to be a spike, told or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpikeDay {
    /// The day.
    pub day: Date,
    /// What somebody said of it.
    pub mark: Option<SpikeMark>,
}

/// The smallest excess that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Floor(pub Decimal);

/// There are too few usable days to know what is usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Learning {
    /// How many there are, of 7.
    pub days: usize,
}

/// What one day has come to beside what is usual. Money is in the currency of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The day.
    pub day: Date,
    /// What was spent in 24 hours.
    pub rate: Decimal,
    /// What is usual: the median of the days before, or of those of this weekday where that is
    /// more.
    pub usual: Decimal,
    /// How many days before are usable.
    pub days: usize,
    /// How many of them are of this weekday.
    pub same_weekday: usize,
    /// The median of all usable days.
    pub median: Decimal,
    /// The median of those of this weekday, where there are three.
    pub median_of_weekday: Option<Decimal>,
    /// The highest of those of this weekday, where there are fewer than three.
    pub highest_of_weekday: Option<Decimal>,
    /// How far above the usual the highest of them was.
    pub highest_earlier_excess: Decimal,
}

impl Reading {
    /// Reads a day; none where no rate was given to it.
    pub fn of(rates: &DayRates, spikes: &[SpikeDay], day: Date) -> Option<Result<Self, Learning>> {
        let judged = *rates.days.get(&day)?;
        let before = baseline(rates, spikes, day, &judged);
        if before.len() < FEWEST_DAYS {
            return Some(Err(Learning { days: before.len() }));
        }
        let usual = Usual::of(&before);
        let weekday = day.weekday();
        let excess = |(day, rate): (&Date, &Decimal)| rate.saturating_sub(usual.on(day.weekday()));
        Some(Ok(Self {
            day,
            rate: judged.rate,
            usual: usual.on(weekday),
            days: before.len(),
            same_weekday: before.keys().filter(|day| day.weekday() == weekday).count(),
            median: usual.median,
            median_of_weekday: usual.of_weekday(weekday),
            highest_of_weekday: before
                .iter()
                .filter(|(day, _)| day.weekday() == weekday)
                .map(|(_, rate)| *rate)
                .max()
                .filter(|_| usual.of_weekday(weekday).is_none()),
            highest_earlier_excess: before
                .iter()
                .map(excess)
                .max()
                .unwrap_or_default()
                .max(Decimal::ZERO),
        }))
    }

    /// How much more than usual it is.
    pub fn excess(&self) -> Decimal {
        self.rate.saturating_sub(self.usual)
    }

    /// How many times the usual it is, to two decimals; none where nothing is usual.
    pub fn times(&self) -> Option<Decimal> {
        self.rate.checked_div(self.usual).map(|times| rounded(times, 2))
    }

    /// Whether it is more than usual by enough to matter.
    pub fn passes_floor(&self, floor: Floor) -> bool {
        self.excess() >= floor.0
    }

    /// Whether it is so many times the usual.
    pub fn reaches(&self, times: Decimal) -> bool {
        self.rate >= times.saturating_mul(self.usual)
    }

    /// Whether it is more than 10 % above the largest excess that was accepted before.
    pub fn is_highest(&self) -> bool {
        is_beyond(self.excess(), self.highest_earlier_excess)
    }

    /// Whether it is so many times the highest earlier day of its weekday too. Until there are three
    /// of them, no median of theirs excuses a weekday that is always busy; in the first weeks of a
    /// customer nearly all false alarms are such days.
    pub fn is_unlike_its_weekday(&self, times: Decimal) -> bool {
        self.highest_of_weekday.is_none_or(|highest| self.rate >= times.saturating_mul(highest))
    }

    /// Whether a run of spikes goes on with it: it is so many times the usual, or above the floor
    /// where nothing is usual.
    pub fn goes_on(&self, times: Decimal, floor: Floor) -> bool {
        if self.usual.is_zero() { self.passes_floor(floor) } else { self.reaches(times) }
    }

    /// Whether it is a spike for a rule whose lowest step is so many times the usual.
    pub fn is_spike(&self, times: Decimal, floor: Floor) -> bool {
        self.passes_floor(floor)
            && self.reaches(times)
            && self.is_highest()
            && self.is_unlike_its_weekday(times)
    }
}

/// Whether an excess is more than 10 % above another.
pub(super) fn is_beyond(excess: Decimal, other: Decimal) -> bool {
    let ten = excess.checked_mul(Decimal::TEN).zip(other.checked_mul(Decimal::from(11)));
    // Only magnitudes that cannot be multiplied are rounded before.
    ten.map_or_else(
        || excess.saturating_sub(other) > other / Decimal::TEN,
        |(excess, other)| excess > other,
    )
}

/// The rates of the days before that count.
fn baseline(
    rates: &DayRates,
    spikes: &[SpikeDay],
    day: Date,
    judged: &DayRate,
) -> BTreeMap<Date, Decimal> {
    let first = day.saturating_sub(WINDOW_DAYS.days());
    let is_young = |spike: &SpikeDay| spike.day > day.saturating_sub(NEW_NORMAL_DAYS.days());
    let is_left_out = |spike: &&SpikeDay| match spike.mark {
        Some(SpikeMark::Expected) => false,
        Some(SpikeMark::Fraud) => true,
        None => is_young(spike),
    };
    // All days that share the rate of a spike are one.
    let left_out: Vec<_> = spikes
        .iter()
        .filter(is_left_out)
        .filter_map(|spike| rates.days.get(&spike.day).map(|rate| rate.of))
        .chain([judged.of])
        .collect();
    rates
        .days
        .range(first..day)
        .filter(|(_, rate)| !left_out.contains(&rate.of))
        .map(|(day, rate)| (*day, rate.rate))
        .collect()
}

/// What is usual, by weekday.
struct Usual {
    median: Decimal,
    by_weekday: [Option<Decimal>; 7],
}

impl Usual {
    /// Of at least one day.
    fn of(days: &BTreeMap<Date, Decimal>) -> Self {
        let of_weekday = |offset: i8| {
            let is_same = |day: &&Date| day.weekday().to_monday_zero_offset() == offset;
            let rates: Vec<_> =
                days.keys().filter(is_same).filter_map(|day| days.get(day)).collect();
            (rates.len() >= FEWEST_OF_WEEKDAY).then(|| median(rates.into_iter().copied().collect()))
        };
        Self {
            median: median(days.values().copied().collect()),
            by_weekday: [0, 1, 2, 3, 4, 5, 6].map(of_weekday),
        }
    }

    fn of_weekday(&self, weekday: Weekday) -> Option<Decimal> {
        let offset = usize::try_from(weekday.to_monday_zero_offset()).ok()?;
        self.by_weekday.get(offset).copied().flatten()
    }

    /// A busy weekday is excused, a quiet one is judged by the normal level.
    fn on(&self, weekday: Weekday) -> Decimal {
        self.of_weekday(weekday).map_or(self.median, |own| own.max(self.median))
    }
}

/// The middle one, or the mean of the two in the middle.
fn median(mut rates: Vec<Decimal>) -> Decimal {
    rates.sort_unstable();
    let upper = rates.get(rates.len() / 2).copied().unwrap_or_default();
    if rates.len() % 2 == 1 {
        return upper;
    }
    let lower = rates.get((rates.len() / 2).saturating_sub(1)).copied().unwrap_or_default();
    // Halves first, so that no sum is too large.
    (lower / Decimal::TWO).saturating_add(upper / Decimal::TWO)
}
