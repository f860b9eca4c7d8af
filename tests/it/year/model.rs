//! What must be told, from the words of the promise alone: a model that remembers every fact of a
//! customer and looks through all of them each time. It shares no code with the program.
//!
//! * A step fires at or above its threshold, for what is left at or below it; over a budget of zero
//!   the highest written one.
//! * Each step alerts once for each customer, rule and billing period; a jump makes one alert, at
//!   the highest.
//! * It alerts again only under an amount above every amount it alerted under, and only after the
//!   customer was seen below it since it last alerted, under such an amount, or with its last cost
//!   would have been.
//! * Data belongs to the billing period of its date, but cost dated in the first three days of a
//!   new period that is between the last cost of the old one and 1.25 times it is the old one's.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::{Decimal, RoundingStrategy};

use super::life::{Person, Usage};
use super::rules::{Amounts, Measure, RULES, Rule};

/// One alert, by all that it must be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    pub(crate) customer: String,
    pub(crate) poll: usize,
    pub(crate) rule: String,
    pub(crate) at: Decimal,
    pub(crate) period: (Timestamp, Timestamp),
    /// The budget in force, whatever the rule measures.
    pub(crate) budget: Option<Decimal>,
    /// None over a budget of zero.
    pub(crate) value: Option<Decimal>,
    pub(crate) passed: Vec<Decimal>,
    pub(crate) severity: String,
    pub(crate) notify: Vec<String>,
    pub(crate) baseline: bool,
}

/// A record with what it means.
#[derive(Clone)]
struct Fact {
    usage: Usage,
    period: (Timestamp, Timestamp),
    carried: bool,
    budget: Option<Decimal>,
    /// Whether the reported percentage is of the budget in force.
    reported: bool,
}

/// A step that was told of, and the number of facts before it.
struct Spent {
    rule: &'static str,
    at: Decimal,
    amount: Option<Decimal>,
    period: (Timestamp, Timestamp),
    facts: usize,
}

/// All that was ever seen and told of one customer.
pub(crate) struct Model {
    person: Person,
    facts: Vec<Fact>,
    /// The one that tells how the customer stands: late data of a period that is over does not.
    last: Option<usize>,
    spent: Vec<Spent>,
}

/// The value of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    Number(Decimal),
    OverZero,
}

impl Model {
    pub(crate) fn new(person: Person) -> Self {
        Self { person, facts: Vec::new(), last: None, spent: Vec::new() }
    }

    /// What one poll must raise.
    pub(crate) fn poll(&mut self, poll: usize, records: &[Usage]) -> Vec<Told> {
        let Some(usage) = records.iter().max_by_key(|usage| (usage.date, usage.cost)) else {
            return Vec::new();
        };
        let fact = self.fact(usage.clone());
        let mut told = Vec::new();
        for rule in RULES {
            told.extend(self.judge(poll, rule, &fact));
        }
        let over =
            |last: &Fact| fact.usage.date < last.usage.date && fact.period.1 <= last.period.0;
        if !self.last().is_some_and(over) {
            self.last = Some(self.facts.len());
        }
        self.facts.push(fact);
        told
    }

    fn last(&self) -> Option<&Fact> {
        self.facts.get(self.last?)
    }

    fn fact(&self, usage: Usage) -> Fact {
        let mut period = self.person.period(usage.date);
        let carried = self.carried_from(&usage, period);
        if let Some(old) = carried {
            period = old;
        }
        let currency = self.currency();
        let local = self
            .person
            .local_budget
            .filter(|(_, local)| currency.is_none_or(|currency| currency == *local));
        let budget = local.map(|(amount, _)| Decimal::from(amount)).or(usage.budget);
        Fact { period, carried: carried.is_some(), budget, reported: local.is_none(), usage }
    }

    /// The period before, if this is cost that was carried over from it.
    fn carried_from(
        &self,
        usage: &Usage,
        period: (Timestamp, Timestamp),
    ) -> Option<(Timestamp, Timestamp)> {
        let begun = self.facts.iter().any(|fact| fact.period == period);
        let old = self.person.period(period.0 - SignedDuration::from_secs(1));
        let last = self.facts.iter().rev().find(|fact| fact.period == old && !fact.carried)?;
        let closing = last.usage.cost;
        let between = usage.cost > Decimal::ZERO
            && closing <= usage.cost
            && usage.cost <= closing * Decimal::new(125, 2);
        let early = usage.date.duration_since(period.0) <= SignedDuration::from_hours(72);
        (!begun && between && early).then_some(old)
    }

    fn currency(&self) -> Option<&'static str> {
        self.person.currency.or(self.person.local_currency)
    }

    fn judge(&mut self, poll: usize, rule: &'static Rule, fact: &Fact) -> Option<Told> {
        if !self.applies(rule, fact) {
            return None;
        }
        let money = matches!(
            rule.measure,
            Measure::Left | Measure::Over | Measure::Total | Measure::Unbudgeted
        );
        let currency = if money { Some(self.currency()?) } else { None };
        let value = value(rule.measure, fact, fact.usage.cost, fact.budget, true)?;
        let ladder = ladder(rule, currency, value);
        let reads_budget = matches!(rule.measure, Measure::Percent | Measure::Left | Measure::Over);
        let amount = fact.budget.filter(|_| reads_budget);
        let (highest, below) = ladder.split_last()?;
        if !self.may_tell(rule, highest.at, fact, amount) {
            return None;
        }
        let passed: Vec<&Reached> =
            below.iter().filter(|step| self.may_tell(rule, step.at, fact, amount)).collect();
        let mut notify: Vec<String> = passed
            .iter()
            .copied()
            .chain([highest])
            .flat_map(|step| step.notify.iter().map(ToString::to_string))
            .collect();
        notify.extend(self.person.gold.then(|| "account".to_owned()));
        notify.sort();
        notify.dedup();
        // A message names the 50 steps next to the highest.
        let mut passed: Vec<Decimal> = passed.iter().rev().take(50).map(|step| step.at).collect();
        passed.sort();
        let told = Told {
            customer: self.person.id.clone(),
            poll,
            rule: rule.name.to_owned(),
            at: highest.at,
            period: fact.period,
            budget: fact.budget,
            value: match value {
                Value::Number(value) => Some(value),
                Value::OverZero => None,
            },
            passed,
            severity: highest.severity.to_owned(),
            notify,
            baseline: poll == 0,
        };
        self.spent.push(Spent {
            rule: rule.name,
            at: highest.at,
            amount,
            period: fact.period,
            facts: self.facts.len(),
        });
        Some(told)
    }

    /// Who is judged, by the rules' `match` and the customers' `mute_rules`.
    fn applies(&self, rule: &Rule, fact: &Fact) -> bool {
        let person = &self.person;
        match rule.name {
            "spend" => !person.name.contains("[Test]"),
            "once" => fact.usage.usd.is_none_or(|usd| usd >= Decimal::from(50)),
            "over" => {
                let size = Decimal::from(100)..Decimal::from(50_000);
                self.currency() == Some("SEK")
                    && fact.budget.is_some_and(|budget| size.contains(&budget))
            }
            "total" => !person.legacy && !person.muted,
            "dollars" => person.gold,
            _ => true,
        }
    }

    /// Whether a step may be told of under this amount, after all that happened in the period.
    fn may_tell(&self, rule: &Rule, at: Decimal, fact: &Fact, amount: Option<Decimal>) -> bool {
        let up = rule.measure != Measure::Left;
        // A step below one that was told of was passed.
        let spent = || {
            self.spent.iter().filter(|spent| {
                spent.rule == rule.name && spent.period == fact.period && reached(up, spent.at, at)
            })
        };
        let Some(last_told) = spent().map(|spent| spent.facts).max() else { return true };
        let (Some(amount), Some(most)) = (amount, spent().filter_map(|spent| spent.amount).max())
        else {
            return false;
        };
        if !rule.again || amount <= most {
            return false;
        }
        let below = |fact: &Fact, budget: Option<Decimal>, reported: bool| match value(
            rule.measure,
            fact,
            fact.usage.cost,
            budget,
            reported,
        ) {
            Some(Value::Number(value)) => !reached(up, value, at),
            _ => false,
        };
        let since = self.facts.iter().skip(last_told).filter(|seen| seen.period == fact.period);
        let seen = since
            .filter(|seen| seen.budget.is_some_and(|budget| budget > most))
            .any(|seen| below(seen, seen.budget, true));
        let last = self.last().filter(|last| last.period == fact.period);
        seen || last.is_some_and(|last| below(last, Some(amount), false))
    }
}

fn reached(up: bool, value: Decimal, at: Decimal) -> bool {
    if up { value >= at } else { value <= at }
}

fn value(
    measure: Measure,
    fact: &Fact,
    cost: Decimal,
    budget: Option<Decimal>,
    reported: bool,
) -> Option<Value> {
    Some(Value::Number(match measure {
        Measure::Percent => {
            let (cost, budget) = (cost.max(Decimal::ZERO), budget?);
            if budget.is_zero() {
                return Some(if cost.is_zero() {
                    Value::Number(Decimal::ZERO)
                } else {
                    Value::OverZero
                });
            }
            let computed = (cost * Decimal::ONE_HUNDRED / budget)
                .round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
            fact.usage
                .percent
                .filter(|_| reported && fact.reported)
                .map_or(computed, |percent| percent.max(computed))
        }
        Measure::Left => budget? - cost,
        Measure::Over => cost - budget?,
        Measure::Dollars => fact.usage.usd?,
        Measure::Unbudgeted if budget.is_some() => return None,
        Measure::Total | Measure::Unbudgeted => cost,
    }))
}

/// A step that a value has reached.
struct Reached {
    at: Decimal,
    severity: &'static str,
    notify: &'static [&'static str],
}

/// Every step that a value has reached, from the first.
fn ladder(rule: &Rule, currency: Option<&str>, value: Value) -> Vec<Reached> {
    let number = |amounts: Amounts| {
        amounts.iter().find(|(of, _)| *of == currency).map(|(_, number)| Decimal::new(*number, 2))
    };
    let written = rule
        .steps
        .iter()
        .filter_map(|(at, severity, notify)| Some(Reached { at: number(at)?, severity, notify }));
    let Value::Number(value) = value else { return written.collect() };
    let up = rule.measure != Measure::Left;
    let all: Vec<Reached> = written.collect();
    let last = all.last().map(|last| (last.at, last.severity, last.notify));
    let mut steps: Vec<Reached> =
        all.into_iter().take_while(|step| reached(up, value, step.at)).collect();
    if let (Some((mut at, severity, notify)), Some(every)) = (last, number(rule.every)) {
        loop {
            at = if up { at + every } else { at - every };
            if !reached(up, value, at) {
                break;
            }
            steps.push(Reached { at, severity, notify });
        }
    }
    steps
}
