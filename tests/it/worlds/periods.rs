//! Billing periods, from the words of the promise alone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::life::{Named, Person};

/// A billing period, and how it became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) source: &'static str,
}

impl Period {
    pub(super) fn holds(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    pub(super) fn last_instant(&self) -> Timestamp {
        self.end - SignedDuration::from_nanos(1)
    }
}

/// The period that holds `at`, by all that answers named, the last answer first.
pub(super) fn holding(person: &Person, named: &[Named], at: Timestamp) -> Period {
    if !person.legacy {
        let month = calendar_month(at, "calendar-month");
        let first = at.to_zoned(TimeZone::UTC).date().first_of_month();
        let is_month = |named: &Named| named.first == first && named.last == months_after(first, 1);
        return Period {
            source: if named.iter().any(is_month) {
                "subscription-summary"
            } else {
                "calendar-month"
            },
            ..month
        };
    }
    let spans: Vec<Period> = named.iter().map(span).collect();
    if let Some(named) = spans.iter().find(|span| span.holds(at)) {
        return *named;
    }
    let Some(last) = named.first() else { return calendar_month(at, "assumed") };
    let mut moved = moved(last, at);
    for span in spans {
        if span.end <= at {
            moved.start = moved.start.max(span.end);
        } else {
            moved.end = moved.end.min(span.start);
        }
    }
    moved
}

fn span(named: &Named) -> Period {
    Period {
        start: pacific(named.first),
        end: pacific(named.last.tomorrow().unwrap()),
        source: "subscription-summary",
    }
}

/// Moved by whole months until it holds `at`.
fn moved(named: &Named, at: Timestamp) -> Period {
    let after = named.last.tomorrow().unwrap();
    let tile = |from: Date, months: i32| Period {
        start: pacific(months_after(from, months)),
        end: pacific(months_after(from, months + 1)),
        source: "assumed",
    };
    let forward = (0..100).map(|months| tile(after, months));
    let backward = (1..100).map(|months| tile(named.first, -months));
    forward.chain(backward).find(|tile| tile.holds(at)).unwrap()
}

fn calendar_month(at: Timestamp, source: &'static str) -> Period {
    let first = at.to_zoned(TimeZone::UTC).date().first_of_month();
    let midnight = |day: Date| day.to_zoned(TimeZone::UTC).unwrap().timestamp();
    Period { start: midnight(first), end: midnight(months_after(first, 1)), source }
}

fn months_after(day: Date, months: i32) -> Date {
    day.checked_add(Span::new().months(months)).unwrap()
}

fn pacific(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::get("America/Los_Angeles").unwrap()).unwrap().timestamp()
}
