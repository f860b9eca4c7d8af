//! What one poll writes: alerts, steps, messages, and what becomes of earlier alerts.

use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alerting::{CustomerState, NewMessage, NewSample, RememberedCustomer};
use crate::domain::spike::RecordedSpike;
use crate::domain::{
    Alert, AlertSnapshot, AlertState, BillingPeriod, Currency, CustomerEvent, CustomerKey, Latest,
    Metric, Occasion, OperatorFinding, Sample, Severity,
};

/// A new alert with what it owes.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAlert {
    /// The alert; recorded as silenced, it owes nothing yet.
    pub snapshot: AlertSnapshot,
    /// The notifiers it is owed to, by name.
    pub notify: Vec<Box<str>>,
    /// How often it is told again while it is true; `None`: never.
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
    /// The notifiers that were told of it in the place of others.
    pub fell_back: Vec<Box<str>>,
    /// How often it is told again while it is true; `None`: never.
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
    /// What is remembered of it; its steps are left out.
    pub remembered: RememberedCustomer,
    /// The alerts, in the order in which they were raised.
    pub alerts: Vec<OpenAlert>,
}

/// What becomes of an alert after it was raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertChange {
    /// It is over.
    Resolved(Uuid),
    /// Nobody looks after it any more.
    Closed(Uuid),
    /// Its silence is over: it counts as raised, and is told now.
    Released(Uuid),
    /// It is told again.
    Reminded(Uuid),
    /// It was over and is not any more. Whoever knew of it does not know that.
    Reopened {
        /// The alert.
        alert: Uuid,
        /// Whether a silence covers it: then it is told to nobody yet.
        silenced: bool,
    },
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

/// An alert that is owed to a notifier in a digest that is made once all of a mass crossing is
/// recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered {
    /// The notifier's name.
    pub notifier: Box<str>,
    /// Why it is told.
    pub occasion: Occasion,
    /// The alert.
    pub alert: Uuid,
    /// Its customer.
    pub customer: CustomerKey,
    /// How bad it is.
    pub severity: Severity,
    /// Whether it belongs to the first account of a ledger or rule.
    pub baseline: bool,
    /// US dollars over the budget, else of cost, in cents: what puts the worst first.
    pub dollars: i64,
    /// The percentage of the budget, in hundredths; likewise.
    pub percent: i64,
    /// The customer's currency.
    pub currency: Option<Currency>,
    /// What it is over the budget.
    pub over: Option<Decimal>,
    /// How it is now, where that is told later than it was raised.
    pub latest: Option<Latest>,
}

impl Gathered {
    /// An alert in a digest on this occasion for a notifier.
    pub fn of(alert: &Alert, notifier: &str, occasion: Occasion) -> Self {
        let hundredths = |value: Decimal| {
            value.saturating_mul(Decimal::ONE_HUNDRED).round().to_i64().unwrap_or(i64::MAX)
        };
        Self {
            notifier: notifier.into(),
            occasion,
            alert: alert.id,
            customer: alert.key(),
            severity: alert.severity,
            baseline: alert.baseline,
            dollars: hundredths(alert.usd_over().or(alert.cost.usd).unwrap_or_default()),
            percent: hundredths(alert.percent_to_order()),
            currency: alert.cost.currency,
            over: alert.over(),
            latest: None,
        }
    }
}

/// A finding that is opened with what is recorded, and the messages it owes unless it was told
/// before.
#[derive(Debug, Clone, PartialEq)]
pub struct NewFinding {
    /// The finding.
    pub finding: OperatorFinding,
    /// The messages.
    pub messages: Vec<NewMessage>,
}

/// What a poll that records in slices knows so far. Whoever is killed before the last one leaves it
/// to the next poll.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interim {
    /// The last delivery that was there before: messages to customers that came after it wait until
    /// the poll is over.
    pub after: i64,
    /// How many customers have crossed a step so far; a first account counts for none.
    pub customers: usize,
    /// The three of them with the highest cost in US dollars.
    pub costliest: Vec<Alert>,
}

/// How a poll that records in slices goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slices {
    /// More are to come.
    GoOn(Interim),
    /// This is the last one, and what was held because more were to come stays held.
    Hold,
    /// This is the last one, and messages to customers that came after this delivery are held no
    /// longer.
    LetGo(i64),
}

/// What one transaction writes: all of it or nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// When.
    pub now: Timestamp,
    /// Last seen states that changed, each replacing the one before.
    pub seen: Vec<CustomerState>,
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
    /// Days that were spikes, each in place of what is remembered of it.
    pub spikes: Vec<(CustomerKey, RecordedSpike)>,
    /// Rows of steps that the customer was seen below, and under which amount.
    pub seen_below: Vec<(i64, Option<Decimal>)>,
    /// Messages owed.
    pub messages: Vec<NewMessage>,
    /// What is owed in digests that are made later.
    pub gathered: Vec<Gathered>,
    /// What the operator must know of it.
    pub finding: Option<NewFinding>,
    /// Set where more than one transaction records what a poll raises.
    pub slices: Option<Slices>,
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
            && self.spikes.is_empty()
            && self.seen_below.is_empty()
            && self.messages.is_empty()
            && self.gathered.is_empty()
            && self.finding.is_none()
            && self.slices.is_none()
    }
}
