//! What is known of a customer's spending by day when its newest record is judged.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use rust_decimal::Decimal;

use crate::domain::spike::rates::{CostDate, DayRates, NoRate};
use crate::domain::spike::reading::{Learning, Reading, WINDOW_DAYS};
use crate::domain::spike::recorded::RecordedSpike;
use crate::domain::utc_day;

/// Why there is nothing to judge a day by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReading {
    /// A later date of the data is known: only the newest is judged.
    NotNewest,
    /// The newest date gives no rate.
    NoRate(NoRate),
    /// There are too few usable days.
    Learning(Learning),
}

/// The spending of a customer by day, and the days that were spikes for any rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spending {
    /// The date that is judged.
    at: Timestamp,
    newest: Option<Timestamp>,
    rates: DayRates,
    spikes: Vec<RecordedSpike>,
}

impl Spending {
    /// From all dates of the data, the one to be judged last.
    pub fn of(earlier: &[CostDate], judged: CostDate, spikes: &[RecordedSpike]) -> Self {
        let mut dates = earlier.to_vec();
        dates.push(judged);
        Self {
            at: judged.at,
            newest: dates.iter().map(|date| date.at).max(),
            rates: DayRates::of(&dates),
            spikes: spikes.to_vec(),
        }
    }

    /// The day that is judged.
    pub fn day(&self) -> Date {
        utc_day(self.at)
    }

    /// What was spent on each of the days before that are looked at, oldest first.
    pub fn days_before(&self) -> impl Iterator<Item = (Date, Decimal)> {
        let first = self.day().saturating_sub(WINDOW_DAYS.days());
        self.rates.days.range(first..self.day()).map(|(day, rate)| (*day, rate.rate))
    }

    /// What was spent on it beside what is usual, for the rule with these names.
    pub fn read(&self, is_rule: impl Fn(&str) -> bool) -> Result<Reading, NoReading> {
        if self.newest > Some(self.at) {
            return Err(NoReading::NotNewest);
        }
        if let Some(reason) = self.rates.newest {
            return Err(NoReading::NoRate(reason));
        }
        let own = self.spikes.iter().filter(|spike| is_rule(&spike.rule));
        let spikes: Vec<_> = own.map(RecordedSpike::day).collect();
        Reading::of(&self.rates, &spikes, self.day())
            .ok_or(NoReading::NoRate(NoRate::First))?
            .map_err(NoReading::Learning)
    }
}
