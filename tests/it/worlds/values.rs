//! The value of each metric and the steps it has reached, from the words of the promise alone: each
//! is rounded once, at the end.

use jiff::{SignedDuration, Timestamp};

use super::number::{Number, ONE, half_up};
use super::periods::Period;
use super::rules::{Rule, Step, reached};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    Number(Number),
    /// Cost over a budget of zero.
    OverZero,
}

/// A date of the data that was read before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Earlier {
    pub(super) date: Timestamp,
    pub(super) cost: Number,
    pub(super) carried: bool,
}

/// What a metric is computed from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) cost: Number,
    pub(super) usd: Option<Number>,
    pub(super) budget: Option<Number>,
    /// Where the budget in force is Partner Center's.
    pub(super) percent: Option<Number>,
    pub(super) date: Timestamp,
    pub(super) period: Period,
    pub(super) carried: bool,
    pub(super) earlier: &'a [Earlier],
}

/// In hundredths of a percent, to ten-thousandths.
fn percent(part: i128, whole: i128) -> Number {
    half_up(part, whole) * 100
}

/// The value; none where an input is missing.
pub(super) fn value(metric: &str, facts: &Facts<'_>) -> Option<Value> {
    let cost = facts.cost.max(0);
    let over_zero = |number: i128| if number > 0 { Value::OverZero } else { Value::Number(0) };
    Some(match metric {
        "percent_used" => match facts.budget? {
            0 => over_zero(cost),
            budget => Value::Number(percent(cost * 10_000, budget).max(facts.percent.unwrap_or(0))),
        },
        "forecast_percent" => {
            let (budget, (elapsed, length)) = (facts.budget?, elapsed(facts)?);
            if elapsed < 48 * 3600 {
                return None;
            }
            if budget == 0 {
                over_zero(cost)
            } else {
                Value::Number(percent(10_000 * cost * length, elapsed * budget))
            }
        }
        "pace" => {
            let (budget, (elapsed, length)) = (facts.budget?, elapsed(facts)?);
            if budget == 0 {
                return Some(if cost > 0 {
                    Value::OverZero
                } else {
                    Value::Number(percent(-10_000 * elapsed, length))
                });
            }
            let computed = percent(10_000 * (cost * length - elapsed * budget), budget * length);
            let reported = facts
                .percent
                .map(|reported| percent(reported * length - 100 * ONE * elapsed, 100 * length));
            Value::Number(computed.max(reported.unwrap_or(computed)))
        }
        "amount_over" => Value::Number(facts.cost - facts.budget?),
        "amount_left" => Value::Number(facts.budget? - facts.cost),
        "total_cost" => Value::Number(facts.cost),
        "usd_total_cost" => Value::Number(facts.usd?),
        "unbudgeted_cost" => facts.budget.is_none().then_some(Value::Number(facts.cost))?,
        "daily_cost" => {
            let (rise, seconds) = rise(facts)?;
            Value::Number(percent(rise * 86_400, seconds * 100))
        }
        "daily_percent" => {
            let ((rise, seconds), budget) = (rise(facts)?, facts.budget?);
            if budget == 0 {
                over_zero(rise)
            } else {
                Value::Number(percent(10_000 * rise * 86_400, seconds * budget))
            }
        }
        other => panic!("no metric {other}"),
    })
}

/// The seconds of the period that are over, and all of them.
fn elapsed(facts: &Facts<'_>) -> Option<(i128, i128)> {
    let seconds = |span: SignedDuration| i128::from(span.as_secs());
    let Period { start, end, .. } = facts.period;
    (!facts.carried)
        .then(|| (seconds(facts.date.duration_since(start)), seconds(end.duration_since(start))))
}

/// The rise since the date before, at least an hour ago, and the seconds between the two. There is
/// none where the date before is more than three days ago, nor where it only brings back what a
/// correction took away.
fn rise(facts: &Facts<'_>) -> Option<(Number, i128)> {
    if facts.carried {
        return None;
    }
    let of_period = |earlier: &&Earlier| {
        !earlier.carried && facts.period.holds(earlier.date) && earlier.date < facts.date
    };
    let before: Vec<&Earlier> = facts.earlier.iter().filter(of_period).collect();
    let ago = |earlier: &Earlier| facts.date.duration_since(earlier.date);
    let nearest = before.iter().map(|earlier| ago(earlier)).min()?;
    let last = before
        .iter()
        .filter(|earlier| ago(earlier) >= SignedDuration::from_hours(1))
        .max_by_key(|earlier| earlier.date)?;
    let highest = before.iter().map(|earlier| earlier.cost).max()?;
    if nearest > SignedDuration::from_hours(72)
        || facts.cost < last.cost
        || highest > last.cost && facts.cost <= highest
    {
        return None;
    }
    Some((facts.cost - highest, i128::from(ago(last).as_secs())))
}

/// Every step that a value has reached, from the first; of those beyond the last written one the
/// highest and the 50 before it.
pub(super) fn crossed(rule: &Rule, value: Value) -> Vec<Step> {
    let Value::Number(value) = value else { return rule.steps.clone() };
    let mut steps: Vec<Step> = rule
        .steps
        .iter()
        .take_while(|step| reached(rule.metric, value, step.at))
        .cloned()
        .collect();
    let (Some(every), Some(last)) = (rule.then_every, rule.steps.last()) else { return steps };
    let (mut beyond, mut next) = (Vec::new(), last.clone());
    loop {
        next.at += if rule.metric == "amount_left" { -every } else { every };
        if !reached(rule.metric, value, next.at) || steps.len() < rule.steps.len() {
            break;
        }
        beyond.push(next.clone());
    }
    steps.extend(beyond.split_off(beyond.len().saturating_sub(51)));
    steps
}
