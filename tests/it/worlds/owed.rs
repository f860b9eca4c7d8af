//! Who is told of alerts, how often: at once, when nothing silences them any more, and again. From
//! the words of the promise alone.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::model::{Against, Placed};
use super::number::{Number, written};
use super::rules::{Rule, Step, is_daily, reached, reads_budget};
use super::values::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Silenced,
    Told,
    Over,
}

/// An alert that was raised.
#[derive(Debug, Clone)]
pub(super) struct Raised {
    rule: String,
    metric: &'static str,
    at: Number,
    since: Timestamp,
    belongs_at: Timestamp,
    period_end: Timestamp,
    budget: Option<Number>,
    notify: Vec<&'static str>,
    every: Option<i64>,
    told_at: Timestamp,
    told: BTreeMap<&'static str, u64>,
    state: State,
}

/// All alerts of a customer, in the order in which they were raised.
#[derive(Debug, Clone, Default)]
pub(super) struct Owed(Vec<Raised>);

/// What happens to an alert after a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Nothing,
    End,
    /// Nothing silences it, and of those it is the highest.
    Tell,
    /// Nothing silences it, and another one says more.
    GiveWay,
    Remind,
}

impl Raised {
    pub(super) fn new(
        now: Timestamp,
        rule: &Rule,
        highest: &Step,
        passed: &[&Step],
        placed: &Placed,
        budget: Option<Number>,
        silenced: bool,
    ) -> Self {
        let mut notify: Vec<&str> = highest
            .notify
            .iter()
            .chain(passed.iter().flat_map(|step| step.notify))
            .copied()
            .collect();
        notify.sort_unstable();
        notify.dedup();
        let mut raised = Self {
            rule: rule.name.clone(),
            metric: rule.metric,
            at: highest.at,
            since: now,
            belongs_at: placed.belongs_at,
            period_end: placed.period.end,
            budget,
            notify,
            every: highest.remind_every,
            told_at: now,
            told: BTreeMap::new(),
            state: State::Silenced,
        };
        if !silenced {
            raised.tell(now, raised.notify.clone());
        }
        raised
    }

    fn tell(&mut self, now: Timestamp, whom: Vec<&'static str>) {
        (self.state, self.told_at) = (State::Told, now);
        for name in whom {
            *self.told.entry(name).or_default() += 1;
        }
    }

    fn belongs_with(&self, other: &Self) -> bool {
        let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
        let same_day = !is_daily(self.metric) || day(self.belongs_at) == day(other.belongs_at);
        self.rule == other.rule && self.metric == other.metric && same_day
    }
}

impl Owed {
    pub(super) fn raise(&mut self, raised: Option<Raised>) {
        self.0.extend(raised);
    }

    pub(super) fn rename_rule(&mut self, before: &str, now: &str) {
        self.0
            .iter_mut()
            .filter(|alert| alert.rule == before)
            .for_each(|alert| now.clone_into(&mut alert.rule));
    }

    pub(super) fn close_rules(&mut self, known: &[String]) {
        self.0
            .iter_mut()
            .filter(|alert| !known.contains(&alert.rule))
            .for_each(|alert| alert.state = State::Over);
    }

    pub(super) fn told(&self, customer: &str) -> impl Iterator<Item = String> {
        self.0.iter().map(move |alert| {
            line(customer, alert.metric, &written(alert.at), alert.since, alert.told.clone())
        })
    }

    /// `values` says what a rule makes of the last record now, or under another budget.
    pub(super) fn follow_up(
        &mut self,
        now: Timestamp,
        newest: Option<Timestamp>,
        placed: &Placed,
        silenced: bool,
        values: impl Fn(&str, Against) -> Option<(Option<Value>, Option<Number>)>,
    ) {
        let reaches = |alert: &Raised, value| match value {
            None => false,
            Some(Value::OverZero) => true,
            Some(Value::Number(value)) => reached(alert.metric, value, alert.at),
        };
        let is_true = |alert: &Raised| {
            values(&alert.rule, Against::Own).is_some_and(|(value, _)| reaches(alert, value))
        };
        // Below by the budget alone: under the one before, the alert would be true still.
        let budget_ended = |alert: &Raised| {
            let Some((value, budget)) = values(&alert.rule, Against::Own) else { return false };
            if alert.metric == "unbudgeted_cost" {
                return budget.is_some();
            }
            let before = values(&alert.rule, Against::Amount(alert.budget));
            reads_budget(alert.metric)
                && value.is_some()
                && budget != alert.budget
                && before.is_some_and(|(value, _)| reaches(alert, value))
        };
        let open: Vec<Raised> =
            self.0.iter().filter(|alert| alert.state != State::Over).cloned().collect();
        let next: Vec<Next> = (0..open.len())
            .map(|place| {
                let alert = &open[place];
                if is_over(alert, placed, newest, now) {
                    return Next::End;
                }
                let here = |alert: &Raised| placed.period.holds(alert.belongs_at);
                let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
                if !here(alert)
                    || is_daily(alert.metric) && day(alert.belongs_at) != day(placed.belongs_at)
                {
                    return Next::Nothing;
                }
                if !is_true(alert) {
                    return if alert.state == State::Told && budget_ended(alert) {
                        Next::End
                    } else {
                        Next::Nothing
                    };
                }
                if silenced {
                    return Next::Nothing;
                }
                let says_more = |(other_place, other): (usize, &Raised)| {
                    other_place != place
                        && here(other)
                        && other.belongs_with(alert)
                        && if other_place > place {
                            reached(alert.metric, other.at, alert.at)
                                && (other.state == State::Told || is_true(other))
                        } else {
                            let counts =
                                other.state == State::Silenced || alert.state == State::Told;
                            counts && !reached(alert.metric, alert.at, other.at) && is_true(other)
                        }
                };
                let is_highest = !open.iter().enumerate().any(says_more);
                let due = alert.every.is_some_and(|every| {
                    now.duration_since(alert.told_at) >= SignedDuration::from_hours(every)
                });
                match (alert.state, is_highest) {
                    (State::Silenced, true) => Next::Tell,
                    (State::Silenced, false) => Next::GiveWay,
                    (_, true) if due => Next::Remind,
                    _ => Next::Nothing,
                }
            })
            .collect();
        let mut after = open.clone();
        for (place, what) in next.iter().enumerate() {
            let with = |wanted: Next| {
                open.iter()
                    .zip(&next)
                    .filter(move |(_, next)| **next == wanted)
                    .map(|(alert, _)| alert)
            };
            let alert = &open[place];
            match what {
                Next::Nothing => {}
                Next::End => after[place].state = State::Over,
                Next::Remind => after[place].tell(now, alert.notify.clone()),
                Next::Tell => {
                    let mut whom = alert.notify.clone();
                    whom.extend(
                        with(Next::GiveWay)
                            .filter(|other| other.belongs_with(alert))
                            .flat_map(|other| &other.notify),
                    );
                    whom.sort_unstable();
                    whom.dedup();
                    after[place].tell(now, whom);
                }
                Next::GiveWay => {
                    let others = open
                        .iter()
                        .filter(|other| other.state == State::Told && other.belongs_with(alert));
                    let told: Vec<&str> =
                        others.flat_map(|other| other.notify.iter().copied()).collect();
                    let whom: Vec<&str> =
                        alert.notify.iter().filter(|name| !told.contains(*name)).copied().collect();
                    let gives_way_now = with(Next::Tell).any(|other| other.belongs_with(alert));
                    if gives_way_now || whom.is_empty() {
                        after[place].state = State::Over;
                    } else {
                        after[place].tell(now, whom);
                    }
                }
            }
        }
        let mut after = after.into_iter();
        for alert in self.0.iter_mut().filter(|alert| alert.state != State::Over) {
            *alert = after.next().unwrap();
        }
    }
}

/// The customer has data of a later period, or none of its own can come any more.
fn is_over(alert: &Raised, placed: &Placed, newest: Option<Timestamp>, now: Timestamp) -> bool {
    let late = SignedDuration::from_hours(72);
    let end =
        if placed.period.holds(alert.belongs_at) { placed.period.end } else { alert.period_end };
    let long_over = newest.is_some_and(|newest| newest.duration_since(end) >= late);
    placed.period.start > alert.belongs_at || long_over && now.duration_since(alert.since) >= late
}

/// How often an alert was told to whom.
pub(super) fn line(
    customer: &str,
    metric: &str,
    at: &str,
    raised_at: Timestamp,
    told: BTreeMap<&str, u64>,
) -> String {
    let told: Vec<String> =
        told.into_iter().map(|(name, times)| format!("{name} {times}")).collect();
    format!("{customer} {metric} {at} of {raised_at}: told {}", told.join(", "))
}
