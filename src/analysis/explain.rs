//! Explains one customer: what the next poll would decide if its record stayed as it was last seen,
//! by the very stages that a poll goes through, so that an explanation cannot say anything else.
//! How it is told is the command's.

use std::sync::Arc;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::alerting::judging::{AsOf, judged_again, record};
use crate::alerting::lifecycle::silenceable;
use crate::alerting::{Raise, RecordedStep, RememberedCustomer, decide};
use crate::budgets::{self, BudgetOddity};
use crate::domain::{
    Assessed, BillingPeriod, FormulaInputs, Judged, MetricValue, Reason, RuleFacts, Silence,
    Silenceable, SpikeReading, Verdict,
};
use crate::rules::Rules;

/// All that bears on one customer.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The last seen record under today's configuration, in its billing period.
    pub assessed: Assessed,
    /// What is wrong with its local budget.
    pub oddity: Option<BudgetOddity>,
    /// One for each rule, in the order of the configuration.
    pub rules: Vec<RuleAccount>,
}

/// What one rule makes of the customer.
#[derive(Debug, Clone)]
pub struct RuleAccount {
    /// The rule.
    pub rule: Arc<RuleFacts>,
    /// What it says of the record, whatever was raised before.
    pub verdict: Verdict,
    /// What comes of it, and why.
    pub reason: Reason,
    /// The alert that the next poll would raise.
    pub raise: Option<Raise>,
    /// Its steps that were raised or passed in the billing period.
    pub spent: Vec<RecordedStep>,
    /// What the metric's formula was given beside cost and budget.
    pub inputs: Option<FormulaInputs>,
    /// What a rule about spikes has read.
    pub spike: Option<SpikeReading>,
    /// The silences that cover it now, with its value.
    pub silences: Vec<Silence>,
}

impl RuleAccount {
    /// The highest budget amount that its steps were spent under: only a higher one re-arms them.
    pub fn spent_under(&self) -> Option<Decimal> {
        self.spent.iter().filter_map(|step| step.amount).max()
    }
}

/// Explains what is remembered of a customer under a configuration, beside all silences there are.
pub fn explain(
    budgets: &budgets::Config,
    rules: &Rules,
    remembered: &RememberedCustomer,
    silences: &[Silence],
    time: AsOf,
) -> Explanation {
    let now = time.now;
    let oddity = budgets.join(record(&remembered.seen)).oddity;
    let judged = judged_again(budgets, rules, remembered, time);
    let mut decided = decide(&judged, Some(remembered));
    let Judged { assessed, evaluations } = judged;
    let accounts = evaluations.into_iter().zip(std::mem::take(&mut decided.reasons)).map(
        |(evaluation, (rule, reason))| RuleAccount {
            raise: decided.raise.iter().find(|raise| raise.rule.name == rule.name).cloned(),
            spent: spent(&rule, &assessed.period, remembered),
            inputs: applies(&evaluation.verdict)
                .then(|| rule.metric.formula_inputs(&assessed.inputs()))
                .flatten(),
            silences: covering(silences, &assessed, &rule, &evaluation.verdict, now),
            spike: evaluation.spike,
            verdict: evaluation.verdict,
            reason,
            rule,
        },
    );
    let rules = accounts.collect();
    Explanation { assessed, oddity, rules }
}

fn applies(verdict: &Verdict) -> bool {
    !matches!(verdict, Verdict::NotApplicable(_))
}

/// The silences that would cover an alert of the rule now.
fn covering(
    silences: &[Silence],
    assessed: &Assessed,
    rule: &RuleFacts,
    verdict: &Verdict,
    now: Timestamp,
) -> Vec<Silence> {
    let value = match verdict {
        Verdict::NotApplicable(_) => return Vec::new(),
        Verdict::Below { value, .. } => MetricValue::Number(*value),
        Verdict::Crossed { value, .. } => *value,
    };
    let asked = Silenceable { value: Some(value), ..silenceable(assessed, &rule.name) };
    silences
        .iter()
        .filter(|silence| silence.created_at <= now && silence.covers(&asked, now))
        .cloned()
        .collect()
}

/// The steps of a rule, under its name or the former one, that belong to the period.
fn spent(
    rule: &RuleFacts,
    period: &BillingPeriod,
    remembered: &RememberedCustomer,
) -> Vec<RecordedStep> {
    let own = |step: &&RecordedStep| {
        step.metric == rule.metric
            && (step.rule == rule.name || rule.formerly.as_ref() == Some(&step.rule))
    };
    remembered
        .steps
        .iter()
        .filter(|step| period.holds(step.belongs_at))
        .filter(own)
        .cloned()
        .collect()
}
