//! What a rule about Microsoft's security alerts says of one: whether it is for it, and the steps
//! that its hours have reached.

use rust_decimal::Decimal;

use crate::domain::{
    Budget, Crossing, Currency, CustomerId, Glob, Metric, Plan, Profile, SecurityAlert, same_name,
};
use crate::rules::{BudgetRange, Rule, Selection};

/// A security alert that has not been answered, and what is known of its customer.
#[derive(Debug, Clone, Copy)]
pub struct SecuritySubject<'a> {
    /// The security alert.
    pub alert: &'a SecurityAlert,
    /// How old it is.
    pub hours: Decimal,
    /// The customer.
    pub customer: &'a CustomerId,
    /// The customer's name; may be empty.
    pub name: &'a str,
    /// What the local configuration says of the customer.
    pub profile: &'a Profile,
    /// What is known of its usage.
    pub usage: Option<SubjectUsage>,
}

/// What is known of a customer's usage, as far as rules select by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubjectUsage {
    /// How it buys Azure.
    pub plan: Plan,
    /// Its currency.
    pub currency: Option<Currency>,
    /// The budget in force.
    pub budget: Option<Budget>,
    /// Its cost in US dollars.
    pub usd_cost: Option<Decimal>,
}

/// Words of Microsoft's that a condition can name. One that an alert has beside these is unknown,
/// and fits every condition.
const SEVERITIES: [&str; 4] = ["informational", "low", "medium", "high"];
const CONFIDENCES: [&str; 3] = ["low", "medium", "high"];

impl Rule {
    /// The steps that a security alert has reached; none for other rules, for alerts that the rule
    /// does not select, and below its first step.
    pub(crate) fn security_crossing(&self, subject: &SecuritySubject<'_>) -> Option<Crossing> {
        let profile = subject.profile;
        let muted = profile.mute_rules.iter().any(|muted| **muted == *self.facts().name);
        let is_for_it = self.facts().metric == Metric::SecurityAlertHours
            && !muted
            && self.spec().selection.takes(subject);
        if !is_for_it {
            return None;
        }
        self.ladder(None).ok()?.crossing(subject.hours, &profile.notify)
    }
}

impl Selection {
    /// Whether a security alert is selected. A condition on what is not known holds.
    fn takes(&self, subject: &SecuritySubject<'_>) -> bool {
        let alert = subject.alert;
        let any = |globs: &[Glob]| globs.iter().any(|glob| fits(glob, subject));
        let tagged = |wanted: &str| subject.profile.tags.iter().any(|tag| same_name(wanted, tag));
        let kind = Some(alert.kind.trim()).filter(|kind| !kind.is_empty());
        (self.customers.is_empty() || any(&self.customers))
            && !any(&self.exclude)
            && (self.tags.is_empty() || self.tags.iter().any(|tag| tagged(tag)))
            && self.takes_usage(subject.usage)
            && (self.alert_types.is_empty()
                || kind.is_none()
                || self.alert_types.iter().any(|glob| glob.fits_any([kind])))
            && fits_word(&self.alert_severity, &alert.severity, &SEVERITIES)
            && fits_word(&self.confidence, &alert.confidence, &CONFIDENCES)
    }

    fn takes_usage(&self, usage: Option<SubjectUsage>) -> bool {
        let Some(usage) = usage else { return true };
        let in_currency = |currency: Currency| self.currency.contains(&currency);
        let costs = |least: Decimal| usage.usd_cost.is_none_or(|cost| cost >= least);
        self.plan.is_none_or(|plan| plan == usage.plan)
            && (self.currency.is_empty() || usage.currency.is_none_or(in_currency))
            && self.budget.is_none_or(|range: BudgetRange| range.contains(usage.budget))
            && self.usd_at_least.is_none_or(costs)
    }
}

fn fits(glob: &Glob, subject: &SecuritySubject<'_>) -> bool {
    let (id, name) = (subject.customer.as_str(), subject.name);
    glob.fits_any([Some(id), Some(name), subject.profile.label.as_deref()])
}

fn fits_word(wanted: &[Box<str>], word: &str, known: &[&str]) -> bool {
    let is = |other: &str| word.trim().eq_ignore_ascii_case(other);
    wanted.is_empty() || wanted.iter().any(|one| is(one.trim())) || !known.iter().any(|one| is(one))
}
