//! What is remembered of the days that were spikes, by customer and rule, and how their runs go on.

use jiff::ToSpan as _;
use jiff::civil::Date;
use rust_decimal::Decimal;
use strum::{EnumString, IntoStaticStr};
use uuid::Uuid;

use crate::domain::spike::reading::{NEW_NORMAL_DAYS, SpikeDay, SpikeMark, is_beyond};

/// For how many days a spike that was told keeps those that are not above it silent, even after its
/// run.
const TOLD_DAYS: i64 = 7;

/// Why a run of spike days is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum RunEnd {
    /// A day did not reach the lowest step.
    Usual,
    /// It has gone on for so long that it counts as usual.
    NewNormal,
    /// Somebody said that it was to be expected.
    Expected,
}

impl RunEnd {
    /// The name used in the ledger.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Reads the name used in the ledger.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// A day that was a spike for a rule. Money is in the currency of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedSpike {
    /// The rule's name.
    pub rule: Box<str>,
    /// The day of the data, in UTC.
    pub day: Date,
    /// What was spent in 24 hours.
    pub rate: Decimal,
    /// What was usual.
    pub usual: Decimal,
    /// The excess over the usual that people were told of; none where they were not.
    pub told: Option<Decimal>,
    /// How somebody marked it.
    pub mark: Option<SpikeMark>,
    /// The last alert that was raised about it.
    pub alert: Option<Uuid>,
    /// The day on which its run was over, and why.
    pub ended: Option<(Date, RunEnd)>,
}

impl RecordedSpike {
    /// What the usual is computed with.
    pub fn day(&self) -> SpikeDay {
        SpikeDay { day: self.day, mark: self.mark }
    }

    /// How much more than usual was spent.
    pub fn excess(&self) -> Decimal {
        self.rate.saturating_sub(self.usual)
    }
}

/// The spike days of one customer and rule, as they are known when a day is judged.
#[derive(Debug, Clone)]
pub struct SpikeRun<'a> {
    day: Date,
    /// Of the day itself.
    today: Option<&'a RecordedSpike>,
    /// Of the days before.
    earlier: Vec<&'a RecordedSpike>,
}

impl<'a> SpikeRun<'a> {
    /// The days that bear on `day`.
    pub fn before(day: Date, spikes: impl IntoIterator<Item = &'a RecordedSpike>) -> Self {
        let (mut today, mut earlier) = (None, Vec::new());
        for spike in spikes {
            if spike.day == day {
                today = Some(spike);
            } else if spike.day < day {
                earlier.push(spike);
            }
        }
        Self { day, today, earlier }
    }

    /// What is remembered of the day itself.
    pub fn today(&self) -> Option<&'a RecordedSpike> {
        self.today
    }

    /// The days of the run that has not ended.
    pub fn open(&self) -> impl Iterator<Item = &'a RecordedSpike> {
        self.earlier.iter().copied().filter(|spike| spike.ended.is_none())
    }

    /// Whether the run has gone on for so long that its first day counts as usual.
    pub fn is_new_normal(&self) -> bool {
        let first = self.day.saturating_sub(NEW_NORMAL_DAYS.days());
        self.open().any(|spike| spike.day <= first)
    }

    /// Whether an excess was told before: while the run goes on, and for 7 days, only one that is
    /// more than 10 % higher is news.
    pub fn was_told(&self, excess: Decimal) -> bool {
        let (recent, goes_on) = (self.day.saturating_sub(TOLD_DAYS.days()), !self.is_new_normal());
        let counts =
            |spike: &&&RecordedSpike| spike.day >= recent || (goes_on && spike.ended.is_none());
        let highest = self.earlier.iter().filter(counts).filter_map(|spike| spike.told).max();
        highest.is_some_and(|told| !is_beyond(excess, told))
    }
}
