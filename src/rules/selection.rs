//! Which customers a rule judges: the parts of `match`, all of which must hold.

use rust_decimal::Decimal;

use crate::domain::same_name;
use crate::domain::{Assessed, Budget, Currency, Glob, Plan, Reason};

/// `match.budget`: from `at_least` up to, not including, `below`, in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetRange {
    /// The budget's currency.
    pub currency: Currency,
    /// The smallest amount.
    pub at_least: Option<Decimal>,
    /// The first amount beyond.
    pub below: Option<Decimal>,
}

/// The customers that a rule judges; an empty part selects everybody.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Any of them must fit.
    pub customers: Vec<Glob>,
    /// None of them may fit.
    pub exclude: Vec<Glob>,
    /// The customer must have any of them.
    pub tags: Vec<Box<str>>,
    /// How the customer buys.
    pub plan: Option<Plan>,
    /// The customer's currency must be one of them; an unknown one is not.
    pub currency: Vec<Currency>,
    /// The budget in force must lie in it.
    pub budget: Option<BudgetRange>,
    /// The least cost in US dollars; records without one are selected.
    pub usd_at_least: Option<Decimal>,
    /// Of a security alert: any of them must fit its type.
    pub alert_types: Vec<Glob>,
    /// Of a security alert: its severity must be one of these words.
    pub alert_severity: Vec<Box<str>>,
    /// Of a security alert: its confidence must be one of these words.
    pub confidence: Vec<Box<str>>,
}

impl Selection {
    /// Says why the customer is not selected, the first reason in the order of the documentation.
    pub(crate) fn refusal(&self, assessed: &Assessed) -> Option<Reason> {
        let checks = [
            (self.has_customer(assessed), Reason::CustomerNotSelected),
            (!self.exclude.iter().any(|glob| fits(glob, assessed)), Reason::CustomerExcluded),
            (self.has_tag(assessed), Reason::TagNotSelected),
            (self.plan.is_none_or(|plan| plan == assessed.record.plan), Reason::PlanNotSelected),
            (self.has_currency(assessed), Reason::CurrencyNotSelected),
            (
                self.budget.is_none_or(|range| range.contains(assessed.budget)),
                Reason::BudgetNotSelected,
            ),
            (self.has_usd_cost(assessed), Reason::UsdCostTooSmall),
        ];
        checks.into_iter().find_map(|(holds, reason)| (!holds).then_some(reason))
    }

    /// Whether it has conditions on security alerts.
    pub(crate) fn is_about_security(&self) -> bool {
        !(self.alert_types.is_empty()
            && self.alert_severity.is_empty()
            && self.confidence.is_empty())
    }

    fn has_customer(&self, assessed: &Assessed) -> bool {
        self.customers.is_empty() || self.customers.iter().any(|glob| fits(glob, assessed))
    }

    fn has_tag(&self, assessed: &Assessed) -> bool {
        self.tags.is_empty()
            || assessed
                .profile
                .tags
                .iter()
                .any(|tag| self.tags.iter().any(|wanted| same_name(wanted, tag)))
    }

    fn has_currency(&self, assessed: &Assessed) -> bool {
        self.currency.is_empty()
            || assessed.currency.is_some_and(|currency| self.currency.contains(&currency))
    }

    fn has_usd_cost(&self, assessed: &Assessed) -> bool {
        match (self.usd_at_least, assessed.record.usd_cost) {
            (Some(least), Some(cost)) => cost >= least,
            _ => true,
        }
    }
}

/// Whether a pattern fits the customer's id, name or label.
fn fits(glob: &Glob, assessed: &Assessed) -> bool {
    let label = assessed.profile.label.as_deref();
    glob.fits_any([
        Some(assessed.record.customer.as_str()),
        Some(assessed.record.name.as_str()),
        label,
    ])
}

impl BudgetRange {
    /// Whether a budget lies in it; no budget does not.
    pub(crate) fn contains(&self, budget: Option<Budget>) -> bool {
        let Some(budget) = budget else { return false };
        budget.currency() == Some(self.currency)
            && self.at_least.is_none_or(|least| budget.amount() >= least)
            && self.below.is_none_or(|below| budget.amount() < below)
    }
}
