//! What becomes of alerts after they were raised: reminders, the end of a silence, the end of the
//! alert. Decided from what is remembered, after each poll; nothing is asked of the source.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::alerting::judging::AsOf;
use crate::alerting::spike_run::{RunStatus, day_of, is_expected};
use crate::alerting::{NewAlert, OpenAlert};
use crate::domain::spike::{RecordedSpike, RunSummary, SpikeView};
use crate::domain::{
    Alert, AlertState, Assessed, BudgetView, Ended, Evaluation, Inputs, Judged, Latest, Metric,
    MetricValue, MissingInput, Reason, Sample, Silence, Silenceable, Timing, UsageDate, Verdict,
    has_passed, utc_day,
};

/// How long after its end a billing period of a customer without later data may still get some.
const LATE_DATA: SignedDuration = SignedDuration::from_hours(72);

/// What is to be done about an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is over.
    Resolve(Ended),
    /// Nothing silences it any more, and it is still true: it is told now.
    Release,
    /// Nothing silences it any more, but another one of its rule that says more is told instead, or
    /// was.
    Supersede,
    /// It is told again.
    Remind,
}

impl Next {
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Resolve(Ended::Budget) => {
                "alert resolved: a changed budget took the value below the step"
            }
            Self::Resolve(Ended::Period) => "alert resolved: its billing period is over",
            Self::Resolve(Ended::Answered) => "alert resolved: the security alert is answered",
            Self::Resolve(Ended::Unlisted) => "alert resolved: Microsoft no longer lists it",
            Self::Resolve(Ended::Usual) => "alert resolved: the spending is usual again",
            Self::Resolve(Ended::Expected) => "alert resolved: the spike was to be expected",
            Self::Resolve(Ended::NewNormal) => {
                "alert resolved: what is spent counts as usual now, after 14 days"
            }
            Self::Resolve(Ended::NewSeries) => {
                "alert resolved: the currency or the plan has changed"
            }
            Self::Release => "alert told: nothing silences it any more",
            Self::Supersede => {
                "alert resolved: nothing silences it any more, and one of its rule that says more \
                    is told"
            }
            Self::Remind => "alert told again",
        }
    }
}

/// What is to be done about a customer's alerts that are not over, in the order in which they were
/// raised, and who is told; nothing about those that are left out. `spikes` are all that are remembered
/// of the customer.
pub(crate) fn followed<'a>(
    alerts: &'a [OpenAlert],
    (judged, spikes): (&Judged, &[RecordedSpike]),
    silences: &[Silence],
    time: AsOf,
) -> Vec<(&'a OpenAlert, Next, Vec<Box<str>>)> {
    let followed = (0..alerts.len()).filter_map(|place| {
        let (earlier, rest) = alerts.split_at_checked(place)?;
        let (alert, later) = rest.split_first()?;
        let superseded = || is_superseded(alert, earlier, later, judged);
        Some((alert, next(alert, superseded, (judged, spikes), silences, time)?))
    });
    let followed: Vec<(&OpenAlert, Next)> = followed.collect();
    let told = |(alert, next): &(&'a OpenAlert, Next)| match next {
        Next::Release => (*alert, *next, with_superseded(alert, &followed)),
        Next::Supersede => match not_yet_notified(alert, alerts, &followed) {
            not_yet_notified if not_yet_notified.is_empty() => (*alert, *next, not_yet_notified),
            not_yet_notified => (*alert, Next::Release, not_yet_notified),
        },
        Next::Remind => (*alert, *next, to_remind(alert)),
        Next::Resolve(_) => (*alert, *next, notified(alert)),
    };
    followed.iter().map(told).collect()
}

/// Who is told of an alert that stands for others of its rule: as in a jump, all that any of them
/// is owed to.
fn with_superseded(alert: &OpenAlert, followed: &[(&OpenAlert, Next)]) -> Vec<Box<str>> {
    let mut notify = alert.notify.clone();
    let superseded = followed
        .iter()
        .filter(|(other, next)| *next == Next::Supersede && is_of_same_rule(other, alert));
    for name in superseded.flat_map(|(other, _)| &other.notify) {
        if !notify.contains(name) {
            notify.push(name.clone());
        }
    }
    notify
}

/// Who is told neither of the alerts that take the place of this one, nor was: those have been told
/// to others.
fn not_yet_notified(
    alert: &OpenAlert,
    alerts: &[OpenAlert],
    followed: &[(&OpenAlert, Next)],
) -> Vec<Box<str>> {
    if followed.iter().any(|(other, next)| *next == Next::Release && is_of_same_rule(other, alert))
    {
        return Vec::new();
    }
    let told = alerts.iter().filter(|other| {
        other.snapshot.alert.state == AlertState::Raised && is_of_same_rule(other, alert)
    });
    let told: HashSet<&str> =
        told.flat_map(|other| other.notify.iter().map(AsRef::as_ref)).collect();
    alert.notify.iter().filter(|name| !told.contains(name.as_ref())).cloned().collect()
}

/// Who was told of an alert, in whose place it was: the end of it is news to them all.
fn notified(alert: &OpenAlert) -> Vec<Box<str>> {
    let others = alert.fell_back.iter().filter(|name| !alert.notify.contains(name));
    alert.notify.iter().chain(others).cloned().collect()
}

/// The notifiers for which the incident of an alert goes on when the alert is over: those that were
/// told of another alert of it that stays open, or that is over too and comes after this one.
pub(crate) fn still_open_for(
    alert: &OpenAlert,
    alerts: &[OpenAlert],
    followed: &[(&OpenAlert, Next, Vec<Box<str>>)],
) -> Vec<Box<str>> {
    let (id, incident) = (alert.snapshot.alert.id, alert.snapshot.incident());
    let mut seen = false;
    let mut names = Vec::new();
    for other in alerts {
        let that = &other.snapshot.alert;
        if that.id == id {
            seen = true;
            continue;
        }
        let next = followed.iter().find(|(one, ..)| one.snapshot.alert.id == that.id);
        let goes_on = match next {
            None | Some((_, Next::Remind, _)) => that.state == AlertState::Raised,
            Some((_, Next::Resolve(_), _)) => seen && that.state == AlertState::Raised,
            Some((_, Next::Release, _)) => true,
            Some((_, Next::Supersede, _)) => false,
        };
        if goes_on && other.snapshot.incident() == incident {
            names
                .extend(next.map_or_else(|| other.notify.clone(), |(_, _, notify)| notify.clone()));
            names.extend(notified(other));
        }
    }
    names
}

fn is_of_same_rule(other: &OpenAlert, alert: &OpenAlert) -> bool {
    let metric = alert.snapshot.alert.metric;
    let same_day = !metric.is_daily() || utc_day(belongs_at(other)) == utc_day(belongs_at(alert));
    other.rule == alert.rule && other.snapshot.alert.metric == metric && same_day
}

/// A silenced alert as it is told when nothing silences it any more.
pub(crate) fn released(alert: &OpenAlert, notify: Vec<Box<str>>) -> NewAlert {
    let mut snapshot = alert.snapshot.clone();
    snapshot.alert.state = AlertState::Raised;
    NewAlert { snapshot, notify, remind_every: alert.remind_every }
}

/// What is to be done about an alert that is not over, in the light of what every rule says of its
/// customer now; `superseded` tells whether another one says more.
fn next(
    alert: &OpenAlert,
    superseded: impl Fn() -> bool,
    (judged, spikes): (&Judged, &[RecordedSpike]),
    silences: &[Silence],
    time: AsOf,
) -> Option<Next> {
    let now = time.now;
    let snapshot = &alert.snapshot.alert;
    let (belongs_at, assessed) = (belongs_at(alert), &judged.assessed);
    match RunStatus::of(alert, spikes, is_followed(alert, belongs_at, judged)) {
        RunStatus::Over(end) => return Some(Next::Resolve(end.into())),
        RunStatus::None if is_over(alert, belongs_at, assessed, time) => {
            return Some(Next::Resolve(Ended::Period));
        }
        RunStatus::None | RunStatus::GoesOn => {}
    }
    let same_day =
        !snapshot.metric.is_daily() || utc_day(belongs_at) == utc_day(assessed.belongs_at());
    if !assessed.period.holds(belongs_at) || !same_day {
        return None;
    }
    let is_raised = snapshot.state == AlertState::Raised;
    let Some(value) = crossing_value(alert, judged) else {
        return (is_raised && ended_by_budget(alert, judged))
            .then_some(Next::Resolve(Ended::Budget));
    };
    if is_silenced(assessed, &alert.rule, value, silences, now) || is_expected(alert, spikes) {
        return None;
    }
    let is_highest = !superseded();
    match snapshot.state {
        AlertState::Silenced => Some(if is_highest { Next::Release } else { Next::Supersede }),
        AlertState::Raised => {
            let every = alert.remind_every.filter(|_| !alert.acknowledged)?;
            (has_passed(every, alert.told_at, now) && is_highest && !to_remind(alert).is_empty())
                .then_some(Next::Remind)
        }
        AlertState::Resolved | AlertState::Closed => None,
    }
}

/// Who is told again: whoever still has a message of it coming learns no more from another.
fn to_remind(alert: &OpenAlert) -> Vec<Box<str>> {
    alert.notify.iter().filter(|name| !alert.owed_to.contains(name)).cloned().collect()
}

/// Whether its billing period is over: the customer has data of a later one, or none of this one
/// can come any more. One that was raised when that was so already stays for as long.
fn is_over(alert: &OpenAlert, belongs_at: Timestamp, assessed: &Assessed, time: AsOf) -> bool {
    let snapshot = &alert.snapshot.alert;
    let end = if assessed.period.holds(belongs_at) {
        assessed.period.end
    } else {
        snapshot.billing_period.end
    };
    let long_over = time.newest.is_some_and(|newest| newest.duration_since(end) >= LATE_DATA);
    assessed.period.start > belongs_at
        || (long_over && has_passed(LATE_DATA.unsigned_abs(), snapshot.raised_at, time.now))
}

/// Whether the run of spikes of an alert may go on over its billing period: there is later data, and
/// the rule reads it.
fn is_followed(alert: &OpenAlert, belongs_at: Timestamp, judged: &Judged) -> bool {
    judged.assessed.period.start > belongs_at
        && of_rule(alert, judged).is_some_and(|one| {
            one.written.is_some() && one.verdict != Verdict::NotApplicable(Reason::NoFloor)
        })
}

/// The instant that places an alert in a billing period.
fn belongs_at(alert: &OpenAlert) -> Timestamp {
    let snapshot = &alert.snapshot;
    if snapshot.context.carried_over {
        snapshot.alert.billing_period.last_instant()
    } else {
        snapshot.alert.usage_as_of.instant()
    }
}

/// Whether another alert says more of the same rule, period and day. One that was raised later, at
/// the same step or beyond: it was told, or is true as well. Or an earlier one beyond this step,
/// while it is true: a budget that was raised and cut again brings it back. What that one was told
/// before the budget was raised does not stand for a step that alerted again.
fn is_superseded(
    alert: &OpenAlert,
    earlier: &[OpenAlert],
    later: &[OpenAlert],
    judged: &Judged,
) -> bool {
    let this = &alert.snapshot.alert;
    let direction = this.metric.direction();
    let same = |other: &&OpenAlert| {
        is_of_same_rule(other, alert) && judged.assessed.period.holds(belongs_at(other))
    };
    let is_true = |other: &OpenAlert| crossing_value(other, judged).is_some();
    later.iter().filter(same).any(|other| {
        let that = &other.snapshot.alert;
        direction.at_or_beyond(that.threshold, this.threshold)
            && (that.state == AlertState::Raised || is_true(other))
    }) || earlier.iter().filter(same).any(|other| {
        let that = &other.snapshot.alert;
        let counts = that.state == AlertState::Silenced || this.state == AlertState::Raised;
        counts && !direction.at_or_beyond(this.threshold, that.threshold) && is_true(other)
    })
}

/// The value now, while it is at or beyond the alert's step.
fn crossing_value(alert: &OpenAlert, judged: &Judged) -> Option<MetricValue> {
    let snapshot = &alert.snapshot.alert;
    let of_rule = of_rule(alert, judged)?;
    let Verdict::Crossed { value, .. } = &of_rule.verdict else { return None };
    let has_reached = match &of_rule.spike {
        // Its value is rounded, to be shown.
        Some(spike) => spike.reading.reaches(snapshot.threshold),
        None => has_reached(*value, snapshot),
    };
    Some(*value).filter(|_| has_reached)
}

/// What the alert's rule says now.
fn of_rule<'a>(alert: &OpenAlert, judged: &'a Judged) -> Option<&'a Evaluation> {
    let metric = alert.snapshot.alert.metric;
    judged.evaluations.iter().find(|one| *one.rule.name == *alert.rule && one.rule.metric == metric)
}

/// Whether a value is at or beyond the alert's step.
fn has_reached(value: MetricValue, alert: &Alert) -> bool {
    match value {
        MetricValue::Number(number) => alert.metric.direction().reached(number, alert.threshold),
        MetricValue::OverZero => true,
    }
}

/// Whether the value fell below the step by a changed budget: under the amount it was raised under,
/// it would be there still.
fn ended_by_budget(alert: &OpenAlert, judged: &Judged) -> bool {
    let snapshot = &alert.snapshot.alert;
    let before = snapshot.budget.as_ref().map(|budget| budget.amount);
    let inputs = judged.assessed.inputs();
    let reached = |inputs: &Inputs| {
        snapshot.metric.value(inputs).ok().map(|value| has_reached(value, snapshot))
    };
    let then = Inputs { budget: before, reported_percent: None, ..inputs };
    // A rule about customers without a budget has nothing to say of one that has.
    let is_budgeted = snapshot.metric == Metric::UnbudgetedCost && inputs.budget.is_some();
    let fell = is_budgeted || (snapshot.metric.reads_budget() && reached(&inputs) == Some(false));
    inputs.budget != before && fell && reached(&then) == Some(true)
}

/// How things are now, for an alert with all spikes that are remembered of its customer.
pub(crate) fn latest(
    alert: &OpenAlert,
    (judged, spikes): (&Judged, &[RecordedSpike]),
    ended: Option<Ended>,
) -> Latest {
    let (metric, assessed) = (alert.snapshot.alert.metric, &judged.assessed);
    let spike = of_rule(alert, judged).and_then(|one| one.spike);
    let value = match spike {
        Some(spike) => spike.reading.times(),
        None => metric.value(&assessed.inputs()).ok().and_then(MetricValue::number),
    };
    let is_run_over = ended.is_some_and(|ended| ended != Ended::Budget && ended != Ended::Period);
    let run = day_of(alert, spikes).filter(|_| is_run_over);
    Latest {
        usage_as_of: assessed.record.usage_as_of,
        cost: assessed.record.cost,
        value,
        budget: assessed.budget.as_ref().map(BudgetView::of),
        ended,
        security: None,
        security_now: None,
        spike: spike.map(|spike| SpikeView::of(&spike.reading, spike.floor)),
        run: run.map(|day| RunSummary::of(day, spikes)),
    }
}

/// How an alert ended with its billing period: the last data of it, under the budget that it was
/// raised under.
pub(crate) fn closed(alert: &OpenAlert, closing: Sample) -> Latest {
    let snapshot = &alert.snapshot.alert;
    let (period, at) = (snapshot.billing_period, closing.usage_as_of);
    let inputs = Inputs {
        cost: closing.cost,
        usd_cost: None,
        budget: snapshot.budget.as_ref().map(|budget| budget.amount),
        reported_percent: None,
        timing: Timing::try_new(period.start, period.end, at).ok_or(MissingInput::TurnOfPeriod),
        rise: Err(MissingInput::EarlierDate),
        stale_hours: Err(MissingInput::CollectionAge),
    };
    Latest {
        usage_as_of: UsageDate::at(at),
        cost: closing.cost,
        value: snapshot.metric.value(&inputs).ok().and_then(MetricValue::number),
        budget: snapshot.budget.clone(),
        ended: Some(Ended::Period),
        security: None,
        security_now: None,
        spike: None,
        run: None,
    }
}

/// What a silence is asked about an alert of this customer and rule, without its value.
pub(crate) fn silenceable<'a>(assessed: &'a Assessed, rule: &'a str) -> Silenceable<'a> {
    Silenceable {
        customer: assessed.record.customer.as_str(),
        name: &assessed.record.name,
        label: assessed.profile.label.as_deref(),
        rule,
        value: None,
        period: assessed.period,
        security: false,
    }
}

/// Whether a silence covers an alert of this customer and rule with this value.
pub(crate) fn is_silenced(
    assessed: &Assessed,
    rule: &str,
    value: MetricValue,
    silences: &[Silence],
    now: Timestamp,
) -> bool {
    let asked = Silenceable { value: Some(value), ..silenceable(assessed, rule) };
    silences.iter().any(|silence| silence.covers(&asked, now))
}
