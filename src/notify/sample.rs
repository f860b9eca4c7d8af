//! Messages that are made up, and clearly so, for trying a notifier.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{
    Alert, AlertContext, AlertSnapshot, AlertState, BillingPeriod, BudgetSource, BudgetView,
    CostView, Currency, CustomerId, CustomerView, Digest, Ended, FindingCode, Latest, Message,
    Metric, MetricValue, OperatorNews, PeriodSource, Plan, Severity, SubscriptionCost, UsageDate,
    percent_of,
};
use crate::notify::message::{NOBODY, TEST_MARK};

/// The kinds of messages that can be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SampleKind {
    /// One new alert.
    #[default]
    Raised,
    /// Several.
    Digest,
    /// One that is still true.
    Reminder,
    /// One that is over.
    Resolved,
    /// News about the daemon itself.
    Operator,
}

/// A made-up message of this kind, marked as a test, as if its data were three hours old at `now`.
pub fn sample_message(kind: SampleKind, now: Timestamp) -> Message {
    let one = |alert: AlertSnapshot| Digest {
        alerts: vec![alert],
        part: 1,
        parts: 1,
        total: 1,
        criticals: 0,
        totals: None,
        baseline: false,
    };
    match kind {
        SampleKind::Raised => Message::Test(Box::new(sample_alert(now))),
        SampleKind::Digest => {
            let alerts: Vec<_> =
                ["A", "B", "C"].map(|which| marked(sample_alert(now), which)).to_vec();
            Message::Digest(Digest { total: 3, alerts, ..one(sample_alert(now)) })
        }
        SampleKind::Reminder => Message::Reminder(one(later(now, 1000, None))),
        SampleKind::Resolved => Message::Resolved(one(later(now, 2000, Some(Ended::Budget)))),
        SampleKind::Operator => Message::Operator(OperatorNews {
            code: FindingCode::SourceFailing,
            // Never the trouble that it plays: a destination that keeps one entry for each would
            // take the real one for this.
            subject: "test".into(),
            summary: format!("{TEST_MARK} the source has failed for 3 h (made up)"),
            action: "nothing to do: this message was asked for to try the notifier".into(),
            since: hours_before(now, 3),
            over: false,
            from: None,
        }),
    }
}

/// An alert raised a day before, with more cost and this budget now.
fn later(now: Timestamp, budget: i64, ended: Option<Ended>) -> AlertSnapshot {
    let mut snapshot = marked(sample_alert(now), "A");
    let cost = Decimal::from(912);
    let alert = &mut snapshot.alert;
    alert.raised_at = hours_before(now, 24);
    alert.state = if ended.is_some() { AlertState::Resolved } else { AlertState::Raised };
    let amount = Decimal::from(budget);
    let budget = alert.budget.clone().map(|view| BudgetView { amount, ..view });
    let value = percent_of(cost, amount);
    snapshot.context.latest = Some(Latest {
        usage_as_of: UsageDate::at(hours_before(now, 3)),
        cost,
        value,
        budget,
        ended,
        security: None,
        security_now: None,
        spike: None,
        run: None,
    });
    snapshot
}

/// The same under a name that says that it is a test.
#[expect(clippy::expect_used, reason = "constants of this program: its message says why")]
fn marked(mut snapshot: AlertSnapshot, which: &str) -> AlertSnapshot {
    snapshot.alert.customer.label = Some(format!("{TEST_MARK} Customer {which} (made up)"));
    if which != "A" {
        snapshot.alert.customer.id =
            CustomerId::try_new(format!("{NOBODY}-{which}")).expect("a text that is not empty");
    }
    snapshot
}

fn hours_before(now: Timestamp, hours: i64) -> Timestamp {
    now.saturating_sub(SignedDuration::from_hours(hours)).unwrap_or(now)
}

/// A made-up alert, as if its data were three hours old at `now`.
#[expect(clippy::expect_used, reason = "constants of this program: its message says why")]
pub fn sample_alert(now: Timestamp) -> AlertSnapshot {
    let id = Uuid::new_v4();
    let usage_as_of = hours_before(now, 3);
    let currency = Currency::try_new("EUR").ok();
    let alert = Alert {
        id,
        rule: "example-rule".into(),
        metric: Metric::PercentUsed,
        threshold: Decimal::from(80),
        passed: Vec::new(),
        value: Some(MetricValue::Number(Decimal::new(825, 1))),
        severity: Severity::Info,
        baseline: false,
        reference: Alert::reference_of(id),
        customer: CustomerView {
            id: CustomerId::try_new(NOBODY).expect("a constant that is not empty"),
            name: "Example Customer (made up)".into(),
            label: None,
            plan: Plan::AzurePlan,
        },
        subscription: None,
        budget: Some(BudgetView {
            amount: Decimal::from(1000),
            currency,
            source: BudgetSource::PartnerCenter,
            previous_amount: None,
        }),
        cost: CostView { amount: Decimal::from(825), currency, usd: Some(Decimal::from(900)) },
        reported_percent: Some(Decimal::new(825, 1)),
        computed_percent: Some(Decimal::new(825, 1)),
        billing_period: BillingPeriod::calendar_month(usage_as_of, PeriodSource::CalendarMonth),
        subscriptions: vec![SubscriptionCost {
            id: "example".into(),
            name: "Example subscription".into(),
            cost: Decimal::from(825),
        }],
        resources: Vec::new(),
        usage_as_of: UsageDate::at(usage_as_of),
        inputs: None,
        spike: None,
        security: None,
        raised_at: now,
        state: AlertState::Raised,
    };
    let context = AlertContext { next_at: Some(Decimal::from(100)), ..AlertContext::default() };
    AlertSnapshot { alert, context }
}
