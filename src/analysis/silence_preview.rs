//! What a silence reaches now: how many customers it fits, and which of their rules that are over a
//! step it keeps silent. Judged from the last seen records by the very stages that a poll goes
//! through.

use std::cmp::Reverse;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alerting::judging::AsOf;
use crate::alerting::judging::judged_again;
use crate::alerting::judging::look_back;
use crate::alerting::lifecycle::silenceable;
use crate::alerting::{CustomerState, OpenAlert, RememberedCustomer};
use crate::budgets;
use crate::domain::{
    AlertState, Assessed, Currency, CustomerId, CustomerView, Evaluation, Glob, Judged, Metric,
    Severity, Silence, Silenceable, Verdict,
};
use crate::ledger::{LedgerError, Reader};
use crate::rules::Rules;

/// No more crossings than these are named.
const MOST_NAMED: usize = 10;

/// What a silence reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilencePreview {
    /// How many customers it fits.
    pub customers: u64,
    /// How many pairs of customer and rule that are over a step now it keeps silent.
    pub crossing: u64,
    /// The worst of them, worst first.
    pub worst: Vec<Hidden>,
    /// How many alerts that were told it keeps from being told again.
    pub reminders: u64,
    /// Patterns that fit nothing, in words.
    pub warnings: Vec<String>,
}

/// A customer over a step of a rule, which a silence keeps silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    /// The customer's id as received.
    pub customer_id: CustomerId,
    /// What people call it.
    pub customer: String,
    /// The rule.
    pub rule: String,
    /// What it measures.
    pub metric: Metric,
    /// The severity of the highest step reached.
    pub severity: Severity,
    /// The highest step reached.
    #[serde(with = "rust_decimal::serde::str")]
    pub threshold: Decimal,
    /// The value; none over a budget of zero.
    #[serde(with = "crate::domain::exact")]
    pub value: Option<Decimal>,
    /// The customer's currency.
    pub currency: Option<Currency>,
    /// The latest alert of the rule that is not over.
    pub alert: Option<Uuid>,
    /// Whether that was told already, so that only its reminders stop.
    #[serde(default)]
    pub told: bool,
    /// Whether that would be told again.
    pub reminds: bool,
}

/// Severity, then US dollars of cost, then the share of the budget: larger is worse.
type Rank = (Severity, Option<Decimal>, Option<Decimal>);

/// What a silence reaches now.
pub(crate) fn reach(
    reader: &Reader,
    budgets: &budgets::Config,
    rules: &Rules,
    silence: &Silence,
    now: Timestamp,
) -> Result<SilencePreview, LedgerError> {
    let fitted = vec![false; silence.customers.len()];
    let newest = reader.poll_memory()?.newest;
    let mut survey = Survey {
        reader,
        budgets,
        rules,
        silence,
        now,
        newest,
        fitted,
        is_empty: true,
        customers: 0,
        hidden: Vec::new(),
    };
    let mut failure = Ok(());
    reader.each_seen(|seen| {
        survey.is_empty = false;
        if failure.is_ok() && survey.fits(&seen) {
            failure = survey.take(seen);
        }
    })?;
    failure?;
    Ok(survey.into_reach())
}

/// What is found on the way through all customers.
struct Survey<'a> {
    reader: &'a Reader,
    budgets: &'a budgets::Config,
    rules: &'a Rules,
    silence: &'a Silence,
    now: Timestamp,
    newest: Option<Timestamp>,
    /// Which patterns fit anybody.
    fitted: Vec<bool>,
    /// Whether no customer has been read yet.
    is_empty: bool,
    customers: u64,
    hidden: Vec<(Rank, Hidden)>,
}

impl Survey<'_> {
    fn fits(&mut self, seen: &CustomerState) -> bool {
        let local = self.budgets.customers.get(&seen.customer.key());
        let label = local.and_then(|local| local.profile.label.as_deref());
        let called = [Some(seen.customer.as_str()), Some(seen.name.as_str()), label];
        let mut fits = self.silence.customers.is_empty();
        for (glob, fitted) in self.silence.customers.iter().zip(&mut self.fitted) {
            if glob.fits_any(called) {
                (*fitted, fits) = (true, true);
            }
        }
        fits
    }

    fn take(&mut self, seen: CustomerState) -> Result<(), LedgerError> {
        self.customers += u64::from(seen.subscription.is_none());
        let key = seen.key();
        let with_history = if look_back(self.rules) { self.reader.current(&key)? } else { None };
        let remembered = with_history.unwrap_or_else(|| RememberedCustomer {
            seen,
            steps: Vec::new(),
            samples: Vec::new(),
            spikes: Vec::new(),
            pushed: None,
        });
        let judged = judged_again(
            self.budgets,
            self.rules,
            &remembered,
            AsOf { now: self.now, newest: self.newest },
        );
        let covered: Vec<_> = judged
            .evaluations
            .iter()
            .filter_map(|one| covered(one, &judged, self.silence, self.now))
            .collect();
        if !covered.is_empty() {
            let open = self.reader.open_alerts(&key)?;
            self.hidden.extend(
                covered.into_iter().map(|one| (rank(&one, &judged), with_alert(one, &open))),
            );
        }
        Ok(())
    }

    fn into_reach(mut self) -> SilencePreview {
        self.hidden.sort_by(|(a, one), (b, other)| {
            (Reverse(a), &one.customer, &one.rule).cmp(&(Reverse(b), &other.customer, &other.rule))
        });
        SilencePreview {
            customers: self.customers,
            crossing: count(self.hidden.len()),
            reminders: count(self.hidden.iter().filter(|(_, one)| one.reminds).count()),
            warnings: self.warnings(self.silence, self.rules),
            worst: self.hidden.into_iter().take(MOST_NAMED).map(|(_, one)| one).collect(),
        }
    }

    fn warnings(&self, silence: &Silence, rules: &Rules) -> Vec<String> {
        let names: Vec<&str> = rules.facts().map(|rule| &*rule.name).collect();
        let unread = self.is_empty.then(|| "no customer has been read yet".to_owned());
        let nobody = silence
            .customers
            .iter()
            .zip(&self.fitted)
            .filter(|(_, fitted)| !**fitted && !self.is_empty);
        let nobody = nobody.map(|(glob, _)| {
            format!("no customer has an id, a name or a label like \"{}\"", glob.as_str())
        });
        let unknown = |glob: &&Glob| !glob.fits_any(names.iter().map(|name| Some(*name)));
        let unknown = silence.rules.iter().filter(unknown);
        unread
            .into_iter()
            .chain(nobody)
            .chain(unknown.map(|glob| {
                format!(
                    "no rule is called like \"{}\"; there are: {}",
                    glob.as_str(),
                    names.join(", ")
                )
            }))
            .collect()
    }
}

/// What the silence keeps silent of one rule, if its value has reached a step.
fn covered(
    evaluation: &Evaluation,
    judged: &Judged,
    silence: &Silence,
    now: Timestamp,
) -> Option<Hidden> {
    let Verdict::Crossed { value, crossing } = &evaluation.verdict else { return None };
    let (assessed, rule) = (&judged.assessed, &evaluation.rule);
    let step = crossing.highest()?;
    let asked = Silenceable { value: Some(*value), ..silenceable(assessed, &rule.name) };
    silence.covers(&asked, now).then(|| Hidden {
        customer_id: assessed.record.customer.clone(),
        customer: called(assessed),
        rule: rule.name.to_string(),
        metric: rule.metric,
        severity: step.severity,
        threshold: step.at,
        value: value.number(),
        currency: assessed.currency,
        alert: None,
        told: false,
        reminds: false,
    })
}

fn called(assessed: &Assessed) -> String {
    let (record, label) = (&assessed.record, assessed.profile.label.clone());
    CustomerView {
        id: record.customer.clone(),
        name: record.name.clone(),
        label,
        plan: record.plan,
    }
    .called()
    .to_owned()
}

/// The same with the latest alert of the rule.
fn with_alert(hidden: Hidden, open: &[OpenAlert]) -> Hidden {
    let alert = open
        .iter()
        .rev()
        .find(|alert| *alert.rule == hidden.rule && alert.snapshot.alert.metric == hidden.metric);
    let is_told = |alert: &OpenAlert| alert.snapshot.alert.state == AlertState::Raised;
    let reminds = alert
        .is_some_and(|alert| is_told(alert) && alert.remind_every.is_some() && !alert.acknowledged);
    // Another step is not told yet, and one of a daily metric may be so of another day only.
    let is_same = |alert: &OpenAlert| {
        alert.snapshot.alert.threshold == hidden.threshold && !hidden.metric.is_daily()
    };
    let told = alert.is_some_and(|alert| is_told(alert) && is_same(alert));
    Hidden { alert: alert.map(|alert| alert.snapshot.alert.id), told, reminds, ..hidden }
}

fn rank(hidden: &Hidden, judged: &Judged) -> Rank {
    let record = &judged.assessed.record;
    (hidden.severity, record.usd_cost, judged.assessed.computed_percent)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
