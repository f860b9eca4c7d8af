//! What is remembered of the days that were spikes, by customer and rule, and how their runs go on.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};
use uuid::Uuid;

use crate::domain::canonical;
use crate::domain::spike::note::SpikeNote;
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
    /// The customer's currency or plan has changed.
    NewSeries,
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
    /// When they were told; none where that is not known.
    pub told_at: Option<Timestamp>,
    /// What somebody said of it.
    pub note: Option<SpikeNote>,
    /// The last alert that was raised about it.
    pub alert: Option<Uuid>,
    /// The day on which its run was over, and why.
    pub ended: Option<(Date, RunEnd)>,
}

impl RecordedSpike {
    /// What the usual is computed with.
    pub fn day(&self) -> SpikeDay {
        SpikeDay { day: self.day, mark: self.mark() }
    }

    /// How somebody marked it.
    pub fn mark(&self) -> Option<SpikeMark> {
        self.note.as_ref().map(|note| note.mark)
    }

    /// Whether somebody has said of it what needs no telling: that it is expected, or, once people
    /// were told of it, that it is fraud. A day that is fraud since days before it were is news.
    pub fn is_settled(&self) -> bool {
        let Some(note) = &self.note else { return false };
        match note.mark {
            SpikeMark::Expected => true,
            SpikeMark::Fraud => self.told_at.is_some_and(|told| told <= note.at),
        }
    }

    /// Whether it belongs to the same run as another day of its customer and rule.
    pub fn is_of_run(&self, other: &Self) -> bool {
        self.rule == other.rule && self.ended == other.ended
    }

    /// What was known of it at an earlier time, when the newest date of the data was of the day
    /// `newest`.
    #[must_use]
    pub fn as_known_at(&self, at: Timestamp, newest: Date) -> Self {
        let mut known = self.clone();
        known.told.take_if(|_| self.told_at.is_some_and(|told| told > at));
        known.note.take_if(|note| note.at > at);
        known.ended.take_if(|(day, end)| {
            *day > newest || (*end == RunEnd::Expected && known.note.is_none())
        });
        known
    }

    /// What is to be kept of it, decided before what is known `now` of its customer: what was said
    /// meanwhile holds for it, what was taken back does not.
    #[must_use]
    pub fn beside(&self, now: &[Self]) -> Self {
        let of_rule = now.iter().filter(|spike| spike.rule == self.rule);
        let run = SpikeRun::before(self.day, of_rule);
        let ended = run.today().and_then(|own| own.ended);
        let holds = |note: &&SpikeNote| {
            now.iter()
                .filter_map(|spike| spike.note.as_ref())
                .any(|other| other.is_same_order(note))
        };
        let said = run.today().and_then(|own| own.note.as_ref());
        // Of a day that nobody could mark, since it was not known.
        let inherited = || {
            let fraud = run.fraud().filter(|_| self.ended.is_none());
            expected_on(now, self.day).or(fraud).filter(|_| run.today().is_none())
        };
        let note = said.or(self.note.as_ref().filter(holds)).or_else(inherited);
        let is_expected = note.is_some_and(|note| note.mark == SpikeMark::Expected);
        let ended = ended.or(self.ended.filter(|(_, end)| *end != RunEnd::Expected || is_expected));
        // What is expected beforehand is over at once.
        let ended = ended.or(is_expected.then_some((self.day, RunEnd::Expected)));
        Self { note: note.cloned(), ended, ..self.clone() }
    }

    /// How much more than usual was spent.
    pub fn excess(&self) -> Decimal {
        self.rate.saturating_sub(self.usual)
    }
}

/// Who said beforehand that a spike on this day is expected: the last of them. `spikes` are those
/// of one customer, by any rule.
pub(crate) fn expected_on<'a>(
    spikes: impl IntoIterator<Item = &'a RecordedSpike>,
    day: Date,
) -> Option<&'a SpikeNote> {
    let before = spikes.into_iter().filter(|spike| spike.day <= day);
    before
        .filter_map(|spike| spike.note.as_ref())
        .filter(|note| note.expects(day))
        .max_by_key(|note| note.at)
}

/// What the spike days of a run come to, in the currency of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its first day.
    pub first_day: Date,
    /// Its last day that was a spike.
    pub last_day: Date,
    /// How many of its days were spikes.
    pub days: usize,
    /// How much more than usual was spent on them.
    #[serde(with = "rust_decimal::serde::str")]
    pub excess: Decimal,
    /// The day of the data that ended it; none while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_on: Option<Date>,
}

impl RunSummary {
    /// The run that a day belongs to, of all spike days of its customer.
    pub fn of(day: &RecordedSpike, spikes: &[RecordedSpike]) -> Self {
        let nothing = Self {
            first_day: day.day,
            last_day: day.day,
            days: 0,
            excess: Decimal::ZERO,
            over_on: day.ended.map(|(day, _)| day),
        };
        let add = |run: Self, spike: &RecordedSpike| Self {
            first_day: run.first_day.min(spike.day),
            last_day: run.last_day.max(spike.day),
            days: run.days.saturating_add(1),
            excess: canonical(run.excess.saturating_add(spike.excess())),
            over_on: run.over_on,
        };
        spikes.iter().filter(|spike| spike.is_of_run(day)).fold(nothing, add)
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

    /// Whether the run has gone on for so long that its first day counts as usual, which fraud
    /// never does.
    pub fn is_new_normal(&self) -> bool {
        let first = self.day.saturating_sub(NEW_NORMAL_DAYS.days());
        self.open().any(|spike| spike.day <= first && spike.mark() != Some(SpikeMark::Fraud))
    }

    /// Who said that the run is fraud.
    pub fn fraud(&self) -> Option<&'a SpikeNote> {
        self.open()
            .filter_map(|spike| spike.note.as_ref())
            .find(|note| note.mark == SpikeMark::Fraud)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    /// Told at noon of the day after, marked in the evening, over two days later.
    fn spike(end: RunEnd) -> RecordedSpike {
        RecordedSpike {
            rule: "spike".into(),
            day: day("2026-11-14"),
            rate: Decimal::from(240),
            usual: Decimal::from(40),
            told: Some(Decimal::from(200)),
            told_at: Some(at("2026-11-15T12:00:00Z")),
            note: Some(SpikeNote {
                mark: SpikeMark::Expected,
                by: "alice (uid 1000)".into(),
                at: at("2026-11-15T18:00:00Z"),
                reason: None,
                until: None,
            }),
            alert: None,
            ended: Some((day("2026-11-16"), end)),
        }
    }

    #[test]
    fn what_was_told_said_or_over_later_was_not_known_before() {
        let known = |end, when, newest| {
            let known = spike(end).as_known_at(at(when), day(newest));
            (known.told.is_some(), known.note.is_some(), known.ended.is_some())
        };
        let usual = RunEnd::Usual;
        assert_eq!(known(usual, "2026-11-15T11:59:59Z", "2026-11-15"), (false, false, false));
        assert_eq!(known(usual, "2026-11-15T12:00:00Z", "2026-11-15"), (true, false, false));
        assert_eq!(known(usual, "2026-11-15T18:00:00Z", "2026-11-15"), (true, true, false));
        assert_eq!(known(usual, "2026-11-16T12:00:00Z", "2026-11-16"), (true, true, true));
        let expected = RunEnd::Expected;
        assert_eq!(known(expected, "2026-11-15T17:00:00Z", "2026-11-16"), (true, false, false));
    }
}
