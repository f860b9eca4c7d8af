//! How a time that was written down compares with now: the clock may have been wrong when it was
//! written. The one place that decides what a time in the future means; what follows from it is
//! left to those who ask.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Clocks differ by this much without being wrong.
const SLACK: SignedDuration = SignedDuration::from_mins(1);

/// Whether a time was written under a clock that was ahead of the one of now.
pub fn is_ahead(written: Timestamp, now: Timestamp) -> bool {
    written.duration_since(now) > SLACK
}

/// The latest time that counts as written by now.
pub fn latest(now: Timestamp) -> Timestamp {
    now.saturating_add(SLACK).unwrap_or(now)
}

/// Whether so much time has passed since an instant that was written down. Since one in the future
/// it has: how much really passed nobody knows, and who waits for a clock to catch up may wait for
/// years.
pub fn has_passed(length: Duration, since: Timestamp, now: Timestamp) -> bool {
    let passed = now.duration_since(since);
    is_ahead(since, now) || Duration::try_from(passed).unwrap_or_default() >= length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_the_future_has_passed_unless_clocks_only_differ() {
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        let passed = |text: &str| has_passed(Duration::from_mins(10), text.parse().unwrap(), now);
        assert_eq!(
            [
                "2026-11-29T11:50:00Z",
                "2026-11-29T11:50:01Z",
                "2026-11-29T12:01:00Z",
                "2026-11-29T12:01:01Z",
                "2036-01-01T00:00:00Z"
            ]
            .map(passed),
            [true, false, false, true, true]
        );
    }
}
