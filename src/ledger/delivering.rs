//! What the ledger owes to notifiers, and what became of it.

use uuid::Uuid;

use crate::domain::{Delivery, DeliveryState};
use crate::ledger::Ledger;
use crate::ledger::entry::{AttemptRecord, GiveUp, NotifierState};
use crate::ledger::error::LedgerError;
use crate::ledger::sql;
use crate::ledger::table::sent_messages::PackedMessage;
use crate::ledger::table::{deliveries, notifiers};

impl Ledger {
    /// What is owed to a notifier, without those in `except`: worst severity first, then in the
    /// order of recording.
    pub async fn due(
        &self,
        notifier: &str,
        except: Vec<Uuid>,
        limit: u32,
    ) -> Result<Vec<Delivery>, LedgerError> {
        let notifier = notifier.to_owned();
        self.thread
            .run(move |connection| deliveries::due(connection, &notifier, &except, limit))
            .await
    }

    /// The same for a notifier that keeps incidents: all that is about the same customer and billing
    /// period goes in the order of recording, whatever its severity.
    pub async fn due_by_incident(
        &self,
        notifier: &str,
        except: Vec<Uuid>,
        limit: u32,
    ) -> Result<Vec<Delivery>, LedgerError> {
        let notifier = notifier.to_owned();
        self.thread
            .run(move |connection| {
                deliveries::due_by_incident(connection, &notifier, &except, limit)
            })
            .await
    }

    /// Claims a delivery that is about to be sent; returns whether it is still owed. A ledger that
    /// one process holds needs no claims.
    pub async fn claim(&self, delivery: Uuid) -> Result<bool, LedgerError> {
        if self.shared.is_none() {
            return Ok(true);
        }
        self.thread.share(move |connection| deliveries::claim(connection, delivery)).await
    }

    /// Marks a delivery as accepted by its receiver; on disk when it returns. Marks made at the
    /// same time share the wait.
    pub async fn mark_sent(&self, attempt: AttemptRecord) -> Result<(), LedgerError> {
        self.mark(attempt, DeliveryState::Sent).await
    }

    /// Marks a delivery as given up, because its message was refused.
    pub async fn mark_dead(&self, attempt: AttemptRecord) -> Result<(), LedgerError> {
        self.mark(attempt, DeliveryState::Dead).await
    }

    async fn mark(&self, attempt: AttemptRecord, state: DeliveryState) -> Result<(), LedgerError> {
        let id = attempt.delivery;
        let message = PackedMessage::of(&attempt);
        let marked = self.thread.share(move |connection| {
            let message = message.as_ref().map_err(sql::Error::again)?.as_ref();
            let row = deliveries::add_attempt(connection, &attempt, message)?;
            row.map(|row| deliveries::end(connection, row, state, attempt.at)).transpose()
        });
        marked.await?.ok_or(LedgerError::UnknownDelivery(id))
    }

    /// Records a failed attempt with the state of its notifier, and gives up whatever the notifier
    /// has owed beyond both limits; returns what was given up.
    pub async fn mark_failed(
        &self,
        attempt: AttemptRecord,
        notifier: &str,
        state: NotifierState,
        give_up: GiveUp,
    ) -> Result<Vec<Uuid>, LedgerError> {
        let (id, notifier) = (attempt.delivery, notifier.to_owned());
        let message = PackedMessage::of(&attempt);
        let marked = self.thread.write(move |connection| {
            if deliveries::add_attempt(connection, &attempt, message?.as_ref())?.is_none() {
                return Ok(None);
            }
            notifiers::replace(connection, &notifier, &state)?;
            deliveries::give_up(connection, (&notifier, None), &state, &give_up, attempt.at)
                .map(Some)
        });
        marked.await?.ok_or(LedgerError::UnknownDelivery(id))
    }

    /// How a notifier's destination is doing.
    pub async fn notifier_state(&self, notifier: &str) -> Result<NotifierState, LedgerError> {
        let notifier = notifier.to_owned();
        self.thread.run(move |connection| notifiers::state(connection, &notifier)).await
    }

    /// Replaces the state of a notifier.
    pub async fn set_notifier_state(
        &self,
        notifier: &str,
        state: NotifierState,
    ) -> Result<(), LedgerError> {
        let notifier = notifier.to_owned();
        self.thread.write(move |connection| notifiers::replace(connection, &notifier, &state)).await
    }
}
