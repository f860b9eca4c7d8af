//! How the run of spikes stands that an alert is about, by what is remembered of its customer.

use crate::alerting::OpenAlert;
use crate::domain::AlertState;
use crate::domain::spike::{RecordedSpike, RunEnd, SpikeMark, expected_on};

/// How the run of spikes stands that an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunStatus {
    /// It is about none, or nothing would end it: its billing period decides.
    None,
    /// It is not over, whatever the billing period.
    GoesOn,
    /// It is over.
    Over(RunEnd),
}

impl RunStatus {
    /// The run of an alert; `is_followed` tells whether it may go on in a later billing period. What
    /// nobody was told of ends with its own.
    pub(crate) fn of(alert: &OpenAlert, spikes: &[RecordedSpike], is_followed: bool) -> Self {
        let was_told = alert.snapshot.alert.state == AlertState::Raised;
        match day_of(alert, spikes).filter(|_| was_told) {
            Some(RecordedSpike { ended: Some((_, end)), .. }) => Self::Over(*end),
            Some(_) if is_followed => Self::GoesOn,
            Some(_) | None => Self::None,
        }
    }
}

/// The spike day that an alert is about.
pub(crate) fn day_of<'a>(
    alert: &OpenAlert,
    spikes: &'a [RecordedSpike],
) -> Option<&'a RecordedSpike> {
    let day = alert.snapshot.alert.spike?.day;
    spikes.iter().find(|spike| *spike.rule == *alert.rule && spike.day == day)
}

/// Whether somebody has said that the spike is expected, of its day or beforehand: then nobody is
/// told any more.
pub(crate) fn is_expected(alert: &OpenAlert, spikes: &[RecordedSpike]) -> bool {
    let beforehand = || expected_on(spikes, alert.snapshot.alert.spike?.day);
    let mark = day_of(alert, spikes).and_then(RecordedSpike::mark);
    mark == Some(SpikeMark::Expected) || beforehand().is_some()
}
