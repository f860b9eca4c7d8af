//! When reports are due: pure, from the wall clock and from what was reported last. Assembling and
//! sending one is elsewhere.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::domain::Every;

/// The occasions of a report.
#[derive(Debug, Clone)]
pub struct ReportSchedule {
    /// How often.
    pub every: Every,
    /// At what time of the day.
    pub at: Time,
    /// In which time zone.
    pub zone: TimeZone,
}

/// What is to be done about reports now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Nothing.
    Not,
    /// Reports are sent from this occasion on, which itself is not reported: none was remembered.
    From(Timestamp),
    /// The clock is behind now, or was ahead when an occasion was reported that is still to come.
    /// Nobody can tell which, so nothing is written; the next occasion that this process sees pass
    /// after this one is reported.
    Watch(Timestamp),
    /// This occasion is to be reported.
    Now(Timestamp),
}

impl ReportSchedule {
    /// What is to be done at `now`, where `reported` was reported last, and this process has been
    /// watching since `watched`.
    pub fn due(
        &self,
        reported: Option<Timestamp>,
        watched: Option<Timestamp>,
        now: Timestamp,
    ) -> Due {
        let last = self.last(now);
        let Some(reported) = reported else { return Due::From(last) };
        let since = match watched {
            _ if !self.is_behind(reported, now) => reported,
            Some(watched) => watched,
            None => return Due::Watch(last),
        };
        if since < last { Due::Now(last) } else { Due::Not }
    }

    /// Whether the clock is behind what was reported. The next occasion may have been reported
    /// already, by a clock that was a little ahead: then it is done.
    pub fn is_behind(&self, reported: Timestamp, now: Timestamp) -> bool {
        reported > self.next(now)
    }

    /// The last occasion, at `now` or before.
    pub fn last(&self, now: Timestamp) -> Timestamp {
        let today = self.occasion_day(now.to_zoned(self.zone.clone()).date());
        let this = self.on(today);
        if this <= now { this } else { self.on(self.moved(today, -1)) }
    }

    /// The next occasion after `now`.
    pub fn next(&self, now: Timestamp) -> Timestamp {
        let today = self.occasion_day(now.to_zoned(self.zone.clone()).date());
        let this = self.on(today);
        if this > now { this } else { self.on(self.moved(today, 1)) }
    }

    /// The occasion before this one.
    pub fn before(&self, occasion: Timestamp) -> Timestamp {
        self.last(occasion.checked_sub(jiff::SignedDuration::from_secs(1)).unwrap_or(occasion))
    }

    /// The day of the occasion in the span that holds `day`: itself, its Monday, the 1st of its
    /// month.
    fn occasion_day(&self, day: Date) -> Date {
        match self.every {
            Every::Day => day,
            Every::Week => day
                .saturating_sub(Span::new().days(i64::from(day.weekday().since(Weekday::Monday)))),
            Every::Month => day.first_of_month(),
        }
    }

    fn moved(&self, day: Date, spans: i64) -> Date {
        day.saturating_add(match self.every {
            Every::Day => Span::new().days(spans),
            Every::Week => Span::new().weeks(spans),
            Every::Month => Span::new().months(spans),
        })
    }

    /// The instant of the occasion on a day. A time that the clocks leave out is the one after the
    /// gap, of one that they show twice it is the first.
    fn on(&self, day: Date) -> Timestamp {
        day.to_datetime(self.at)
            .to_zoned(self.zone.clone())
            .map_or(Timestamp::MAX, |zoned| zoned.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(every: Every, at: &str) -> ReportSchedule {
        ReportSchedule {
            every,
            at: at.parse().unwrap(),
            zone: TimeZone::get("Europe/Stockholm").unwrap(),
        }
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// What is sent when somebody looks at these times: the occasions, in local time.
    fn sent(schedule: &ReportSchedule, looks: &[&str]) -> Vec<String> {
        let (mut reported, mut watched, mut sent) = (None, None, Vec::new());
        for look in looks {
            match schedule.due(reported, watched, time(look)) {
                Due::Not => {}
                Due::Watch(occasion) => watched = Some(occasion),
                Due::From(occasion) => reported = Some(occasion),
                Due::Now(occasion) => {
                    reported = Some(occasion);
                    sent.push(
                        occasion
                            .to_zoned(schedule.zone.clone())
                            .strftime("%a %d %b %H:%M")
                            .to_string(),
                    );
                }
            }
        }
        sent
    }

    #[test]
    fn each_occasion_is_due_once_in_local_time() {
        let daily = schedule(Every::Day, "08:00");
        let looks = [
            "2026-11-17T10:00:00Z",
            "2026-11-18T06:59:59Z",
            "2026-11-18T07:00:00Z",
            "2026-11-18T07:00:10Z",
            "2026-11-19T06:00:00Z",
        ];
        assert_eq!(sent(&daily, &looks), ["Wed 18 Nov 08:00"]);
        let weekly = schedule(Every::Week, "08:00");
        assert_eq!(
            sent(
                &weekly,
                &["2026-11-17T10:00:00Z", "2026-11-22T20:00:00Z", "2026-11-23T07:00:00Z"]
            ),
            ["Mon 23 Nov 08:00"]
        );
        let monthly = schedule(Every::Month, "08:00");
        assert_eq!(
            sent(
                &monthly,
                &["2026-11-17T10:00:00Z", "2026-12-01T06:00:00Z", "2026-12-01T07:00:00Z"]
            ),
            ["Tue 01 Dec 08:00"]
        );
    }

    #[test]
    fn a_daemon_that_was_down_reports_the_last_occasion_once() {
        let daily = schedule(Every::Day, "08:00");
        assert_eq!(
            sent(&daily, &["2026-11-17T10:00:00Z", "2026-11-20T15:00:00Z", "2026-11-20T15:00:10Z"]),
            ["Fri 20 Nov 08:00"]
        );
    }

    #[test]
    fn a_time_that_the_clocks_leave_out_or_show_twice_is_due_once() {
        let daily = schedule(Every::Day, "02:30");
        let spring = [
            "2026-03-28T12:00:00Z",
            "2026-03-29T00:59:00Z",
            "2026-03-29T01:30:00Z",
            "2026-03-29T02:00:00Z",
            "2026-03-30T00:30:00Z",
        ];
        assert_eq!(sent(&daily, &spring), ["Sun 29 Mar 03:30", "Mon 30 Mar 02:30"]);
        let autumn = [
            "2026-10-24T12:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-25T02:00:00Z",
            "2026-10-26T01:30:00Z",
        ];
        assert_eq!(sent(&daily, &autumn), ["Sun 25 Oct 02:30", "Mon 26 Oct 02:30"]);
    }

    #[test]
    fn a_clock_set_wrong_loses_and_doubles_no_occasion() {
        let daily = schedule(Every::Day, "08:00");
        let a_little_ahead = [
            "2026-11-17T10:00:00Z",
            "2026-11-18T07:00:01Z",
            "2026-11-18T06:59:58Z",
            "2026-11-18T07:00:00Z",
        ];
        assert_eq!(sent(&daily, &a_little_ahead), ["Wed 18 Nov 08:00"]);
        let years_ahead = [
            "2026-11-17T10:00:00Z",
            "2031-01-01T12:00:00Z",
            "2026-11-17T11:00:00Z",
            "2026-11-18T07:00:00Z",
        ];
        assert_eq!(sent(&daily, &years_ahead), ["Wed 01 Jan 08:00", "Wed 18 Nov 08:00"]);
        let behind = [
            "2026-11-17T10:00:00Z",
            "2026-11-10T07:00:00Z",
            "2026-11-10T09:00:00Z",
            "2026-11-17T10:00:00Z",
            "2026-11-18T07:00:00Z",
        ];
        assert_eq!(sent(&daily, &behind), ["Wed 18 Nov 08:00"]);
    }
}
