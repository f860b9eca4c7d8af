//! Notices when the clock of this host jumps: times that were written down before mean something
//! else then. What they mean is decided by [`crate::domain::has_passed`]; here the operator is
//! told.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::delivery::{FindingClosure, OperatorFindings};
use crate::domain::{FindingCode, OperatorFinding, is_ahead};
use crate::ledger::LedgerError;
use crate::text::span;

/// What is adjusted by less is no jump.
const JUMP: SignedDuration = SignedDuration::from_mins(1);
/// It is over once the clock has been steady for so long.
const STEADY: Duration = Duration::from_hours(1);

/// Compares the wall clock with the monotonic one from look to look.
#[derive(Debug)]
pub(super) struct ClockWatch {
    wall: Timestamp,
    monotonic: Duration,
    /// When the last jump was seen, or when this process began to look.
    jumped_at: Duration,
    /// A jump that the operator was not told of yet.
    untold: Option<String>,
}

impl ClockWatch {
    /// Begins to look.
    pub(super) fn new(wall: Timestamp, monotonic: Duration) -> Self {
        Self { wall, monotonic, jumped_at: monotonic, untold: None }
    }

    /// Compares the clock with a time that was written down before this process began.
    pub(super) fn compare(&mut self, written: Timestamp) {
        if is_ahead(written, self.wall) {
            let by = span(written.duration_since(self.wall).as_secs());
            self.untold = Some(format!(
                "the last poll is dated {by} in the future: the clock of this host was ahead then, \
                    or is behind now"
            ));
        }
    }

    /// Looks at the clocks, and tells of a jump, or that the clock has been steady since.
    pub(super) async fn look(&mut self, findings: &OperatorFindings) -> Result<(), LedgerError> {
        let (wall, monotonic) = (findings.clock.now(), findings.clock.monotonic());
        self.note(wall, monotonic);
        if let Some(summary) = self.untold.clone() {
            let action = "check the time of this host and what sets it (timedatectl). Times in \
                messages may be wrong; what is due by a time that was written down is done now \
                rather than when the clock has caught up."
                .to_owned();
            findings
                .report(OperatorFinding {
                    code: FindingCode::ClockJumped,
                    subject: String::new(),
                    summary,
                    action,
                })
                .await?;
            self.untold = None;
        }
        if monotonic.saturating_sub(self.jumped_at) >= STEADY {
            findings
                .clear(
                    FindingCode::ClockJumped,
                    "",
                    FindingClosure::of("the clock has been steady for an hour"),
                )
                .await?;
        }
        Ok(())
    }

    fn note(&mut self, wall: Timestamp, monotonic: Duration) {
        let passed = SignedDuration::try_from(monotonic.saturating_sub(self.monotonic))
            .unwrap_or(SignedDuration::MAX);
        let jump = wall.duration_since(self.wall).saturating_sub(passed);
        (self.wall, self.monotonic) = (wall, monotonic);
        if jump.abs() > JUMP {
            self.jumped_at = monotonic;
            let by = span(jump.abs().as_secs());
            self.untold = Some(if jump.is_negative() {
                format!("the clock of this host was set back by {by}")
            } else {
                format!(
                    "the clock of this host jumped ahead by {by}, or the host was suspended for so \
                        long"
                )
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_monotonic_clock_does_not_see_is_a_jump() {
        let second = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        let mut watch = ClockWatch::new(second(0), Duration::ZERO);
        let mut after = |wall: i64, monotonic: u64| {
            watch.note(second(wall), Duration::from_secs(monotonic));
            watch.untold.take()
        };
        assert_eq!(after(10, 10), None);
        assert_eq!(after(79, 20), None, "59 s");
        assert_eq!(
            after(7289, 30).as_deref(),
            Some(
                "the clock of this host jumped ahead by 2 h, or the host was suspended for so long"
            )
        );
        assert_eq!(after(99, 40).as_deref(), Some("the clock of this host was set back by 2 h"));
        assert_eq!(after(109, 50), None);
    }

    #[test]
    fn a_poll_of_the_future_shows_a_clock_that_was_ahead() {
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        let mut watch = ClockWatch::new(now, Duration::ZERO);
        watch.compare("2026-11-29T12:00:30Z".parse().unwrap());
        assert_eq!(watch.untold, None);
        watch.compare("2026-12-01T12:00:00Z".parse().unwrap());
        assert!(watch.untold.unwrap().starts_with("the last poll is dated 2 d in the future"));
    }
}
