//! An alert as a line of text, by all that it must be.

use std::fmt;

use budget_alertd::domain::{AlertSnapshot, AlertState, canonical};
use budget_alertd::ledger::AlertRow;
use jiff::Timestamp;

use super::number::{Number, written};
use super::owed;

pub(super) struct Line<'a> {
    pub(super) customer: &'a str,
    pub(super) rule: &'a str,
    pub(super) at: String,
    pub(super) passed: String,
    pub(super) value: String,
    pub(super) budget: Option<String>,
    pub(super) before: Option<String>,
    pub(super) period: (Timestamp, Timestamp, &'a str),
    pub(super) severity: &'a str,
    pub(super) marks: [(bool, &'static str); 3],
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            customer, rule, at, passed, value, severity, period: (start, end, source), ..
        } = self;
        let budget = self.budget.as_deref().unwrap_or("none");
        let before =
            self.before.as_deref().map(|before| format!(", after {before}")).unwrap_or_default();
        write!(
            f,
            "{customer} {rule} {at} [{passed}]: {value} of {budget}{before}, {start} .. {end} \
                {source}, {severity}"
        )?;
        self.marks.iter().filter(|(is, _)| *is).try_for_each(|(_, mark)| write!(f, ", {mark}"))
    }
}

pub(super) fn ascending(mut steps: Vec<Number>) -> String {
    steps.sort_unstable();
    steps.into_iter().map(written).collect::<Vec<_>>().join(" ")
}

/// The line of an alert that the program raised.
pub(super) fn raised(snapshot: &AlertSnapshot) -> String {
    let alert = &snapshot.alert;
    let passed: Vec<String> = alert.passed.iter().map(ToString::to_string).collect();
    let period = alert.billing_period;
    Line {
        customer: alert.customer.id.as_str(),
        rule: &alert.rule,
        at: alert.threshold.to_string(),
        passed: passed.join(" "),
        value: alert.number().map_or("over zero".to_owned(), |value| canonical(value).to_string()),
        budget: alert.budget.as_ref().map(|budget| canonical(budget.amount).to_string()),
        before: alert
            .budget
            .as_ref()
            .and_then(|budget| budget.previous_amount)
            .map(|before| canonical(before).to_string()),
        period: (period.start, period.end, period.source.as_str()),
        severity: alert.severity.as_str(),
        marks: [
            (snapshot.context.carried_over, "carried over"),
            (alert.baseline, "baseline"),
            (alert.state == AlertState::Silenced, "silenced"),
        ],
    }
    .to_string()
}

/// How often an alert was told to whom, as the ledger has it.
pub(super) fn told(row: &AlertRow) -> String {
    let alert = &row.snapshot.alert;
    let told = row
        .deliveries
        .iter()
        .map(|one| (one.notifier.as_str(), one.pending + one.sent + one.dead))
        .collect();
    owed::line(
        alert.customer.id.as_str(),
        alert.metric.as_str(),
        &alert.threshold.to_string(),
        alert.raised_at,
        told,
    )
}
