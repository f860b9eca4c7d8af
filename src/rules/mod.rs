//! Compiles rules and evaluates assessed records, purely: what was reached, each with its reason.
//!
//! Left to others: reading the configuration (`config`), whether what was reached is new
//! (`alerting`).

mod floor;
mod ladder;
mod rule;
mod security;
mod selection;
mod sentence;
mod spec;
mod spike;

use std::collections::BTreeSet;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::fast::FixedState;
use rust_decimal::Decimal;

use crate::domain::{Assessed, Crossing, Evaluation, Glob, Metric, Reason, RuleFacts};

pub use floor::FloorSpec;
pub use rule::Rule;
pub use security::{SecuritySubject, SubjectUsage};
pub use selection::{BudgetRange, Selection};
pub use spec::{At, RuleError, RuleSpec, StepSpec};

/// Every rule of the configuration, in its order.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    rules: Vec<Rule>,
}

impl Rules {
    /// The rules, in the order of the configuration.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules }
    }

    /// What every rule says of one record: one evaluation each, in the order of the configuration.
    pub fn evaluate(&self, assessed: &Assessed) -> Vec<Evaluation> {
        let inputs = assessed.inputs();
        self.rules.iter().map(|rule| rule.evaluate(assessed, &inputs)).collect()
    }

    /// The age of data, in hours, from which on any rule has something to say of it; none where
    /// none measures it.
    pub fn stale_after(&self) -> Option<Decimal> {
        self.rules
            .iter()
            .filter(|rule| rule.facts().metric == Metric::StaleHours)
            .filter_map(Rule::first_at)
            .min()
    }

    /// Whether any rule judges by what was spent each day.
    pub fn look_for_spikes(&self) -> bool {
        self.rules.iter().any(|rule| rule.facts().metric == Metric::Spike)
    }

    /// What each rule about security alerts says of one that has not been answered: the steps that
    /// it has reached, of the rules that are for it.
    pub fn evaluate_security(
        &self,
        subject: &SecuritySubject<'_>,
    ) -> Vec<(&Arc<RuleFacts>, Crossing)> {
        self.rules
            .iter()
            .filter_map(|rule| Some((rule.facts(), rule.security_crossing(subject)?)))
            .collect()
    }

    /// Why no rule can ever alert about this customer as it is now: of all their reasons the one
    /// easiest to fix. `None` when one can.
    pub fn uncovered(&self, assessed: &Assessed) -> Option<Reason> {
        let inputs = assessed.inputs();
        let mut worst = Some(Reason::CustomerNotSelected);
        for rule in &self.rules {
            let reason = rule.never(assessed, &inputs)?;
            let telling = matches!(
                reason,
                Reason::NoBudget | Reason::NoFloor | Reason::CurrencyUnknown | Reason::Muted
            );
            worst = if telling && worst == Some(Reason::CustomerNotSelected) {
                Some(reason)
            } else {
                worst
            };
        }
        worst
    }

    /// The patterns that select customers, each with its rule's name.
    pub fn patterns(&self) -> impl Iterator<Item = (&str, &Glob)> {
        self.rules.iter().flat_map(|rule| {
            rule.spec().selection.customers.iter().map(|pattern| (&*rule.facts().name, pattern))
        })
    }

    /// The notifiers that any rule may tell about this customer as it is now.
    pub fn told<'a>(&'a self, assessed: &'a Assessed) -> BTreeSet<&'a str> {
        let inputs = assessed.inputs();
        let able = self.rules.iter().filter(|rule| rule.never(assessed, &inputs).is_none());
        able.flat_map(|rule| rule.spec().notifiers().chain(&assessed.profile.notify))
            .map(AsRef::as_ref)
            .collect()
    }

    /// The same for the same rules, most likely another one for other rules.
    pub fn fingerprint(&self) -> u64 {
        let specs: Vec<_> = self.rules.iter().map(Rule::spec).collect();
        FixedState::with_seed(0).hash_one(format!("{specs:?}"))
    }

    /// Every rule by its name, with the notifiers that it or any of its steps names.
    pub fn notifiers(&self) -> impl Iterator<Item = (&str, BTreeSet<&str>)> {
        self.rules
            .iter()
            .map(|rule| (&*rule.facts().name, rule.spec().notifiers().map(AsRef::as_ref).collect()))
    }

    /// Every rule as its alerts know it.
    pub fn facts(&self) -> impl Iterator<Item = &Arc<RuleFacts>> {
        self.rules.iter().map(Rule::facts)
    }

    /// What each rule means, one sentence each: whom it judges, by what, at which steps, and who is
    /// told.
    pub fn sentences(&self) -> Vec<String> {
        self.rules.iter().map(sentence::of).collect()
    }
}
