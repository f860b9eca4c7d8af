//! A usage record joined with what we know of the customer: what rules judge.

use std::sync::Arc;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::domain::spike::Spending;
use crate::domain::{
    BillingPeriod, Budget, Currency, Evaluation, Inputs, MissingInput, Rise, Sample, Timing,
    UsageRecord,
};

/// Who a customer is to us, from the local configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Profile {
    /// The name we call it by.
    pub label: Option<String>,
    /// Free words that `match.tags` selects by.
    pub tags: Vec<String>,
    /// The customer's own mail addresses.
    pub contacts: Vec<String>,
    /// Who looks after it on our side.
    pub owner: Option<String>,
    /// Notifiers that are owed its alerts, in addition to the rule's.
    pub notify: Vec<Box<str>>,
    /// Rules that do not apply to it.
    pub mute_rules: Vec<Box<str>>,
}

/// A usage record with its currency, budget and billing period settled.
#[derive(Debug, Clone)]
pub struct Assessed {
    /// What was read.
    pub record: UsageRecord,
    /// What the local configuration says of the customer.
    pub profile: Arc<Profile>,
    /// The customer's currency, if known.
    pub currency: Option<Currency>,
    /// The budget in force.
    pub budget: Option<Budget>,
    /// The budget that exists too, but is not in force.
    pub other_budget: Option<Budget>,
    /// `totalCost / amount × 100` of the budget in force, rounded half-up to two decimals.
    pub computed_percent: Option<Decimal>,
    /// The billing period the record belongs to.
    pub period: BillingPeriod,
    /// Whether the record is dated in the next period but taken for late data of this one.
    pub carried_over: bool,
    /// How the cost rose since the date of the data before.
    pub rise: Result<Rise, MissingInput>,
    /// What was spent by day; none unless a rule asks for it.
    pub spending: Option<Arc<Spending>>,
    /// How old the data was when it was looked at, in hours; an error where only the collection as
    /// a whole is old.
    pub stale_hours: Result<Decimal, MissingInput>,
}

impl Assessed {
    /// The same beside earlier dates of the customer's data.
    #[must_use]
    pub fn after(mut self, earlier: &[Sample]) -> Self {
        let (at, cost) = (self.record.usage_as_of.instant(), self.record.cost);
        self.rise = if self.carried_over {
            Err(MissingInput::TurnOfPeriod)
        } else {
            Rise::since(earlier, &self.period, at, cost)
        };
        self
    }

    /// The same as looked at `now`, in a collection that is not old as a whole.
    #[must_use]
    pub fn seen_at(mut self, now: Timestamp) -> Self {
        let age = now.duration_since(self.record.usage_as_of.instant()).as_secs();
        self.stale_hours = Ok(crate::domain::inputs::hours(age.max(0)));
        self
    }

    /// What metrics are computed from.
    pub fn inputs(&self) -> Inputs {
        Inputs {
            cost: self.record.cost,
            usd_cost: self.record.usd_cost,
            budget: self.budget.map(|budget| budget.amount()),
            reported_percent: self.reported_percent(),
            timing: self.timing(),
            rise: self.rise,
            stale_hours: self.stale_hours,
        }
    }

    /// Where the data stands in its billing period.
    pub fn timing(&self) -> Result<Timing, MissingInput> {
        let timing =
            Timing::try_new(self.period.start, self.period.end, self.record.usage_as_of.instant());
        timing.filter(|_| !self.carried_over).ok_or(MissingInput::TurnOfPeriod)
    }

    /// `percentUsed`, where the budget in force is the one it was computed from.
    pub fn reported_percent(&self) -> Option<Decimal> {
        let in_force = self.budget?.source() == crate::domain::BudgetSource::PartnerCenter;
        self.record.reported_percent.filter(|_| in_force)
    }

    /// Whether the reported and the computed percentage are more than 0.01 apart.
    pub fn percents_disagree(&self) -> bool {
        match (self.reported_percent(), self.computed_percent) {
            (Some(reported), Some(computed)) => {
                reported.saturating_sub(computed).abs() > Decimal::new(1, 2)
            }
            _ => false,
        }
    }

    /// The instant that places its alerts in a billing period: `usage_as_of`, or the end of the
    /// period for cost that was carried over from it.
    pub fn belongs_at(&self) -> Timestamp {
        if self.carried_over {
            self.period.last_instant()
        } else {
            self.record.usage_as_of.instant()
        }
    }
}

/// An assessed record with what every rule says of it.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The record.
    pub assessed: Assessed,
    /// One entry for each rule, in the order of the configuration.
    pub evaluations: Vec<Evaluation>,
}
