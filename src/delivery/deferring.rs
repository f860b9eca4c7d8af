//! Defers a recipient for whom the destination takes no messages at the moment, on a schedule of
//! its own, like a notifier's: what is recorded of it, and what is given up because of it. Who
//! tries is not looked at here.

use std::time::Duration;

use crate::delivery::attempt::DeliveryAttempts;
use crate::delivery::deferred_recipients::Deferred;
use crate::delivery::notifier_health::{
    LEAST_PROBES, LONGEST_RETRY_AFTER, after_failure, after_success,
};
use crate::delivery::operator_findings::{FindingClosure, subject_of};
use crate::domain::{Delivery, FindingCode, OperatorFinding, has_passed};
use crate::ledger::{GiveUp, LedgerError, NotifierState, Reader};
use crate::notify::DeliveryError;
use crate::text::{clean, log_words};

/// What passes sooner is no news: greylisting, or a mailbox that is soon emptied.
const NEWS_AFTER: Duration = Duration::from_hours(1);

impl DeliveryAttempts {
    /// Reads from the ledger, when first asked, who is deferred.
    pub(crate) async fn recall_deferred(&self) -> Result<(), LedgerError> {
        if self.recipients.are_known() {
            return Ok(());
        }
        let deferred = self.ledger().read(Reader::deferred_recipients).await?;
        let counted_for_all = self.ledger().notifier_state(self.name()).await?.possible;
        let (now, counted_at) = (self.clock().now(), self.clock().monotonic());
        let own = deferred.into_iter().filter(|one| one.notifier == self.name()).map(|one| {
            // The wall clock is asked this once: set back later, it must not keep anybody from
            // being told.
            let wait = one
                .state
                .next_probe_at
                .map(|at| Duration::try_from(at.duration_since(now)).unwrap_or_default());
            let probe_at =
                counted_at.saturating_add(wait.unwrap_or_default().min(LONGEST_RETRY_AFTER));
            (one.recipient, Deferred { state: one.state, probe_at, counted_at, counted_for_all })
        });
        self.recipients.know(own);
        Ok(())
    }

    /// How long until a deferred recipient may be tried that is owed anything.
    pub(crate) async fn until_deferred(&self) -> Result<Option<Duration>, LedgerError> {
        if !self.recipients.any() {
            return Ok(None);
        }
        let owed = self.ledger().owed_recipients(self.name()).await?;
        Ok(self.recipients.shortest_wait(&owed, self.clock()))
    }

    /// The destination takes nothing for the recipient of this delivery: it waits one step longer,
    /// and what it has been owed for too long is given up; returns how much. Attempts that were
    /// under way together are one step.
    pub(crate) async fn defer(
        &self,
        delivery: &Delivery,
        error: &DeliveryError,
    ) -> Result<u64, LedgerError> {
        let recipient = delivery.recipient.as_deref().unwrap_or_default();
        let state = match self
            .recipients
            .find(recipient)
            .filter(|deferred| deferred.probe_at > self.clock().monotonic())
        {
            Some(deferred) => deferred.state,
            None => self.later(recipient, error).await?,
        };
        let give_up = GiveUp { after: self.channel.give_up_after(), probes: LEAST_PROBES };
        let attempt =
            self.record(delivery, error.verdict.as_str(), error.to_string(), error.message.clone());
        let failing = state.clone();
        let dead =
            self.ledger().mark_deferred(attempt, (self.name(), recipient), state, give_up).await?;
        tracing::warn!(
            notifier = self.name(),
            delivery.id = %delivery.id,
            "{} defers one recipient of {}, the others not: {error}",
            clean(self.name(), 60),
            log_words::message(&delivery.message)
        );
        let dead = u64::try_from(dead.len()).unwrap_or(u64::MAX);
        if dead > 0
            && !self
                .ledger()
                .owed_recipients(self.name())
                .await?
                .iter()
                .any(|owed| owed == recipient)
        {
            let ending = FindingClosure::of(format!(
                "what notifier \"{}\" owed to {recipient} was given up",
                self.name()
            ));
            self.findings
                .clear(FindingCode::NotifierFailing, &subject_of(self.name(), recipient), ending)
                .await?;
        } else {
            self.tell_held_back(recipient, &failing).await?;
        }
        self.tell_dead(dead, &error.to_string()).await?;
        Ok(dead)
    }

    /// Tells the operator of a recipient for whom nothing was taken for long; its address goes into
    /// no log.
    async fn tell_held_back(
        &self,
        recipient: &str,
        state: &NotifierState,
    ) -> Result<(), LedgerError> {
        let now = self.clock().now();
        let Some(since) = state.failing_since.filter(|since| has_passed(NEWS_AFTER, *since, now))
        else {
            return Ok(());
        };
        let (name, why) = (self.name(), state.last_error.as_deref().unwrap_or("it failed before"));
        let finding = OperatorFinding {
            code: FindingCode::NotifierFailing,
            subject: subject_of(name, recipient),
            summary: format!(
                "notifier \"{name}\" has taken nothing for {recipient} for more than \
                an hour: {why}"
            ),
            action:
                "what is owed to that recipient is kept and tried again, until it is given up: \
                have the mailbox repaired, or name another recipient; see budget-alertd deliveries \
                --state pending"
                    .to_owned(),
        };
        if self.findings.record(finding).await? {
            tracing::error!(notifier = name, recipient.since = %since, "a recipient has been \
                deferred for more than an hour");
        }
        Ok(())
    }

    /// The state of a recipient after one more refusal; not in the ledger yet.
    async fn later(
        &self,
        recipient: &str,
        error: &DeliveryError,
    ) -> Result<NotifierState, LedgerError> {
        let before = self.ledger().recipient_state(self.name(), recipient).await?;
        let counted_for_all = self.ledger().notifier_state(self.name()).await?.possible;
        let (now, counted_at) = (self.clock().now(), self.clock().monotonic());
        // Time before the first refusal was not spent on trying, nor was that in which the notifier
        // failed.
        let possible = self.recipients.find(recipient).map_or(Duration::ZERO, |deferred| {
            let elapsed = counted_at.saturating_sub(deferred.counted_at);
            elapsed.saturating_sub(counted_for_all.saturating_sub(deferred.counted_for_all))
        });
        let (state, wait) = after_failure(&before, error, possible, None, now);
        let probe_at = counted_at.saturating_add(wait);
        self.recipients.add(
            recipient,
            Deferred { state: state.clone(), probe_at, counted_at, counted_for_all },
        );
        Ok(state)
    }

    /// The destination took the message of this delivery, or will never take it: whatever else is
    /// owed to its recipient is free.
    pub(crate) async fn answered(&self, delivery: &Delivery) -> Result<(), LedgerError> {
        let Some(recipient) = delivery
            .recipient
            .as_deref()
            .filter(|recipient| self.recipients.is_deferred(Some(recipient)))
        else {
            return Ok(());
        };
        let before = self.ledger().recipient_state(self.name(), recipient).await?;
        let state = after_success(&before);
        // The finding first: were it left for later, being killed in between would leave it open
        // for ever.
        let ending = FindingClosure::of(format!(
            "notifier \"{}\" takes messages for {recipient} again",
            self.name()
        ));
        self.findings
            .clear(FindingCode::NotifierFailing, &subject_of(self.name(), recipient), ending)
            .await?;
        self.ledger().set_recipient_state(self.name(), recipient, state).await?;
        self.recipients.remove(recipient);
        tracing::info!(notifier = self.name(), "a recipient that was deferred is told again");
        Ok(())
    }
}
