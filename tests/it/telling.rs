//! What must hold in any order of polls, restarts, budget changes, silences and reloads: no step is
//! told twice, none is missed in a poll that nothing silences, and none is told while it is
//! silenced.

use std::sync::LazyLock;

use budget_alertd::alerting::NewAlert;
use budget_alertd::analysis::Replay;
use budget_alertd::config::Config;
use budget_alertd::domain::{
    AlertState, Currency, CustomerId, Glob, Plan, Silence, UsageDate, UsageRecord,
};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::support::world::World;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) })]

    #[test]
    fn no_step_is_told_twice_or_while_silenced_and_none_is_missed(events in proptest::collection::vec(event(), 1..20)) {
        told_once(&events);
    }
}

/// What may happen, in any order.
#[derive(Debug, Clone)]
enum Event {
    /// Data is read of the latest month so far, the next or the one before.
    Poll {
        month: i64,
        hour: i64,
        cost: i64,
        budget: Option<i64>,
    },
    /// A poll does not find the customer.
    Absent,
    /// The set of rules is exchanged.
    Reload(usize),
    Restart,
    /// For so many hours, or until the period's end.
    Silence {
        customer: Option<&'static str>,
        rule: Option<&'static str>,
        unless_above: Option<i64>,
        hours: Option<i64>,
    },
    /// One of the silences is ended early.
    Expire(usize),
    /// Hours go by.
    Forward(i64),
}

fn event() -> impl Strategy<Value = Event> {
    let budget = prop_oneof![1 => Just(None), 1 => Just(Some(0)), 8 => prop::sample::select(vec![50, 100, 160, 200, 400]).prop_map(Some)];
    let month = prop_oneof![8 => Just(0), 1 => Just(1), 1 => Just(-1)];
    let cost = prop_oneof![1 => -20_i64..20, 6 => 20_i64..500];
    let poll = (month, 100_i64..600, cost, budget)
        .prop_map(|(month, hour, cost, budget)| Event::Poll { month, hour, cost, budget });
    let customer = prop::sample::select(vec![None, Some("c"), Some("customer*"), Some("X")]);
    let rule = prop::sample::select(vec![None, None, Some("spend"), Some("le*")]);
    let above =
        prop::sample::select(vec![None, None, Some(0), Some(60), Some(90), Some(120), Some(200)]);
    let hours = prop_oneof![1 => Just(None), 3 => (1_i64..100).prop_map(Some)];
    let silence = (customer, rule, above, hours);
    let silence = silence.prop_map(|(customer, rule, unless_above, hours)| Event::Silence {
        customer,
        rule,
        unless_above,
        hours,
    });
    prop_oneof![
        12 => poll,
        1 => Just(Event::Absent),
        2 => (0..SETS.len()).prop_map(Event::Reload),
        1 => Just(Event::Restart),
        4 => silence,
        2 => (0_usize..4).prop_map(Event::Expire),
        2 => (1_i64..60).prop_map(Event::Forward),
    ]
}

/// A rule of the sets below.
#[derive(Debug, Clone, Copy)]
struct Facts {
    name: &'static str,
    /// Whether it counts what is left, downwards.
    left: bool,
    steps: &'static [i64],
    then_every: Option<i64>,
    never_again: bool,
}

const fn spend(steps: &'static [i64], then_every: Option<i64>) -> Facts {
    Facts { name: "spend", left: false, steps, then_every, never_again: false }
}

const fn left(steps: &'static [i64], then_every: Option<i64>) -> Facts {
    Facts { name: "left", left: true, steps, then_every, never_again: false }
}

/// Sets of rules that a reload exchanges: steps come and go.
const SETS: [&[Facts]; 4] = [
    &[spend(&[80, 100, 150], Some(100)), left(&[40, 0], None)],
    &[spend(&[50, 80, 90, 150], None), left(&[90, 40, 0], Some(50))],
    &[spend(&[100, 300], Some(40)), left(&[0], None)],
    &[
        Facts { never_again: true, ..spend(&[80, 100], Some(100)) },
        Facts { never_again: true, ..left(&[40, 0], Some(100)) },
    ],
];

static CONFIGS: LazyLock<Vec<Config>> = LazyLock::new(|| {
    let rule = |facts: &Facts| {
        let Facts { name, left, steps, then_every, never_again } = facts;
        let at = |at: &i64| if *left { format!("{{ SEK = {at} }}") } else { at.to_string() };
        let steps: Vec<String> =
            steps.iter().map(|step| format!("{{ at = {} }}", at(step))).collect();
        let every =
            then_every.map_or(String::new(), |every| format!("then_every = {}\n", at(&every)));
        let metric = if *left { "amount_left" } else { "percent_used" };
        let rearm = if *never_again { "never" } else { "on-raise" };
        format!(
            "[rules.{name}]\nmetric = \"{metric}\"\nnotify = [\"hook\"]\nrearm = \
                \"{rearm}\"\nsteps = [{}]\n{every}",
            steps.join(", ")
        )
    };
    SETS.iter().map(|set| World::new(&set.iter().map(rule).collect::<String>()).config()).collect()
});

/// What is read of the customer.
#[derive(Debug, Clone, Copy)]
struct Read {
    month: i64,
    cost: i64,
    budget: Option<i64>,
}

/// Where the value of a rule stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    Number(Decimal),
    OverZero,
}

impl Facts {
    /// None without a budget.
    fn value(&self, read: Read) -> Option<Value> {
        let (cost, budget) = (read.cost, read.budget?);
        Some(match (budget, self.left) {
            (_, true) => Value::Number((budget - cost).into()),
            (0, false) if cost > 0 => Value::OverZero,
            (0, false) => Value::Number(Decimal::ZERO),
            (_, false) => {
                let percent = Decimal::new(cost.max(0) * 100_000 / budget + 5, 3);
                Value::Number(percent.round_dp_with_strategy(2, RoundingStrategy::ToZero))
            }
        })
    }

    /// Whether one step or value is as far along the ladder as another.
    fn at_or_beyond(&self, one: Decimal, other: Decimal) -> bool {
        if self.left { one <= other } else { one >= other }
    }

    fn reaches(&self, value: Value, step: Decimal) -> bool {
        match value {
            Value::Number(value) => self.at_or_beyond(value, step),
            Value::OverZero => true,
        }
    }

    /// The highest step that is reached; over a budget of zero the highest written one is meant.
    fn highest(&self, read: Read) -> Option<Decimal> {
        let value = self.value(read)?;
        let last = self.steps.last().copied();
        if value == Value::OverZero {
            return last.map(Decimal::from);
        }
        let direction = if self.left { -1 } else { 1 };
        let endless =
            (1..40).filter_map(|count| Some(last? + self.then_every? * count * direction));
        self.steps
            .iter()
            .copied()
            .chain(endless)
            .map(Decimal::from)
            .take_while(|step| self.reaches(value, *step))
            .last()
    }
}

/// An alert, by its key.
#[derive(Debug, Clone, Copy)]
struct Entry {
    rule: &'static str,
    at: Decimal,
    month: i64,
    amount: i64,
    /// How many polls had read the customer when it was raised.
    polls: usize,
    told: AlertWording,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum AlertWording {
    Told,
    Hidden,
    /// Another was told in its place, or its period was over before anybody was.
    Never,
}

/// The world beside the product: what is true in it, and what was told.
struct Witness {
    replay: Replay,
    set: usize,
    now: Timestamp,
    /// The latest data of the latest month.
    current: Option<Read>,
    seen: Vec<Read>,
    newest: Option<Timestamp>,
    silences: Vec<Silence>,
    alerts: Vec<Entry>,
}

fn told_once(events: &[Event]) {
    let mut witness = Witness {
        replay: Replay::new(&CONFIGS[0].budgets, &CONFIGS[0].rules),
        set: 0,
        now: first_of(0),
        current: None,
        seen: Vec::new(),
        newest: None,
        silences: Vec::new(),
        alerts: Vec::new(),
    };
    for (number, event) in events.iter().enumerate() {
        witness.now += SignedDuration::from_hours(1);
        witness
            .happens(event)
            .unwrap_or_else(|wrong| panic!("event {number} of {events:#?}: {wrong}"));
    }
}

/// Months that do not touch, so that no cost is carried over.
fn first_of(month: i64) -> Timestamp {
    let first = jiff::civil::date(2024, 1, 1) + (2 * month).months();
    first.to_zoned(TimeZone::UTC).unwrap().timestamp()
}

fn record(read: Read, date: Timestamp) -> UsageRecord {
    UsageRecord {
        customer: CustomerId::try_new("C").unwrap(),
        subscription: None,
        name: "Customer C".into(),
        plan: Plan::AzurePlan,
        cost: read.cost.into(),
        currency: Some(Currency::try_new("SEK").unwrap()),
        usd_cost: None,
        budget: read.budget.map(Decimal::from),
        reported_percent: None,
        usage_as_of: UsageDate::at(date),
    }
}

impl Witness {
    fn happens(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::Poll { month, hour, cost, budget } => {
                let latest = self.current.map_or(0, |read| read.month);
                self.poll(Some((
                    Read { month: (latest + month).max(0), cost: *cost, budget: *budget },
                    *hour,
                )))?;
            }
            Event::Absent => self.poll(None)?,
            Event::Reload(set) => {
                self.set = *set;
                self.replay.reload(&CONFIGS[*set].budgets, &CONFIGS[*set].rules);
            }
            Event::Restart => self.replay = self.replay.restarted(),
            Event::Silence { customer, rule, unless_above, hours } => {
                self.silence(*customer, *rule, *unless_above, *hours);
            }
            Event::Expire(number) => {
                if let Some(silence) = self.silences.get_mut(*number) {
                    silence.expired_at = silence.expired_at.or(Some(self.now));
                    self.replay.expire(silence.id, self.now);
                }
            }
            Event::Forward(hours) => self.now += SignedDuration::from_hours(*hours),
        }
        Ok(())
    }

    fn silence(
        &mut self,
        customer: Option<&str>,
        rule: Option<&str>,
        unless_above: Option<i64>,
        hours: Option<i64>,
    ) {
        let globs =
            |text: Option<&str>| text.iter().map(|text| Glob::try_new(text).unwrap()).collect();
        let mut silence = Silence {
            id: 0,
            customers: globs(customer),
            rules: globs(rule),
            unless_above: unless_above.map(Decimal::from),
            created_at: self.now,
            as_of: self.newest.unwrap_or(self.now),
            ends_at: hours.map(|hours| self.now + SignedDuration::from_hours(hours)),
            author: "alice".into(),
            reason: "agreed".into(),
            expired_at: None,
        };
        silence.id = self.replay.silence(Silence { as_of: Timestamp::MIN, ..silence.clone() });
        self.silences.push(silence);
    }

    /// Whether something silences a value of a rule in a month's data now.
    fn is_silenced(&self, facts: &Facts, value: Value, month: i64) -> bool {
        self.silences.iter().any(|silence| {
            let lasts = silence
                .ends_at
                .map_or_else(|| first_of(month) <= silence.as_of, |end| self.now < end);
            let above = match (silence.unless_above, value) {
                (Some(limit), Value::Number(value)) => value > limit,
                (limit, Value::OverZero) => limit.is_some(),
                (None, _) => false,
            };
            let other_rule =
                silence.rules.iter().any(|glob| (glob.as_str() == "spend") == facts.left);
            let other_customer = silence.customers.iter().any(|glob| glob.as_str() == "X");
            lasts && silence.expired_at.is_none() && !above && !other_rule && !other_customer
        })
    }

    fn poll(&mut self, read: Option<(Read, i64)>) -> Result<(), String> {
        let date = read.map(|(read, hour)| first_of(read.month) + SignedDuration::from_hours(hour));
        let records = read.zip(date).map(|((read, _), date)| record(read, date));
        let replayed = self.replay.poll(self.now, records);
        let read = read.map(|(read, _)| read);
        let before = self.current;
        if let Some(read) =
            read.filter(|read| before.is_none_or(|before| read.month >= before.month))
        {
            self.current = Some(read);
        }
        self.newest = date.or(self.newest);
        let mut unexpected = replayed.raised.len() + replayed.released.len();
        for facts in SETS[self.set] {
            let own = |alerts: &[NewAlert]| -> Vec<NewAlert> {
                alerts.iter().filter(|new| new.snapshot.alert.rule == facts.name).cloned().collect()
            };
            let (raised, released) = (own(&replayed.raised), own(&replayed.released));
            unexpected -= raised.len() + released.len();
            let raised = self.raised(facts, read, before, &raised);
            raised
                .and_then(|()| self.released(facts, &released))
                .map_err(|wrong| format!("{}: {wrong}\n{:#?}", facts.name, self.alerts))?;
        }
        self.seen.extend(read);
        if unexpected == 0 { Ok(()) } else { Err("an alert of no rule".into()) }
    }

    /// Whether what a poll raises, or that it raises nothing, is right.
    fn raised(
        &mut self,
        facts: &Facts,
        read: Option<Read>,
        before: Option<Read>,
        raised: &[NewAlert],
    ) -> Result<(), String> {
        let reached = read
            .and_then(|read| Some((read, facts.value(read)?, facts.highest(read)?, read.budget?)));
        let (Some((read, value, highest, amount)), [] | [_]) = (reached, raised) else {
            return if raised.is_empty() {
                Ok(())
            } else {
                Err("alerts without a step, or two at once".into())
            };
        };
        let in_month = self
            .alerts
            .iter()
            .filter(|alert| alert.rule == facts.name && alert.month == read.month);
        let spent: Vec<&Entry> =
            in_month.filter(|alert| facts.at_or_beyond(alert.at, highest)).collect();
        let most = spent.iter().map(|alert| alert.amount).max();
        let below =
            |read: Read| facts.value(read).is_some_and(|value| !facts.reaches(value, highest));
        let last_below = before.is_some_and(|last| {
            last.month == read.month && below(Read { budget: Some(amount), ..last })
        });
        let itself = spent.iter().any(|alert| alert.at == highest);
        let since = spent.iter().map(|alert| alert.polls).max().unwrap_or_default();
        let seen_below = |since: usize| {
            let mut seen = self.seen.iter().skip(since).filter(|seen| seen.month == read.month);
            seen.any(|seen| seen.budget > most && below(*seen))
        };
        let Some(alert) = raised.first() else {
            return match most {
                None => Err(format!("no alert at {highest}")),
                Some(most)
                    if amount > most
                        && (last_below || itself && seen_below(since))
                        && !facts.never_again =>
                {
                    Err(format!("no alert again at {highest}, raised from {most} to {amount}"))
                }
                Some(_) => Ok(()),
            };
        };
        let (at, silenced) =
            (alert.snapshot.alert.threshold, alert.snapshot.alert.state == AlertState::Silenced);
        match most {
            _ if at != highest => return Err(format!("an alert at {at} instead of {highest}")),
            _ if silenced != self.is_silenced(facts, value, read.month) => {
                return Err(format!("silenced: {silenced}"));
            }
            Some(_) if facts.never_again => {
                return Err(format!("an alert again at {highest}, which is never to be"));
            }
            Some(most) if amount <= most => {
                return Err(format!("an alert again at {highest} under {amount}, after {most}"));
            }
            Some(_) if !last_below && !seen_below(since) => {
                return Err(format!("an alert again at {highest}, never seen below"));
            }
            _ => {}
        }
        let told = if silenced { AlertWording::Hidden } else { AlertWording::Told };
        self.alerts.push(Entry {
            rule: facts.name,
            at,
            month: read.month,
            amount,
            polls: self.seen.len(),
            told,
        });
        Ok(())
    }

    /// Whether what a poll tells of what was hidden, or that it tells nothing of it, is right.
    fn released(&mut self, facts: &Facts, released: &[NewAlert]) -> Result<(), String> {
        let Some(current) = self.current else { return Ok(()) };
        let own: Vec<usize> =
            (0..self.alerts.len()).filter(|index| self.alerts[*index].rule == facts.name).collect();
        for index in &own {
            let alert = &mut self.alerts[*index];
            if alert.told == AlertWording::Hidden && alert.month < current.month {
                alert.told = AlertWording::Never;
            }
        }
        let value = facts.value(current).filter(|_| facts.highest(current).is_some());
        let is_true = |alert: &Entry| {
            alert.month == current.month
                && value.is_some_and(|value| facts.reaches(value, alert.at))
        };
        let silenced = value.is_some_and(|value| self.is_silenced(facts, value, current.month));
        let higher_told = |index: usize, later: bool| {
            let alert = self.alerts[index];
            own.iter()
                .filter(|other| (**other > index) == later)
                .map(|other| self.alerts[*other])
                .any(|other| {
                    let higher = facts.at_or_beyond(other.at, alert.at)
                        && (later || other.at != alert.at && is_true(&other));
                    other.told == AlertWording::Told && other.month == alert.month && higher
                })
        };
        let due = |index: &&usize| {
            self.alerts[**index].told == AlertWording::Hidden
                && is_true(&self.alerts[**index])
                && !silenced
        };
        let due: Vec<usize> = own.iter().filter(due).copied().collect();
        let open = due.iter().copied().filter(|index| !higher_told(*index, true));
        let best = open.reduce(|best, index| {
            if facts.at_or_beyond(self.alerts[index].at, self.alerts[best].at) {
                index
            } else {
                best
            }
        });
        // One that was told before, is higher and still true excuses, but does not forbid.
        let must = best.filter(|index| !higher_told(*index, false));
        match released {
            [] if must.is_some() => {
                return Err(format!("nothing told of {:?}", self.alerts[must.unwrap()]));
            }
            [] => {}
            [new] => {
                let alert = &new.snapshot.alert;
                let index =
                    best.ok_or_else(|| format!("told of {} without need", alert.threshold))?;
                let best = &mut self.alerts[index];
                let amount = alert.budget.as_ref().map(|budget| budget.amount);
                let same = (best.at, Some(best.amount.into()), first_of(best.month))
                    == (alert.threshold, amount, alert.billing_period.start);
                if !same || alert.state != AlertState::Raised {
                    return Err(format!(
                        "told of {} under {amount:?} instead of {best:?}",
                        alert.threshold
                    ));
                }
                best.told = AlertWording::Told;
            }
            _ => return Err("two of a rule told at once".into()),
        }
        for index in due {
            let alert = &mut self.alerts[index];
            alert.told = if alert.told == AlertWording::Told {
                AlertWording::Told
            } else {
                AlertWording::Never
            };
        }
        Ok(())
    }
}
