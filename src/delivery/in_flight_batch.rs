//! The deliveries of one step: those under way, and those that wait for their turn. What follows
//! from how they end is not decided here.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::delivery::attempt::{Carried, DeliveryAttempts};
use crate::domain::{CustomerId, Delivery, Message};
use crate::ledger::LedgerError;

enum Event {
    Carried(Arc<Delivery>, Carried),
    Fetched(Result<Vec<Delivery>, LedgerError>),
}

/// Deliveries of one step.
pub(crate) struct InFlightBatch<'a> {
    attempts: &'a DeliveryAttempts,
    /// How many are fetched at once.
    batch: usize,
    /// How many may still be started.
    left: usize,
    waiting: VecDeque<Delivery>,
    /// Whether more may be due than was fetched.
    more: bool,
    fetching: bool,
    under_way: Vec<Arc<Delivery>>,
    events: FuturesUnordered<Pin<Box<dyn Future<Output = Event> + Send + 'a>>>,
}

impl<'a> InFlightBatch<'a> {
    /// What begins with a batch of what is due, and starts no more than `limit`.
    pub(crate) fn new(
        attempts: &'a DeliveryAttempts,
        due: Vec<Delivery>,
        batch: usize,
        limit: usize,
    ) -> Self {
        let (more, waiting) = (due.len() >= batch, due.into());
        Self {
            attempts,
            batch,
            left: limit,
            waiting,
            more,
            fetching: false,
            under_way: Vec::new(),
            events: FuturesUnordered::new(),
        }
    }

    /// How the next one ended, with as many under way as `limit` allows; none when all have ended.
    /// `stop` is asked before each attempt and ends the batch.
    pub(crate) async fn next(
        &mut self,
        limit: usize,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Option<Result<(Arc<Delivery>, Carried), LedgerError>> {
        loop {
            self.start(limit, stop);
            self.fetch();
            match self.events.next().await? {
                Event::Fetched(due) => {
                    self.fetching = false;
                    match due {
                        Ok(due) => {
                            self.more = due.len() >= self.batch;
                            self.waiting.extend(due);
                        }
                        Err(error) => return Some(Err(error)),
                    }
                }
                Event::Carried(delivery, carried) => {
                    self.under_way.retain(|other| other.id != delivery.id);
                    return Some(Ok((delivery, carried)));
                }
            }
        }
    }

    /// Starts no more; those under way go on.
    pub(crate) fn end(&mut self) {
        self.left = 0;
    }

    fn start(&mut self, limit: usize, stop: &(dyn Fn() -> bool + Sync)) {
        let attempts = self.attempts;
        while self.under_way.len() < limit && self.left > 0 {
            // Some recipient may have been deferred since it was fetched.
            while self
                .waiting
                .pop_front_if(|next| {
                    attempts.recipients.waits(next.recipient.as_deref(), attempts.clock())
                })
                .is_some()
            {}
            let alone =
                |next: &Delivery| attempts.recipients.is_deferred(next.recipient.as_deref());
            let follows = |other: &Delivery, next: &Delivery| {
                is_in_order(other, next) || (other.recipient == next.recipient && alone(next))
            };
            let Some(next) = self
                .waiting
                .pop_front_if(|next| !self.under_way.iter().any(|other| follows(other, next)))
            else {
                return;
            };
            if stop() {
                return self.end();
            }
            self.left -= 1;
            let delivery = Arc::new(next);
            self.under_way.push(Arc::clone(&delivery));
            self.events.push(Box::pin(async move {
                let how = attempts.carry(&delivery).await;
                Event::Carried(delivery, how)
            }));
        }
    }

    /// Fetches more while there is still enough to do.
    fn fetch(&mut self) {
        if self.fetching
            || !self.more
            || self.left <= self.waiting.len()
            || self.waiting.len() >= self.batch / 2
        {
            return;
        }
        self.fetching = true;
        let known = self
            .under_way
            .iter()
            .map(|delivery| delivery.id)
            .chain(self.waiting.iter().map(|delivery| delivery.id))
            .collect();
        let (attempts, limit) = (self.attempts, u32::try_from(self.batch).unwrap_or(u32::MAX));
        self.events.push(Box::pin(async move { Event::Fetched(attempts.due(known, limit).await) }));
    }
}

/// Whether two messages must arrive in their order: what one recipient is told of one customer, or
/// of the daemon.
fn is_in_order(first: &Delivery, second: &Delivery) -> bool {
    let both_operator =
        matches!((&first.message, &second.message), (Message::Operator(_), Message::Operator(_)));
    let one_customer =
        || customers(first).any(|customer| customers(second).any(|other| other == customer));
    first.recipient == second.recipient && (both_operator || one_customer())
}

fn customers(delivery: &Delivery) -> impl Iterator<Item = &CustomerId> {
    delivery.message.alerts().iter().map(|snapshot| &snapshot.alert.customer.id)
}
