//! What is remembered of customers: the last seen state, the steps spent, the dates of the data.

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::domain::spike::RecordedSpike;
use crate::domain::{
    BillingPeriod, Currency, CustomerId, CustomerKey, Inputs, Metric, MetricValue, MissingInput,
    NamedPeriods, Plan, RuleFacts, Sample, Subscription, Timing, UsageDate, WrittenBudget,
};

/// The last seen state of a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerState {
    /// The id as received.
    pub customer: CustomerId,
    /// The one subscription that it is about; `None`: the customer as a whole.
    pub subscription: Option<Subscription>,
    /// The name as received.
    pub name: String,
    /// The label, when it was last seen.
    pub label: Option<String>,
    /// How it buys Azure.
    pub plan: Plan,
    /// The date of the data.
    pub usage_as_of: UsageDate,
    /// When it was read.
    pub seen_at: Timestamp,
    /// The cost.
    pub cost: Decimal,
    /// The cost in US dollars.
    pub usd_cost: Option<Decimal>,
    /// The currency that the record itself named.
    pub own_currency: Option<Currency>,
    /// The customer's currency, as settled.
    pub currency: Option<Currency>,
    /// `percentUsed` as reported.
    pub reported_percent: Option<Decimal>,
    /// Computed from cost and the budget in force.
    pub computed_percent: Option<Decimal>,
    /// The amount of the budget in force.
    pub budget: Option<Decimal>,
    /// The amount in Partner Center.
    pub partner_center_budget: Option<Decimal>,
    /// The billing period it belongs to.
    pub period: BillingPeriod,
    /// The last cost dated within `period`; differs from `cost` only while late data of the period
    /// is dated in the next.
    pub closing_cost: Decimal,
    /// The date of the data from which on its currency and plan are what they are; none where they
    /// always were.
    pub series_since: Option<Timestamp>,
    /// The billing periods that its usage summaries named.
    pub named: NamedPeriods,
    /// When its summary was last asked for, and for data of which date.
    pub asked: Option<(Timestamp, Timestamp)>,
    /// Of everything that bears on the judgement: the record, the local configuration, the rules.
    pub fingerprint: u64,
    /// The rules of which it has reached a step.
    pub crossed: u16,
}

impl CustomerState {
    /// The key under which it is remembered.
    pub fn key(&self) -> CustomerKey {
        match &self.subscription {
            Some(subscription) => CustomerKey::of_subscription(&self.customer, &subscription.id),
            None => self.customer.key(),
        }
    }

    /// What metrics are computed from, had this budget been in force; without what other dates of
    /// the data would say.
    pub fn inputs(&self, budget: Option<Decimal>) -> Inputs {
        self.inputs_in(&self.period, budget)
    }

    /// The same in another billing period: an assumed one gives way to the true one when that is
    /// known.
    pub fn inputs_in(&self, period: &BillingPeriod, budget: Option<Decimal>) -> Inputs {
        let timing = Timing::try_new(period.start, period.end, self.usage_as_of.instant());
        Inputs {
            cost: self.cost,
            usd_cost: self.usd_cost,
            budget,
            reported_percent: None,
            timing: timing.ok_or(MissingInput::TurnOfPeriod),
            rise: Err(MissingInput::EarlierDate),
            stale_hours: Err(MissingInput::CollectionAge),
        }
    }

    /// The share of the budget that was used; none without a budget.
    pub fn percent_used(&self) -> Option<MetricValue> {
        // A budget that is not Partner Center's own leaves its percentage out of the account.
        let reported_percent =
            self.reported_percent.filter(|_| self.budget == self.partner_center_budget);
        let inputs = Inputs { reported_percent, ..self.inputs(self.budget) };
        Metric::PercentUsed.value(&inputs).ok()
    }
}

/// A step that was raised or passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedStep {
    /// The row, for [`crate::alerting::Recording::seen_below`].
    pub row: i64,
    /// The rule's name then.
    pub rule: Box<str>,
    /// What it measured.
    pub metric: Metric,
    /// The step.
    pub at: Decimal,
    /// The budget amount it was spent under; none for metrics that read no budget.
    pub amount: Option<Decimal>,
    /// The instant that places it in a billing period.
    pub belongs_at: Timestamp,
    /// Raised itself, or passed by a higher one.
    pub raised: bool,
    /// The alert.
    pub alert: Uuid,
    /// The highest budget amount, above every one it was spent under, under which the customer was
    /// seen below it since it was last raised or passed.
    pub seen_below: Option<Decimal>,
}

/// What is remembered of one customer.
#[derive(Debug, Clone, PartialEq)]
pub struct RememberedCustomer {
    /// The last seen state.
    pub seen: CustomerState,
    /// Steps raised or passed, as far as they were asked for.
    pub steps: Vec<RecordedStep>,
    /// The latest dates of the data, newest first; empty unless asked for.
    pub samples: Vec<Sample>,
    /// The days that were spikes; empty unless asked for.
    pub spikes: Vec<RecordedSpike>,
    /// The last budget that was written to Partner Center from here.
    pub pushed: Option<WrittenBudget>,
}

/// How much is wanted of a customer's history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// So many of the latest dates of its data.
    pub samples: u32,
    /// The days that were spikes.
    pub spikes: bool,
}

/// The data of a customer at one of its dates, for history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSample {
    /// The customer.
    pub customer: CustomerKey,
    /// The date of the data.
    pub usage_as_of: Timestamp,
    /// When it was read.
    pub seen_at: Timestamp,
    /// The cost.
    pub cost: Decimal,
    /// The cost in US dollars.
    pub usd_cost: Option<Decimal>,
    /// The amount in Partner Center.
    pub partner_center_budget: Option<Decimal>,
    /// `percentUsed` as reported.
    pub reported_percent: Option<Decimal>,
    /// Whether it was taken for late data of the period before.
    pub carried_over: bool,
}

/// What is remembered of polls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PollMemory {
    /// When the last good poll ended.
    pub last_good_at: Option<Timestamp>,
    /// How many items it read, usable or not.
    pub last_good_items: Option<u64>,
    /// The newest date of the data that it read.
    pub newest: Option<Timestamp>,
    /// How many customers could never alert then, or fewer: what a growth is measured against.
    pub uncovered: Option<u64>,
    /// Rules that have been through a good poll.
    pub settled_rules: Vec<Box<str>>,
}

impl PollMemory {
    /// Whether a rule has not been through a good poll yet, under this name or the former one.
    pub fn is_baseline(&self, rule: &RuleFacts) -> bool {
        self.last_good_at.is_none() || !self.is_settled(rule)
    }

    /// Whether a rule has been through a good read of what it is about, likewise.
    pub(crate) fn is_settled(&self, rule: &RuleFacts) -> bool {
        let settled = |name: &str| self.settled_rules.iter().any(|rule| **rule == *name);
        settled(&rule.name) || rule.formerly.as_deref().is_some_and(settled)
    }
}
