//! Places a joined record in its billing period, with what is remembered of the customer and what a fresh usage summary
//! says.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::budgets::Joined;
use crate::domain::{Assessed, BillingPeriod, LegacyCycle, PeriodSource, Plan, SummaryDates};

/// How far into a new period cost may still be the old one's.
const CARRY_OVER_WINDOW: SignedDuration = SignedDuration::from_hours(72);

/// What is remembered of a customer that bears on the billing period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSeen {
    /// The date of the last data.
    pub usage_as_of: Timestamp,
    /// The period it belonged to.
    pub period: BillingPeriod,
    /// The last cost dated within that period.
    pub closing_cost: Decimal,
    /// The billing cycle of a legacy customer, once a summary named it.
    pub cycle: Option<LegacyCycle>,
}

/// What the customer's usage summary says now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreshSummary {
    /// The period it names.
    pub dates: SummaryDates,
    /// Its total.
    pub total: Decimal,
    /// The cost of the same subscription in the list of subscriptions.
    pub listed_cost: Decimal,
}

impl Joined {
    /// The record in its billing period.
    pub fn place(self, last: Option<&LastSeen>, fresh: Option<&FreshSummary>) -> Assessed {
        let at = self.record.usage_as_of.instant();
        let cycle = self.cycle(last, fresh);
        let period = self.period_holding(at, cycle, fresh);
        match last.and_then(|last| self.carried_over_from(&period, last, cycle, fresh)) {
            Some(old) => self.into_assessed(old, true),
            None => self.into_assessed(period, false),
        }
    }

    /// The billing cycle of a legacy customer: as just named, else as remembered.
    pub fn cycle(&self, last: Option<&LastSeen>, fresh: Option<&FreshSummary>) -> Option<LegacyCycle> {
        if self.record.plan != Plan::Legacy {
            return None;
        }
        fresh.and_then(|fresh| LegacyCycle::from_summary(&fresh.dates)).or_else(|| last?.cycle)
    }

    fn period_holding(&self, at: Timestamp, cycle: Option<LegacyCycle>, fresh: Option<&FreshSummary>) -> BillingPeriod {
        match (self.record.plan, cycle) {
            (Plan::AzurePlan, _) => {
                let month = BillingPeriod::calendar_month(at, PeriodSource::CalendarMonth);
                let named = fresh.is_some_and(|fresh| month.holds(fresh.dates.start.0));
                if named { BillingPeriod { source: PeriodSource::SubscriptionSummary, ..month } } else { month }
            }
            (Plan::Legacy, Some(cycle)) => {
                let known = fresh.is_some() || cycle.named(PeriodSource::Assumed).holds(at);
                cycle.holding(at, if known { PeriodSource::SubscriptionSummary } else { PeriodSource::Assumed })
            }
            (Plan::Legacy, None) => BillingPeriod::calendar_month(at, PeriodSource::Assumed),
        }
    }

    /// The period before, when the record is dated in a new one but repeats, or slightly exceeds, the last cost of the
    /// old one: data of the old period that arrived late.
    fn carried_over_from(
        &self,
        period: &BillingPeriod,
        last: &LastSeen,
        cycle: Option<LegacyCycle>,
        fresh: Option<&FreshSummary>,
    ) -> Option<BillingPeriod> {
        let at = self.record.usage_as_of.instant();
        let old = old_period(last, cycle);
        let early = at.duration_since(period.start) <= CARRY_OVER_WINDOW;
        let confirmed = fresh.is_some_and(|fresh| period.holds(fresh.dates.start.0) && fresh.total >= fresh.listed_cost);
        let carried = old.directly_precedes(period) && early && !confirmed && repeats(self.record.cost, last.closing_cost);
        carried.then_some(old)
    }
}

/// The period of the last seen state, by what is known today: an assumed one gives way to a known one.
fn old_period(last: &LastSeen, cycle: Option<LegacyCycle>) -> BillingPeriod {
    let belonged_at = if last.period.holds(last.usage_as_of) { last.usage_as_of } else { last.period.last_instant() };
    match cycle {
        Some(cycle) if last.period.source == PeriodSource::Assumed => {
            let known = cycle.named(PeriodSource::SubscriptionSummary);
            if known.holds(belonged_at) { known } else { cycle.holding(belonged_at, PeriodSource::Assumed) }
        }
        _ => last.period,
    }
}

/// Whether `cost` lies between `closing` and 1.25 times it. Nothing is carried over from nothing.
fn repeats(cost: Decimal, closing: Decimal) -> bool {
    let most = closing.saturating_mul(Decimal::new(125, 2));
    cost > Decimal::ZERO && closing <= cost && cost <= most
}
