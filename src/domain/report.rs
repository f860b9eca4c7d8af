//! The regular report: what stands, whether it can be trusted, and what wants a look; a snapshot of
//! all its message needs.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantNames};

use crate::domain::{BillingPeriod, Currency, CustomerId, EventCode, SecuritySummary};

/// How often a report comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[derive(IntoStaticStr, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Every {
    /// Each day.
    Day,
    /// Each Monday.
    Week,
    /// On the 1st of each month.
    Month,
}

impl Every {
    /// Every name.
    pub const NAMES: &'static [&'static str] = <Self as VariantNames>::VARIANTS;

    /// The word in configuration and JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Reads the word.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How often it comes.
    pub every: Every,
    /// When it was put together.
    pub at: Timestamp,
    /// What it calls new is since then.
    pub since: Timestamp,
    /// Whether the rest can be trusted.
    pub trust: Trust,
    /// Alerts that are not over.
    pub alerts: OpenAlerts,
    /// What is owed and what was given up.
    pub deliveries: Backlog,
    /// Customers that can never alert.
    pub coverage: Coverage,
    /// Customers over their budget, worst by money first.
    pub over_budget: Top<OverBudget>,
    /// Customers whose cost grew most since the last report, the largest first.
    pub growth: Top<Growth>,
    /// Customers with cost and without a budget, the costliest first.
    pub unbudgeted: Top<Spend>,
    /// Customers over their budget in three billing periods in a row.
    pub repeatedly_over: Top<RepeatedlyOver>,
    /// Budgets that were cut or removed, the latest first.
    pub budgets_lost: Top<BudgetLost>,
    /// What is odd about the data.
    pub data: DataQuality,
    /// How security alerts of Microsoft stand; none where they are not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<SecuritySummary>,
    /// The first digits of the hash of all that is recorded; empty in reports of older versions.
    #[serde(default)]
    pub record: String,
}

/// Whether what the report says can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// Customers in the last good poll.
    pub customers: u64,
    /// Those whose data is more than three days old.
    pub stale: u64,
    /// When the last good poll ended; `None`: never.
    pub last_good_poll: Option<Timestamp>,
    /// Whether the last poll was good.
    pub last_poll_good: bool,
    /// The newest date of the data.
    pub newest_data: Option<Timestamp>,
    /// Notifiers that take no messages now.
    pub failing_notifiers: Vec<String>,
    /// What is wrong with the daemon itself, a sentence each, oldest first.
    pub trouble: Vec<String>,
    /// Silences in force: what they cover is not told.
    #[serde(default)]
    pub silences: u64,
}

/// Alerts that are not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OpenAlerts {
    /// Critical ones.
    pub critical: u64,
    /// Critical ones that nobody has acknowledged.
    pub critical_unacknowledged: u64,
    /// Warnings.
    pub warning: u64,
    /// The rest.
    pub info: u64,
}

/// What is owed and what was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Backlog {
    /// Deliveries that are owed.
    pub owed: u64,
    /// Since when the oldest of them.
    pub oldest: Option<Timestamp>,
    /// Deliveries that were given up.
    pub dead: u64,
}

/// Customers that can never alert.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// How many.
    pub never: u64,
    /// How many for each reason.
    pub reasons: Vec<Uncovered>,
}

/// How many customers can never alert for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uncovered {
    /// The reason's word.
    pub reason: String,
    /// How many customers.
    pub customers: u64,
}

/// A list of which only the first are named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Top<T> {
    /// How many there are.
    pub total: u64,
    /// The first of them.
    pub items: Vec<T>,
    /// What all of them come to, a sum for each currency; empty where there is nothing to add up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sums: Vec<Sum>,
    /// The same in US dollars, as far as those are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<Decimal>,
}

impl<T> Default for Top<T> {
    fn default() -> Self {
        Self { total: 0, items: Vec::new(), sums: Vec::new(), usd: None }
    }
}

/// A sum in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// The currency; `None`: unknown ones, which are not added up with others.
    pub currency: Option<Currency>,
    /// How many customers.
    pub customers: u64,
    /// The sum; none where the currency is unknown.
    pub amount: Option<Decimal>,
}

/// A customer of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its id as received.
    pub id: CustomerId,
    /// What people call it.
    pub name: String,
    /// Whether another customer goes by a name that looks the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_namesake: bool,
}

/// A customer over its budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverBudget {
    /// Who.
    pub customer: Named,
    /// The cost.
    pub cost: Decimal,
    /// The budget.
    pub budget: Decimal,
    /// The currency of both; none when unknown.
    pub currency: Option<Currency>,
    /// Percent of the budget; none over a budget of zero.
    pub percent: Option<Decimal>,
    /// How much it is over, in US dollars.
    pub usd_over: Option<Decimal>,
    /// The billing period.
    pub billing_period: BillingPeriod,
}

/// How much a customer's cost grew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Growth {
    /// Who.
    pub customer: Named,
    /// By how much.
    pub by: Decimal,
    /// The cost before; `None`: the billing period began since then.
    pub from: Option<Decimal>,
    /// The cost now.
    pub cost: Decimal,
    /// The currency; none when unknown.
    pub currency: Option<Currency>,
    /// By how much in US dollars.
    pub usd: Option<Decimal>,
}

/// What a customer without a budget costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spend {
    /// Who.
    pub customer: Named,
    /// The cost.
    pub cost: Decimal,
    /// The currency; none when unknown.
    pub currency: Option<Currency>,
    /// The cost in US dollars.
    pub usd: Option<Decimal>,
}

/// A customer over its budget in three billing periods in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeatedlyOver {
    /// Who.
    pub customer: Named,
    /// The cost of each of the three periods, the oldest first.
    pub costs: Vec<Decimal>,
    /// The budget now.
    pub budget: Decimal,
    /// A budget that would have held.
    pub suggested: Decimal,
    /// The currency; none when unknown.
    pub currency: Option<Currency>,
}

/// A budget that was cut or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetLost {
    /// The customer's id as received.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// When it was noticed.
    pub at: Timestamp,
    /// What happened.
    pub code: EventCode,
    /// In words, with the numbers.
    pub detail: String,
    /// Whether another customer goes by a name that looks the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_namesake: bool,
}

/// What is odd about the data.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DataQuality {
    /// Customers that the last good poll had no record of.
    pub missing: u64,
    /// Records of the last poll that could not be used.
    pub skipped: u64,
    /// Customers whose currency is unknown.
    pub currency_unknown: u64,
    /// How often a cost fell within its period, since the last report.
    pub costs_fell: u64,
    /// How often the reported and the computed percentage began to disagree, since the last report.
    pub percents_disagree: u64,
}

impl Report {
    /// Whether there is nothing that anybody should look at.
    pub fn is_quiet(&self) -> bool {
        let Self { trust, alerts, deliveries, over_budget, .. } = self;
        let trusted =
            trust.last_poll_good && trust.failing_notifiers.is_empty() && trust.trouble.is_empty();
        trusted
            && over_budget.total == 0
            && alerts.critical == 0
            && alerts.warning == 0
            && deliveries.dead == 0
    }
}
