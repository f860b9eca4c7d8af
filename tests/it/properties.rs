//! What must hold of billing periods for any dates: they tile.

use budget_alertd::domain::{BillingPeriod, LegacyCycle, PeriodSource};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proptest::prelude::*;

fn cases() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) }
}

/// An instant of the years 2000 to 2060, to the nanosecond; often at the very turn of a day, of the
/// world or of the Pacific.
fn instant() -> impl Strategy<Value = Timestamp> {
    let anywhere = (946_684_800_i64..2_840_140_800, 0_i32..1_000_000_000)
        .prop_map(|(second, nano)| Timestamp::new(second, nano).unwrap());
    let turn = (day(), any::<bool>(), -1_i64..=1).prop_map(|(day, pacific, nanos)| {
        let zone = if pacific { pacific_time() } else { TimeZone::UTC };
        day.to_zoned(zone).unwrap().timestamp() + SignedDuration::from_nanos(nanos)
    });
    prop_oneof![2 => anywhere, 1 => turn]
}

fn day() -> impl Strategy<Value = Date> {
    (0_i64..20_000).prop_map(|days| jiff::civil::date(2004, 1, 1) + days.days())
}

/// A billing cycle from one named period: of a month or so, as they come, or of any length that is
/// taken.
fn cycle() -> impl Strategy<Value = LegacyCycle> {
    (day(), prop_oneof![3 => 27_i64..=31, 1 => 0_i64..=62])
        .prop_map(|(first, days)| LegacyCycle::try_new(first, first + days.days()).unwrap())
}

fn pacific_time() -> TimeZone {
    TimeZone::get("America/Los_Angeles").unwrap()
}

const NANO: SignedDuration = SignedDuration::from_nanos(1);

/// Both ends are midnights there, on the cycle's day or on the last one of a month that is too
/// short for it.
fn begins_on(at: Timestamp, zone: &TimeZone, day: i8) {
    let begins = at.to_zoned(zone.clone());
    assert_eq!(begins.time(), Time::midnight(), "{begins}");
    assert_eq!(begins.day(), day.min(begins.date().days_in_month()), "{begins}");
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn calendar_months_tile_and_hold_every_instant(at in instant()) {
        let month = |at| BillingPeriod::calendar_month(at, PeriodSource::CalendarMonth);
        let period = month(at);
        prop_assert!(period.holds(at) && period.holds(period.last_instant()) && !period.holds(period.end));
        begins_on(period.start, &TimeZone::UTC, 1);
        prop_assert_eq!(month(period.end).start, period.end);
        prop_assert_eq!(month(period.start - NANO).end, period.start);
        prop_assert_eq!(month(period.last_instant()), period);
        prop_assert_eq!(month(period.start), period);
    }

    #[test]
    fn legacy_periods_tile_at_pacific_midnights_and_hold_every_instant(cycle in cycle(), at in instant(), within in 0_u32..=1000) {
        let holding = |at| cycle.holding(at, PeriodSource::Assumed);
        let period = holding(at);
        prop_assert!(period.holds(at), "{period:?} does not hold {at}");
        prop_assert_eq!(holding(period.end).start, period.end);
        prop_assert_eq!(holding(period.start - NANO).end, period.start);
        let length = period.end.duration_since(period.start);
        prop_assert_eq!(holding(period.start + length * i32::try_from(within).unwrap() / 1001), period);
        prop_assert_eq!(holding(period.last_instant()), period);
        // Before the named period its first day counts, after it the day behind its last.
        let named = cycle.named(PeriodSource::Assumed);
        let after = cycle.last_day().tomorrow().unwrap();
        for edge in [period.start, period.end] {
            begins_on(edge, &pacific_time(), if edge >= named.end { after.day() } else { cycle.first_day().day() });
        }
    }
}
