//! Joins a record with what is known locally: currency, profile and the budget in force. Its place
//! in time is left to [`crate::budgets::Joined::place`].

use std::sync::{Arc, LazyLock};

use rust_decimal::Decimal;

use crate::budgets::{Config, LocalBudget, LocalCustomer, Prefer, SubscriptionKey};
use crate::domain::{
    Assessed, BillingPeriod, Budget, BudgetSource, Currency, MissingInput, PeriodSource, Plan,
    Profile, UsageRecord, percent_of,
};

/// The profile of every customer that the configuration does not name.
static NOBODY: LazyLock<Arc<Profile>> = LazyLock::new(Arc::default);

/// A record whose currency and budget are settled.
#[derive(Debug, Clone)]
pub struct Joined {
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
    /// What is wrong with the local budget.
    pub oddity: Option<BudgetOddity>,
}

/// What is wrong with a local budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetOddity {
    /// It is in another currency than the record's and is not used.
    CurrencyClash {
        /// The budget's.
        local: Currency,
        /// The record's.
        record: Currency,
    },
    /// The record's currency is unknown; the budget is used all the same.
    CurrencyUnknown {
        /// The budget's.
        local: Currency,
    },
}

impl Config {
    /// Joins a record with the local configuration. One about a subscription has the budget of that
    /// subscription, and never the customer's.
    pub fn join(&self, record: UsageRecord) -> Joined {
        let local = if self.customers.is_empty() {
            None
        } else {
            self.customers.get(&record.customer.key())
        };
        let currency = record
            .currency
            .or_else(|| local.and_then(|local| local.currency))
            .or_else(|| self.fallback_currency(record.plan));
        let reported = record
            .budget
            .and_then(|amount| Budget::try_new(amount, currency, BudgetSource::PartnerCenter));
        let (own, oddity) = own_budget(local.and_then(|local| local.budget_of(&record)), currency);
        let (budget, other_budget) = match (own, reported, self.prefer) {
            (Some(own), reported, Prefer::Local) => (Some(own), reported),
            (own, Some(reported), _) => (Some(reported), own),
            (own, None, _) => (own, None),
        };
        let profile = local.map_or_else(|| Arc::clone(&NOBODY), |local| Arc::clone(&local.profile));
        Joined { record, profile, currency, budget, other_budget, oddity }
    }

    fn fallback_currency(&self, plan: Plan) -> Option<Currency> {
        self.legacy_currency.filter(|_| plan == Plan::Legacy)
    }
}

impl LocalCustomer {
    fn budget_of(&self, record: &UsageRecord) -> Option<LocalBudget> {
        let Some(subscription) = &record.subscription else { return self.budget };
        self.subscriptions.get(&SubscriptionKey::of(&subscription.id)).map(|local| local.budget)
    }
}

fn own_budget(
    local: Option<LocalBudget>,
    currency: Option<Currency>,
) -> (Option<Budget>, Option<BudgetOddity>) {
    let Some(local) = local else { return (None, None) };
    let budget = Budget::try_new(local.amount, Some(local.currency), BudgetSource::Local);
    match currency {
        Some(record) if record != local.currency => {
            (None, Some(BudgetOddity::CurrencyClash { local: local.currency, record }))
        }
        Some(_) => (budget, None),
        None => (budget, Some(BudgetOddity::CurrencyUnknown { local: local.currency })),
    }
}

impl Joined {
    /// Percentage of the budget in force, rounded half-up to two decimals; a negative cost is 0 %.
    pub fn computed_percent(&self) -> Option<Decimal> {
        percent_of(self.record.cost.max(Decimal::ZERO), self.budget?.amount())
    }

    /// The record in a period, whichever.
    pub(super) fn into_assessed(self, period: BillingPeriod, carried_over: bool) -> Assessed {
        let computed_percent = self.computed_percent();
        Assessed {
            record: self.record,
            profile: self.profile,
            currency: self.currency,
            budget: self.budget,
            other_budget: self.other_budget,
            computed_percent,
            period,
            carried_over,
            rise: Err(MissingInput::EarlierDate),
            spending: None,
            stale_hours: Err(MissingInput::CollectionAge),
        }
    }

    /// The record in no period at all: enough to see whether any step is reached, for which neither
    /// the period nor any memory of the customer is needed.
    pub fn unplaced(self) -> Unplaced {
        let at = self.record.usage_as_of.instant();
        let oddity = self.oddity;
        Unplaced {
            assessed: self.into_assessed(
                BillingPeriod { start: at, end: at, source: PeriodSource::Assumed },
                false,
            ),
            oddity,
        }
    }
}

/// A joined record lent to the rules before it is placed.
#[derive(Debug)]
pub struct Unplaced {
    assessed: Assessed,
    oddity: Option<BudgetOddity>,
}

impl Unplaced {
    /// What the rules look at.
    pub fn assessed(&self) -> &Assessed {
        &self.assessed
    }

    /// The joined record again, to be placed.
    pub fn rejoined(self) -> Joined {
        let Assessed { record, profile, currency, budget, other_budget, .. } = self.assessed;
        Joined { record, profile, currency, budget, other_budget, oddity: self.oddity }
    }
}
