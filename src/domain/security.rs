//! Microsoft's security alerts about customers' subscriptions, in our own terms. Their words are
//! open: one that nobody knows is kept as it came.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use crate::domain::inputs::hours;
use crate::domain::{CustomerId, UsageDate};

/// Within how many hours Microsoft wants an alert answered.
pub const ANSWER_WITHIN: i64 = 24;

/// Which API tells of security alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[derive(IntoStaticStr, EnumString)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum SecuritySource {
    /// Microsoft Graph, `securityAlerts`.
    Graph,
    /// Partner Center, `fraudEvents`.
    PartnerCenter,
}

impl SecuritySource {
    /// The name used in configuration, JSON and the ledger.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One security alert, as it was last read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityAlert {
    /// Microsoft's id, opaque.
    pub id: String,
    /// Which API told of it.
    pub source: SecuritySource,
    /// The customer's tenant.
    pub customer: CustomerId,
    /// What the API calls the customer; mostly it does not say.
    pub customer_name: Option<String>,
    /// What was seen, such as `CryptoMining`; may be empty.
    pub kind: String,
    /// `informational`, `low`, `medium`, `high`, or another word; may be empty.
    pub severity: String,
    /// `low`, `medium`, `high`, or another word; may be empty.
    pub confidence: String,
    /// `active`, `investigating`, `resolved`, or another word; may be empty.
    pub status: String,
    /// Whether it is a test.
    pub is_test: bool,
    /// When it was detected.
    pub detected_at: Option<UsageDate>,
    /// When what it is about was first observed.
    pub first_observed: Option<UsageDate>,
    /// When that was last observed.
    pub last_observed: Option<UsageDate>,
    /// The subscription by its id.
    pub subscription: Option<String>,
    /// What the API calls the subscription.
    pub subscription_name: Option<String>,
    /// A headline.
    pub display_name: String,
    /// A sentence or two.
    pub description: String,
    /// The resources that it names, by their ids.
    pub resources: Vec<String>,
    /// How it was answered: `fraud`, `legitimate`, `ignore`, or another word. It says something of
    /// a resolved alert only.
    pub reason: Option<String>,
    /// Who answered it, likewise.
    pub resolved_by: Option<String>,
    /// When, likewise.
    pub resolved_at: Option<UsageDate>,
}

/// What the hours of an alert are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Began {
    /// When Microsoft detected it.
    Detected,
    /// When it was first observed: it does not say when it was detected.
    FirstObserved,
    /// When it was first read here: it says neither.
    FirstSeen,
}

impl SecurityAlert {
    /// What it is remembered by: ids are compared without case.
    pub fn key(&self) -> String {
        self.id.to_ascii_lowercase()
    }

    /// Whether it is answered. Only the status says so: who and when stand on others too.
    pub fn is_resolved(&self) -> bool {
        self.status.eq_ignore_ascii_case("resolved")
    }

    /// Since when its hours are counted, for one that was first read at `first_seen`.
    pub fn began(&self, first_seen: Timestamp) -> (Timestamp, Began) {
        let detected = self.detected_at.map(|at| (at.instant(), Began::Detected));
        let observed = self.first_observed.map(|at| (at.instant(), Began::FirstObserved));
        detected.or(observed).unwrap_or((first_seen, Began::FirstSeen))
    }

    /// Its age in hours to two decimals; zero for one that begins in the future.
    pub fn hours(&self, first_seen: Timestamp, now: Timestamp) -> Decimal {
        hours(now.duration_since(self.began(first_seen).0).as_secs().max(0))
    }

    /// The subscriptions that it is about: the one that it names, and those that its resources are
    /// in.
    pub fn subscriptions(&self) -> Vec<&str> {
        subscriptions_of(self.subscription.as_deref(), &self.resources)
    }

    /// The one subscription that it is about: the one that it names, or the only one that its
    /// resources are in.
    pub fn only_subscription(&self) -> Option<&str> {
        match self.subscriptions().as_slice() {
            [only] => Some(*only),
            _ => self.subscription.as_deref(),
        }
    }

    /// The form that payloads and listings share.
    pub fn view(&self) -> SecurityView {
        SecurityView {
            id: self.id.clone(),
            source: self.source,
            kind: self.kind.clone(),
            severity: self.severity.clone(),
            confidence: self.confidence.clone(),
            status: self.status.clone(),
            is_test: self.is_test,
            detected_at: self.detected_at,
            first_observed: self.first_observed,
            last_observed: self.last_observed,
            subscription: self.only_subscription().map(str::to_owned),
            resources: self.resources.clone(),
        }
    }
}

/// A security alert in JSON. Times are UTC, with the digits they came with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityView {
    /// Microsoft's id.
    pub id: String,
    /// Which API told of it.
    pub source: SecuritySource,
    /// What was seen.
    #[serde(rename = "type")]
    pub kind: String,
    /// How bad Microsoft finds it.
    pub severity: String,
    /// How sure Microsoft is.
    pub confidence: String,
    /// Whether it is answered.
    pub status: String,
    /// Whether it is a test.
    pub is_test: bool,
    /// When it was detected; null where that is not said, as are the two below.
    pub detected_at: Option<UsageDate>,
    /// When it was first observed.
    pub first_observed: Option<UsageDate>,
    /// When it was last observed.
    pub last_observed: Option<UsageDate>,
    /// The subscription by its id: the one that is named, or the only one of the resources; else
    /// null.
    pub subscription: Option<String>,
    /// The resources by their ids.
    pub resources: Vec<String>,
}

impl SecurityView {
    /// The subscriptions that it is about, by their ids.
    pub fn subscriptions(&self) -> Vec<&str> {
        subscriptions_of(self.subscription.as_deref(), &self.resources)
    }
}

/// The one that is named, then those of the resources, each once.
fn subscriptions_of<'a>(named: Option<&'a str>, resources: &'a [String]) -> Vec<&'a str> {
    let mut all: Vec<&str> = Vec::new();
    let of_resources = resources.iter().filter_map(|resource| subscription_of(resource));
    for id in named.into_iter().chain(of_resources) {
        if !all.iter().any(|known| known.eq_ignore_ascii_case(id)) {
            all.push(id);
        }
    }
    all
}

/// The subscription in the id of an Azure resource: `/subscriptions/ID/resourceGroups/...`.
fn subscription_of(resource: &str) -> Option<&str> {
    let mut parts = resource.split('/').map(str::trim);
    parts.find(|part| part.eq_ignore_ascii_case("subscriptions"))?;
    parts.next().filter(|id| !id.is_empty())
}

/// What messages about a security alert need beside it; not part of any payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityContext {
    /// Since when its hours are counted.
    pub since: Timestamp,
    /// What that is.
    pub began: Began,
    /// Its headline.
    pub display_name: String,
    /// What the subscription is called.
    pub subscription_name: Option<String>,
    /// When it was last listed, where later reads failed.
    pub last_listed: Option<Timestamp>,
    /// What the customer has spent since, in its currency, and what it usually spends in a day.
    pub spent: Option<Spent>,
    /// Whether it was over before, and is active again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reopened: bool,
}

/// How a security alert is when it is told again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityNow {
    /// `active`, `investigating`, `resolved`, or another word; may be empty.
    pub status: String,
    /// When it was last listed, where later reads failed.
    pub last_listed: Option<Timestamp>,
    /// What the customer has spent since, in its currency; null where that is not known.
    pub spent: Option<Spent>,
    /// Whether it was over before, and is active again.
    pub reopened: bool,
}

/// Whose costs are meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpentOf {
    /// Those of the one subscription that the security alert is about.
    Subscription,
    /// All of the customer: what its subscriptions cost is remembered of some only.
    #[default]
    Customer,
}

/// What was spent since a security alert began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Where.
    #[serde(default)]
    pub of: SpentOf,
    /// Since then.
    #[serde(with = "rust_decimal::serde::str")]
    pub since: Decimal,
    /// In a day before that; none where too little is known.
    #[serde(with = "crate::domain::recorded")]
    pub usual: Option<Decimal>,
}

/// How a security alert ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityEnd {
    /// How it was answered; none for one that is no longer listed, or where that is not said.
    pub reason: Option<String>,
    /// Who answered it.
    pub by: Option<String>,
    /// When it was answered, or found to be gone.
    pub at: Timestamp,
    /// Whether it is no longer listed, rather than answered.
    pub unlisted: bool,
    /// Hours from its beginning to its end, to two decimals.
    #[serde(with = "rust_decimal::serde::str")]
    pub hours: Decimal,
}

/// How security alerts stand, all in all. Tests are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecuritySummary {
    /// How many are not answered.
    pub open: u64,
    /// For how many hours the oldest of them is not, to two decimals.
    #[serde(with = "crate::domain::recorded")]
    pub oldest_hours: Option<Decimal>,
    /// In how many hours those of the last 30 days were answered, in the mean; none where none was.
    #[serde(with = "crate::domain::recorded")]
    pub answered_in_hours: Option<Decimal>,
    /// The same as Microsoft counts it; none where it does not say.
    #[serde(with = "crate::domain::recorded")]
    pub microsoft_hours: Option<Decimal>,
    /// Whether that is fast enough for Microsoft.
    pub microsoft_compliant: Option<bool>,
    /// When they were last read, well or not.
    pub read_at: Timestamp,
    /// When they were last read whole.
    pub good_at: Option<Timestamp>,
}
