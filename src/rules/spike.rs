//! What a rule about spikes says of a day, and what can be wrong with its floor.

use rust_decimal::Decimal;

use crate::domain::{Assessed, Metric, MetricValue, Reason, SpikeReading, Verdict};
use crate::rules::ladder::Ladder;
use crate::rules::{FloorSpec, RuleError, RuleSpec};

/// What the steps say of a spike: those that the day has reached, if it is one at all.
pub(crate) fn spike_verdict(ladder: &Ladder, spike: &SpikeReading, assessed: &Assessed) -> Verdict {
    let SpikeReading { reading, floor, lowest } = spike;
    let also = &assessed.profile.notify;
    let times = reading.times().unwrap_or_default();
    if !reading.reaches(*lowest) {
        return Verdict::Below { value: times, next_at: *lowest };
    }
    if !reading.passes_floor(*floor) {
        return Verdict::NotApplicable(Reason::BelowFloor);
    }
    if !reading.is_highest() {
        return Verdict::NotApplicable(Reason::SeenBefore);
    }
    if !reading.is_unlike_its_weekday(*lowest) {
        return Verdict::NotApplicable(Reason::BusyWeekday);
    }
    let crossing = ladder
        .crossing_where(times, |at| reading.reaches(at), also)
        .filter(|_| !reading.usual.is_zero());
    match crossing {
        Some(crossing) => Verdict::Crossed { value: MetricValue::Number(times), crossing },
        None => Verdict::Crossed { value: MetricValue::OverZero, crossing: ladder.whole(also) },
    }
}

/// A rule about spikes without a floor, a floor that leads nowhere, and one of another rule.
pub(crate) fn floors(spec: &RuleSpec) -> Vec<RuleError> {
    let FloorSpec { amounts, percent } = &spec.floor;
    let mut errors = Vec::new();
    if spec.metric != Metric::Spike {
        let written = [("floor", !amounts.is_empty()), ("floor_percent", percent.is_some())];
        let written = written.iter().filter(|(_, is_written)| *is_written);
        errors.extend(written.map(|(key, _)| RuleError::FloorOfAnother { key }));
        return errors;
    }
    if spec.floor.is_empty() {
        errors.push(RuleError::NoFloor);
    }
    if amounts.values().any(|amount| *amount <= Decimal::ZERO) {
        errors.push(RuleError::FloorTooLow { key: "floor" });
    }
    if percent.is_some_and(|percent| percent <= Decimal::ZERO) {
        errors.push(RuleError::FloorTooLow { key: "floor_percent" });
    }
    errors
}
