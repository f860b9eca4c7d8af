//! An alert: a snapshot of all its messages need, and its form in JSON.

use std::cmp::Ordering;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strum::{EnumString, IntoStaticStr, VariantNames};
use uuid::Uuid;

use crate::domain::spike::{RunEnd, RunSummary, SpikeView};
use crate::domain::{
    AlertLinks, BillingPeriod, Budget, BudgetSource, Currency, CustomerId, CustomerKey,
    FormulaInputs, Metric, MetricValue, Plan, Point, ResourceCost, SecurityContext, SecurityEnd,
    SecurityNow, SecurityView, Severity, SubscriptionCost, UsageDate, WrittenBudget,
};

/// Where an alert stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[derive(IntoStaticStr, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum AlertState {
    /// Raised, and owed to its notifiers.
    Raised,
    /// Raised under a silence: recorded, not delivered.
    Silenced,
    /// The value fell below the step by a changed budget, or the period is over.
    Resolved,
    /// Its rule was removed.
    Closed,
}

impl AlertState {
    /// Every name.
    pub const NAMES: &'static [&'static str] = <Self as VariantNames>::VARIANTS;

    /// The name used in JSON and in the ledger.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Reads the name used in the ledger.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// The customer, as it was when the alert was raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerView {
    /// As received.
    pub id: CustomerId,
    /// As received; may be empty.
    pub name: String,
    /// The name we call it by.
    pub label: Option<String>,
    /// How it buys Azure.
    pub plan: Plan,
}

impl CustomerView {
    /// What people call it: the label, else the name, else the id.
    pub fn called(&self) -> &str {
        self.label
            .as_deref()
            .filter(|label| !label.trim().is_empty())
            .unwrap_or(if self.name.trim().is_empty() { self.id.as_str() } else { &self.name })
    }
}

/// The budget in force when the alert was raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetView {
    /// The amount, exactly as read.
    #[serde(with = "rust_decimal::serde::str")]
    pub amount: Decimal,
    /// Its currency; none when unknown.
    pub currency: Option<Currency>,
    /// Where it was set.
    pub source: BudgetSource,
    /// For a step that alerts again: the amount it alerted under before.
    #[serde(with = "crate::domain::recorded")]
    pub previous_amount: Option<Decimal>,
}

impl BudgetView {
    /// The view of a budget in force.
    pub fn of(budget: &Budget) -> Self {
        Self {
            amount: budget.amount(),
            currency: budget.currency(),
            source: budget.source(),
            previous_amount: None,
        }
    }
}

/// The cost when the alert was raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostView {
    /// The amount, exactly as read.
    #[serde(with = "rust_decimal::serde::str")]
    pub amount: Decimal,
    /// Its currency; none when unknown.
    pub currency: Option<Currency>,
    /// The cost in US dollars, where there is one.
    #[serde(with = "crate::domain::recorded")]
    pub usd: Option<Decimal>,
}

impl CostView {
    /// The cost of a customer of whose usage nothing is known.
    const UNKNOWN: Self = Self { amount: Decimal::ZERO, currency: None, usd: None };
}

/// An alert in the form that webhooks, listings and the ledger share. Decimals are strings, times
/// are UTC. Of a customer without usage, `cost`, `billing_period` and `usage_as_of` are null in
/// JSON; only an alert about a security alert may be of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Alert {
    /// Its identity.
    pub id: Uuid,
    /// The rule's name when it was raised.
    pub rule: String,
    /// What the rule measures.
    pub metric: Metric,
    /// The step, canonical.
    #[serde(with = "rust_decimal::serde::str")]
    pub threshold: Decimal,
    /// The lower steps newly passed by the same jump, ascending; at most 50.
    pub passed: Vec<Decimal>,
    /// The value; none where a message tells how it is now, and it has none any more.
    #[serde(flatten, with = "crate::domain::metric_value")]
    pub value: Option<MetricValue>,
    /// How bad.
    pub severity: Severity,
    /// Whether it was raised before, or in, the first good poll of the ledger or of its rule.
    pub baseline: bool,
    /// The first 8 characters of the id in upper case, for people.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The customer.
    pub customer: CustomerView,
    /// The subscription, where the alert is about one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// The budget in force; none without one.
    pub budget: Option<BudgetView>,
    /// The cost.
    #[serde(deserialize_with = "cost_or_unknown")]
    pub cost: CostView,
    /// `percentUsed` as reported, canonical, where the budget in force is Partner Center's.
    #[serde(with = "crate::domain::recorded")]
    pub reported_percent: Option<Decimal>,
    /// The percentage computed from cost and budget.
    #[serde(with = "crate::domain::recorded")]
    pub computed_percent: Option<Decimal>,
    /// The billing period it belongs to; of a security alert, the one that the customer's usage is
    /// in.
    #[serde(deserialize_with = "period_or_none")]
    pub billing_period: BillingPeriod,
    /// What each subscription has cost, the costliest first; empty when nobody answered in time.
    pub subscriptions: Vec<SubscriptionCost>,
    /// The costliest resource groups of the costliest subscription, where they are known: of
    /// critical alerts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceCost>,
    /// The date of the data.
    #[serde(deserialize_with = "date_or_none")]
    pub usage_as_of: UsageDate,
    /// What the metric's formula was given beside cost and budget, where it needs more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<FormulaInputs>,
    /// The numbers of a spike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spike: Option<SpikeView>,
    /// The security alert, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<SecurityView>,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// Where it stands in its life.
    pub state: AlertState,
}

/// What was known of the customer before the record that raised the alert, in the same period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// The date of that data.
    pub usage_as_of: Timestamp,
    /// The cost then.
    #[serde(with = "rust_decimal::serde::str")]
    pub cost: Decimal,
    /// The metric's value then, under today's budget.
    #[serde(with = "crate::domain::recorded")]
    pub value: Option<Decimal>,
}

/// How things are now, for a message that comes after the alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// The date of the latest data.
    pub usage_as_of: UsageDate,
    /// The cost then.
    #[serde(with = "rust_decimal::serde::str")]
    pub cost: Decimal,
    /// The metric's value; none over a budget of zero, or when it has none any more.
    #[serde(with = "crate::domain::recorded")]
    pub value: Option<Decimal>,
    /// The budget in force.
    pub budget: Option<BudgetView>,
    /// Why the alert is over, once it is.
    pub ended: Option<Ended>,
    /// How the security alert ended that the alert is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<SecurityEnd>,
    /// How the security alert is now that the alert is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_now: Option<SecurityNow>,
    /// The numbers of the newest day, of a spike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spike: Option<SpikeView>,
    /// What the spikes of a run that is over come to.
    #[serde(flatten)]
    pub run: Option<RunSummary>,
}

/// Why an alert is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// A changed budget took the value below the step.
    Budget,
    /// The billing period is over.
    Period,
    /// The security alert was answered.
    Answered,
    /// The security alert is no longer listed.
    Unlisted,
    /// Of a spike: a later day was usual again.
    Usual,
    /// Of a spike: somebody said that it was to be expected.
    Expected,
    /// Of a spike: it has gone on for so long that it counts as usual.
    NewNormal,
    /// Of a spike: the customer's currency or plan has changed.
    NewSeries,
}

impl From<RunEnd> for Ended {
    fn from(end: RunEnd) -> Self {
        match end {
            RunEnd::Usual => Self::Usual,
            RunEnd::Expected => Self::Expected,
            RunEnd::NewNormal => Self::NewNormal,
            RunEnd::NewSeries => Self::NewSeries,
        }
    }
}

/// What messages need beside the alert itself; not part of any payload.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertContext {
    /// The rule's description.
    pub description: Option<String>,
    /// The next step of the ladder: "next message at".
    #[serde(with = "crate::domain::recorded")]
    pub next_at: Option<Decimal>,
    /// The budget that exists too, but is not in force.
    pub other_budget: Option<BudgetView>,
    /// What was written to Partner Center and is not in the usage data yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed: Option<WrittenBudget>,
    /// The customer's own mail addresses.
    pub contacts: Vec<String>,
    /// The state before.
    pub previous: Option<Previous>,
    /// Whether the data is dated in the next period but taken for late data of this one.
    pub carried_over: bool,
    /// The name of the subscription, where the alert is about one only.
    pub subscription_name: Option<String>,
    /// Who looks after the customer, in the operator's words.
    pub owner: Option<String>,
    /// Whether another customer goes by a name that looks the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub has_namesake: bool,
    /// The incident that it belongs to, which is the open one where there is one; none in alerts
    /// of versions that had an incident for each rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// How things are now, in reminders and when it is over.
    pub latest: Option<Latest>,
    /// How the cost went in the period before; empty where history has nothing of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[serde(rename = "course")]
    pub cost_history: Vec<Point>,
    /// What is known of the security alert beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<SecurityContext>,
    /// Of a spike: what was spent in 24 hours on each of the days before, which stand for their
    /// beginnings, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Point>,
    /// Where somebody acts by a link, in one delivery to the partner's own people; never recorded.
    #[serde(skip)]
    pub links: Option<AlertLinks>,
}

/// An alert with its context: all that its messages need, now and after any restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertSnapshot {
    /// The alert.
    pub alert: Alert,
    /// What messages need beside it.
    pub context: AlertContext,
}

impl AlertSnapshot {
    /// What it has in common with the other alerts of one incident, for destinations that keep
    /// incidents.
    pub fn incident(&self) -> String {
        let alert = &self.alert;
        if alert.security.is_some() {
            return alert.new_incident();
        }
        let of_rule = || format!("{}/{}", alert.new_incident(), alert.rule);
        self.context.incident.clone().unwrap_or_else(of_rule)
    }
}

impl Alert {
    /// The incident that it belongs to where none is open: one for each customer, or subscription,
    /// and billing period; one for each security alert, whoever tells of it.
    pub fn new_incident(&self) -> String {
        match &self.security {
            Some(security) => format!("security/{}", security.id.to_ascii_lowercase()),
            None => format!("{}/{}", self.key().as_str(), self.billing_period.start),
        }
    }

    /// Whether anything is known of the customer's usage.
    pub fn has_usage(&self) -> bool {
        self.usage_as_of.instant() != NO_DATE
    }

    /// What stands in the place of usage that nobody knows.
    pub fn no_usage() -> (CostView, BillingPeriod, UsageDate) {
        (CostView::UNKNOWN, BillingPeriod::NONE, UsageDate::at(NO_DATE))
    }

    /// The short reference of an id, for people.
    pub fn reference_of(id: Uuid) -> String {
        id.simple().to_string().chars().take(8).collect::<String>().to_ascii_uppercase()
    }

    /// The key under which what it is about is remembered.
    pub fn key(&self) -> CustomerKey {
        match &self.subscription {
            Some(subscription) => CustomerKey::of_subscription(&self.customer.id, subscription),
            None => self.customer.id.key(),
        }
    }

    /// Cost above the budget, in the customer's currency; none without a budget or below it.
    pub fn over(&self) -> Option<Decimal> {
        let over = self.cost.amount.checked_sub(self.budget.as_ref()?.amount)?;
        (over > Decimal::ZERO).then_some(over)
    }

    /// Cost above the budget in US dollars at the record's own rate; none where either is unknown.
    pub fn usd_over(&self) -> Option<Decimal> {
        self.cost.usd?.checked_mul(self.over()?)?.checked_div(self.cost.amount)
    }

    /// The number of its value; none over a budget of zero, or without one.
    pub fn number(&self) -> Option<Decimal> {
        self.value.and_then(MetricValue::number)
    }

    /// Whether there is cost over a budget of zero.
    pub fn is_over_zero(&self) -> bool {
        self.value == Some(MetricValue::OverZero)
    }

    /// The percentage of the budget that puts the worst first.
    pub fn percent_to_order(&self) -> Decimal {
        if self.is_over_zero() { Decimal::MAX } else { self.computed_percent.unwrap_or_default() }
    }

    /// Orders the worst first: by severity, then US dollars over the budget (else US dollars of
    /// cost), then percent. Of one customer, what happens just now comes before what has come to
    /// be, and that before what is expected.
    pub fn worst_first(&self, other: &Self) -> Ordering {
        let money = |alert: &Self| alert.usd_over().or(alert.cost.usd).unwrap_or_default();
        let rank = |alert: &Self| (alert.severity, money(alert), alert.percent_to_order());
        rank(other)
            .cmp(&rank(self))
            .then_with(|| self.customer.called().cmp(other.customer.called()))
            .then_with(|| self.metric.urgency().cmp(&other.metric.urgency()))
            .then_with(|| self.rule.cmp(&other.rule))
            .then_with(|| self.id.cmp(&other.id))
    }
}

impl AsRef<Alert> for AlertSnapshot {
    fn as_ref(&self) -> &Alert {
        &self.alert
    }
}

/// What stands in the place of a date of the data: the year 1900, of which no usage is.
const NO_DATE: Timestamp = Timestamp::constant(-2_208_988_800, 0);

/// The fields that say nothing of a customer without usage.
const OF_USAGE: [&str; 4] = ["cost", "budget", "billing_period", "usage_as_of"];

impl Serialize for Alert {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.has_usage() {
            return Self::serialize(self, serializer);
        }
        let value = Self::serialize(self, serde_json::value::Serializer);
        let mut value = value.map_err(serde::ser::Error::custom)?;
        for name in OF_USAGE {
            if let Some(field) = value.get_mut(name) {
                *field = serde_json::Value::Null;
            }
        }
        value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Alert {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

fn cost_or_unknown<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CostView, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(CostView::UNKNOWN))
}

fn period_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BillingPeriod, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(BillingPeriod::NONE))
}

fn date_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UsageDate, D::Error> {
    let none = || UsageDate::at(NO_DATE);
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(none))
}
