//! One pass over the customers, for everything that a report says of them.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::alerting::CustomerState;
use crate::alerting::{Gap, gap};
use crate::budgets;
use crate::domain::{
    Coverage, Currency, CustomerView, Growth, MetricValue, Named, OverBudget, RepeatedlyOver,
    Spend, Top, Uncovered,
};
use crate::ledger::CostHistory;
use crate::reports::Scope;
use crate::reports::budget::suggested;
use crate::reports::top::Ranking;
use crate::rules::Rules;

/// Older data is stale.
const STALE: SignedDuration = SignedDuration::from_hours(72);
/// How long the data of a period that is over is the latest there is.
const LATE_DATA: SignedDuration = SignedDuration::from_hours(72);

/// What the pass has found so far.
pub(crate) struct Survey<'a> {
    budgets: &'a budgets::Config,
    rules: &'a Rules,
    failing: &'a BTreeSet<Box<str>>,
    scope: Scope,
    customers: u64,
    stale: u64,
    currency_unknown: u64,
    gaps: [u64; Gap::ALL.len()],
    over_budget: Ranking<OverBudget>,
    growth: Ranking<Growth>,
    unbudgeted: Ranking<Spend>,
    repeatedly_over: Ranking<RepeatedlyOver>,
}

/// What it has found.
pub(crate) struct Found {
    pub(crate) customers: u64,
    pub(crate) stale: u64,
    pub(crate) currency_unknown: u64,
    pub(crate) coverage: Coverage,
    pub(crate) over_budget: Top<OverBudget>,
    pub(crate) growth: Top<Growth>,
    pub(crate) unbudgeted: Top<Spend>,
    pub(crate) repeatedly_over: Top<RepeatedlyOver>,
}

impl<'a> Survey<'a> {
    pub(crate) fn new(
        budgets: &'a budgets::Config,
        rules: &'a Rules,
        failing: &'a BTreeSet<Box<str>>,
        scope: Scope,
    ) -> Self {
        Self {
            budgets,
            rules,
            failing,
            scope,
            customers: 0,
            stale: 0,
            currency_unknown: 0,
            gaps: [0; Gap::ALL.len()],
            over_budget: Ranking::new(),
            growth: Ranking::new(),
            unbudgeted: Ranking::new(),
            repeatedly_over: Ranking::new(),
        }
    }

    pub(crate) fn take(&mut self, cost_history: &CostHistory) {
        let seen = &cost_history.seen;
        self.customers += 1;
        self.stale += u64::from(self.scope.now.duration_since(seen.usage_as_of.instant()) > STALE);
        self.currency_unknown += u64::from(seen.currency.is_none());
        if let Some(gap) = gap(self.budgets, self.rules, seen, self.failing) {
            Gap::ALL
                .iter()
                .zip(&mut self.gaps)
                .filter(|(known, _)| **known == gap)
                .for_each(|(_, count)| *count += 1);
        }
        // What a period long over has cost is no news any more.
        if seen.period.end.saturating_add(LATE_DATA).is_ok_and(|end| end <= self.scope.now) {
            return;
        }
        match seen.budget {
            Some(budget) if seen.cost > budget => self.over(cost_history, budget),
            None if seen.cost > Decimal::ZERO => {
                let spend = Spend {
                    customer: named(seen),
                    cost: seen.cost,
                    currency: seen.currency,
                    usd: seen.usd_cost,
                };
                self.unbudgeted.take(seen.cost, seen.currency, seen.usd_cost, spend);
            }
            _ => {}
        }
        self.grown(cost_history);
    }

    fn over(&mut self, cost_history: &CostHistory, budget: Decimal) {
        let (seen, over) = (&cost_history.seen, cost_history.seen.cost.saturating_sub(budget));
        let usd_over = in_usd(seen, over);
        let percent = seen.percent_used().and_then(MetricValue::number);
        let item = OverBudget {
            customer: named(seen),
            cost: seen.cost,
            budget,
            currency: seen.currency,
            percent,
            usd_over,
            billing_period: seen.period,
        };
        self.over_budget.take(over, seen.currency, usd_over, item);
        self.repeated(cost_history, budget, over, usd_over);
    }

    /// The two periods before were over what was their budget, as far as is known: Partner Center's
    /// is remembered, one set locally is taken for what it is now.
    fn repeated(
        &mut self,
        cost_history: &CostHistory,
        budget: Decimal,
        over: Decimal,
        usd_over: Option<Decimal>,
    ) {
        let seen = &cost_history.seen;
        let is_theirs = seen.partner_center_budget == Some(budget);
        let budget_then = |theirs: Option<Decimal>| if is_theirs { theirs } else { Some(budget) };
        let were_over = cost_history.closings.iter().all(|one| {
            budget_then(one.partner_center_budget).is_some_and(|budget| one.cost > budget)
        });
        if cost_history.closings.len() < 2 || !were_over || budget.is_zero() {
            return;
        }
        let costs: Vec<Decimal> =
            cost_history.closings.iter().rev().map(|one| one.cost).chain([seen.cost]).collect();
        if let Some(suggested) = suggested(&costs) {
            let item = RepeatedlyOver {
                customer: named(seen),
                costs,
                budget,
                suggested,
                currency: seen.currency,
            };
            self.repeatedly_over.take(over, seen.currency, usd_over, item);
        }
    }

    /// Growth is measured in the time of the data; what nobody knows from before is not counted.
    fn grown(&mut self, cost_history: &CostHistory) {
        let (seen, since) = (&cost_history.seen, self.scope.since);
        let oldest = since.checked_sub(LATE_DATA).unwrap_or(Timestamp::MIN);
        if seen.usage_as_of.instant() < oldest {
            return;
        }
        let from = match cost_history.before {
            Some((at, cost)) if seen.period.holds(at) => Some(cost),
            // The period began since then, and what was before is known to be another's.
            Some(_) => None,
            None => return,
        };
        let by = seen.cost.saturating_sub(from.unwrap_or_default());
        if by > Decimal::ZERO {
            let usd = in_usd(seen, by);
            let item = Growth {
                customer: named(seen),
                by,
                from,
                cost: seen.cost,
                currency: seen.currency,
                usd,
            };
            self.growth.take(by, seen.currency, usd, item);
        }
    }

    pub(crate) fn finish(self) -> Found {
        let reasons = Gap::ALL.iter().zip(self.gaps).filter(|(_, customers)| *customers > 0);
        let never = Gap::ALL
            .iter()
            .zip(self.gaps)
            .filter(|(gap, _)| **gap != Gap::DeadNotifier)
            .map(|(_, customers)| customers)
            .sum();
        let reasons = reasons
            .map(|(gap, customers)| Uncovered { reason: gap.as_str().to_owned(), customers })
            .collect();
        Found {
            customers: self.customers,
            stale: self.stale,
            currency_unknown: self.currency_unknown,
            coverage: Coverage { never, reasons },
            over_budget: self.over_budget.finish(),
            growth: self.growth.finish(),
            unbudgeted: self.unbudgeted.finish(),
            // Costs of several periods are no sum.
            repeatedly_over: Top { sums: Vec::new(), usd: None, ..self.repeatedly_over.finish() },
        }
    }
}

/// A part of the cost in US dollars, at the record's own rate.
fn in_usd(seen: &CustomerState, part: Decimal) -> Option<Decimal> {
    if seen.currency.is_some_and(|currency: Currency| currency.as_str() == "USD") {
        return Some(part);
    }
    seen.usd_cost?.checked_mul(part)?.checked_div(seen.cost)
}

fn named(seen: &CustomerState) -> Named {
    let view = CustomerView {
        id: seen.customer.clone(),
        name: seen.name.clone(),
        label: seen.label.clone(),
        plan: seen.plan,
    };
    Named { id: view.id.clone(), name: view.called().to_owned(), has_namesake: false }
}
