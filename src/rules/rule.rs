//! One compiled rule: its ladders, its selection, and its verdict on a record.

use std::collections::BTreeSet;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::domain::spike::Floor;
use crate::domain::{
    Assessed, Currency, Direction, Evaluation, Inputs, Metric, MetricValue, Reason, RuleFacts,
    SpikeReading, Verdict, canonical,
};
use crate::rules::ladder::{Ladder, Rung};
use crate::rules::spike::{floors, spike_verdict};
use crate::rules::{At, RuleError, RuleSpec, StepSpec};

/// A rule that can be evaluated.
#[derive(Debug, Clone)]
pub struct Rule {
    facts: Arc<RuleFacts>,
    spec: RuleSpec,
    /// One without a currency, or one for each.
    ladders: Vec<(Option<Currency>, Ladder)>,
}

impl Rule {
    /// Compiles a rule, or says everything that is wrong with it.
    pub fn try_new(spec: RuleSpec) -> Result<Self, Vec<RuleError>> {
        let mut errors = forms(&spec);
        errors.extend(orders(&spec));
        errors.extend(distances(&spec, &errors));
        errors.extend(floors(&spec));
        if spec.metric != Metric::SecurityAlertHours && spec.selection.is_about_security() {
            errors.push(RuleError::SecurityOfAnother);
        }
        let silent = |step: &StepSpec| step.notify.as_ref().unwrap_or(&spec.notify).is_empty();
        errors.extend(
            spec.steps
                .iter()
                .enumerate()
                .filter(|(_, step)| silent(step))
                .map(|(step, _)| RuleError::NobodyTold { step }),
        );
        if !errors.is_empty() {
            return Err(errors);
        }
        let ladders = currencies(&spec)
            .into_iter()
            .filter_map(|currency| Some((currency, ladder(&spec, currency)?)))
            .collect();
        let facts = Arc::new(RuleFacts {
            name: spec.name.clone(),
            formerly: spec.formerly.clone(),
            description: spec.description.clone(),
            metric: spec.metric,
            rearm: spec.rearm,
        });
        Ok(Self { facts, spec, ladders })
    }

    /// The rule as its alerts know it.
    pub fn facts(&self) -> &Arc<RuleFacts> {
        &self.facts
    }

    /// The rule as it was written.
    pub fn spec(&self) -> &RuleSpec {
        &self.spec
    }

    /// What the rule says of a record.
    pub(crate) fn evaluate(&self, assessed: &Assessed, inputs: &Inputs) -> Evaluation {
        let refusal = self.refusal(assessed);
        let ladder = self.ladder(assessed.currency);
        let written = ladder.ok().filter(|_| refusal.is_none()).map(Ladder::written);
        let (verdict, spike) = match (refusal, ladder) {
            (Some(refusal), _) => (Verdict::NotApplicable(refusal), None),
            (None, Ok(ladder)) if self.facts.metric == Metric::Spike => {
                match self.spike_reading(ladder, assessed, inputs) {
                    Ok(spike) => (spike_verdict(ladder, &spike, assessed), Some(spike)),
                    Err(reason) => (Verdict::NotApplicable(reason), None),
                }
            }
            (None, ladder) => (self.verdict(ladder, assessed, inputs), None),
        };
        Evaluation { rule: Arc::clone(&self.facts), verdict, spike, written }
    }

    fn spike_reading(
        &self,
        ladder: &Ladder,
        assessed: &Assessed,
        inputs: &Inputs,
    ) -> Result<SpikeReading, Reason> {
        let floor = self.floor(assessed, inputs)?;
        if assessed.carried_over {
            return Err(Reason::TurnOfPeriod);
        }
        let spending = assessed.spending.as_ref().ok_or(Reason::NoEarlierDate)?;
        let reading = spending.read(|name| self.facts.is_called(name))?;
        Ok(SpikeReading { reading, floor, lowest: ladder.first_at() })
    }

    fn floor(&self, assessed: &Assessed, inputs: &Inputs) -> Result<Floor, Reason> {
        self.spec.floor.of(assessed.currency, inputs.budget).ok_or(Reason::NoFloor)
    }

    fn verdict(
        &self,
        ladder: Result<&Ladder, Reason>,
        assessed: &Assessed,
        inputs: &Inputs,
    ) -> Verdict {
        let (value, ladder) = match (self.facts.metric.value(inputs), ladder) {
            (Err(missing), _) => return Verdict::NotApplicable(missing.into()),
            (Ok(_), Err(reason)) => return Verdict::NotApplicable(reason),
            (Ok(value), Ok(ladder)) => (value, ladder),
        };
        let also = &assessed.profile.notify;
        match value {
            MetricValue::OverZero => Verdict::Crossed { value, crossing: ladder.whole(also) },
            MetricValue::Number(number) => match ladder.crossing(number, also) {
                Some(crossing) => Verdict::Crossed { value, crossing },
                None => Verdict::Below { value: number, next_at: ladder.first_at() },
            },
        }
    }

    /// The threshold of the first step, where it is a bare number.
    pub(crate) fn first_at(&self) -> Option<Decimal> {
        self.ladders
            .iter()
            .find(|(currency, _)| currency.is_none())
            .map(|(_, ladder)| ladder.first_at())
    }

    /// Why the rule can never alert about this customer as it is now; it computes no value.
    pub(crate) fn never(&self, assessed: &Assessed, inputs: &Inputs) -> Option<Reason> {
        let metric = self.facts.metric;
        let missing = if metric.reads_budget() && inputs.budget.is_none() {
            Some(Reason::NoBudget)
        } else if metric == Metric::UnbudgetedCost && inputs.budget.is_some() {
            Some(Reason::HasBudget)
        } else if metric == Metric::UsdTotalCost && inputs.usd_cost.is_none() {
            Some(Reason::NoUsdCost)
        } else if metric == Metric::Spike {
            self.floor(assessed, inputs).err()
        } else {
            self.ladder(assessed.currency).err()
        };
        self.refusal(assessed).or(missing)
    }

    fn refusal(&self, assessed: &Assessed) -> Option<Reason> {
        if self.facts.metric == Metric::SecurityAlertHours {
            return Some(Reason::ForSecurityAlerts);
        }
        if assessed.profile.mute_rules.iter().any(|muted| **muted == *self.facts.name) {
            return Some(Reason::Muted);
        }
        if assessed.record.subscription.is_some() && !self.facts.metric.is_for_subscriptions() {
            return Some(Reason::NotForSubscriptions);
        }
        self.spec.selection.refusal(assessed)
    }

    pub(crate) fn ladder(&self, currency: Option<Currency>) -> Result<&Ladder, Reason> {
        let wanted = if self.facts.metric.is_money() {
            Some(currency.ok_or(Reason::CurrencyUnknown)?)
        } else {
            None
        };
        let found = self.ladders.iter().find(|(currency, _)| *currency == wanted);
        found.map(|(_, ladder)| ladder).ok_or(Reason::CurrencyWithoutStep)
    }
}

/// The currencies that any step is given in; one `None` for bare numbers.
fn currencies(spec: &RuleSpec) -> BTreeSet<Option<Currency>> {
    spec.steps.iter().flat_map(|step| step.at.numbers()).map(|(currency, _)| currency).collect()
}

fn ladder(spec: &RuleSpec, currency: Option<Currency>) -> Option<Ladder> {
    let mut rungs = spec.steps.iter().filter_map(|step| {
        let notify = step.notify.as_ref().unwrap_or(&spec.notify);
        Some(Rung {
            at: canonical(step.at.in_currency(currency)?),
            severity: step.severity,
            notify: notify.iter().cloned().collect(),
            remind_every: step.remind_every.or(spec.remind_every),
        })
    });
    let first = rungs.next()?;
    let then_every = spec.then_every.as_ref().and_then(|every| every.in_currency(currency));
    Some(Ladder::new(first, rungs.collect(), then_every, spec.metric.direction()))
}

/// Bare numbers and amounts where the metric wants the other, and negative steps.
fn forms(spec: &RuleSpec) -> Vec<RuleError> {
    let metric = spec.metric;
    let mut errors = Vec::new();
    if spec.steps.is_empty() {
        errors.push(RuleError::NoSteps);
    }
    let steps = spec.steps.iter().enumerate().map(|(index, step)| (Some(index), &step.at));
    for (step, at) in steps.chain(spec.then_every.iter().map(|every| (None, every))) {
        match at {
            At::Number(_) if metric.is_money() => {
                errors.push(RuleError::BareNumber { step, metric });
            }
            At::ByCurrency(_) if !metric.is_money() => {
                errors.push(RuleError::AmountsByCurrency { step, metric });
            }
            At::ByCurrency(amounts) if amounts.is_empty() => {
                errors.push(RuleError::NoAmount { step });
            }
            At::Number(_) | At::ByCurrency(_) => {}
        }
        let may_be_negative =
            matches!(metric, Metric::AmountOver | Metric::AmountLeft | Metric::Pace);
        let negative = at.numbers().iter().any(|(_, number)| *number < Decimal::ZERO);
        if let Some(step) = step.filter(|_| negative && !may_be_negative) {
            errors.push(RuleError::Negative { step, metric });
        } else if metric == Metric::Spike
            && let (Some(step), At::Number(times)) = (step, at)
            && *times <= Decimal::ONE
        {
            errors.push(RuleError::NotAboveOne { step });
        }
    }
    errors
}

/// Steps that are not strictly beyond the one before, in each currency.
fn orders(spec: &RuleSpec) -> Vec<RuleError> {
    let metric = spec.metric;
    let mut errors = Vec::new();
    for currency in currencies(spec) {
        let mut before: Option<Decimal> = None;
        for (step, at) in spec
            .steps
            .iter()
            .enumerate()
            .filter_map(|(step, spec)| Some((step, spec.at.in_currency(currency)?)))
        {
            if let Some(before) = before.filter(|before| metric.direction().reached(*before, at)) {
                errors.push(RuleError::OutOfOrder { step, metric, currency, at, before });
            }
            before = Some(at);
        }
    }
    errors
}

/// Distances of `then_every` that lead nowhere, as far as what is wrong already leaves them a
/// meaning.
fn distances(spec: &RuleSpec, wrong: &[RuleError]) -> Vec<RuleError> {
    let is_form = |error: &&RuleError| {
        !matches!(
            error,
            RuleError::OutOfOrder { .. }
                | RuleError::Negative { .. }
                | RuleError::NotAboveOne { .. }
        )
    };
    // A step of the wrong form may be meant for any currency; `then_every` of the wrong form for
    // none.
    let (own, steps): (Vec<_>, Vec<_>) =
        wrong.iter().filter(is_form).partition(|error| error.step().is_none());
    let mut errors = Vec::new();
    for (currency, every) in spec.then_every.iter().flat_map(At::numbers).filter(|_| own.is_empty())
    {
        let last = spec.steps.iter().rev().find_map(|step| step.at.in_currency(currency));
        match (last, currency) {
            _ if every <= Decimal::ZERO => errors.push(RuleError::ThenEveryTooSmall),
            (Some(last), _) if next(spec.metric, last, every) == last => {
                errors.push(RuleError::ThenEveryTooSmall);
            }
            (None, Some(currency)) if steps.is_empty() => {
                errors.push(RuleError::ThenEveryWithoutStep(currency));
            }
            _ => {}
        }
    }
    errors
}

fn next(metric: Metric, last: Decimal, every: Decimal) -> Decimal {
    match metric.direction() {
        Direction::Up => last.saturating_add(every),
        Direction::Down => last.saturating_sub(every),
    }
}
