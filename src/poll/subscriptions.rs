//! Reads what the subscriptions with budgets of their own have cost, for the customers that have
//! any, and hands each in as a record of its own. Best effort within a minute: who was not answered
//! about is named, and asked about by the next poll.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::budgets::{self, LocalSubscription, SubscriptionKey};
use crate::domain::{CustomerId, CustomerKey, Subscription, UsageDate, UsageRecord};
use crate::poll::fan_out::{FanOut, Next};
use crate::poll::intake::Intake;
use crate::source::{Read, Sink as _, Source, SourceError, SubscriptionUsage};

/// All of one poll together: the rest of the minute that a poll may ask for belongs to those about
/// to alert.
const BUDGET: Duration = Duration::from_secs(40);
/// The requests about one customer, so that a slow one does not keep the others waiting.
const ONE: Duration = Duration::from_secs(15);

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    /// Customers that were not answered about, by name, and why.
    pub(crate) customers: Vec<String>,
    /// Those without an answer, who are asked about first by the next poll.
    pub(crate) keys: BTreeSet<CustomerKey>,
    /// The source asked to be left alone for this long.
    pub(crate) retry_after: Option<Duration>,
}

/// Asks about the customers, those with news first, and hands in what was answered.
pub(crate) async fn read(
    source: &Source,
    customers: Vec<UsageRecord>,
    intake: &mut Intake<'_>,
) -> Unread {
    let mut unread = Unread::default();
    let mut open: BTreeMap<CustomerKey, CustomerId> =
        customers.iter().map(|customer| (customer.key(), customer.customer.clone())).collect();
    let mut asked = FanOut::new(customers, BUDGET, |customer| ask(source, customer));
    while let Next::Answer((customer, answer)) = asked.next().await {
        let Some(answer) = answer else { continue };
        open.remove(&customer.key());
        match answer {
            Ok(found) => {
                let budgets = intake.needs.budgets;
                for record in records(budgets, &customer, found.unwrap_or_default()) {
                    intake.take(Read { record, attempt: 0 }, None);
                }
                intake.settle().await;
            }
            Err(error) => {
                tracing::warn!(customer.id = %customer.customer, %error, "the budgets of its \
                    subscriptions are not judged");
                unread.customers.push(format!("{} ({error})", customer.customer));
                if error.ends_asking() {
                    unread.retry_after = error.retry_after();
                    break;
                }
            }
        }
    }
    unread
        .customers
        .extend(open.values().map(|customer| format!("{customer} (no answer in time)")));
    unread.keys = open.into_keys().collect();
    unread
}

/// What one customer's subscriptions have cost; none without an answer in time.
async fn ask(source: &Source, customer: UsageRecord) -> (UsageRecord, Option<Answer>) {
    let answer = tokio::time::timeout(ONE, source.subscriptions(&customer.customer)).await;
    (customer, answer.ok())
}

/// What the source says of one customer's subscriptions.
type Answer = Result<Option<Vec<SubscriptionUsage>>, SourceError>;

/// A record for each subscription that has a budget of its own; what the answer leaves out is the
/// customer's.
fn records(
    budgets: &budgets::Config,
    customer: &UsageRecord,
    found: Vec<SubscriptionUsage>,
) -> Vec<UsageRecord> {
    let Some(local) = budgets.customers.get(&customer.customer.key()) else {
        return Vec::new();
    };
    let with_budget = found.into_iter().filter_map(|found| {
        Some((local.subscriptions.get(&SubscriptionKey::of(&found.id))?, found))
    });
    let record = |(own, found): (&LocalSubscription, SubscriptionUsage)| UsageRecord {
        customer: customer.customer.clone(),
        subscription: Some(Subscription {
            id: found.id,
            name: own.label.clone().unwrap_or(found.name),
        }),
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
