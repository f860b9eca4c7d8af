//! One usage record with all that bears on what is decided about it: placed in its billing period,
//! judged by every rule, compared with what is remembered.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::alerting::decide::{Decided, decide};
use crate::alerting::judging::{judge, last_seen};
use crate::alerting::memory::RememberedCustomer;
use crate::budgets::{FreshSummary, Joined, PeriodMemory};
use crate::domain::{Judged, NamedPeriods};
use crate::rules::Rules;

/// A usage record that is to be decided about.
#[derive(Debug, Clone)]
pub(crate) struct Case<'a> {
    /// The record with its budget.
    pub(crate) joined: Joined,
    /// What is remembered of the customer.
    pub(crate) remembered: Option<&'a RememberedCustomer>,
    /// The billing periods that answers named.
    pub(crate) named: &'a NamedPeriods,
    /// What the source has just said of the period.
    pub(crate) fresh: Option<&'a FreshSummary>,
    /// When it is looked at, where the age of its data counts.
    pub(crate) aged: Option<Timestamp>,
}

impl Case<'_> {
    /// What the rules say of it, and what is new of that.
    pub(crate) fn decide(self, rules: &Rules) -> (Judged, Decided) {
        let last = self.remembered.map(|remembered| last_seen(&remembered.seen));
        self.decide_after(last, rules)
    }

    /// The same, as if it were no late data of the billing period before.
    pub(crate) fn decide_in_new_period(self, rules: &Rules) -> (Judged, Decided) {
        let last = self.remembered.map(|remembered| PeriodMemory {
            closing_cost: Decimal::ZERO,
            ..last_seen(&remembered.seen)
        });
        self.decide_after(last, rules)
    }

    fn decide_after(self, last: Option<PeriodMemory>, rules: &Rules) -> (Judged, Decided) {
        let assessed = self.joined.place(last.as_ref(), self.named, self.fresh);
        let judged = judge(rules, assessed, self.remembered, self.named, self.aged);
        let decided = decide(&judged, self.remembered);
        (judged, decided)
    }
}
