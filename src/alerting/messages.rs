//! Turns decisions into alerts and the steps that they use. Which messages are owed for them is
//! `planning`'s.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::alerting::{CustomerState, LatePass, NewStep, Raise};
use crate::domain::{
    Alert, AlertContext, AlertSnapshot, AlertState, Assessed, BudgetView, CostView, CustomerView,
    Direction, Inputs, MetricValue, Point, Previous, Sample, SubscriptionCost, WrittenBudget,
    canonical,
};

/// How many passed steps an alert names.
const MOST_PASSED: usize = 50;

/// What surrounds a new alert.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// When it is raised.
    pub now: Timestamp,
    /// Whether it is raised before, or in, the first good poll of the ledger or its rule.
    pub baseline: bool,
    /// What each subscription has cost, the costliest first.
    pub subscriptions: &'a [SubscriptionCost],
    /// The last seen state.
    pub seen: Option<&'a CustomerState>,
    /// The last budget that was written to Partner Center from here.
    pub pushed: Option<&'a WrittenBudget>,
    /// Earlier dates of the data, as far as they are known.
    pub earlier: &'a [Sample],
}

/// The alert with all that its messages need.
pub fn snapshot(
    id: Uuid,
    assessed: &Assessed,
    raise: &Raise,
    occasion: &Surroundings<'_>,
) -> AlertSnapshot {
    let record = &assessed.record;
    let budget = assessed.budget.as_ref().map(|budget| BudgetView {
        previous_amount: raise.previous_amount,
        ..BudgetView::of(budget)
    });
    let alert = Alert {
        id,
        rule: raise.rule.name.to_string(),
        metric: raise.rule.metric,
        threshold: canonical(raise.at),
        passed: named(raise),
        value: Some(raise.value.canonical()),
        severity: raise.severity,
        baseline: occasion.baseline,
        reference: Alert::reference_of(id),
        customer: CustomerView {
            id: record.customer.clone(),
            name: record.name.clone(),
            label: assessed.profile.label.clone(),
            plan: record.plan,
        },
        subscription: record.subscription.as_ref().map(|subscription| subscription.id.clone()),
        budget,
        cost: CostView { amount: record.cost, currency: assessed.currency, usd: record.usd_cost },
        reported_percent: assessed.reported_percent().map(canonical),
        computed_percent: assessed.computed_percent,
        billing_period: assessed.period,
        subscriptions: occasion.subscriptions.to_vec(),
        resources: Vec::new(),
        usage_as_of: record.usage_as_of,
        inputs: raise.rule.metric.formula_inputs(&assessed.inputs()),
        spike: raise.spike,
        security: None,
        raised_at: occasion.now,
        state: AlertState::Raised,
    };
    let context = AlertContext {
        description: raise.rule.description.clone(),
        next_at: raise.next_at,
        other_budget: assessed.other_budget.as_ref().map(BudgetView::of),
        pushed: occasion.pushed.filter(|pushed| pushed.is_awaited(record.budget)).cloned(),
        contacts: assessed.profile.contacts.clone(),
        previous: previous(assessed, raise, occasion),
        carried_over: assessed.carried_over,
        subscription_name: record
            .subscription
            .as_ref()
            .map(|subscription| subscription.name.clone()),
        owner: assessed.profile.owner.clone(),
        incident: Some(alert.new_incident()),
        days: raise.spike.map(|_| days_before(assessed)).unwrap_or_default(),
        ..AlertContext::default()
    };
    AlertSnapshot { alert, context }
}

/// What was spent on each of the days before.
fn days_before(assessed: &Assessed) -> Vec<Point> {
    let point = |(day, cost): (Date, Decimal)| {
        Some(Point { at: day.to_zoned(TimeZone::UTC).ok()?.timestamp(), cost })
    };
    assessed.spending.iter().flat_map(|spending| spending.days_before()).filter_map(point).collect()
}

/// The steps passed, ascending: at most the 50 next to the highest, the lower ones are implied.
fn named(raise: &Raise) -> Vec<rust_decimal::Decimal> {
    let surplus = raise.passed.len().saturating_sub(MOST_PASSED);
    match raise.rule.metric.direction() {
        Direction::Up => raise.passed.iter().skip(surplus).copied().collect(),
        Direction::Down => raise.passed.iter().take(MOST_PASSED).copied().collect(),
    }
}

/// How it was at the date of the data before, in the same period: as last seen, or where that is
/// the same data, by history.
fn previous(assessed: &Assessed, raise: &Raise, occasion: &Surroundings<'_>) -> Option<Previous> {
    let seen = occasion.seen.map(|seen| (seen.usage_as_of.instant(), seen.cost, seen.usd_cost));
    let dates = occasion
        .earlier
        .iter()
        .filter(|sample| !sample.carried_over)
        .map(|sample| (sample.usage_as_of, sample.cost, None));
    let older =
        |at: Timestamp| at < assessed.record.usage_as_of.instant() && assessed.period.holds(at);
    let (usage_as_of, cost, usd_cost) =
        seen.into_iter().chain(dates).find(|(at, ..)| older(*at))?;
    let inputs = Inputs { cost, usd_cost, reported_percent: None, ..assessed.inputs() };
    let value = raise.rule.metric.value(&inputs).ok().and_then(MetricValue::number);
    Some(Previous { usage_as_of, cost, value })
}

/// The steps that an alert spends: its own, and those it passed.
pub fn steps(alert: Uuid, assessed: &Assessed, raise: &Raise) -> Vec<NewStep> {
    let own = std::iter::once((raise.at, true));
    own.chain(raise.passed.iter().map(|at| (*at, false)))
        .map(|(at, raised)| step(alert, assessed, &raise.rule, at, raised))
        .collect()
}

/// One step of a customer, raised or passed by `alert`.
pub fn step(
    alert: Uuid,
    assessed: &Assessed,
    rule: &crate::domain::RuleFacts,
    at: rust_decimal::Decimal,
    raised: bool,
) -> NewStep {
    NewStep {
        customer: assessed.record.key(),
        rule: rule.name.clone(),
        metric: rule.metric,
        at: canonical(at),
        amount: assessed
            .budget
            .filter(|_| rule.metric.reads_budget())
            .map(|budget| canonical(budget.amount())),
        period: assessed.period,
        belongs_at: assessed.belongs_at(),
        raised,
        alert,
    }
}

/// A step that an earlier alert passes: under the amount of that alert, for today's has alerted
/// nobody yet.
pub fn late_step(assessed: &Assessed, late: &LatePass) -> NewStep {
    NewStep {
        amount: late.amount.map(canonical),
        ..step(late.by, assessed, &late.rule, late.at, false)
    }
}
