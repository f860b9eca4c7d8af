//! Asks where the money goes: which resource groups of an Azure plan cost most, for critical alerts
//! about to be recorded. Best effort within half a minute: without an answer the alert goes out all
//! the same.

use std::collections::HashMap;
use std::time::Duration;

use rust_decimal::Decimal;

use crate::alerting::NewAlert;
use crate::clock::Clock;
use crate::domain::{
    Alert, Currency, CustomerId, CustomerKey, Plan, ResourceCost, Severity, canonical, percent_of,
};
use crate::poll::fan_out::{FanOut, Next};
use crate::source::{ResourceGroupUsage, ResourceUsage, Source, SourceError};

/// How long one poll asks, all together: its alerts wait no longer.
const BUDGET: Duration = Duration::from_secs(30);

/// A plan that is asked about.
#[derive(Debug, Clone)]
struct Question {
    customer: CustomerId,
    key: CustomerKey,
    plan: String,
    /// What the plan has cost.
    cost: Decimal,
    /// The customer's currency.
    currency: Option<Currency>,
}

impl Question {
    /// What is to be asked for an alert; none unless it is critical, told at once, and of an Azure
    /// plan that is known.
    fn of(new: &NewAlert) -> Option<Self> {
        let alert = &new.snapshot.alert;
        if alert.severity != Severity::Critical
            || alert.customer.plan != Plan::AzurePlan
            || !new.is_told()
        {
            return None;
        }
        let (plan, cost) = match &alert.subscription {
            Some(subscription) => (subscription.clone(), alert.cost.amount),
            None => alert
                .subscriptions
                .first()
                .map(|costliest| (costliest.id.clone(), costliest.cost))?,
        };
        Some(Self {
            customer: alert.customer.id.clone(),
            key: alert.key(),
            plan,
            cost,
            currency: alert.cost.currency,
        })
    }
}

/// Asks for the worst first, and writes into the alerts what was answered within `time`. Answers
/// how long the source asked to be left alone.
pub(crate) async fn fill(
    source: &Source,
    clock: &dyn Clock,
    owed: &mut [NewAlert],
    time: Duration,
) -> Option<Duration> {
    let mut worst: Vec<&Alert> = owed
        .iter()
        .filter(|new| Question::of(new).is_some())
        .map(|new| &new.snapshot.alert)
        .collect();
    worst.sort_by(|a, b| a.worst_first(b));
    let order: HashMap<CustomerKey, usize> =
        worst.iter().enumerate().rev().map(|(place, alert)| (alert.key(), place)).collect();
    let mut questions: Vec<Question> = owed.iter().filter_map(Question::of).collect();
    questions.sort_by_key(|question| order.get(&question.key).copied());
    questions.dedup_by(|a, b| a.key == b.key);
    if questions.is_empty() {
        return None;
    }
    let (answers, retry_after) = ask(source, clock, questions, time.min(BUDGET)).await;
    for new in owed.iter_mut().filter(|new| Question::of(new).is_some()) {
        let alert = &mut new.snapshot.alert;
        alert.resources = answers.get(&alert.key()).cloned().unwrap_or_default();
    }
    retry_after
}

type Answers = HashMap<CustomerKey, Vec<ResourceCost>>;

async fn ask(
    source: &Source,
    clock: &dyn Clock,
    questions: Vec<Question>,
    time: Duration,
) -> (Answers, Option<Duration>) {
    let (mut answers, asking, since) = (Answers::new(), questions.len(), clock.monotonic());
    let mut asked = FanOut::new(questions, time, |question| one(source, question));
    loop {
        let in_time = |next: &Next<_>| {
            !matches!(next, Next::Answer(_)) || clock.monotonic().saturating_sub(since) <= time
        };
        let next = Some(asked.next().await).filter(in_time).unwrap_or(Next::TimeOver);
        let (question, answer) = match next {
            Next::Answer(answered) => answered,
            Next::Done => return (answers, None),
            Next::TimeOver => {
                tracing::warn!(
                    answered = answers.len(),
                    asked = asking,
                    "where the money goes took too long; alerting without the rest"
                );
                return (answers, None);
            }
        };
        match answer {
            Ok(usage) => {
                let costs = usage.map(|usage| costs(&question, &usage)).unwrap_or_default();
                answers.insert(question.key, costs);
            }
            Err(error) => {
                tracing::warn!(customer.id = %question.customer, %error, "not known where the \
                    money of a critical alert goes");
                if error.ends_asking() {
                    return (answers, error.retry_after());
                }
            }
        }
    }
}

async fn one(
    source: &Source,
    question: Question,
) -> (Question, Result<Option<ResourceUsage>, SourceError>) {
    let answer = source.resources(&question.customer, &question.plan).await;
    (question, answer)
}

/// What an answer says of a plan: amounts where they are surely in the customer's currency, else
/// shares.
fn costs(question: &Question, usage: &ResourceUsage) -> Vec<ResourceCost> {
    // Amounts of several currencies cannot be added up, and credits leave no shares.
    if usage.currencies.len() > 1 || usage.total <= Decimal::ZERO {
        return Vec::new();
    }
    let in_money = is_in_its_currency(question, usage);
    usage.groups.iter().filter_map(|group| cost(group, usage.total, in_money)).collect()
}

/// Whether the sum can be part of what the plan has cost: never above it by more than what came in
/// since, and where no currency is named not far below it either.
fn is_in_its_currency(question: &Question, usage: &ResourceUsage) -> bool {
    let share = percent_of(usage.total, question.cost).unwrap_or(Decimal::MAX);
    let at_most = Decimal::from(105);
    match usage.currencies.first() {
        Some(named) => question.currency.as_ref() == Some(named) && share <= at_most,
        None => (Decimal::from(95)..=at_most).contains(&share),
    }
}

fn cost(group: &ResourceGroupUsage, total: Decimal, in_money: bool) -> Option<ResourceCost> {
    let known = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    let percent = percent_of(group.cost, total)?.min(Decimal::ONE_HUNDRED);
    Some(ResourceCost {
        subscription: known(&group.subscription),
        resource_group: known(&group.group),
        name: known(&group.resource),
        cost: in_money.then_some(group.cost),
        percent: canonical(percent),
    })
}
