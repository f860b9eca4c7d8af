//! What is to be remembered of spikes: the days that were one, whether people were told, and where
//! their runs end.

use crate::alerting::NewAlert;
use crate::alerting::memory::RememberedCustomer;
use crate::alerting::spending::series_since;
use crate::domain::spike::{RecordedSpike, RunEnd, SpikeNote, SpikeRun, expected_on};
use crate::domain::{AlertState, Evaluation, Judged, RuleFacts, SpikeReading, Verdict, utc_day};

/// The days of one customer that are to be remembered, each in place of what is remembered of it;
/// `alerts` are those that were just raised about it.
pub(crate) fn spikes_to_keep(
    judged: &Judged,
    remembered: Option<&RememberedCustomer>,
    alerts: &[NewAlert],
) -> Vec<RecordedSpike> {
    let of_other_series = of_other_series(judged, remembered);
    let read = judged.evaluations.iter().filter_map(|one| Some((one, one.spike.as_ref()?)));
    read.flat_map(|(evaluation, spike)| {
        let run = spike_run(&evaluation.rule, spike, remembered);
        let mut keep = ended(spike, &run);
        let expected = remembered.and_then(|known| expected_on(&known.spikes, spike.reading.day));
        keep.extend(today(evaluation, spike, &run, expected, alerts));
        keep
    })
    .chain(of_other_series)
    .collect()
}

/// The days of runs that are over since the customer's currency or plan is another one.
fn of_other_series(judged: &Judged, remembered: Option<&RememberedCustomer>) -> Vec<RecordedSpike> {
    let Some(remembered) = remembered else { return Vec::new() };
    let Some(since) = series_since(&judged.assessed, Some(&remembered.seen)) else {
        return Vec::new();
    };
    let ended = Some((utc_day(judged.assessed.record.usage_as_of.instant()), RunEnd::NewSeries));
    let open = remembered.spikes.iter().filter(|spike| spike.ended.is_none());
    open.filter(|spike| spike.day <= utc_day(since))
        .map(|spike| RecordedSpike { ended, ..spike.clone() })
        .collect()
}

/// The spike days of a rule that bear on the day that was read.
pub(crate) fn spike_run<'a>(
    rule: &RuleFacts,
    spike: &SpikeReading,
    remembered: Option<&'a RememberedCustomer>,
) -> SpikeRun<'a> {
    let own = remembered.into_iter().flat_map(|remembered| &remembered.spikes);
    SpikeRun::before(spike.reading.day, own.filter(|one| rule.is_called(&one.rule)))
}

/// The days of a run that is over by this one. What falls later on a day that was a spike takes
/// nothing back.
fn ended(spike: &SpikeReading, run: &SpikeRun<'_>) -> Vec<RecordedSpike> {
    let end = if !spike.goes_on() && run.today().is_none() {
        RunEnd::Usual
    } else if run.is_new_normal() {
        RunEnd::NewNormal
    } else {
        return Vec::new();
    };
    let ended = Some((spike.reading.day, end));
    run.open().map(|day| RecordedSpike { ended, ..day.clone() }).collect()
}

/// The day itself, if it is a spike and that is news. What is `expected` beforehand is over at once;
/// what goes on after fraud is fraud.
fn today(
    evaluation: &Evaluation,
    spike: &SpikeReading,
    run: &SpikeRun<'_>,
    expected: Option<&SpikeNote>,
    alerts: &[NewAlert],
) -> Option<RecordedSpike> {
    if !matches!(evaluation.verdict, Verdict::Crossed { .. }) {
        return None;
    }
    let (reading, rule) = (spike.reading, &evaluation.rule);
    let alert = alerts.iter().find(|new| *new.snapshot.alert.rule == *rule.name);
    let known = run.today();
    let told = alert.filter(|new| new.snapshot.alert.state == AlertState::Raised);
    let today = RecordedSpike {
        rule: rule.name.clone(),
        day: reading.day,
        rate: reading.rate,
        usual: reading.usual,
        told: told.map(|_| reading.excess()).or(known.and_then(|known| known.told)),
        told_at: told
            .map(|new| new.snapshot.alert.raised_at)
            .or(known.and_then(|known| known.told_at)),
        note: known.and_then(|known| known.note.as_ref()).or(expected).or(run.fraud()).cloned(),
        alert: alert.map(|new| new.snapshot.alert.id).or(known.and_then(|known| known.alert)),
        ended: known
            .and_then(|known| known.ended)
            .or(expected.map(|_| (reading.day, RunEnd::Expected))),
    };
    (known != Some(&today)).then_some(today)
}
