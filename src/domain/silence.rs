//! A silence: what is recorded but not delivered for a time, by whose order and why.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::domain::{Alert, BillingPeriod, Glob, MetricValue, is_ahead};

/// Keeps alerts of some customers and rules from being delivered.
#[derive(Debug, Clone)]
pub struct Silence {
    /// Its number.
    pub id: i64,
    /// Patterns of a customer's id, name or label; empty = all customers.
    pub customers: Vec<Glob>,
    /// Patterns of rule names; empty = all rules.
    pub rules: Vec<Glob>,
    /// Values above this are delivered all the same.
    pub unless_above: Option<Decimal>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The newest date of the data when it was made: time in billing periods is that of the data.
    /// The ledger sets it.
    pub as_of: Timestamp,
    /// When it ends; `None`: with each customer's billing period that holds `as_of`. Late data of
    /// the period before is covered too.
    pub ends_at: Option<Timestamp>,
    /// Who made it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When somebody ended it before its time.
    pub expired_at: Option<Timestamp>,
}

/// What a silence is asked about: an alert with its value of now.
#[derive(Debug, Clone, Copy)]
pub struct Silenceable<'a> {
    /// The customer's id as received.
    pub customer: &'a str,
    /// The customer's name as received.
    pub name: &'a str,
    /// The name we call it by.
    pub label: Option<&'a str>,
    /// The rule's name.
    pub rule: &'a str,
    /// The value; none where it is not known, which counts as above everything.
    pub value: Option<MetricValue>,
    /// The alert's billing period.
    pub period: BillingPeriod,
    /// Whether it is about a security alert: only a silence that names its rule covers it.
    pub security: bool,
}

impl<'a> Silenceable<'a> {
    /// An alert as it was raised.
    pub fn of(alert: &'a Alert) -> Self {
        Self {
            customer: alert.customer.id.as_str(),
            name: &alert.customer.name,
            label: alert.customer.label.as_deref(),
            rule: &alert.rule,
            value: alert.value,
            period: alert.billing_period,
            security: alert.security.is_some(),
        }
    }
}

impl Silence {
    /// Whether it covers an alert at `now`.
    pub fn covers(&self, alert: &Silenceable<'_>, now: Timestamp) -> bool {
        let in_force = self.expired_at.is_none_or(|at| now < at)
            && self.ends_at.map_or_else(|| alert.period.start <= self.as_of, |end| now < end);
        let customer = [Some(alert.customer), Some(alert.name), alert.label];
        let any = |globs: &[Glob], texts: &[Option<&str>]| {
            globs.is_empty() || globs.iter().any(|glob| glob.fits_any(texts.iter().copied()))
        };
        let value = alert.value.and_then(MetricValue::number);
        // Over a budget of zero is above everything.
        let above = self.unless_above.is_some_and(|limit| value.is_none_or(|value| value > limit));
        in_force
            && !above
            && any(&self.customers, &customer)
            && any(&self.rules, &[Some(alert.rule)])
            && (!alert.security || self.names_rules())
    }

    /// Whether it is for some rules, rather than for whatever there is.
    fn names_rules(&self) -> bool {
        self.rules.iter().any(|glob| !glob.as_str().trim_matches('*').is_empty())
    }

    /// Covers a rule under its new name as well, where it covers it under the one before; returns
    /// whether that is new.
    pub fn rename_rule(&mut self, before: &str, now: &str) -> bool {
        let covers = |name: &str| self.rules.iter().any(|glob| glob.fits_any([Some(name)]));
        let renamed = if covers(before) && !covers(now) { Glob::try_new(now).ok() } else { None };
        let is_new = renamed.is_some();
        self.rules.extend(renamed);
        is_new
    }

    /// Whether it may cover anything now. One that was made or ended by a clock that was ahead does
    /// not: it would hide alerts until the clock has caught up.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.expired_at.is_none() && !is_ahead(self.created_at, now) && !self.is_over(now)
    }

    /// Whether at some instant it could no longer cover anything, whatever the customer's billing
    /// period: none is longer than 63 days, and its data comes for 3 more.
    pub fn is_over(&self, at: Timestamp) -> bool {
        let longest = jiff::SignedDuration::from_hours(66 * 24);
        self.expired_at.is_some_and(|ended| ended <= at)
            || self
                .ends_at
                .map_or_else(|| at.duration_since(self.created_at) > longest, |end| end <= at)
    }
}
