//! Times and periods as people read them: in the configured time zone, which is named.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::domain::BillingPeriod;

/// The zone of legacy billing periods, whose days are Pacific ones.
const PACIFIC: &str = "America/Los_Angeles";

/// How long something took or is old, in its two largest units: `4 h 33 min`, `3 d 4 h`.
pub(crate) fn span(seconds: i64) -> String {
    let minutes = seconds.max(0) / 60;
    let (hours, days) = (minutes / 60, minutes / (60 * 24));
    let two = |large: i64, large_unit: &str, small: i64, small_unit: &str| {
        if small == 0 {
            format!("{large} {large_unit}")
        } else {
            format!("{large} {large_unit} {small} {small_unit}")
        }
    };
    match (days, hours) {
        (10.., _) => format!("{days} d"),
        (2.., _) => two(days, "d", hours % 24, "h"),
        (_, 1..) => two(hours, "h", minutes % 60, "min"),
        _ => format!("{minutes} min"),
    }
}

/// How long a rise took: whole hours from two hours on, since minutes would only be read past.
pub(crate) fn about(seconds: i64) -> String {
    const HOUR: i64 = 3600;
    if seconds < 2 * HOUR { span(seconds) } else { span((seconds + HOUR / 2) / HOUR * HOUR) }
}

/// Seconds from `earlier` to `later`.
pub(crate) fn seconds_between(earlier: Timestamp, later: Timestamp) -> i64 {
    later.duration_since(earlier).as_secs()
}

/// A moment with its day and its zone: `Sat 14 Nov 18:08 CET`; with the year where it is not that
/// of `beside`.
pub(crate) fn moment(at: Timestamp, beside: Timestamp, zone: &TimeZone) -> String {
    let (at, beside) = (at.to_zoned(zone.clone()), beside.to_zoned(zone.clone()));
    format!("{} {}", day_and_time(&at, &beside), zone_name(&at))
}

/// A moment in a headline, whose zone the lines below name: `Fri 13 Nov 18:08`.
pub(crate) fn brief_moment(at: Timestamp, beside: Timestamp, zone: &TimeZone) -> String {
    day_and_time(&at.to_zoned(zone.clone()), &beside.to_zoned(zone.clone()))
}

/// Two moments in one phrase: `Sat 14 Nov 18:08, seen 22:41 CET`.
pub(crate) fn as_of_and_seen(as_of: Timestamp, seen: Timestamp, zone: &TimeZone) -> String {
    let (as_of, seen) = (as_of.to_zoned(zone.clone()), seen.to_zoned(zone.clone()));
    let mut text = day_and_time(&as_of, &seen);
    if zone_name(&as_of) != zone_name(&seen) {
        text.push(' ');
        text.push_str(&zone_name(&as_of));
    }
    let seen_at = if as_of.date() == seen.date() {
        seen.strftime("%H:%M").to_string()
    } else {
        day_and_time(&seen, &as_of)
    };
    format!("{text}, seen {seen_at} {}", zone_name(&seen))
}

fn day_and_time(at: &Zoned, beside: &Zoned) -> String {
    let form = if at.year() == beside.year() { "%a %-d %b %H:%M" } else { "%a %-d %b %Y %H:%M" };
    at.strftime(form).to_string()
}

/// The zone's own short name, else its offset: `CET`, `UTC-03`.
fn zone_name(at: &Zoned) -> String {
    let name = at.strftime("%Z").to_string();
    if name.starts_with(['+', '-']) { format!("UTC{name}") } else { name }
}

/// How a billing period is spoken of.
#[derive(Debug)]
pub(crate) struct PeriodWords {
    /// `its November budget`, `its budget for 5 Nov – 4 Dec`.
    pub budget: String,
    /// `in November`, `since 5 Nov`.
    pub cost: String,
    /// `1–30 Nov`, `5 Nov – 4 Dec`.
    pub days: String,
    /// `Nov`, `5 Nov – 4 Dec`.
    pub short: String,
    /// `1 Nov`: its first day.
    pub first_day: String,
    /// `30 Nov`: its last day.
    pub last_day: String,
    /// `November`, `the period 5 Nov – 4 Dec`.
    pub name: String,
    /// `the month`, `the period`: what goes by.
    pub kind: &'static str,
}

impl PeriodWords {
    /// The words for `period`; years are named where they are not that of `beside`.
    pub(crate) fn of(period: &BillingPeriod, beside: Timestamp) -> Self {
        let whole_month =
            BillingPeriod::calendar_month(period.start, period.source).same_span(period);
        let zone = if whole_month {
            TimeZone::UTC
        } else {
            TimeZone::get(PACIFIC).unwrap_or(TimeZone::UTC)
        };
        let year = beside.to_zoned(TimeZone::UTC).year();
        let first = period.start.to_zoned(zone.clone()).date();
        let last = period.last_instant().to_zoned(zone).date();
        let suffix = if last.year() == year { String::new() } else { format!(" {}", last.year()) };
        let last_day = format!("{}{suffix}", day(last));
        if whole_month {
            let (long, month) = (first.strftime("%B"), first.strftime("%b"));
            return Self {
                budget: format!("its {long}{suffix} budget"),
                cost: format!("in {long}{suffix}"),
                days: format!("1–{} {month}{suffix}", last.day()),
                short: format!("{month}{suffix}"),
                first_day: day(first),
                last_day,
                name: format!("{long}{suffix}"),
                kind: "the month",
            };
        }
        let from = if first.year() == last.year() || first.year() == year {
            day(first)
        } else {
            format!("{} {}", day(first), first.year())
        };
        let days = format!("{from} – {last_day}");
        let since = if first.year() == year {
            day(first)
        } else {
            format!("{} {}", day(first), first.year())
        };
        let (budget, name) = (format!("its budget for {days}"), format!("the period {days}"));
        Self {
            budget,
            cost: format!("since {since}"),
            short: days.clone(),
            days,
            first_day: since,
            last_day,
            name,
            kind: "the period",
        }
    }
}

fn day(date: Date) -> String {
    date.strftime("%-d %b").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PeriodSource;

    #[test]
    fn spans_name_their_two_largest_units() {
        let all = [-5, 59, 3600, 16_380, 86_400, 172_800, 273_600, 900_000];
        assert_eq!(
            all.map(span).join(" | "),
            "0 min | 0 min | 1 h | 4 h 33 min | 24 h | 2 d | 3 d 4 h | 10 d"
        );
    }

    #[test]
    fn a_rise_is_told_in_whole_hours_from_two_on() {
        assert_eq!(
            [
                about(90 * 60),
                about(2 * 3600 + 50 * 60),
                about(5 * 3600 + 57 * 60),
                about(24 * 3600)
            ]
            .join(", "),
            "1 h 30 min, 3 h, 6 h, 24 h"
        );
    }

    #[test]
    fn moments_name_their_zone_and_a_foreign_year() {
        let zone = |name: &str| TimeZone::get(name).unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let seen =
            |zone_name: &str, a: &str, b: &str| as_of_and_seen(at(a), at(b), &zone(zone_name));
        assert_eq!(
            seen("Europe/Stockholm", "2026-11-14T17:08:00Z", "2026-11-14T21:41:00Z"),
            "Sat 14 Nov 18:08, seen 22:41 CET"
        );
        assert_eq!(
            seen("America/Sao_Paulo", "2026-11-14T17:08:00Z", "2026-11-15T21:41:00Z"),
            "Sat 14 Nov 14:08, seen Sun 15 Nov 18:41 UTC-03"
        );
        assert_eq!(
            seen("Europe/Stockholm", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z"),
            "Sun 25 Oct 02:30 CEST, seen 03:30 CET"
        );
        assert_eq!(
            moment(at("2019-09-17T17:08:11Z"), at("2026-11-14T00:00:00Z"), &TimeZone::UTC),
            "Tue 17 Sep 2019 17:08 UTC"
        );
    }

    #[test]
    fn a_month_has_a_name_and_a_legacy_period_has_days() {
        let words = |start: &str, end: &str| {
            let period = BillingPeriod {
                start: start.parse().unwrap(),
                end: end.parse().unwrap(),
                source: PeriodSource::Assumed,
            };
            let words = PeriodWords::of(&period, "2026-11-20T00:00:00Z".parse().unwrap());
            format!(
                "{} | {} | {} | {} | {}",
                words.budget, words.cost, words.days, words.short, words.last_day
            )
        };
        assert_eq!(
            words("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
            "its November budget | in November | 1–30 Nov | Nov | 30 Nov"
        );
        assert_eq!(
            words("2019-09-01T00:00:00Z", "2019-10-01T00:00:00Z"),
            "its September 2019 budget | in September 2019 | 1–30 Sep 2019 | Sep 2019 | 30 Sep 2019"
        );
        assert_eq!(
            words("2026-11-05T08:00:00Z", "2026-12-05T08:00:00Z"),
            "its budget for 5 Nov – 4 Dec | since 5 Nov | 5 Nov – 4 Dec | 5 Nov – 4 Dec | 4 Dec"
        );
    }
}
