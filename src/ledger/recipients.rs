//! The ledger of recipients for whom a destination does not take messages at the moment, while it
//! takes them for others.

use uuid::Uuid;

use crate::domain::Delivery;
use crate::ledger::Ledger;
use crate::ledger::entry::{AttemptRecord, GiveUp, NotifierState};
use crate::ledger::error::LedgerError;
use crate::ledger::table::sent_messages::PackedMessage;
use crate::ledger::table::{deliveries, notifiers, recipients};

impl Ledger {
    /// Whoever is owed messages of a notifier.
    pub async fn owed_recipients(&self, notifier: &str) -> Result<Vec<String>, LedgerError> {
        let notifier = notifier.to_owned();
        self.thread.run(move |connection| recipients::owed(connection, &notifier)).await
    }

    /// How a recipient is doing.
    pub async fn recipient_state(
        &self,
        notifier: &str,
        recipient: &str,
    ) -> Result<NotifierState, LedgerError> {
        let (notifier, recipient) = (notifier.to_owned(), recipient.to_owned());
        self.thread
            .run(move |connection| recipients::state(connection, &notifier, &recipient))
            .await
    }

    /// Replaces the state of a recipient.
    pub async fn set_recipient_state(
        &self,
        notifier: &str,
        recipient: &str,
        state: NotifierState,
    ) -> Result<(), LedgerError> {
        let (notifier, recipient) = (notifier.to_owned(), recipient.to_owned());
        self.thread
            .write(move |connection| recipients::replace(connection, &notifier, &recipient, &state))
            .await
    }

    /// What is owed to a notifier, without those in `except` and without what goes to these
    /// recipients; in the order of [`Ledger::due`].
    pub async fn due_without(
        &self,
        notifier: &str,
        except: Vec<Uuid>,
        recipients: Vec<String>,
        limit: u32,
    ) -> Result<Vec<Delivery>, LedgerError> {
        let notifier = notifier.to_owned();
        self.thread
            .run(move |connection| {
                deliveries::due_without(connection, &notifier, &except, &recipients, limit)
            })
            .await
    }

    /// Records an attempt that was deferred with the state of its recipient, and gives up whatever
    /// the recipient has been owed beyond both limits; returns what was given up.
    pub async fn mark_deferred(
        &self,
        attempt: AttemptRecord,
        (notifier, recipient): (&str, &str),
        state: NotifierState,
        give_up: GiveUp,
    ) -> Result<Vec<Uuid>, LedgerError> {
        let (id, notifier, recipient) =
            (attempt.delivery, notifier.to_owned(), recipient.to_owned());
        let message = PackedMessage::of(&attempt);
        let marked = self.thread.write(move |connection| {
            if deliveries::add_attempt(connection, &attempt, message?.as_ref())?.is_none() {
                return Ok(None);
            }
            recipients::replace(connection, &notifier, &recipient, &state)?;
            let of_notifier = notifiers::state(connection, &notifier)?;
            deliveries::give_up(
                connection,
                (&notifier, Some(&recipient)),
                &of_notifier,
                &give_up,
                attempt.at,
            )
            .map(Some)
        });
        marked.await?.ok_or(LedgerError::UnknownDelivery(id))
    }
}
