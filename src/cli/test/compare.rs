//! How the alerts of one poll differ from those that a test expects.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use strum::IntoStaticStr;

use crate::alerting::NewAlert;
use crate::cli::text::clean;
use crate::config::Expected;
use crate::domain::{Severity, canonical};
use crate::rules::Rules;

/// One difference.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    /// Which poll of the test, from 1.
    pub(super) poll: usize,
    /// When it was.
    pub(super) at: Timestamp,
    /// In which way.
    pub(super) kind: Kind,
    /// The customer, as written or received.
    customer: String,
    /// The rule.
    rule: String,
    /// What it is about, in words.
    pub(super) text: String,
}

/// In which way alerts differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[derive(IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub(super) enum Kind {
    /// It is expected and was not raised.
    Missing,
    /// It was raised and is not expected.
    Unexpected,
    /// It was raised otherwise than expected.
    Different,
}

impl Kind {
    /// The word in front of it.
    pub(super) fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The differences of one poll: its number from 1 and its time.
pub(super) fn compare(
    poll: (usize, Timestamp),
    expected: &[Expected],
    mut raised: Vec<NewAlert>,
    rules: &Rules,
) -> Vec<Difference> {
    let difference = |kind, customer: &str, rule: &str, what: String| {
        let text = format!("{}, rule {}: {what}", clean(customer), clean(rule));
        Difference {
            poll: poll.0,
            at: poll.1,
            kind,
            customer: customer.to_owned(),
            rule: rule.to_owned(),
            text,
        }
    };
    let mut differences = Vec::new();
    for wanted in expected {
        let same = |new: &NewAlert| {
            new.snapshot.alert.customer.id == wanted.customer
                && new.snapshot.alert.rule == wanted.rule
        };
        let Some(found) = raised.iter().position(same).map(|found| raised.remove(found)) else {
            let what = unraised(wanted, rules);
            differences.push(difference(
                Kind::Missing,
                wanted.customer.as_str(),
                &wanted.rule,
                what,
            ));
            continue;
        };
        let parts = parts(wanted, &found);
        if !parts.is_empty() {
            differences.push(difference(
                Kind::Different,
                found.snapshot.alert.customer.id.as_str(),
                &wanted.rule,
                parts.join("; "),
            ));
        }
    }
    for new in raised {
        let alert = &new.snapshot.alert;
        differences.push(difference(
            Kind::Unexpected,
            alert.customer.id.as_str(),
            &alert.rule,
            said(&new),
        ));
    }
    differences
}

/// What is wanted of an alert that was not raised.
fn unraised(wanted: &Expected, rules: &Rules) -> String {
    if rules.facts().all(|rule| *rule.name != *wanted.rule) {
        let names: Vec<String> = rules.facts().map(|rule| clean(&rule.name)).collect();
        return format!("there is no such rule; there are {}", names.join(", "));
    }
    wanted.at.map_or_else(
        || "no alert was raised".to_owned(),
        |at| format!("no alert was raised, expected one at {}", canonical(at)),
    )
}

/// What was raised, in words.
fn said(new: &NewAlert) -> String {
    let alert = &new.snapshot.alert;
    let passed = if alert.passed.is_empty() {
        String::new()
    } else {
        format!(", passed {}", numbers(&alert.passed))
    };
    let severity = alert.severity.as_str();
    format!(
        "{severity} at {}, value {}{passed}, to {}",
        alert.threshold,
        value(alert.number()),
        names(&new.notify)
    )
}

/// Each part that is otherwise than wanted.
fn parts(wanted: &Expected, found: &NewAlert) -> Vec<String> {
    let alert = &found.snapshot.alert;
    let mut parts = Vec::new();
    let mut part = |what: &str, is: String, wanted: Option<String>| {
        parts.extend(
            wanted
                .filter(|wanted| *wanted != is)
                .map(|wanted| format!("{what} is {is}, expected {wanted}")),
        );
    };
    part("at", alert.threshold.to_string(), wanted.at.map(number));
    part("value", value(alert.number()), wanted.value.map(number));
    part(
        "severity",
        alert.severity.as_str().to_owned(),
        wanted.severity.map(Severity::as_str).map(str::to_owned),
    );
    part("passed", numbers(&alert.passed), wanted.passed.as_deref().map(numbers));
    let mut notify = found.notify.clone();
    notify.sort_unstable();
    part("notify", names(&notify), wanted.notify.as_ref().map(|notify| names(notify)));
    let budget =
        alert.budget.as_ref().map_or_else(|| "none".to_owned(), |budget| number(budget.amount));
    part("budget", budget, wanted.budget.map(number));
    part(
        "baseline",
        alert.baseline.to_string(),
        wanted.baseline.map(|baseline| baseline.to_string()),
    );
    parts
}

fn value(value: Option<Decimal>) -> String {
    value.map_or_else(|| "over a budget of zero".to_owned(), number)
}

fn number(number: Decimal) -> String {
    canonical(number).to_string()
}

fn numbers(list: &[Decimal]) -> String {
    let list: Vec<String> = list.iter().copied().map(number).collect();
    if list.is_empty() { "none".to_owned() } else { list.join(" ") }
}

fn names(names: &[impl AsRef<str>]) -> String {
    names.iter().map(|name| clean(name.as_ref())).collect::<Vec<_>>().join(" ")
}
