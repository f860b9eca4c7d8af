//! Reads what the subscriptions with budgets of their own have cost, for the customers that have any, and hands each in as a
//! record of its own. Best effort within a minute: who was not answered about is named, and asked about by the next poll.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use crate::budgets::{LocalSubscription, SubscriptionKey};
use crate::domain::{Subscription, UsageDate, UsageRecord};
use crate::pipeline::Cycle;
use crate::pipeline::intake::Intake;
use crate::source::{Read, Sink as _, SourceError, SubscriptionUsage};

/// Requests at once.
const AT_ONCE: usize = 4;
/// All requests of one poll together.
const BUDGET: Duration = Duration::from_mins(1);

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    /// Customers that were not answered about, by name, and why.
    pub(crate) customers: Vec<String>,
    /// The source asked to be left alone for this long.
    pub(crate) retry_after: Option<Duration>,
}

/// Asks about the customers, those with news first, and hands in what was answered.
pub(crate) async fn read(cycle: &Cycle, customers: Vec<UsageRecord>, intake: &mut Intake<'_>) -> Unread {
    let mut unread = Unread::default();
    let mut waiting = customers.into_iter();
    let mut asked: FuturesUnordered<_> = waiting.by_ref().take(AT_ONCE).map(|customer| ask(cycle, customer)).collect();
    // Real time, not the clock's: it bounds what others take to answer.
    let mut deadline = std::pin::pin!(tokio::time::sleep(BUDGET));
    let mut over = false;
    while !asked.is_empty() {
        let (customer, answer) = tokio::select! {
            biased;
            Some(answered) = asked.next() => answered,
            () = &mut deadline => {
                over = true;
                break;
            }
        };
        match answer {
            Ok(found) => {
                for record in records(cycle, &customer, found.unwrap_or_default()) {
                    intake.take(Read { record, attempt: 0 });
                }
                intake.settle().await;
            }
            Err(error) => {
                tracing::warn!(customer.id = %customer.customer, %error, "the budgets of its subscriptions are not judged");
                unread.customers.push(format!("{} ({error})", customer.customer));
                if error.ends_asking() {
                    unread.retry_after = error.retry_after();
                    over = true;
                    break;
                }
            }
        }
        asked.extend(waiting.next().map(|customer| ask(cycle, customer)));
    }
    if over {
        unread.customers.extend(waiting.map(|customer| format!("{} (no time was left)", customer.customer)));
    }
    unread
}

async fn ask(cycle: &Cycle, customer: UsageRecord) -> (UsageRecord, Result<Option<Vec<SubscriptionUsage>>, SourceError>) {
    let answer = cycle.source.subscriptions(&customer.customer).await;
    (customer, answer)
}

/// A record for each subscription that has a budget of its own; what the answer leaves out is the customer's.
fn records(cycle: &Cycle, customer: &UsageRecord, found: Vec<SubscriptionUsage>) -> Vec<UsageRecord> {
    let Some(local) = cycle.budgets.customers.get(&customer.customer.key()) else { return Vec::new() };
    let with_budget = found.into_iter().filter_map(|found| Some((local.subscriptions.get(&SubscriptionKey::of(&found.id))?, found)));
    let record = |(own, found): (&LocalSubscription, SubscriptionUsage)| UsageRecord {
        customer: customer.customer.clone(),
        subscription: Some(Subscription { id: found.id, name: own.label.clone().unwrap_or(found.name) }),
        name: customer.name.clone(),
        plan: customer.plan,
        cost: found.cost,
        currency: found.currency.or(customer.currency),
        usd_cost: found.usd_cost,
        budget: None,
        reported_percent: None,
        usage_as_of: found.usage_as_of.unwrap_or(UsageDate::at(customer.usage_as_of.instant())),
    };
    with_budget.map(record).collect()
}
