//! `status` in JSON: decimals are strings, times are UTC.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::alerting::CustomerState;
use crate::domain::{
    BillingPeriod, CustomerEvent, CustomerView, MetricValue, OperatorFinding, SecuritySummary,
    UsageDate,
};
use crate::ledger::{DeferredRecipient, OpenFinding, Owed, PollResult, PollStatus};
use crate::listings::health::Health;
use crate::listings::notifiers::NotifierAccount;

/// What `status` says, for programs.
#[derive(Serialize)]
pub(crate) struct Document<'a> {
    health: &'static str,
    /// Codes.
    why: Vec<&'a str>,
    daemon: Daemon,
    owed: u64,
    held: u64,
    dead: u64,
    /// How many are in force.
    silences: usize,
    /// Files of the configuration that have changed since the daemon read them.
    changed_files: &'a [std::path::PathBuf],
    last_poll: Option<Poll<'a>>,
    last_good_poll: Option<Poll<'a>>,
    newest_usage_as_of: Option<Timestamp>,
    findings: Vec<Finding<'a>>,
    data: Value,
    /// Security alerts of Microsoft; null where they were never read.
    security: Option<&'a SecuritySummary>,
    notifiers: Vec<Notifier<'a>>,
    customers: Vec<Customer>,
}

#[derive(Serialize)]
struct Daemon {
    running: bool,
    pid: Option<u32>,
    /// Whether it polls and delivers: the one daemon of a ledger does.
    leader: bool,
    /// The host that leads in its place, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    leading_host: Option<String>,
}

#[derive(Serialize)]
struct Poll<'a> {
    at: Timestamp,
    source: &'static str,
    records: u64,
    skipped: u64,
    alerts: u64,
    newest_usage_as_of: Option<Timestamp>,
    errors: &'a [String],
}

#[derive(Serialize)]
struct Finding<'a> {
    #[serde(flatten)]
    what: &'a OperatorFinding,
    since: Timestamp,
    told: bool,
}

#[derive(Serialize)]
struct Notifier<'a> {
    name: &'a str,
    configured: bool,
    pending: u64,
    oldest_pending: Option<Timestamp>,
    dead: u64,
    failing_since: Option<Timestamp>,
    next_probe_at: Option<Timestamp>,
    last_error: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deferred: Vec<Deferred<'a>>,
}

/// A recipient for whom the destination takes nothing at the moment.
#[derive(Serialize)]
struct Deferred<'a> {
    recipient: &'a str,
    failing_since: Option<Timestamp>,
    next_probe_at: Option<Timestamp>,
    last_error: Option<&'a str>,
}

/// A customer as it was last seen.
#[derive(Serialize)]
pub(crate) struct Customer {
    #[serde(flatten)]
    who: CustomerView,
    percent_used: Option<String>,
    over_zero: bool,
    cost: String,
    currency: Option<String>,
    usd_cost: Option<String>,
    budget: Option<String>,
    usage_as_of: UsageDate,
    seen_at: Timestamp,
    billing_period: BillingPeriod,
}

/// Everything that the document is made from.
pub(crate) struct Stated<'a> {
    /// How well it is.
    pub(crate) health: &'a Health,
    /// The process that runs, if one does.
    pub(crate) pid: Option<u32>,
    /// Whether it leads; else who does, where that is known.
    pub(crate) leads: bool,
    /// The host that leads in its place.
    pub(crate) leader: Option<String>,
    /// How many silences are in force.
    pub(crate) silences: usize,
    /// Files that have changed since they were read.
    pub(crate) changed: &'a [std::path::PathBuf],
    /// The polls.
    pub(crate) polls: &'a PollStatus,
    /// What the operator should know.
    pub(crate) findings: &'a [OpenFinding],
    /// How the notifiers stand.
    pub(crate) notifiers: &'a [NotifierAccount],
    /// Customers that the last good poll had no record of.
    pub(crate) missing: u64,
    /// What happened to the data of late, with the customers' ids and what they are called.
    pub(crate) events: &'a [(String, String, CustomerEvent)],
    /// How security alerts stand.
    pub(crate) security: Option<&'a SecuritySummary>,
    /// The worst customers.
    pub(crate) customers: &'a [CustomerState],
}

impl Stated<'_> {
    fn owed(&self, number: fn(&Owed) -> u64) -> u64 {
        self.notifiers.iter().map(|account| number(&account.owed)).sum()
    }
}

/// The whole document.
pub(crate) fn document<'a>(state: &Stated<'a>) -> Document<'a> {
    let finding =
        |open: &'a OpenFinding| Finding { what: &open.finding, since: open.since, told: open.told };
    Document {
        health: state.health.as_str(),
        why: state.health.codes(),
        daemon: Daemon {
            running: state.pid.is_some(),
            pid: state.pid,
            leader: state.leads,
            leading_host: state.leader.clone(),
        },
        owed: state.owed(|owed| owed.pending),
        held: state.owed(|owed| owed.held),
        dead: state.owed(|owed| owed.dead),
        silences: state.silences,
        changed_files: state.changed,
        last_poll: state.polls.last.as_ref().map(poll),
        last_good_poll: state.polls.last_good.as_ref().map(poll),
        newest_usage_as_of: state.polls.last_good.as_ref().and_then(|good| good.newest),
        findings: state.findings.iter().map(finding).collect(),
        data: data(state.missing, state.events),
        security: state.security,
        notifiers: state.notifiers.iter().map(notifier).collect(),
        customers: state.customers.iter().map(customer).collect(),
    }
}

fn data(missing: u64, events: &[(String, String, CustomerEvent)]) -> Value {
    let events = events.iter().map(
        |(id, called, event)| json!({ "customer": { "id": id, "name": called }, "event": event }),
    );
    json!({ "customers_without_record": missing, "events": events.collect::<Vec<_>>() })
}

fn poll(result: &PollResult) -> Poll<'_> {
    Poll {
        at: result.at,
        source: if result.good { "ok" } else { "failed" },
        records: result.records,
        skipped: result.skipped,
        alerts: result.alerts,
        newest_usage_as_of: result.newest,
        errors: &result.errors,
    }
}

fn notifier(account: &NotifierAccount) -> Notifier<'_> {
    Notifier {
        name: &account.name,
        configured: account.configured,
        pending: account.owed.pending,
        oldest_pending: account.owed.oldest,
        dead: account.owed.dead,
        failing_since: account.state.failing_since,
        next_probe_at: account.state.next_probe_at,
        last_error: account.state.last_error.as_deref(),
        deferred: account.deferred.iter().map(deferred).collect(),
    }
}

fn deferred(one: &DeferredRecipient) -> Deferred<'_> {
    let state = &one.state;
    Deferred {
        recipient: &one.recipient,
        failing_since: state.failing_since,
        next_probe_at: state.next_probe_at,
        last_error: state.last_error.as_deref(),
    }
}

/// A customer.
pub(crate) fn customer(seen: &CustomerState) -> Customer {
    let used = seen.percent_used();
    let who = CustomerView {
        id: seen.customer.clone(),
        name: seen.name.clone(),
        label: seen.label.clone(),
        plan: seen.plan,
    };
    Customer {
        who,
        percent_used: used.and_then(MetricValue::number).map(|percent| percent.to_string()),
        over_zero: used == Some(MetricValue::OverZero),
        cost: seen.cost.to_string(),
        currency: seen.currency.map(|currency| currency.to_string()),
        usd_cost: seen.usd_cost.map(|cost| cost.to_string()),
        budget: seen.budget.map(|budget| budget.to_string()),
        usage_as_of: seen.usage_as_of,
        seen_at: seen.seen_at,
        billing_period: seen.period,
    }
}
