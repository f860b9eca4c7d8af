//! Whatever is known of an alert: what a customer is told of it holds nothing of the partner's own,
//! and no amount unless it may see amounts. That a message is about one customer is planned before;
//! here one about two is refused.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::domain::{
    AlertSnapshot, Audience, BudgetView, Currency, CustomerId, Delivery, Digest, Ended,
    FormulaInputs, Latest, Message, Metric, MetricValue, PeriodSource, Severity, UsageDate,
    WrittenBudget,
};
use crate::notify::message::{Disclosed, MailText};
use crate::notify::{sample_alert, webhook};

/// What only the partner may know.
const OWN: [&str; 8] = [
    "Labelmark",
    "Ownermark",
    "rulemark",
    "notemark",
    "budget-alertd explain",
    "budget-alertd ack",
    "othermark",
    "usage data",
];
/// The middle of every amount: `11,234,567.89`, `12,234,567.89`, …
const AMOUNT: &str = "234567";

/// An amount that is unlike all others and holds [`AMOUNT`].
fn amount(which: i64) -> Decimal {
    Decimal::new(which * 100_000_000 + 23_456_789, 2)
}

#[derive(Debug, Clone)]
struct Facts {
    metric: Metric,
    number: i64,
    known: [bool; 8],
    severity: u8,
    ended: u8,
    budget_of_zero: bool,
}

fn facts() -> impl Strategy<Value = Facts> {
    let metric = proptest::sample::select(Metric::ALL.to_vec());
    (metric, 1_i64..40_000, any::<[bool; 8]>(), 0_u8..3, 0_u8..4, proptest::bool::weighted(0.1))
        .prop_map(|(metric, number, known, severity, ended, budget_of_zero)| Facts {
            metric,
            number,
            known,
            severity,
            ended,
            budget_of_zero,
        })
}

/// The alert of which this is known.
fn snapshot(facts: &Facts, customer: &str, place: usize, now: Timestamp) -> AlertSnapshot {
    let mut snapshot = sample_alert(now);
    let currency = Currency::try_new("SEK").ok();
    let [budget, computed, value, subscription, inputs, previous, latest, assumed] = facts.known;
    let percent = Decimal::new(facts.number, 1);
    let is_money = facts.metric.is_money() || facts.metric == Metric::UsdTotalCost;
    let number = |which| if is_money { amount(which) } else { percent };
    let alert = &mut snapshot.alert;
    alert.id = Uuid::from_u128(u128::try_from(place).unwrap_or_default());
    alert.customer.id = CustomerId::try_new(customer).expect("a constant");
    alert.customer.name = format!("Name {customer}");
    alert.customer.label = Some("Labelmark".into());
    alert.rule = "rulemark".into();
    alert.metric = facts.metric;
    (alert.threshold, alert.passed) = (number(11), vec![number(12)]);
    alert.value = Some(if value { MetricValue::Number(number(13)) } else { MetricValue::OverZero });
    alert.severity =
        [Severity::Info, Severity::Warning, Severity::Critical][usize::from(facts.severity)];
    alert.budget = alert.budget.take().filter(|_| budget).map(|view| BudgetView {
        amount: if facts.budget_of_zero { Decimal::ZERO } else { amount(14) },
        currency,
        previous_amount: Some(amount(15)),
        ..view
    });
    (alert.cost.amount, alert.cost.currency, alert.cost.usd) =
        (amount(16), currency, Some(amount(17)));
    (alert.reported_percent, alert.computed_percent) = (Some(percent), computed.then_some(percent));
    alert.subscription = subscription.then(|| "subscription".into());
    alert.subscriptions.iter_mut().for_each(|one| one.cost = amount(18));
    if assumed {
        alert.billing_period.source = PeriodSource::Assumed;
    }
    alert.inputs = inputs.then(|| FormulaInputs {
        percent_used: Some(percent),
        forecast_cost: Some(amount(19)),
        since_cost: Some(amount(20)),
        daily_cost: Some(amount(21)),
        ..FormulaInputs::default()
    });
    let context = &mut snapshot.context;
    (context.owner, context.description) = (Some("Ownermark".into()), Some("notemark".into()));
    context.next_at = Some(number(22));
    context.contacts = vec!["othermark@customer.example".into()];
    context.other_budget =
        snapshot.alert.budget.clone().map(|view| BudgetView { amount: amount(23), ..view });
    context.pushed = currency.filter(|_| budget).map(|currency| WrittenBudget {
        at: now,
        before: None,
        amount: amount(26),
        currency,
    });
    context.carried_over = previous;
    context.latest = latest.then(|| Latest {
        usage_as_of: UsageDate::at(now),
        cost: amount(24),
        value: value.then(|| number(25)),
        budget: context.other_budget.clone(),
        ended: [None, Some(Ended::Period), Some(Ended::Budget), None][usize::from(facts.ended)],
        security: None,
        security_now: None,
        spike: None,
        run: None,
    });
    snapshot
}

fn message(kind: u8, mut alerts: Vec<AlertSnapshot>) -> Message {
    let digest = |alerts: Vec<AlertSnapshot>| Digest {
        part: 1,
        parts: 1,
        total: 1,
        criticals: 0,
        totals: None,
        baseline: false,
        alerts,
    };
    match kind {
        0 => Message::Alert(Box::new(alerts.remove(0))),
        1 => Message::Digest(digest(alerts)),
        2 => Message::Reminder(digest(alerts)),
        _ => Message::Resolved(digest(alerts)),
    }
}

/// What a mail and a webhook tell.
fn told(message: Message, show_cost: bool, now: Timestamp) -> Option<[String; 2]> {
    let mail = MailText::for_customer(
        &message,
        Disclosed { show_cost, ..Disclosed::default() },
        &TimeZone::UTC,
        now,
    )
    .expect("it can be written")?;
    let mail = format!("{}\n{}\n{}", mail.subject, mail.plain, mail.html);
    let delivery = Delivery {
        id: Uuid::nil(),
        identity: Uuid::nil(),
        notifier: "notifier".into(),
        recipient: None,
        stands_in_for: None,
        audience: Audience::Customer,
        created_at: now,
        message,
    };
    let hook = String::from_utf8(webhook::body(&delivery, show_cost).expect("it can be written"))
        .expect("JSON is text");
    Some([mail, hook])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    #[test]
    fn a_customer_is_told_nothing_of_the_partners_own_and_no_amount_unless_it_may(
        all in proptest::collection::vec(facts(), 1..4),
        kind in 0_u8..4,
        show_cost in any::<bool>(),
        another in proptest::bool::weighted(0.1),
    ) {
        let now: Timestamp = "2026-11-10T08:00:00Z".parse().unwrap();
        let mut alerts: Vec<_> = all.iter().enumerate().map(|(place, facts)| snapshot(facts, "customer-a", place, now)).collect();
        let mixed = another && kind > 0;
        if mixed {
            alerts.push(snapshot(&all[0], "customer-b", 9, now));
        }
        let told = told(message(kind, alerts), show_cost, now);
        prop_assert_eq!(told.is_none(), mixed, "a message about two customers is for neither");
        for text in told.into_iter().flatten() {
            let digits = text.replace([',', ' ', '\u{a0}', '\u{202f}'], "");
            let own = OWN.iter().find(|own| text.contains(**own));
            prop_assert!(own.is_none(), "{:?} in {}", own, text);
            let amounts = digits.contains(AMOUNT) || text.contains("SEK") || text.contains("USD");
            prop_assert!(show_cost || !amounts, "{}", text);
        }
    }
}

#[test]
fn the_amounts_looked_for_are_there_where_they_may_be_seen() {
    let now: Timestamp = "2026-11-10T08:00:00Z".parse().unwrap();
    let facts = Facts {
        metric: Metric::TotalCost,
        number: 825,
        known: [true; 8],
        severity: 1,
        ended: 0,
        budget_of_zero: false,
    };
    let told = told(message(0, vec![snapshot(&facts, "customer-a", 1, now)]), true, now).unwrap();
    assert!(
        told.iter().all(|text| text.replace([',', ' ', '\u{a0}', '\u{202f}'], "").contains(AMOUNT)),
        "{told:?}"
    );
}
