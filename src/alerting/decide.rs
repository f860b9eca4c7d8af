//! Decides what is new: pure, from what rules say of a customer now and what was raised and passed
//! before.

use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;

use crate::alerting::spikes::spike_run;
use crate::alerting::{RecordedStep, RememberedCustomer};
use crate::domain::spike::SpikeView;
use crate::domain::{
    CrossedStep, Crossing, Direction, Evaluation, Judged, MetricValue, Rearm, Reason, RuleFacts,
    Severity, SpikeReading, Verdict, utc_day,
};

/// A new alert, before it has an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raise {
    /// The rule.
    pub rule: Arc<RuleFacts>,
    /// The value.
    pub value: MetricValue,
    /// The highest step reached.
    pub at: Decimal,
    /// The severity of that step.
    pub severity: Severity,
    /// Lower steps newly passed by the same jump, ascending.
    pub passed: Vec<Decimal>,
    /// The notifiers of all steps newly passed, each once.
    pub notify: Vec<Box<str>>,
    /// For a step that alerts again: the highest amount it alerted under before.
    pub previous_amount: Option<Decimal>,
    /// The next step of the ladder.
    pub next_at: Option<Decimal>,
    /// How often it is told again while it is true; `None`: never.
    pub remind_every: Option<Duration>,
    /// The numbers of a spike.
    pub spike: Option<SpikeView>,
    /// Why it is raised.
    pub reason: Reason,
}

/// A lower step that is spent without an alert of its own: it was added below one that had been
/// raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatePass {
    /// The rule.
    pub rule: Arc<RuleFacts>,
    /// The step.
    pub at: Decimal,
    /// The alert that passed it.
    pub by: uuid::Uuid,
    /// The highest budget amount that the steps beyond it were spent under; none for metrics that
    /// read no budget.
    pub amount: Option<Decimal>,
}

/// What is new about one customer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decided {
    /// New alerts, at most one for each rule.
    pub raise: Vec<Raise>,
    /// Steps to be recorded as passed beside those of `raise`.
    pub late: Vec<LatePass>,
    /// Rows of steps the customer was seen below, and the amount it was seen under; `None`: not
    /// since the step last alerted.
    pub seen_below: Vec<(i64, Option<Decimal>)>,
    /// The reason of each rule's decision, in the order of the configuration.
    pub reasons: Vec<(Arc<RuleFacts>, Reason)>,
}

/// Decides for one customer.
pub fn decide(judged: &Judged, remembered: Option<&RememberedCustomer>) -> Decided {
    let mut decided = Decided::default();
    for evaluation in &judged.evaluations {
        let memory = Memory::of(evaluation, judged, remembered);
        let reason = memory.decide(evaluation, &mut decided);
        let late = memory.late_passes(
            evaluation,
            decided.raise.last().filter(|raise| raise.rule.name == evaluation.rule.name),
        );
        decided.late.extend(late);
        decided.reasons.push((Arc::clone(&evaluation.rule), reason));
    }
    decided
}

/// Whether a spike is no news: people were told of it before, and it has not grown by more than
/// 10 %. On a day that has alerted already only the steps decide, unless somebody has marked it who
/// may know of it.
fn is_told_spike(
    rule: &RuleFacts,
    spike: &SpikeReading,
    remembered: Option<&RememberedCustomer>,
    has_alerted: bool,
) -> bool {
    let run = spike_run(rule, spike, remembered);
    match run.today() {
        Some(today) if today.is_settled() => true,
        _ => !has_alerted && run.was_told(spike.reading.excess()),
    }
}

/// What is remembered of one customer and one rule in the record's billing period, for daily
/// metrics on the same day.
struct Memory<'a> {
    steps: Vec<&'a RecordedStep>,
    direction: Direction,
    /// The budget amount in force, for metrics that read it.
    amount: Option<Decimal>,
    /// The value that the last seen cost has under that amount.
    last_value: Option<Decimal>,
    /// Whether the spike of this day is no news.
    is_told_spike: bool,
}

/// Whether a step may alert.
enum StepStatus {
    New,
    /// It alerted under this amount at most, and may alert again.
    Rearmed(Decimal),
    Spent(Reason),
}

impl<'a> Memory<'a> {
    fn of(
        evaluation: &Evaluation,
        judged: &Judged,
        remembered: Option<&'a RememberedCustomer>,
    ) -> Self {
        let rule = &evaluation.rule;
        let period = &judged.assessed.period;
        let same_rule = |step: &RecordedStep| {
            step.rule == rule.name || rule.formerly.as_ref() == Some(&step.rule)
        };
        let day = utc_day(judged.assessed.belongs_at());
        let same_day =
            |step: &RecordedStep| !rule.metric.is_daily() || utc_day(step.belongs_at) == day;
        let steps = remembered.map_or_else(Vec::new, |remembered| {
            let in_period = remembered.steps.iter().filter(|step| period.holds(step.belongs_at));
            in_period
                .filter(|step| step.metric == rule.metric && same_rule(step) && same_day(step))
                .collect()
        });
        let amount = judged
            .assessed
            .budget
            .filter(|_| rule.metric.reads_budget())
            .map(|budget| budget.amount());
        let last_value = remembered.and_then(|remembered| {
            let seen = &remembered.seen;
            let in_period =
                seen.period.same_span(period) || period.holds(seen.usage_as_of.instant());
            let value = rule.metric.value(&seen.inputs_in(period, amount)).ok();
            value.and_then(MetricValue::number).filter(|_| in_period)
        });
        let is_told_spike = evaluation
            .spike
            .as_ref()
            .is_some_and(|spike| is_told_spike(rule, spike, remembered, !steps.is_empty()));
        Self { steps, direction: rule.metric.direction(), amount, last_value, is_told_spike }
    }

    fn decide(&self, evaluation: &Evaluation, decided: &mut Decided) -> Reason {
        match &evaluation.verdict {
            Verdict::NotApplicable(reason) => *reason,
            Verdict::Below { value, .. } => {
                self.notice_below(*value, decided);
                Reason::BelowFirstStep
            }
            Verdict::Crossed { value, crossing } => {
                if let MetricValue::Number(value) = value {
                    self.notice_below(*value, decided);
                }
                self.decide_crossing(evaluation, *value, crossing, decided)
            }
        }
    }

    fn decide_crossing(
        &self,
        evaluation: &Evaluation,
        value: MetricValue,
        crossing: &Crossing,
        decided: &mut Decided,
    ) -> Reason {
        let Some(highest) = crossing.highest() else { return Reason::BelowFirstStep };
        let rule = &evaluation.rule;
        let (reason, previous_amount) = match self.status_of(evaluation, highest.at) {
            StepStatus::New => (Reason::NewStep, None),
            StepStatus::Rearmed(amount) => (Reason::BudgetRaised, Some(amount)),
            StepStatus::Spent(reason) => return reason,
        };
        if self.is_told_spike {
            return Reason::ToldBefore;
        }
        let fresh: Vec<&CrossedStep> = crossing
            .steps
            .iter()
            .filter(|step| {
                step.at == highest.at
                    || !matches!(self.status_of(evaluation, step.at), StepStatus::Spent(_))
            })
            .collect();
        // That the customer was seen below before this alert says nothing about the time after it.
        let seen = self.steps.iter().filter(|step| {
            step.seen_below.is_some() && self.direction.at_or_beyond(highest.at, step.at)
        });
        decided.seen_below.extend(seen.map(|step| (step.row, None)));
        let mut passed: Vec<Decimal> =
            fresh.iter().map(|step| step.at).filter(|at| *at != highest.at).collect();
        passed.sort_unstable();
        let mut notify: Vec<Box<str>> = Vec::new();
        for name in fresh.iter().flat_map(|step| step.notify.iter()) {
            if !notify.contains(name) {
                notify.push(name.clone());
            }
        }
        decided.raise.push(Raise {
            rule: Arc::clone(rule),
            value,
            at: highest.at,
            severity: highest.severity,
            passed,
            notify,
            previous_amount,
            next_at: crossing.next_at,
            remind_every: highest.remind_every,
            spike: evaluation.spike.map(|spike| SpikeView::of(&spike.reading, spike.floor)),
            reason,
        });
        reason
    }

    /// The spent steps that are `at` or further along the ladder: a step below a raised one is
    /// passed.
    fn at_or_beyond(&self, at: Decimal) -> impl Iterator<Item = &'a RecordedStep> {
        self.steps.iter().copied().filter(move |step| self.direction.at_or_beyond(step.at, at))
    }

    fn is_without_row(&self, at: Decimal) -> bool {
        self.steps.iter().all(|spent| spent.at != at)
    }

    fn status_of(&self, evaluation: &Evaluation, at: Decimal) -> StepStatus {
        let rule = &evaluation.rule;
        let Some(most) = self.at_or_beyond(at).map(|step| step.amount).max() else {
            return StepStatus::New;
        };
        let raised_itself = self.steps.iter().any(|step| step.at == at && step.raised);
        let before = if raised_itself { Reason::AlreadyRaised } else { Reason::AlreadyPassed };
        match (self.amount, most) {
            (Some(amount), Some(most)) if amount > most => match rule.rearm {
                Rearm::Never => StepStatus::Spent(Reason::RearmNever),
                Rearm::OnRaise if self.was_below(evaluation, at, most) => StepStatus::Rearmed(most),
                Rearm::OnRaise => StepStatus::Spent(Reason::NotSeenBelow),
            },
            _ => StepStatus::Spent(before),
        }
    }

    /// Whether the customer was seen below `at` under an amount above `most` since that step was
    /// last raised or passed, or its last cost would have been. Below a step further along the
    /// ladder is not below this one. Of an endless step that has no row, for it was among more than
    /// are named, those before it tell; of one that was just added, the last cost alone.
    fn was_below(&self, evaluation: &Evaluation, at: Decimal, most: Decimal) -> bool {
        let is_written = evaluation
            .written
            .iter()
            .flat_map(|written| written.iter())
            .any(|written| *written == at);
        let implied = !is_written && self.is_without_row(at);
        let tells = |step: &&&RecordedStep| {
            step.at == at || implied && self.direction.at_or_beyond(at, step.at)
        };
        let seen = self.steps.iter().filter(tells).filter_map(|step| step.seen_below).max();
        seen.is_some_and(|under| under > most)
            || self.last_value.is_some_and(|value| !self.direction.reached(value, at))
    }

    /// Remembers that the customer is below spent steps under a higher amount than they were spent
    /// under; a rule that never re-arms may do so after a reload.
    fn notice_below(&self, value: Decimal, decided: &mut Decided) {
        let Some(amount) = self.amount else { return };
        for step in &self.steps {
            let most = self.at_or_beyond(step.at).filter_map(|step| step.amount).max();
            let higher = most.is_none_or(|most| amount > most)
                && step.seen_below.is_none_or(|under| amount > under);
            if higher && !self.direction.reached(value, step.at) {
                decided.seen_below.push((step.row, Some(amount)));
            }
        }
    }

    /// Written steps that have no row of their own, below one that has: they were added after that
    /// one was raised. Those that `raise` passes get theirs by it.
    fn late_passes(&self, evaluation: &Evaluation, raise: Option<&Raise>) -> Vec<LatePass> {
        if self.steps.is_empty() {
            return Vec::new();
        }
        let raised =
            |at: &Decimal| raise.is_some_and(|raise| raise.at == *at || raise.passed.contains(at));
        let unknown = evaluation.written.iter().flat_map(|written| written.iter()).copied();
        let unknown = unknown.filter(|at| self.is_without_row(*at) && !raised(at));
        unknown
            .filter_map(|at| {
                let by = self.at_or_beyond(at).next()?.alert;
                let amount = self.at_or_beyond(at).filter_map(|spent| spent.amount).max();
                Some(LatePass { rule: Arc::clone(&evaluation.rule), at, by, amount })
            })
            .collect()
    }
}
