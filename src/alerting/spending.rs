//! From the dates of a customer's data to what was spent by day, for rules about spikes.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::alerting::{CustomerState, RememberedCustomer};
use crate::budgets;
use crate::domain::spike::{CostDate, Spending};
use crate::domain::{Assessed, BillingPeriod, NamedPeriods, PeriodSource, Plan};

/// The date of the data from which on a customer's currency and plan are what they are, when it was
/// last seen as `before`: amounts are compared with later ones only. None where they always were. A
/// currency that becomes known is no other one.
pub(crate) fn series_since(
    assessed: &Assessed,
    before: Option<&CustomerState>,
) -> Option<Timestamp> {
    let (before, record) = (before?, &assessed.record);
    let currencies = before.currency.zip(assessed.currency);
    let is_other = currencies.is_some_and(|(before, now)| before != now);
    if is_other || before.plan != record.plan {
        return Some(record.usage_as_of.instant());
    }
    before.series_since
}

/// What was spent by day. Dates in another currency, or of another plan, are left out. What was taken for late data of the period before is no date.
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
    let since = series_since(assessed, remembered.map(|remembered| &remembered.seen));
    let is_new = |at: Timestamp| since.is_none_or(|since| at >= since);
    let is_of_series = |at: Timestamp| is_new(at) == is_new(assessed.record.usage_as_of.instant());
    let earlier = earlier
        .iter()
        .rev()
        .filter(|sample| !sample.carried_over && is_of_series(sample.usage_as_of));
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
