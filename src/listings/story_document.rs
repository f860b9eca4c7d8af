//! `explain` in JSON: decimals are strings, times are UTC.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use crate::actions::{Acknowledgement, SilenceView, SpikeMarking};
use crate::alerting::{CustomerState, NewSample, RecordedStep};
use crate::analysis::{Explanation, RuleAccount};
use crate::domain::spike::SpikeView;
use crate::domain::{
    Alert, Assessed, BillingPeriod, BudgetView, CostView, CustomerEvent, CustomerId, FormulaInputs,
    Metric, MetricValue, Plan, Reason, Severity, UsageDate, Verdict, WrittenBudget,
};
use crate::ledger::AttemptRow;
use crate::listings::deliveries;
use crate::listings::story::{AlertStory, DeliveryStory, Story};

#[derive(Serialize)]
pub(crate) struct Document<'a> {
    /// The earlier time that it is told of; `None`: now.
    at: Option<Timestamp>,
    customer: Customer<'a>,
    usage: Usage,
    budget: Option<BudgetView>,
    other_budget: Option<BudgetView>,
    /// What was written to Partner Center and is not in the usage data yet.
    pushed: Option<&'a WrittenBudget>,
    billing_period: BillingPeriod,
    carried_over: bool,
    missing_since: Option<Timestamp>,
    /// The dates of the data, newest first.
    history: Vec<HistoryDate>,
    events: &'a [CustomerEvent],
    rules: Vec<Rule<'a>>,
    subscriptions: Vec<SubscriptionDocument<'a>>,
    alerts: Vec<AlertDocument<'a>>,
    alerts_in_other_periods: usize,
}

#[derive(Serialize)]
struct Customer<'a> {
    id: &'a CustomerId,
    name: &'a str,
    label: Option<&'a str>,
    plan: Plan,
    tags: &'a [String],
    contacts: &'a [String],
    notify: &'a [Box<str>],
    mute_rules: &'a [Box<str>],
}

#[derive(Serialize)]
struct Usage {
    #[serde(rename = "usage_as_of")]
    as_of: UsageDate,
    seen_at: Timestamp,
    cost: CostView,
    #[serde(with = "rust_decimal::serde::str_option")]
    reported_percent: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::str_option")]
    computed_percent: Option<Decimal>,
}

/// A date of the data, as it was read last.
#[derive(Serialize)]
struct HistoryDate {
    #[serde(rename = "usage_as_of")]
    as_of: Timestamp,
    seen_at: Timestamp,
    #[serde(with = "rust_decimal::serde::str")]
    cost: Decimal,
    #[serde(with = "rust_decimal::serde::str_option")]
    usd_cost: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::str_option")]
    partner_center_budget: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::str_option")]
    reported_percent: Option<Decimal>,
    carried_over: bool,
}

/// A subscription that has a budget of its own.
#[derive(Serialize)]
struct SubscriptionDocument<'a> {
    id: &'a str,
    name: &'a str,
    usage: Usage,
    budget: Option<BudgetView>,
    rules: Vec<Rule<'a>>,
}

#[derive(Serialize)]
struct Rule<'a> {
    #[serde(rename = "rule")]
    name: &'a str,
    metric: Metric,
    applies: bool,
    reason: Reason,
    because: String,
    #[serde(flatten, with = "crate::domain::metric_value")]
    value: Option<MetricValue>,
    /// The highest step reached.
    #[serde(with = "rust_decimal::serde::str_option")]
    reached: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::str_option")]
    next_at: Option<Decimal>,
    /// What the formula was given beside cost and budget.
    inputs: Option<&'a FormulaInputs>,
    spike: Option<SpikeView>,
    silences: Vec<SilenceView>,
    /// What the next poll would raise.
    would_raise: Option<WouldRaise<'a>>,
    spent: Vec<Spent>,
}

#[derive(Serialize)]
struct WouldRaise<'a> {
    #[serde(with = "rust_decimal::serde::str")]
    threshold: Decimal,
    severity: Severity,
    notify: &'a [Box<str>],
}

#[derive(Serialize)]
struct Spent {
    #[serde(with = "rust_decimal::serde::str")]
    threshold: Decimal,
    raised: bool,
    alert: Uuid,
    #[serde(rename = "ref")]
    reference: String,
    #[serde(with = "rust_decimal::serde::str_option")]
    budget_amount: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::str_option")]
    seen_below_under: Option<Decimal>,
}

#[derive(Serialize)]
struct AlertDocument<'a> {
    #[serde(flatten)]
    alert: &'a Alert,
    acknowledged: Option<Acknowledgement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marked: Option<SpikeMarking>,
    deliveries: Vec<DeliveryDocument<'a>>,
}

#[derive(Serialize)]
struct DeliveryDocument<'a> {
    #[serde(flatten)]
    delivery: deliveries::DeliveryDocument<'a>,
    tries: Vec<Attempt<'a>>,
}

#[derive(Serialize)]
struct Attempt<'a> {
    at: Timestamp,
    outcome: &'a str,
    detail: &'a str,
}

/// The whole document.
pub(crate) fn document(story: &Story) -> Document<'_> {
    let assessed = &story.explanation.assessed;
    let (record, profile) = (&assessed.record, &*assessed.profile);
    Document {
        at: story.past.then_some(story.now),
        customer: Customer {
            id: &record.customer,
            name: &record.name,
            label: profile.label.as_deref(),
            plan: record.plan,
            tags: &profile.tags,
            contacts: &profile.contacts,
            notify: &profile.notify,
            mute_rules: &profile.mute_rules,
        },
        usage: usage(assessed, &story.seen),
        budget: assessed.budget.as_ref().map(BudgetView::of),
        other_budget: assessed.other_budget.as_ref().map(BudgetView::of),
        pushed: story.pushed.as_ref(),
        billing_period: assessed.period,
        carried_over: assessed.carried_over,
        missing_since: story.missing_since,
        history: story.dates.iter().map(date).collect(),
        events: &story.events,
        rules: story.explanation.rules.iter().map(rule).collect(),
        subscriptions: story
            .subscriptions
            .iter()
            .filter_map(|(seen, explanation)| subscription(seen, explanation))
            .collect(),
        alerts: story.alerts.iter().map(alert).collect(),
        alerts_in_other_periods: story.other_alerts,
    }
}

fn usage(assessed: &Assessed, seen: &CustomerState) -> Usage {
    let record = &assessed.record;
    Usage {
        as_of: record.usage_as_of,
        seen_at: seen.seen_at,
        cost: CostView { amount: record.cost, currency: assessed.currency, usd: record.usd_cost },
        reported_percent: assessed.reported_percent(),
        computed_percent: assessed.computed_percent,
    }
}

fn date(sample: &NewSample) -> HistoryDate {
    HistoryDate {
        as_of: sample.usage_as_of,
        seen_at: sample.seen_at,
        cost: sample.cost,
        usd_cost: sample.usd_cost,
        partner_center_budget: sample.partner_center_budget,
        reported_percent: sample.reported_percent,
        carried_over: sample.carried_over,
    }
}

fn subscription<'a>(
    seen: &'a CustomerState,
    explanation: &'a Explanation,
) -> Option<SubscriptionDocument<'a>> {
    let subscription = seen.subscription.as_ref()?;
    Some(SubscriptionDocument {
        id: &subscription.id,
        name: &subscription.name,
        usage: usage(&explanation.assessed, seen),
        budget: explanation.assessed.budget.as_ref().map(BudgetView::of),
        rules: explanation.rules.iter().map(rule).collect(),
    })
}

fn rule(account: &RuleAccount) -> Rule<'_> {
    let (value, reached, next_at) = match &account.verdict {
        Verdict::NotApplicable(_) => (None, None, None),
        Verdict::Below { value, next_at } => {
            (Some(MetricValue::Number(*value)), None, Some(*next_at))
        }
        Verdict::Crossed { value, crossing } => {
            (Some(*value), crossing.highest().map(|step| step.at), crossing.next_at)
        }
    };
    Rule {
        name: &account.rule.name,
        metric: account.rule.metric,
        applies: !account.reason.is_not_applicable(),
        reason: account.reason,
        because: account.reason.to_string(),
        value,
        reached,
        next_at,
        inputs: account.inputs.as_ref(),
        spike: account.spike.map(|spike| SpikeView::of(&spike.reading, spike.floor)),
        silences: account.silences.iter().map(SilenceView::of).collect(),
        would_raise: account.raise.as_ref().map(|raise| WouldRaise {
            threshold: raise.at,
            severity: raise.severity,
            notify: &raise.notify,
        }),
        spent: account.spent.iter().map(spent).collect(),
    }
}

fn spent(step: &RecordedStep) -> Spent {
    Spent {
        threshold: step.at,
        raised: step.raised,
        alert: step.alert,
        reference: Alert::reference_of(step.alert),
        budget_amount: step.amount,
        seen_below_under: step.seen_below,
    }
}

fn alert(story: &AlertStory) -> AlertDocument<'_> {
    AlertDocument {
        alert: &story.row.snapshot.alert,
        acknowledged: Acknowledgement::of(&story.row),
        marked: SpikeMarking::of(&story.row),
        deliveries: story.deliveries.iter().map(delivery).collect(),
    }
}

fn delivery(story: &DeliveryStory) -> DeliveryDocument<'_> {
    let made = story.attempts.iter().map(|AttemptRow { at, outcome, detail }| Attempt {
        at: *at,
        outcome,
        detail,
    });
    DeliveryDocument { delivery: deliveries::document(&story.row), tries: made.collect() }
}
