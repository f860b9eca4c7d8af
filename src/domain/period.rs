//! Billing periods: the calendar month of an Azure plan, the billing cycle of a legacy
//! subscription, and how they tile.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantNames};

use crate::domain::UsageDate;

/// An instant that nobody waits for, and that the ledger can hold: the year 2200.
const NEVER: Timestamp = Timestamp::constant(7_258_118_400, 0);

/// How a billing period became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[derive(IntoStaticStr, EnumString, VariantNames)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum PeriodSource {
    /// A subscription's usage summary named it.
    SubscriptionSummary,
    /// The UTC calendar month, which is the period of every Azure plan.
    CalendarMonth,
    /// Nobody named it yet: the last known period moved by whole months, else the calendar month.
    Assumed,
}

impl PeriodSource {
    /// Every name.
    pub const NAMES: &'static [&'static str] = <Self as VariantNames>::VARIANTS;

    /// The name used in JSON and in the ledger.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Reads the name used in the ledger.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// A billing period: from `start` up to, not including, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BillingPeriod {
    /// The first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
    /// How it became known.
    pub source: PeriodSource,
}

impl BillingPeriod {
    /// What stands in the place of a billing period where there is none.
    pub const NONE: Self =
        Self { start: Timestamp::UNIX_EPOCH, end: NEVER, source: PeriodSource::Assumed };

    /// The UTC calendar month that holds `at`.
    pub fn calendar_month(at: Timestamp, source: PeriodSource) -> Self {
        let first = at.to_zoned(TimeZone::UTC).date().first_of_month();
        Self {
            start: midnight(first, &TimeZone::UTC),
            end: midnight(months_after(first, 1), &TimeZone::UTC),
            source,
        }
    }

    /// Whether `at` lies in the period.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// Whether `next` begins where this one ends.
    pub fn directly_precedes(&self, next: &Self) -> bool {
        self.end == next.start
    }

    /// Whether both span the same time, however they became known.
    pub fn same_span(&self, other: &Self) -> bool {
        self.start == other.start && self.end == other.end
    }

    /// The last instant that a timestamp can name within the period.
    pub fn last_instant(&self) -> Timestamp {
        self.end.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap_or(self.start)
    }
}

/// The UTC day that holds `at`: what daily alerts come once for.
pub fn utc_day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The dates of a usage summary as written: `billingStartDate` and `billingEndDate` ("Get usage
/// summary for customer's subscription").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SummaryDates {
    /// `billingStartDate`: the instant, and the calendar day as written in its own offset.
    pub start: (Timestamp, Date),
    /// `billingEndDate`, likewise. The first day after the period for an Azure plan, its last day
    /// for a legacy one.
    pub end: (Timestamp, Date),
}

impl SummaryDates {
    /// Parses the two dates; `None` unless both are dates in order.
    pub fn parse(start: &str, end: &str) -> Option<Self> {
        let read = |text: &str| {
            Some((UsageDate::parse(text)?.instant(), text.trim().get(..10)?.parse::<Date>().ok()?))
        };
        let dates = Self { start: read(start)?, end: read(end)? };
        (dates.start.1 <= dates.end.1).then_some(dates)
    }
}

/// The billing cycle of a legacy subscription, from one period that a usage summary named.
///
/// Periods tile at 00:00 Pacific time: forward by months from the day after the named end, backward
/// by months from the named start, the day clamped to the month's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LegacyCycle {
    first_day: Date,
    last_day: Date,
}

impl LegacyCycle {
    /// A cycle from the first and the last day (inclusive) of a named period; `None` when they are
    /// out of order or further apart than a period can be, which would tile nonsense.
    pub fn try_new(first_day: Date, last_day: Date) -> Option<Self> {
        let days = first_day.until(last_day).ok()?.get_days();
        (0..=62).contains(&days).then_some(Self { first_day, last_day })
    }

    /// The cycle that a legacy customer's usage summary names.
    pub fn from_summary(dates: &SummaryDates) -> Option<Self> {
        Self::try_new(dates.start.1, dates.end.1)
    }

    /// The first day of the named period.
    pub fn first_day(&self) -> Date {
        self.first_day
    }

    /// The last day of the named period.
    pub fn last_day(&self) -> Date {
        self.last_day
    }

    /// The named period itself.
    pub fn named(&self, source: PeriodSource) -> BillingPeriod {
        let day_after = self.last_day.tomorrow().unwrap_or(self.last_day);
        BillingPeriod {
            start: pacific_midnight(self.first_day),
            end: pacific_midnight(day_after),
            source,
        }
    }

    /// Whether an Azure plan's summary that names these days means this calendar month. Its end is
    /// the day after the month; the last day of the month is understood too.
    pub fn is_month(&self, month: &BillingPeriod) -> bool {
        let first = utc_day(month.start);
        self.first_day == first
            && (self.last_day == months_after(first, 1) || self.last_day == first.last_of_month())
    }

    /// The period of this cycle that holds `at`: the named one, or one moved by whole months.
    pub fn holding(&self, at: Timestamp, source: PeriodSource) -> BillingPeriod {
        let named = self.named(source);
        if named.holds(at) {
            return named;
        }
        let forward = at >= named.end;
        let anchor = if forward {
            self.last_day.tomorrow().unwrap_or(self.last_day)
        } else {
            self.first_day
        };
        let day = at.to_zoned(pacific()).date();
        // The months between the anchor and the day, give or take one at either side.
        let months = (i32::from(day.year()) - i32::from(anchor.year())) * 12
            + i32::from(day.month())
            - i32::from(anchor.month());
        let tile = |first: i32| BillingPeriod {
            start: pacific_midnight(months_after(anchor, first)),
            end: pacific_midnight(months_after(anchor, first + 1)),
            source,
        };
        (months - 1..=months + 1)
            .map(tile)
            .find(|period| period.holds(at))
            .unwrap_or_else(|| BillingPeriod::calendar_month(at, source))
    }
}

fn pacific() -> TimeZone {
    // The database is bundled, so that the name is always known.
    TimeZone::get("America/Los_Angeles").unwrap_or(TimeZone::UTC)
}

fn pacific_midnight(day: Date) -> Timestamp {
    midnight(day, &pacific())
}

fn midnight(day: Date, zone: &TimeZone) -> Timestamp {
    // Only days at the ends of the calendar (years -9999 and 9999) have no midnight that a
    // timestamp can name.
    day.to_zoned(zone.clone())
        .map_or(if day.year() < 0 { Timestamp::MIN } else { Timestamp::MAX }, |zoned| {
            zoned.timestamp()
        })
}

fn months_after(day: Date, months: i32) -> Date {
    day.saturating_add(Span::new().try_months(months).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycle(first: &str, last: &str) -> LegacyCycle {
        LegacyCycle::try_new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
    }

    fn holding(cycle: LegacyCycle, at: &str) -> String {
        let period = cycle.holding(at.parse().unwrap(), PeriodSource::Assumed);
        format!("{} .. {}", period.start, period.end)
    }

    #[test]
    fn a_calendar_month_is_utc_and_half_open() {
        let month = BillingPeriod::calendar_month(
            "2019-09-30T23:59:59.9999999Z".parse().unwrap(),
            PeriodSource::CalendarMonth,
        );
        assert_eq!(
            (month.start.to_string(), month.end.to_string()),
            ("2019-09-01T00:00:00Z".into(), "2019-10-01T00:00:00Z".into())
        );
        assert!(!month.holds(month.end));
        assert!(month.holds(month.last_instant()));
        let december = BillingPeriod::calendar_month(
            "2024-12-31T12:00:00Z".parse().unwrap(),
            PeriodSource::CalendarMonth,
        );
        assert_eq!(december.end.to_string(), "2025-01-01T00:00:00Z");
        assert!(december.directly_precedes(&BillingPeriod::calendar_month(
            december.end,
            PeriodSource::Assumed
        )));
    }

    #[test]
    fn a_named_legacy_period_ends_after_its_last_day_pacific() {
        let seed =
            SummaryDates::parse("2019-08-28T00:00:00-07:00", "2019-09-27T00:00:00-07:00").unwrap();
        let cycle = LegacyCycle::from_summary(&seed).unwrap();
        assert_eq!(
            holding(cycle, "2019-09-01T23:04:41.193Z"),
            "2019-08-28T07:00:00Z .. 2019-09-28T07:00:00Z"
        );
        assert_eq!(
            holding(cycle, "2019-09-28T06:59:59Z"),
            "2019-08-28T07:00:00Z .. 2019-09-28T07:00:00Z"
        );
    }

    #[test]
    fn periods_tile_forward_and_backward_across_daylight_saving() {
        let cycle = cycle("2019-08-28", "2019-09-27");
        assert_eq!(
            holding(cycle, "2019-09-28T07:00:00Z"),
            "2019-09-28T07:00:00Z .. 2019-10-28T07:00:00Z"
        );
        assert_eq!(
            holding(cycle, "2019-11-15T00:00:00Z"),
            "2019-10-28T07:00:00Z .. 2019-11-28T08:00:00Z"
        );
        assert_eq!(
            holding(cycle, "2019-08-28T06:59:59Z"),
            "2019-07-28T07:00:00Z .. 2019-08-28T07:00:00Z"
        );
        assert_eq!(
            holding(cycle, "2018-02-27T12:00:00Z"),
            "2018-01-28T08:00:00Z .. 2018-02-28T08:00:00Z"
        );
    }

    #[test]
    fn the_day_is_clamped_to_the_month_and_comes_back() {
        let cycle = cycle("2020-01-31", "2020-02-28");
        assert_eq!(
            holding(cycle, "2020-03-01T00:00:00Z"),
            "2020-02-29T08:00:00Z .. 2020-03-29T07:00:00Z"
        );
        let end_of_month = super::LegacyCycle::try_new(
            "2020-12-31".parse().unwrap(),
            "2021-01-30".parse().unwrap(),
        )
        .unwrap();
        assert_eq!(
            holding(end_of_month, "2021-02-10T00:00:00Z"),
            "2021-01-31T08:00:00Z .. 2021-02-28T08:00:00Z"
        );
        assert_eq!(
            holding(end_of_month, "2021-03-30T12:00:00Z"),
            "2021-02-28T08:00:00Z .. 2021-03-31T07:00:00Z"
        );
        assert_eq!(
            holding(end_of_month, "2021-04-01T12:00:00Z"),
            "2021-03-31T07:00:00Z .. 2021-04-30T07:00:00Z"
        );
    }

    #[test]
    fn summaries_that_make_no_sense_name_no_cycle() {
        assert_eq!(SummaryDates::parse("2019-09-27T00:00:00Z", "2019-08-28T00:00:00Z"), None);
        assert_eq!(
            LegacyCycle::try_new("2019-01-01".parse().unwrap(), "2019-12-31".parse().unwrap()),
            None
        );
    }
}
