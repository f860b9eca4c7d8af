//! What becomes of alerts after they were raised: reminders, the end of a silence, the end of the alert. Decided from what
//! is remembered, after each poll; nothing is asked of the source.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::domain::{
    AlertState, Assessed, BudgetView, CustomerKey, Ended, Inputs, Judged, Latest, MessageKind, Metric, MetricValue, MissingInput, Route,
    Sample, Silence, Silenceable, Timing, UsageDate, Verdict, has_passed, utc_day,
};
use crate::ledger::{self, AlertChange, Followup, LedgerError, NewAlert, OpenAlert, Recording};
use crate::pipeline::Cycle;
use crate::pipeline::cycle::hold_if;
use crate::pipeline::explain::judged_again;
use crate::pipeline::findings::is_suspicious;
use crate::pipeline::slices::Recorded;
use crate::pipeline::turns::Turns;
use crate::pipeline::verdicts::{Time, samples_for};

/// Customers that are looked at together: what else the ledger is asked for waits so long.
const AT_ONCE: usize = 500;
/// How long after its end a billing period of a customer without later data may still get some.
const LATE_DATA: SignedDuration = SignedDuration::from_hours(72);

/// What is to be done about an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is over.
    Resolve(Ended),
    /// Nothing silences it any more, and it is still true: it is told now.
    Release,
    /// Nothing silences it any more, but another one of its rule that says more is told instead, or was.
    Supersede,
    /// It is told again.
    Remind,
}

/// The customers whose earlier alerts are looked at, and when.
pub(super) struct ToFollow {
    keys: Vec<CustomerKey>,
    time: Time,
}

impl Cycle {
    /// The customers with alerts that time may have changed, and those named. `newest` is the newest date of all data: it, not
    /// the clock, ends billing periods.
    pub(super) async fn to_follow(&self, rebudgeted: Vec<CustomerKey>, newest: Option<Timestamp>) -> Result<ToFollow, LedgerError> {
        let now = self.clock.now();
        let keys = self.ledger.to_review(rebudgeted, now, newest).await?;
        Ok(ToFollow { keys, time: Time { now, newest } })
    }

    /// Counts the customers with alerts that a silence has hidden until now among those that cross: where wrong prices were
    /// silenced for a while, its end must not tell all customers at once.
    pub(super) async fn note_releases(
        &self,
        to_follow: &ToFollow,
        silences: &[Silence],
        records: u64,
        recorded: &mut Recorded,
    ) -> Result<(), LedgerError> {
        let hidden = usize::try_from(self.ledger.customers_silenced().await?).unwrap_or(usize::MAX);
        if !is_suspicious(recorded.crossing.customers.saturating_add(hidden), records) {
            return Ok(());
        }
        let ToFollow { keys, time } = to_follow;
        let mut turns = Turns::default();
        for keys in keys.chunks(AT_ONCE) {
            for customer in self.ledger.review(keys.to_vec(), samples_for(&self.rules), time.newest).await? {
                let judged = judged_again(&self.budgets, &self.rules, &customer.remembered, *time);
                let followed = followed(&customer.alerts, &judged, silences, *time).into_iter();
                let told = followed.filter(|(_, next, _)| *next == Next::Release).map(|(alert, _, notify)| released(alert, notify));
                recorded.crossing.add(&told.collect::<Vec<_>>());
                turns.done().await;
            }
        }
        recorded.hold |= is_suspicious(recorded.crossing.customers, records);
        Ok(())
    }

    /// Looks at alerts that were raised before; returns how many messages are owed by it, those to customers held where `hold`.
    pub(super) async fn follow_up(&self, to_follow: ToFollow, silences: &[Silence], hold: bool) -> Result<usize, LedgerError> {
        let ToFollow { keys, time } = to_follow;
        let now = time.now;
        let (mut told, mut owed, mut in_slices) = (Told::by(&self.routes), 0, false);
        let mut turns = Turns::default();
        for keys in keys.chunks(AT_ONCE) {
            let reviewed = self.ledger.review(keys.to_vec(), samples_for(&self.rules), time.newest).await?;
            for customer in &reviewed {
                let judged = judged_again(&self.budgets, &self.rules, &customer.remembered, time);
                let followed = followed(&customer.alerts, &judged, silences, time);
                for (alert, next, notify) in &followed {
                    let goes_on_for = goes_on_for(alert, &customer.alerts, &followed);
                    told.note(alert, *next, self.reachable(notify.clone(), alert, &judged), goes_on_for, &judged.assessed);
                }
                turns.done().await;
            }
            if told.changes.len() >= self.slice {
                in_slices = true;
                owed += self.record_told(std::mem::replace(&mut told, Told::by(&self.routes)), now, hold, in_slices).await?;
            }
        }
        owed += self.record_told(told, now, hold, in_slices).await?;
        if in_slices {
            self.ledger.write_digests(&self.routes, now).await?;
        }
        Ok(owed)
    }

    async fn record_told(&self, told: Told, now: Timestamp, hold: bool, in_slices: bool) -> Result<usize, LedgerError> {
        let mut recording = told.into_recording(self, now, in_slices);
        hold_if(hold, &mut recording.messages);
        let owed = recording.messages.len() + recording.gathered.len();
        if !recording.is_empty() {
            self.ledger.record(recording).await?;
        }
        Ok(owed)
    }
}

impl Cycle {
    /// The notifiers that are still there; where none is, those that the rule names today.
    fn reachable(&self, notify: Vec<Box<str>>, alert: &OpenAlert, judged: &Judged) -> Vec<Box<str>> {
        let there = |name: &str| self.routes.iter().any(|route| *route.notifier == *name);
        if notify.is_empty() || notify.iter().any(|name| there(name)) {
            return notify;
        }
        let of_rule = judged.evaluations.iter().find(|one| *one.rule.name == *alert.rule);
        match of_rule.map(|one| &one.verdict) {
            Some(Verdict::Crossed { crossing, .. }) => crossing.highest().map(|step| step.notify.to_vec()).unwrap_or_default(),
            _ => notify,
        }
    }
}

/// What is told of a poll's followed alerts, by kind.
#[derive(Default)]
struct Told {
    changes: Vec<AlertChange>,
    released: Vec<NewAlert>,
    latest: HashMap<Uuid, Latest>,
    reminders: Vec<Followup>,
    resolved: Vec<Followup>,
    /// The notifiers that are told when an alert is over.
    hears_of_ends: HashSet<Box<str>>,
}

impl Told {
    fn by(routes: &[Route]) -> Self {
        let hears = routes.iter().filter(|route| route.is_owed() && route.send_resolved);
        Self { hears_of_ends: hears.map(|route| route.notifier.clone()).collect(), ..Self::default() }
    }

    fn note(&mut self, alert: &OpenAlert, next: Next, notify: Vec<Box<str>>, goes_on_for: Vec<Box<str>>, assessed: &Assessed) {
        let id = alert.snapshot.alert.id;
        let ended = if let Next::Resolve(ended) = next { Some(ended) } else { None };
        let followup = |notify: Vec<Box<str>>| Followup {
            alert: alert.snapshot.alert.clone(),
            latest: alert
                .closing
                .filter(|_| ended == Some(Ended::Period) && !alert.snapshot.context.carried_over)
                .map_or_else(|| latest(alert.snapshot.alert.metric, assessed, ended), |closing| closed(alert, closing)),
            contacts: assessed.profile.contacts.clone(),
            notify,
            goes_on_for,
        };
        match next {
            Next::Resolve(_) => {
                self.changes.push(AlertChange::Resolved(id));
                // Of what nobody was told, nobody is told that it is over.
                let was_told = alert.snapshot.alert.state == AlertState::Raised;
                let somebody_hears = notify.iter().any(|name| self.hears_of_ends.contains(name));
                self.resolved.extend((was_told && somebody_hears).then(|| followup(notify)));
            }
            // Its news is in what is told of the other one.
            Next::Supersede => self.changes.push(AlertChange::Resolved(id)),
            Next::Release => {
                self.changes.push(AlertChange::Released(id));
                self.latest.insert(id, latest(alert.snapshot.alert.metric, assessed, None));
                let mut released = released(alert, notify);
                released.snapshot.context.contacts.clone_from(&assessed.profile.contacts);
                self.released.push(released);
            }
            Next::Remind => {
                self.changes.push(AlertChange::Reminded(id));
                self.reminders.push(followup(notify));
            }
        }
        tracing::info!(alert.r#ref = %alert.snapshot.alert.reference, rule = alert.rule, "{}", next.in_words());
    }

    /// What is recorded of it: all of a poll, or a slice of very many.
    fn into_recording(self, cycle: &Cycle, now: Timestamp, in_slices: bool) -> Recording {
        let (ledger, routes) = (cycle.ledger.identity(), &cycle.routes);
        let (mut messages, mut gathered) = if in_slices {
            ledger::slice(&self.released, routes, ledger)
        } else {
            (ledger::messages(&self.released, routes, ledger), Vec::new())
        };
        let latest = |id: &Uuid| self.latest.get(id).cloned();
        for message in &mut messages {
            message.latest = message.alerts.iter().filter_map(latest).collect();
        }
        for gathered in &mut gathered {
            gathered.latest = latest(&gathered.alert);
        }
        for (kind, told) in [(MessageKind::Reminder, &self.reminders), (MessageKind::Resolved, &self.resolved)] {
            if in_slices {
                let (alone, together) = ledger::slice_of_followups(kind, told, routes, ledger);
                messages.extend(alone);
                gathered.extend(together);
            } else {
                messages.extend(ledger::followups(kind, told, routes, ledger));
            }
        }
        Recording { now, changes: self.changes, messages, gathered, ..Recording::default() }
    }
}

impl Next {
    fn in_words(self) -> &'static str {
        match self {
            Self::Resolve(Ended::Budget) => "alert resolved: a changed budget took the value below the step",
            Self::Resolve(Ended::Period) => "alert resolved: its billing period is over",
            Self::Release => "alert told: nothing silences it any more",
            Self::Supersede => "alert resolved: nothing silences it any more, and one of its rule that says more is told",
            Self::Remind => "alert told again",
        }
    }
}

/// What is to be done about a customer's alerts that are not over, in the order in which they were raised, and who is told;
/// nothing about those that are left out.
pub(crate) fn followed<'a>(
    alerts: &'a [OpenAlert],
    judged: &Judged,
    silences: &[Silence],
    time: Time,
) -> Vec<(&'a OpenAlert, Next, Vec<Box<str>>)> {
    let followed = (0..alerts.len()).filter_map(|place| {
        let (earlier, rest) = alerts.split_at_checked(place)?;
        let (alert, later) = rest.split_first()?;
        let outdone = || is_outdone(alert, earlier, later, judged);
        Some((alert, next(alert, outdone, judged, silences, time)?))
    });
    let followed: Vec<(&OpenAlert, Next)> = followed.collect();
    let told = |(alert, next): &(&'a OpenAlert, Next)| match next {
        Next::Release => (*alert, *next, with_superseded(alert, &followed)),
        Next::Supersede => match untold(alert, alerts, &followed) {
            untold if untold.is_empty() => (*alert, *next, untold),
            untold => (*alert, Next::Release, untold),
        },
        Next::Remind => (*alert, *next, to_remind(alert)),
        Next::Resolve(_) => (*alert, *next, told_of(alert)),
    };
    followed.iter().map(told).collect()
}

/// Who is told of an alert that stands for others of its rule: as in a jump, all that any of them is owed to.
fn with_superseded(alert: &OpenAlert, followed: &[(&OpenAlert, Next)]) -> Vec<Box<str>> {
    let mut notify = alert.notify.clone();
    let superseded = followed.iter().filter(|(other, next)| *next == Next::Supersede && is_of_same_rule(other, alert));
    for name in superseded.flat_map(|(other, _)| &other.notify) {
        if !notify.contains(name) {
            notify.push(name.clone());
        }
    }
    notify
}

/// Who is told neither of the alerts that take the place of this one, nor was: those have been told to others.
fn untold(alert: &OpenAlert, alerts: &[OpenAlert], followed: &[(&OpenAlert, Next)]) -> Vec<Box<str>> {
    if followed.iter().any(|(other, next)| *next == Next::Release && is_of_same_rule(other, alert)) {
        return Vec::new();
    }
    let told = alerts.iter().filter(|other| other.snapshot.alert.state == AlertState::Raised && is_of_same_rule(other, alert));
    let told: HashSet<&str> = told.flat_map(|other| other.notify.iter().map(AsRef::as_ref)).collect();
    alert.notify.iter().filter(|name| !told.contains(name.as_ref())).cloned().collect()
}

/// Who was told of an alert, in whosoever's place: the end of it is news to them all.
fn told_of(alert: &OpenAlert) -> Vec<Box<str>> {
    let others = alert.stood_in.iter().filter(|name| !alert.notify.contains(name));
    alert.notify.iter().chain(others).cloned().collect()
}

/// The notifiers for which the incident of an alert goes on when the alert is over: those that were told of another step of
/// it that stays open, or that is over too and comes after this one.
fn goes_on_for(alert: &OpenAlert, alerts: &[OpenAlert], followed: &[(&OpenAlert, Next, Vec<Box<str>>)]) -> Vec<Box<str>> {
    let (id, incident) = (alert.snapshot.alert.id, alert.snapshot.alert.incident());
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
        if goes_on && that.incident() == incident {
            names.extend(next.map_or_else(|| other.notify.clone(), |(_, _, notify)| notify.clone()));
            names.extend(told_of(other));
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

/// What is to be done about an alert that is not over, in the light of what every rule says of its customer now; `outdone`
/// tells whether another one says more.
fn next(alert: &OpenAlert, outdone: impl Fn() -> bool, judged: &Judged, silences: &[Silence], time: Time) -> Option<Next> {
    let now = time.now;
    let snapshot = &alert.snapshot.alert;
    let (belongs_at, assessed) = (belongs_at(alert), &judged.assessed);
    if is_over(alert, belongs_at, assessed, time) {
        return Some(Next::Resolve(Ended::Period));
    }
    let same_day = !snapshot.metric.is_daily() || utc_day(belongs_at) == utc_day(assessed.belongs_at());
    if !assessed.period.holds(belongs_at) || !same_day {
        return None;
    }
    let is_raised = snapshot.state == AlertState::Raised;
    let Some(value) = crossing_value(alert, judged) else {
        return (is_raised && ended_by_budget(alert, judged)).then_some(Next::Resolve(Ended::Budget));
    };
    let value = if let MetricValue::Number(value) = value { Some(value) } else { None };
    if is_silenced(assessed, &alert.rule, value, silences, now) {
        return None;
    }
    let is_highest = !outdone();
    match snapshot.state {
        AlertState::Silenced => Some(if is_highest { Next::Release } else { Next::Supersede }),
        AlertState::Raised => {
            let every = alert.remind_every.filter(|_| !alert.acknowledged)?;
            (has_passed(every, alert.told_at, now) && is_highest && !to_remind(alert).is_empty()).then_some(Next::Remind)
        }
        AlertState::Resolved | AlertState::Closed => None,
    }
}

/// Who is told again: whoever still has a message of it coming learns no more from another.
fn to_remind(alert: &OpenAlert) -> Vec<Box<str>> {
    alert.notify.iter().filter(|name| !alert.owed_to.contains(name)).cloned().collect()
}

/// Whether its billing period is over: the customer has data of a later one, or none of this one can come any more. One
/// that was raised when that was so already stays for as long.
fn is_over(alert: &OpenAlert, belongs_at: Timestamp, assessed: &Assessed, time: Time) -> bool {
    let snapshot = &alert.snapshot.alert;
    let end = if assessed.period.holds(belongs_at) { assessed.period.end } else { snapshot.billing_period.end };
    let long_over = time.newest.is_some_and(|newest| newest.duration_since(end) >= LATE_DATA);
    assessed.period.start > belongs_at || (long_over && has_passed(LATE_DATA.unsigned_abs(), snapshot.raised_at, time.now))
}

/// The instant that places an alert in a billing period.
fn belongs_at(alert: &OpenAlert) -> Timestamp {
    let snapshot = &alert.snapshot;
    if snapshot.context.carried_over { snapshot.alert.billing_period.last_instant() } else { snapshot.alert.usage_as_of.instant() }
}

/// Whether another alert says more of the same rule, period and day. One that was raised later, at the same step or beyond:
/// it was told, or is true as well. Or an earlier one beyond this step, while it is true: a budget that was raised and cut
/// again brings it back. What that one was told before the budget was raised does not stand for a step that alerted again.
fn is_outdone(alert: &OpenAlert, earlier: &[OpenAlert], later: &[OpenAlert], judged: &Judged) -> bool {
    let this = &alert.snapshot.alert;
    let direction = this.metric.direction();
    let same = |other: &&OpenAlert| is_of_same_rule(other, alert) && judged.assessed.period.holds(belongs_at(other));
    let is_true = |other: &OpenAlert| crossing_value(other, judged).is_some();
    later.iter().filter(same).any(|other| {
        let that = &other.snapshot.alert;
        direction.at_or_beyond(that.threshold, this.threshold) && (that.state == AlertState::Raised || is_true(other))
    }) || earlier.iter().filter(same).any(|other| {
        let that = &other.snapshot.alert;
        let counts = that.state == AlertState::Silenced || this.state == AlertState::Raised;
        counts && !direction.at_or_beyond(this.threshold, that.threshold) && is_true(other)
    })
}

/// The value now, while it is at or beyond the alert's step: a number, or over a budget of zero.
fn crossing_value(alert: &OpenAlert, judged: &Judged) -> Option<MetricValue> {
    let snapshot = &alert.snapshot.alert;
    let of_rule = judged.evaluations.iter().find(|one| *one.rule.name == *alert.rule && one.rule.metric == snapshot.metric)?;
    match &of_rule.verdict {
        Verdict::Crossed { value: None, .. } => Some(MetricValue::OverZero),
        Verdict::Crossed { value: Some(value), .. } if snapshot.metric.direction().reached(*value, snapshot.threshold) => {
            Some(MetricValue::Number(*value))
        }
        _ => None,
    }
}

/// Whether the value fell below the step by a changed budget: under the amount it was raised under, it would be there still.
fn ended_by_budget(alert: &OpenAlert, judged: &Judged) -> bool {
    let snapshot = &alert.snapshot.alert;
    let before = snapshot.budget.as_ref().map(|budget| budget.amount);
    let inputs = judged.assessed.inputs();
    let reached = |inputs: &Inputs| match snapshot.metric.value(inputs) {
        MetricValue::Number(value) => Some(snapshot.metric.direction().reached(value, snapshot.threshold)),
        MetricValue::OverZero => Some(true),
        MetricValue::Missing(_) => None,
    };
    let then = Inputs { budget: before, reported_percent: None, ..inputs };
    // A rule about customers without a budget has nothing to say of one that has.
    let is_budgeted = snapshot.metric == Metric::UnbudgetedCost && inputs.budget.is_some();
    let fell = is_budgeted || (snapshot.metric.reads_budget() && reached(&inputs) == Some(false));
    inputs.budget != before && fell && reached(&then) == Some(true)
}

/// How things are now.
fn latest(metric: Metric, assessed: &Assessed, ended: Option<Ended>) -> Latest {
    let value = match metric.value(&assessed.inputs()) {
        MetricValue::Number(value) => Some(value),
        MetricValue::OverZero | MetricValue::Missing(_) => None,
    };
    Latest {
        usage_as_of: assessed.record.usage_as_of,
        cost: assessed.record.cost,
        value,
        budget: assessed.budget.as_ref().map(BudgetView::of),
        ended,
    }
}

/// How an alert ended with its billing period: the last data of it, under the budget that it was raised under.
fn closed(alert: &OpenAlert, closing: Sample) -> Latest {
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
    let value = if let MetricValue::Number(value) = snapshot.metric.value(&inputs) { Some(value) } else { None };
    Latest { usage_as_of: UsageDate::at(at), cost: closing.cost, value, budget: snapshot.budget.clone(), ended: Some(Ended::Period) }
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
    }
}

/// Whether a silence covers an alert of this customer and rule with this value.
pub(crate) fn is_silenced(assessed: &Assessed, rule: &str, value: Option<Decimal>, silences: &[Silence], now: Timestamp) -> bool {
    let asked = Silenceable { value, ..silenceable(assessed, rule) };
    silences.iter().any(|silence| silence.covers(&asked, now))
}

/// The silences that may still cover something at `now`.
pub(crate) async fn in_force(cycle: &Cycle, now: Timestamp) -> Result<Vec<Silence>, LedgerError> {
    let mut silences = cycle.ledger.silences().await?;
    silences.retain(|silence| silence.is_in_force(now));
    Ok(silences)
}
