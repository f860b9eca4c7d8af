//! From the dates of a customer's data to what was spent by day, for rules about spikes.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::alerting::RememberedCustomer;
use crate::budgets;
use crate::domain::spike::{CostDate, Spending};
use crate::domain::{Assessed, BillingPeriod, NamedPeriods, PeriodSource, Plan};

/// What was spent by day. What was taken for late data of the period before is no date.
pub(crate) fn spending(
    assessed: &Assessed,
    remembered: Option<&RememberedCustomer>,
    named: &NamedPeriods,
) -> Spending {
    let plan = assessed.record.plan;
    let date = |at: Timestamp, cost: Decimal, period: BillingPeriod| CostDate {
        at,
        cost,
        start: period.start,
        is_start_known: plan == Plan::AzurePlan
            || period.source == PeriodSource::SubscriptionSummary,
    };
    // Of one date what was read last stands first.
    let earlier = remembered.map_or(&[][..], |remembered| &remembered.samples);
    let earlier = earlier.iter().rev().filter(|sample| !sample.carried_over);
    let earlier: Vec<_> = earlier
        .map(|sample| {
            let at = sample.usage_as_of;
            date(at, sample.cost, budgets::period_holding(plan, at, named))
        })
        .collect();
    let record = &assessed.record;
    let judged = date(record.usage_as_of.instant(), record.cost, assessed.period);
    let spikes = remembered.map_or(&[][..], |remembered| &remembered.spikes);
    Spending::of(&earlier, judged, spikes)
}
