//! The customers that the simulated Partner Center knows, and their billing periods; how they are
//! written is elsewhere.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};
use rust_decimal::Decimal;

use crate::domain::rounded;

/// How a simulated customer buys Azure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SimPlan {
    /// An Azure plan, billed by the UTC calendar month.
    AzurePlan {
        /// ISO 4217 code.
        currency: String,
        /// US dollars for one unit of the currency.
        usd_rate: Decimal,
    },
    /// A legacy subscription, billed from a day of the month, Pacific time.
    Legacy {
        /// A culture such as `fr-FR`, which stands where a currency would.
        locale: String,
        /// The day of the month on which its period begins, 1 to 31.
        billing_day: i8,
    },
}

/// One subscription of a simulated customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimSubscription {
    /// Its id.
    pub id: String,
    /// Its name, for example `Prod`.
    pub name: String,
    /// Its cost so far, in the customer's currency.
    pub cost: Decimal,
    /// What its resources have cost, where that can be asked: of a plan.
    pub resources: Vec<SimResource>,
}

/// One resource of a simulated Azure plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimResource {
    /// The Azure subscription it is in, by name.
    pub subscription: String,
    /// Its resource group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// Its cost so far, in the customer's currency.
    pub cost: Decimal,
}

impl SimResource {
    /// A resource with this cost.
    pub fn new(subscription: &str, group: &str, name: &str, cost: Decimal) -> Self {
        Self {
            subscription: subscription.to_owned(),
            group: group.to_owned(),
            name: name.to_owned(),
            cost,
        }
    }
}

/// One customer as Partner Center shows it at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimCustomer {
    /// Its id, usually a GUID.
    pub id: String,
    /// Its name, any text.
    pub name: String,
    /// How it buys Azure.
    pub plan: SimPlan,
    /// `budget.amount`; `None`: the key is left out.
    pub budget: Option<Decimal>,
    /// `totalCost`; written with all its digits.
    pub cost: Decimal,
    /// `lastModifiedDate`.
    pub usage_as_of: Timestamp,
    /// An instant within the billing period that the usage summaries name; `None`: `usage_as_of`.
    /// They differ when late data of the old period is dated in the new one.
    pub summary_as_of: Option<Timestamp>,
    /// Its subscriptions, costliest anywhere.
    pub subscriptions: Vec<SimSubscription>,
}

impl SimCustomer {
    /// A customer with an Azure plan, 1 USD = 1 unit of its currency, no budget and no cost.
    pub fn azure_plan(id: &str, name: &str, currency: &str, usage_as_of: Timestamp) -> Self {
        Self::new(
            id,
            name,
            SimPlan::AzurePlan { currency: currency.to_owned(), usd_rate: Decimal::ONE },
            usage_as_of,
        )
    }

    /// A legacy customer without budget and cost.
    pub fn legacy(
        id: &str,
        name: &str,
        locale: &str,
        billing_day: i8,
        usage_as_of: Timestamp,
    ) -> Self {
        Self::new(id, name, SimPlan::Legacy { locale: locale.to_owned(), billing_day }, usage_as_of)
    }

    fn new(id: &str, name: &str, plan: SimPlan, usage_as_of: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            plan,
            budget: None,
            cost: Decimal::ZERO,
            usage_as_of,
            summary_as_of: None,
            subscriptions: Vec::new(),
        }
    }

    /// The same with this budget.
    #[must_use]
    pub fn with_budget(mut self, amount: Decimal) -> Self {
        self.budget = Some(amount);
        self
    }

    /// The same with this cost.
    #[must_use]
    pub fn with_cost(mut self, cost: Decimal) -> Self {
        self.cost = cost;
        self
    }

    /// The same at this rate: US dollars for one unit of its currency. A legacy customer has no
    /// cost in dollars.
    #[must_use]
    pub fn with_usd_rate(mut self, rate: Decimal) -> Self {
        if let SimPlan::AzurePlan { usd_rate, .. } = &mut self.plan {
            *usd_rate = rate;
        }
        self
    }

    /// The same with one more subscription.
    #[must_use]
    pub fn with_subscription(mut self, id: &str, name: &str, cost: Decimal) -> Self {
        self.subscriptions.push(SimSubscription {
            id: id.to_owned(),
            name: name.to_owned(),
            cost,
            resources: Vec::new(),
        });
        self
    }

    /// The same with these resources in the subscription added last.
    #[must_use]
    pub fn with_resources(mut self, resources: Vec<SimResource>) -> Self {
        if let Some(last) = self.subscriptions.last_mut() {
            last.resources = resources;
        }
        self
    }

    /// `percentUsed` as Partner Center computes it: two decimals, 0 without a budget.
    pub fn percent_used(&self) -> Decimal {
        let share =
            self.budget.and_then(|amount| (self.cost * Decimal::ONE_HUNDRED).checked_div(amount));
        share.map_or(Decimal::ZERO, |percent| rounded(percent, 2))
    }

    /// `usdTotalCost`: cents that went through a binary float and show it; 0 for a legacy customer.
    pub(crate) fn usd(&self, cost: Decimal) -> Decimal {
        let SimPlan::AzurePlan { usd_rate, .. } = self.plan else { return Decimal::ZERO };
        let cents = rounded(cost * usd_rate, 2);
        if cents.is_zero() { Decimal::ZERO } else { cents + Decimal::new(85_235, 20) }
    }

    /// `billingStartDate` and `billingEndDate`: for a plan the end is the first day after, for a
    /// legacy customer the last day.
    pub(crate) fn billing_dates(&self) -> Option<(Zoned, Zoned)> {
        let at = self.summary_as_of.unwrap_or(self.usage_as_of);
        match self.plan {
            SimPlan::AzurePlan { .. } => {
                let first = at.to_zoned(TimeZone::UTC).date().first_of_month();
                let next = first.checked_add(Span::new().months(1)).ok()?;
                Some((first.to_zoned(TimeZone::UTC).ok()?, next.to_zoned(TimeZone::UTC).ok()?))
            }
            SimPlan::Legacy { billing_day, .. } => {
                let pacific = TimeZone::get("America/Los_Angeles").ok()?;
                let (first, next) = cycle(at.to_zoned(pacific.clone()).date(), billing_day)?;
                Some((
                    first.to_zoned(pacific.clone()).ok()?,
                    next.yesterday().ok()?.to_zoned(pacific).ok()?,
                ))
            }
        }
    }
}

/// The first day of the billing cycle that holds `day`, and the first day of the next one.
pub(crate) fn cycle(day: Date, billing_day: i8) -> Option<(Date, Date)> {
    let in_month =
        |month: Date| month.with().day(billing_day.clamp(1, month.days_in_month())).build().ok();
    let this = in_month(day.first_of_month())?;
    let months =
        |count: i32| in_month(day.first_of_month().checked_add(Span::new().months(count)).ok()?);
    if day < this { Some((months(-1)?, this)) } else { Some((this, months(1)?)) }
}
