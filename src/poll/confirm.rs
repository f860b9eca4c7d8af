//! Asks about the few customers that are about to alert: the billing period of a legacy one, and
//! what each subscription has cost. Best effort: without an answer the alert goes out all the same.

use std::collections::HashMap;
use std::time::Duration;

use rust_decimal::Decimal;

use crate::budgets::FreshSummary;
use crate::domain::{CustomerId, CustomerKey, Subscription, SubscriptionCost, UsageRecord};
use crate::poll::candidate::Candidate;
use crate::poll::fan_out::{FanOut, Next};
use crate::source::{Source, SourceError, SubscriptionSummary};

/// What was answered about one customer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) fresh: Option<FreshSummary>,
    pub(crate) subscriptions: Vec<SubscriptionCost>,
}

/// What was answered about all of them.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) by_customer: HashMap<CustomerKey, Answer>,
    /// The source asked to be left alone for this long.
    pub(crate) retry_after: Option<Duration>,
}

/// What came of asking about one.
#[derive(Debug, Default)]
struct Outcome {
    answer: Option<Answer>,
    error: Option<SourceError>,
}

impl Outcome {
    /// Adds what a summary said of a subscription that is listed with this cost.
    fn note(
        &mut self,
        summary: Result<Option<SubscriptionSummary>, SourceError>,
        listed_cost: Decimal,
    ) {
        match summary {
            Ok(Some(summary)) => {
                let fresh = FreshSummary { dates: summary.dates, total: summary.cost, listed_cost };
                self.answer.iter_mut().for_each(|answer| answer.fresh = Some(fresh));
            }
            Ok(None) => {}
            Err(error) => self.error = Some(error),
        }
    }
}

/// Asks about the candidates, the worst first, until all answered or `time` is over.
pub(crate) async fn ask(
    source: &Source,
    candidates: &HashMap<CustomerKey, Candidate>,
    time: Duration,
) -> Answers {
    let mut answers = Answers::default();
    let mut order: Vec<(&CustomerKey, &Candidate)> = candidates.iter().collect();
    order.sort_by_cached_key(|(key, candidate)| {
        let severity = candidate.decided.raise.iter().map(|raise| raise.severity).max();
        (std::cmp::Reverse((severity, candidate.joined.record.usd_cost)), (*key).clone())
    });
    let records = order.into_iter().map(|(_, candidate)| &candidate.joined.record);
    let mut asked = FanOut::new(records, time, |record| question(source, record));
    loop {
        let (record, outcome) = match asked.next().await {
            Next::Answer(answered) => answered,
            Next::Done => break,
            Next::TimeOver => {
                tracing::warn!(
                    answered = answers.by_customer.len(),
                    asked = candidates.len(),
                    "details of customers about to alert took too long; alerting without the rest"
                );
                break;
            }
        };
        answers.by_customer.extend(outcome.answer.map(|answer| (record.key(), answer)));
        if let Some(error) = outcome.error {
            tracing::warn!(customer.id = %record.customer, %error, "no details for a customer \
                about to alert");
            if error.ends_asking() {
                answers.retry_after = error.retry_after();
                break;
            }
        }
    }
    answers
}

/// One customer's answer.
async fn question<'a>(source: &Source, record: &'a UsageRecord) -> (&'a UsageRecord, Outcome) {
    let outcome = match &record.subscription {
        Some(subscription) => period(source, record, subscription).await,
        None => details(source, &record.customer).await,
    };
    (record, outcome)
}

/// The summary of the one subscription that a record is about; its cost is known.
async fn period(source: &Source, record: &UsageRecord, subscription: &Subscription) -> Outcome {
    let cost = SubscriptionCost {
        id: subscription.id.clone(),
        name: subscription.name.clone(),
        cost: record.cost,
    };
    let mut outcome =
        Outcome { answer: Some(Answer { fresh: None, subscriptions: vec![cost] }), error: None };
    outcome.note(source.summary(&record.customer, &subscription.id).await, record.cost);
    outcome
}

/// The subscriptions of one customer, and the summary of the costliest; no answer where the source
/// can't be asked. Asked is asked, whatever comes of it: the next time is when the data changed, or
/// a day later.
async fn details(source: &Source, customer: &CustomerId) -> Outcome {
    let subscriptions = match source.subscriptions(customer).await {
        Ok(Some(subscriptions)) => subscriptions,
        Ok(None) => return Outcome::default(),
        Err(error) => return Outcome { answer: Some(Answer::default()), error: Some(error) },
    };
    let costs = subscriptions.iter().map(|found| SubscriptionCost {
        id: found.id.clone(),
        name: found.name.clone(),
        cost: found.cost,
    });
    let mut outcome = Outcome {
        answer: Some(Answer { fresh: None, subscriptions: costs.collect() }),
        error: None,
    };
    if let Some(costliest) = subscriptions.first() {
        outcome.note(source.summary(customer, &costliest.id).await, costliest.cost);
    }
    outcome
}
