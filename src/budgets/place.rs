//! Places a joined record in its billing period, with what is remembered of the customer and what a
//! fresh usage summary says.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::budgets::Joined;
use crate::domain::{
    Assessed, BillingPeriod, LegacyCycle, NamedPeriods, PeriodSource, Plan, SummaryDates,
};

/// How far into a new period cost may still be the old one's.
const CARRY_OVER_WINDOW: SignedDuration = SignedDuration::from_hours(72);

/// What is remembered of a customer that bears on the billing period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeriodMemory {
    /// The date of the last data.
    pub usage_as_of: Timestamp,
    /// The period it belonged to.
    pub period: BillingPeriod,
    /// The last cost dated within that period.
    pub closing_cost: Decimal,
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

impl FreshSummary {
    /// `known` and the period that this summary names, if it names a sound one.
    pub fn added_to(&self, known: &NamedPeriods) -> NamedPeriods {
        LegacyCycle::from_summary(&self.dates)
            .map_or_else(|| known.clone(), |named| known.with(named))
    }
}

impl Joined {
    /// The record in its billing period; `named` are the periods that answers named, that of
    /// `fresh` among them.
    pub fn place(
        self,
        last: Option<&PeriodMemory>,
        named: &NamedPeriods,
        fresh: Option<&FreshSummary>,
    ) -> Assessed {
        let period = self.period_holding(self.record.usage_as_of.instant(), named);
        match last.and_then(|last| self.carried_over_from(&period, last, named, fresh)) {
            Some(old) => self.into_assessed(old, true),
            None => self.into_assessed(period, false),
        }
    }

    fn period_holding(&self, at: Timestamp, named: &NamedPeriods) -> BillingPeriod {
        period_holding(self.record.plan, at, named)
    }

    /// The period before, when the record is dated in a new one but repeats, or slightly exceeds,
    /// the last cost of the old one: data of the old period that arrived late.
    fn carried_over_from(
        &self,
        period: &BillingPeriod,
        last: &PeriodMemory,
        named: &NamedPeriods,
        fresh: Option<&FreshSummary>,
    ) -> Option<BillingPeriod> {
        let at = self.record.usage_as_of.instant();
        let old = self.old_period(last, named);
        let early = at.duration_since(period.start) <= CARRY_OVER_WINDOW;
        let confirmed = fresh.is_some_and(|fresh| {
            period.holds(fresh.dates.start.0) && fresh.total >= fresh.listed_cost
        });
        let carried = old.directly_precedes(period)
            && early
            && !confirmed
            && repeats(self.record.cost, last.closing_cost);
        carried.then_some(old)
    }

    /// The period of the last seen state, by what is known today: an assumed one gives way to a
    /// known one.
    fn old_period(&self, last: &PeriodMemory, named: &NamedPeriods) -> BillingPeriod {
        let belonged_at = if last.period.holds(last.usage_as_of) {
            last.usage_as_of
        } else {
            last.period.last_instant()
        };
        let today = self.period_holding(belonged_at, named);
        if last.period.source == PeriodSource::Assumed || today.same_span(&last.period) {
            today
        } else {
            last.period
        }
    }
}

/// The billing period of a customer that holds `at`; `named` are those that answers named.
pub(crate) fn period_holding(plan: Plan, at: Timestamp, named: &NamedPeriods) -> BillingPeriod {
    match plan {
        Plan::AzurePlan => {
            let month = BillingPeriod::calendar_month(at, PeriodSource::CalendarMonth);
            if named.names_month(&month) {
                BillingPeriod { source: PeriodSource::SubscriptionSummary, ..month }
            } else {
                month
            }
        }
        Plan::Legacy => named
            .holding(at)
            .unwrap_or_else(|| BillingPeriod::calendar_month(at, PeriodSource::Assumed)),
    }
}

/// Whether `cost` lies between `closing` and 1.25 times it. Nothing is carried over from nothing.
fn repeats(cost: Decimal, closing: Decimal) -> bool {
    let most = closing.saturating_mul(Decimal::new(125, 2));
    cost > Decimal::ZERO && closing <= cost && cost <= most
}
