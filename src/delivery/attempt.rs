//! One delivery carried to its receiver and marked: what a worker does with several at once. What
//! follows from a failure is [`crate::delivery::worker`]'s.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::clock::Clock;
use crate::delivery::deferred_recipients::DeferredRecipients;
use crate::delivery::links::{self, Links};
use crate::delivery::operator_findings::OperatorFindings;
use crate::domain::{Delivery, FindingCode, OperatorFinding, SentMessage};
use crate::ledger::{AttemptRecord, Ledger, LedgerError};
use crate::metrics::Metrics;
use crate::notify::{Accepted, Channel, DeliveryError, Verdict};
use crate::text::{clean, log_words};

/// What receivers accepted and the ledger does not know yet, by notifier: never sent again by this
/// process. Cloning shares it, so that it outlives the workers of one configuration.
#[derive(Debug, Clone, Default)]
pub struct UnconfirmedDeliveries(Arc<Mutex<HashMap<Box<str>, Vec<AttemptRecord>>>>);

impl UnconfirmedDeliveries {
    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Vec<AttemptRecord>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, notifier: &str, attempt: AttemptRecord) {
        self.lock().entry(notifier.into()).or_default().push(attempt);
    }

    fn all(&self, notifier: &str) -> Vec<AttemptRecord> {
        self.lock().get(notifier).cloned().unwrap_or_default()
    }

    fn remove(&self, notifier: &str, delivery: Uuid) {
        if let Some(attempts) = self.lock().get_mut(notifier) {
            attempts.retain(|attempt| attempt.delivery != delivery);
        }
    }
}

/// What became of a delivery that was carried.
pub(crate) enum Carried {
    /// Accepted, and marked so on disk.
    Sent,
    /// The receiver will never take this message: given up, and marked so on disk.
    Refused(DeliveryError),
    /// Still owed: the receiver takes nothing for its recipient at the moment.
    Deferred(DeliveryError),
    /// Still owed: the destination failed, or nobody knows.
    Failed(DeliveryError),
    /// It was not sent: it is owed no more.
    Ended,
    /// The ledger failed: it does not know whether this was sent, or could not claim it before.
    Unrecorded(LedgerError),
}

/// Carries deliveries to one notifier, and tells at its findings what was given up.
pub(crate) struct DeliveryAttempts {
    pub(crate) channel: Arc<Channel>,
    pub(crate) findings: OperatorFindings,
    pub(crate) metrics: Metrics,
    pub(crate) unmarked: UnconfirmedDeliveries,
    pub(crate) recipients: DeferredRecipients,
    /// Makes links to act by; none where there are no pages for them.
    pub(crate) links: Option<Links>,
}

impl DeliveryAttempts {
    pub(crate) fn new(channel: Arc<Channel>, findings: OperatorFindings, metrics: Metrics) -> Self {
        Self {
            channel,
            findings,
            metrics,
            unmarked: UnconfirmedDeliveries::default(),
            recipients: DeferredRecipients::default(),
            links: None,
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.channel.name()
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.findings.ledger
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.findings.clock
    }

    /// What is due, without what is in `except` and without recipients that have to wait.
    pub(crate) async fn due(
        &self,
        except: Vec<Uuid>,
        limit: u32,
    ) -> Result<Vec<Delivery>, LedgerError> {
        let (ledger, name) = (self.ledger(), self.name());
        if self.channel.route().has_incidents() {
            ledger.due_by_incident(name, except, limit).await
        } else {
            ledger.due_without(name, except, self.recipients.waiting(self.clock()), limit).await
        }
    }

    /// One attempt. What ended by it is marked on disk when this returns.
    pub(crate) async fn carry(&self, delivery: &Delivery) -> Carried {
        match self.ledger().claim(delivery.id).await {
            Ok(true) => {}
            Ok(false) => return Carried::Ended,
            Err(error) => return Carried::Unrecorded(error),
        }
        let ended = match self.attempt(delivery).await {
            Ok(accepted) => {
                tracing::info!(
                    notifier = self.name(),
                    delivery.id = %delivery.id,
                    "{} took {}",
                    clean(self.name(), 60),
                    log_words::message(&delivery.message)
                );
                let attempt = self.record(delivery, "accepted", accepted.detail, accepted.message);
                self.unmarked.add(self.name(), attempt.clone());
                self.mark_sent(attempt).await.map(|()| Carried::Sent)
            }
            Err(error) if error.verdict == Verdict::Message => {
                tracing::warn!(
                    notifier = self.name(),
                    delivery.id = %delivery.id,
                    "{} refused {}, which is given up: {error}",
                    clean(self.name(), 60),
                    log_words::message(&delivery.message)
                );
                let marked = self
                    .ledger()
                    .mark_dead(self.record(
                        delivery,
                        "message-refused",
                        error.to_string(),
                        error.message.clone(),
                    ))
                    .await;
                marked.map(|()| Carried::Refused(error))
            }
            Err(error) if error.verdict == Verdict::Recipient => Ok(Carried::Deferred(error)),
            Err(error) => Ok(Carried::Failed(error)),
        };
        ended.unwrap_or_else(Carried::Unrecorded)
    }

    async fn attempt(&self, delivery: &Delivery) -> Result<Accepted, DeliveryError> {
        let linked = match &self.links {
            Some(links) => links.put_into(delivery, self.ledger(), self.clock().now()).await,
            None => None,
        };
        match &linked {
            Some(linked) => links::masked(self.channel.attempt(linked).await, linked),
            None => self.channel.attempt(delivery).await,
        }
    }

    /// Marks what was accepted and could not be marked before.
    pub(crate) async fn mark_accepted(&self) -> Result<(), LedgerError> {
        for attempt in self.unmarked.all(self.name()) {
            self.mark_sent(attempt).await?;
        }
        Ok(())
    }

    async fn mark_sent(&self, attempt: AttemptRecord) -> Result<(), LedgerError> {
        let delivery = attempt.delivery;
        self.ledger().mark_sent(attempt).await?;
        self.unmarked.remove(self.name(), delivery);
        self.count("sent", 1);
        Ok(())
    }

    /// An attempt of now.
    pub(crate) fn record(
        &self,
        delivery: &Delivery,
        outcome: &'static str,
        detail: String,
        message: Option<Arc<SentMessage>>,
    ) -> AttemptRecord {
        AttemptRecord { delivery: delivery.id, at: self.clock().now(), outcome, detail, message }
    }

    /// Counts and tells what was given up.
    pub(crate) async fn tell_dead(&self, number: u64, why: &str) -> Result<(), LedgerError> {
        if number == 0 {
            return Ok(());
        }
        self.count("dead", number);
        let name = self.name();
        let finding = OperatorFinding {
            code: FindingCode::DeliveryDead,
            subject: name.to_owned(),
            summary: if number == 1 {
                format!("a delivery of notifier \"{name}\" was given up: {why}")
            } else {
                format!("{number} deliveries of notifier \"{name}\" were given up: {why}")
            },
            action: format!(
                "fix the destination, then run: budget-alertd deliveries retry --notifier {name}"
            ),
        };
        self.findings.report_again(finding).await
    }

    fn count(&self, result: &str, number: u64) {
        self.metrics.deliveries.with_label_values(&[self.name(), result]).inc_by(number);
    }
}
