//! What is written to and read from the ledger, in plain structs; the SQL is the store's.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::domain::{
    AlertSnapshot, AlertState, BillingPeriod, Currency, CustomerEvent, CustomerId, CustomerKey, Inputs, Latest, LegacyCycle, MessageKind,
    Metric, MetricValue, MissingInput, OperatorNews, Plan, Sample, Severity, Subscription, Timing, UsageDate,
};

/// The little that is remembered of every customer while a collection is read, by [`crate::ledger::fold`] of its key.
pub type Known = HashMap<u128, KnownCustomer, foldhash::fast::RandomState>;

/// The little that is remembered of one customer, or of a subscription with a budget of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownCustomer {
    /// Of its last seen state: one whose fingerprint is the same was judged before, with the same result.
    pub fingerprint: u64,
    /// The rules of which that state had reached a step.
    pub crossed: u16,
    /// Whether it is a subscription.
    pub subscription: bool,
    /// Whether the last good poll had no record of it.
    pub missing: bool,
}

/// The last seen state of a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The id as received.
    pub customer: CustomerId,
    /// The one subscription that it is about; none = the customer as a whole.
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
    /// The last cost dated within `period`; differs from `cost` only while late data of the period is dated in the next.
    pub closing_cost: Decimal,
    /// The billing cycle of a legacy customer, once a summary named it.
    pub cycle: Option<LegacyCycle>,
    /// When its summary was last asked for, and for data of which date.
    pub asked: Option<(Timestamp, Timestamp)>,
    /// Of everything that bears on the judgement: the record, the local configuration, the rules.
    pub fingerprint: u64,
    /// The rules of which it has reached a step.
    pub crossed: u16,
}

impl Seen {
    /// The key under which it is remembered.
    pub fn key(&self) -> CustomerKey {
        match &self.subscription {
            Some(subscription) => CustomerKey::of_subscription(&self.customer, &subscription.id),
            None => self.customer.key(),
        }
    }

    /// What metrics are computed from, had this budget been in force; without what other dates of the data would say.
    pub fn inputs(&self, budget: Option<Decimal>) -> Inputs {
        let timing = Timing::try_new(self.period.start, self.period.end, self.usage_as_of.instant());
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

    /// The share of the budget that was used.
    pub fn percent_used(&self) -> MetricValue {
        // A budget that is not Partner Center's own leaves its percentage out of the account.
        let reported_percent = self.reported_percent.filter(|_| self.budget == self.partner_center_budget);
        Metric::PercentUsed.value(&Inputs { reported_percent, ..self.inputs(self.budget) })
    }
}

/// A step that was raised or passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpentStep {
    /// The row, for [`Recording::seen_below`].
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
    /// The highest budget amount, above every one it was spent under, under which the customer was seen below it.
    pub seen_below: Option<Decimal>,
}

/// What is remembered of one customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Recollection {
    /// The last seen state.
    pub seen: Seen,
    /// Every step raised or passed.
    pub steps: Vec<SpentStep>,
    /// The latest dates of the data, newest first; empty unless asked for.
    pub samples: Vec<Sample>,
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

/// A new alert with what it owes.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAlert {
    /// The alert; recorded as silenced, it owes nothing yet.
    pub snapshot: AlertSnapshot,
    /// The notifiers it is owed to, by name.
    pub notify: Vec<Box<str>>,
    /// How often it is told again while it is true; none = never.
    pub remind_every: Option<Duration>,
}

impl NewAlert {
    /// Whether it is told at once.
    pub fn is_told(&self) -> bool {
        self.snapshot.alert.state == AlertState::Raised
    }
}

/// An alert that is not over, with where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenAlert {
    /// The alert in its state of today.
    pub snapshot: AlertSnapshot,
    /// Its rule's name of today.
    pub rule: String,
    /// The notifiers it is owed to, by name.
    pub notify: Vec<Box<str>>,
    /// Those of them that have not accepted every message of it yet.
    pub owed_to: Vec<Box<str>>,
    /// How often it is told again while it is true; none = never.
    pub remind_every: Option<Duration>,
    /// When it was last told.
    pub told_at: Timestamp,
    /// Whether somebody said that they know.
    pub acknowledged: bool,
    /// The last data dated in its billing period, once that may be over.
    pub closing: Option<Sample>,
}

/// A customer with alerts that are not over.
#[derive(Debug, Clone, PartialEq)]
pub struct Reviewed {
    /// What is remembered of it.
    pub remembered: Recollection,
    /// The alerts, in the order in which they were raised.
    pub alerts: Vec<OpenAlert>,
}

/// What becomes of an alert after it was raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertChange {
    /// It is over.
    Resolved(Uuid),
    /// Its silence is over: it counts as raised, and is told now.
    Released(Uuid),
    /// It is told again.
    Reminded(Uuid),
}

/// A step to be recorded as raised or passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStep {
    /// The customer.
    pub customer: CustomerKey,
    /// The rule.
    pub rule: Box<str>,
    /// What it measures.
    pub metric: Metric,
    /// The step, canonical.
    pub at: Decimal,
    /// The budget amount it is spent under.
    pub amount: Option<Decimal>,
    /// The billing period.
    pub period: BillingPeriod,
    /// The instant that places it in a billing period.
    pub belongs_at: Timestamp,
    /// Raised itself, or passed by a higher one.
    pub raised: bool,
    /// The alert.
    pub alert: Uuid,
}

/// A message to be owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Its identity for every attempt and recipient.
    pub identity: Uuid,
    /// What it is about.
    pub kind: MessageKind,
    /// The notifier's name.
    pub notifier: Box<str>,
    /// Its recipients.
    pub recipients: Vec<Option<String>>,
    /// The alerts it carries, worst first.
    pub alerts: Vec<Uuid>,
    /// How each of them is now, in messages that come after the first; else empty.
    pub latest: Vec<Latest>,
    /// News for the operator, in place of alerts.
    pub operator: Option<OperatorNews>,
    /// Set for a part of a digest.
    pub digest: Option<DigestPart>,
    /// The worst severity in it; critical messages go first.
    pub severity: Severity,
}

/// Which part of which digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigestPart {
    /// From 1.
    pub part: u32,
    /// How many parts.
    pub parts: u32,
    /// How many alerts in all parts.
    pub total: u32,
    /// How many of them are critical.
    pub criticals: u32,
    /// Whether it is the first account of a ledger or rule.
    pub baseline: bool,
}

/// What one transaction writes: all of it or nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// When.
    pub now: Timestamp,
    /// Last seen states that changed, each replacing the one before.
    pub seen: Vec<Seen>,
    /// New alerts.
    pub alerts: Vec<NewAlert>,
    /// What becomes of earlier ones.
    pub changes: Vec<AlertChange>,
    /// Dates of the data that history keeps.
    pub samples: Vec<NewSample>,
    /// What happened to customers' data.
    pub events: Vec<(CustomerKey, CustomerEvent)>,
    /// Steps raised and passed.
    pub steps: Vec<NewStep>,
    /// Rows of steps that the customer was seen below, and under which amount.
    pub seen_below: Vec<(i64, Decimal)>,
    /// Messages owed.
    pub messages: Vec<NewMessage>,
}

impl Recording {
    /// Whether there is anything to write.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
            && self.alerts.is_empty()
            && self.changes.is_empty()
            && self.samples.is_empty()
            && self.events.is_empty()
            && self.steps.is_empty()
            && self.seen_below.is_empty()
            && self.messages.is_empty()
    }
}

/// What is remembered of polls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PollMemory {
    /// When the last good poll ended.
    pub last_good_at: Option<Timestamp>,
    /// How many items it read, usable or not.
    pub last_good_items: Option<u64>,
    /// How many customers could never alert then, or fewer: what a growth is measured against.
    pub uncovered: Option<u64>,
    /// Rules that have been through a good poll.
    pub settled_rules: Vec<Box<str>>,
}

/// The result of a poll, for the ledger and `status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollResult {
    /// When it ended.
    pub at: Timestamp,
    /// Whether the source was read whole.
    pub good: bool,
    /// How many records were used.
    pub records: u64,
    /// How many were skipped.
    pub skipped: u64,
    /// How many alerts it raised.
    pub alerts: u64,
    /// The newest date of the data.
    pub newest: Option<Timestamp>,
    /// Why it failed, or what was odd.
    pub errors: Vec<String>,
    /// How many customers could never alert, or fewer: what a growth is measured against; none = not counted.
    pub uncovered: Option<u64>,
    /// The rules in force, which a good poll settles.
    pub rules: Vec<Box<str>>,
}

/// How a notifier's destination is doing, across restarts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotifierState {
    /// Probes that failed in a row; 0 = not in backoff.
    pub failures: u32,
    /// When the destination began to fail.
    pub failing_since: Option<Timestamp>,
    /// When the next probe may be made, wall clock.
    pub next_probe_at: Option<Timestamp>,
    /// All failed probes ever; a delivery's share is the difference since its recording.
    pub probes: u64,
    /// All time ever in which probes were possible while it failed; likewise.
    pub possible: Duration,
    /// The last failure, without secrets.
    pub last_error: Option<String>,
}

/// How an attempt ended, for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// The delivery.
    pub delivery: Uuid,
    /// When it ended.
    pub at: Timestamp,
    /// One of the metric's outcomes.
    pub outcome: &'static str,
    /// What the destination said, without secrets.
    pub detail: String,
}

/// When a delivery is given up: both limits must be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GiveUp {
    /// Time in which probes were possible, since the delivery was recorded.
    pub after: Duration,
    /// Failed probes of the notifier since then.
    pub probes: u64,
}

/// Which dead deliveries are to be owed again; all of them when nothing is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetryFilter {
    /// Those of this notifier.
    pub notifier: Option<String>,
    /// Those with these ids.
    pub ids: Vec<Uuid>,
}

/// Another notifier that is to get what was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryTo {
    /// Its name.
    pub notifier: String,
    /// Its recipients; `[None]` for a notifier that is one recipient itself.
    pub recipients: Vec<Option<String>>,
}
