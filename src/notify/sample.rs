//! An alert that is made up, and clearly so, for trying a notifier.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::domain::{
    Alert, AlertContext, AlertSnapshot, AlertState, BillingPeriod, BudgetSource, BudgetView, CostView, Currency, CustomerId, CustomerView,
    Metric, PeriodSource, Plan, Severity, SubscriptionCost, UsageDate,
};

/// A made-up alert, as if its data were three hours old at `now`.
pub fn sample_alert(now: Timestamp) -> AlertSnapshot {
    let id = Uuid::new_v4();
    let usage_as_of = now.saturating_sub(SignedDuration::from_hours(3)).unwrap_or(now);
    let currency = Currency::try_new("EUR").ok();
    let alert = Alert {
        id,
        rule: "example-rule".into(),
        metric: Metric::PercentUsed,
        threshold: Decimal::from(80),
        passed: Vec::new(),
        value: Some(Decimal::new(825, 1)),
        over_zero: false,
        severity: Severity::Info,
        baseline: false,
        reference: Alert::reference_of(id),
        customer: CustomerView {
            id: CustomerId::try_new("00000000-0000-0000-0000-000000000000").expect("a constant that is not empty"),
            name: "Example Customer (made up)".into(),
            label: None,
            plan: Plan::AzurePlan,
        },
        subscription: None,
        budget: Some(BudgetView { amount: Decimal::from(1000), currency, source: BudgetSource::PartnerCenter, previous_amount: None }),
        cost: CostView { amount: Decimal::from(825), currency, usd: Some(Decimal::from(900)) },
        reported_percent: Some(Decimal::new(825, 1)),
        computed_percent: Some(Decimal::new(825, 1)),
        billing_period: BillingPeriod::calendar_month(usage_as_of, PeriodSource::CalendarMonth),
        subscriptions: vec![SubscriptionCost { id: "example".into(), name: "Example subscription".into(), cost: Decimal::from(825) }],
        usage_as_of: UsageDate::at(usage_as_of),
        inputs: None,
        raised_at: now,
        state: AlertState::Raised,
    };
    let context = AlertContext { next_at: Some(Decimal::from(100)), ..AlertContext::default() };
    AlertSnapshot { alert, context }
}
