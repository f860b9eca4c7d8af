//! What listings ask for and get, in plain structs; how it is shown is the commands' and the
//! pages'.

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::alerting::CustomerState;
use crate::domain::spike::SpikeNote;
use crate::domain::{
    AlertSnapshot, AlertState, CustomerKey, DeliveryState, MessageKind, OperatorFinding, Severity,
};
use crate::ledger::entry::{NotifierState, PollResult};

/// Which alerts to list; all of them when nothing is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Raised at this instant or later.
    pub since: Option<Timestamp>,
    /// Raised before this instant.
    pub until: Option<Timestamp>,
    /// Of this customer.
    pub customer: Option<CustomerKey>,
    /// In this state.
    pub state: Option<AlertState>,
    /// Of this severity.
    pub severity: Option<Severity>,
    /// Whether somebody has said that they know.
    pub acknowledged: Option<bool>,
    /// Recorded before this one.
    pub before: Option<Uuid>,
    /// No more than so many, the newest.
    pub limit: Option<u32>,
}

/// An alert in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRow {
    /// The alert, in its state of today.
    pub snapshot: AlertSnapshot,
    /// How its deliveries stand, by notifier.
    pub deliveries: Vec<DeliverySummary>,
    /// When somebody said that they know, and who.
    pub acknowledged: Option<(Timestamp, String)>,
    /// What that person has noted.
    pub note: Option<String>,
    /// What somebody said of the spike that it is about.
    pub marked: Option<SpikeNote>,
}

/// How the deliveries of an alert to one notifier stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliverySummary {
    /// The notifier's name.
    pub notifier: String,
    /// How many are owed.
    pub pending: u64,
    /// How many were accepted.
    pub sent: u64,
    /// How many were given up.
    pub dead: u64,
}

/// Which deliveries to list; all of them when nothing is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Recorded at this instant or later.
    pub since: Option<Timestamp>,
    /// Recorded before this instant.
    pub until: Option<Timestamp>,
    /// With an alert of this customer.
    pub customer: Option<CustomerKey>,
    /// In this state.
    pub state: Option<DeliveryState>,
    /// To this notifier.
    pub notifier: Option<String>,
    /// Recorded before this one.
    pub before: Option<Uuid>,
    /// Held, or discarded; all where this is false.
    pub held: bool,
    /// No more than so many, the newest.
    pub limit: Option<u32>,
}

/// A delivery in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its own id.
    pub id: Uuid,
    /// The identity of its message.
    pub identity: Uuid,
    /// The alerts in its message, in their order.
    pub alerts: Vec<Uuid>,
    /// The notifier's name.
    pub notifier: String,
    /// The recipient, for notifiers that have several.
    pub recipient: Option<String>,
    /// The notifier in whose place it is sent.
    pub fallback_for: Option<String>,
    /// The kind of its message.
    pub kind: MessageKind,
    /// Whether it is still owed.
    pub state: DeliveryState,
    /// Whether it is not sent until somebody releases it; of one given up, that it was discarded
    /// instead.
    pub held: bool,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was accepted or given up.
    pub ended_at: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: u64,
    /// What the destination said last, or why it was given up.
    pub last_detail: Option<String>,
    /// While it is owed to a recipient for whom the destination takes no messages at the moment:
    /// when that is tried next.
    pub deferred_until: Option<Timestamp>,
}

/// A recipient for whom the destination takes no messages at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeferredRecipient {
    /// The notifier's name.
    pub notifier: String,
    /// Its address.
    pub recipient: String,
    /// How it is doing.
    pub state: NotifierState,
}

/// One attempt of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// When it ended.
    pub at: Timestamp,
    /// One of the metric's outcomes.
    pub outcome: String,
    /// What the destination said.
    pub detail: String,
}

/// An event of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainEvent {
    /// Its number.
    pub number: i64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened: `raised`, `attempt`, `acknowledgement`, …
    pub kind: String,
    /// What it is about: the id of an alert or a delivery, a file, `silence 3`.
    pub about: String,
    /// What is known of it, as JSON.
    pub content: String,
    /// The SHA-256 of it and of the one before.
    pub hash: [u8; 32],
}

/// What a notifier owes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// Its name.
    pub notifier: String,
    /// How many deliveries are owed.
    pub pending: u64,
    /// How many of them are held until somebody releases them.
    pub held: u64,
    /// When the oldest of them was recorded that is not held.
    pub oldest: Option<Timestamp>,
    /// How many were given up.
    pub dead: u64,
}

/// What a notifier has given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// Its name.
    pub notifier: String,
    /// How many deliveries.
    pub dead: u64,
    /// When it gave up the last of them.
    pub last: Option<Timestamp>,
}

/// An open finding for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFinding {
    /// What it says.
    pub finding: OperatorFinding,
    /// Since when.
    pub since: Timestamp,
    /// Whether the operator was sent it.
    pub told: bool,
}

/// An alert for a notifier that is shown what is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertToMirror {
    /// The alert, in its state of today.
    pub snapshot: AlertSnapshot,
    /// When it ended; none while it is open.
    pub ended_at: Option<Timestamp>,
    /// Who knows of it.
    pub acknowledged_by: Option<String>,
}

/// The last poll and the last good one; their rules are not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PollStatus {
    /// The last one, however it ended.
    pub last: Option<PollResult>,
    /// The last good one.
    pub last_good: Option<PollResult>,
}

/// A customer with the cost history of its cost, for reports.
#[derive(Debug, Clone)]
pub struct CostHistory {
    /// Its last seen state.
    pub seen: CustomerState,
    /// The date and the cost of its data some time before.
    pub before: Option<(Timestamp, Decimal)>,
    /// How the two billing periods before this one ended, the latest first, where it is over its
    /// budget.
    pub closings: Vec<Closing>,
}

/// How a billing period ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closing {
    /// Its last cost.
    pub cost: Decimal,
    /// The budget in Partner Center then.
    pub partner_center_budget: Option<Decimal>,
}
