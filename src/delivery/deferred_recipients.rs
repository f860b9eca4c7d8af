//! Recipients for whom a destination takes no messages at the moment, while it takes them for
//! others: until when what is owed to each has to wait. What is recorded of that is not looked at
//! here.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::ledger::NotifierState;

/// The recipients of one notifier that are deferred.
#[derive(Default)]
pub(crate) struct DeferredRecipients(Mutex<Option<HashMap<String, Deferred>>>);

/// A recipient that is deferred. Times are of the monotonic clock.
#[derive(Clone)]
pub(crate) struct Deferred {
    pub(crate) state: NotifierState,
    /// When it may be tried again.
    pub(crate) probe_at: Duration,
    /// When the time in which it could be tried was last counted.
    pub(crate) counted_at: Duration,
    /// What was counted for the whole notifier by then: time counts once.
    pub(crate) counted_for_all: Duration,
}

impl DeferredRecipients {
    fn lock(&self) -> MutexGuard<'_, Option<HashMap<String, Deferred>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is known who is deferred.
    pub(crate) fn are_known(&self) -> bool {
        self.lock().is_some()
    }

    /// These are deferred, and nobody else.
    pub(crate) fn know(&self, all: impl Iterator<Item = (String, Deferred)>) {
        *self.lock() = Some(all.collect());
    }

    /// This one is deferred.
    pub(crate) fn add(&self, recipient: &str, deferred: Deferred) {
        self.lock().get_or_insert_default().insert(recipient.to_owned(), deferred);
    }

    /// This one is not any more.
    pub(crate) fn remove(&self, recipient: &str) {
        self.lock().get_or_insert_default().remove(recipient);
    }

    pub(crate) fn find(&self, recipient: &str) -> Option<Deferred> {
        self.lock().as_ref()?.get(recipient).cloned()
    }

    /// Whether any is deferred.
    pub(crate) fn any(&self) -> bool {
        self.lock().as_ref().is_some_and(|known| !known.is_empty())
    }

    /// Whether this one is: then it is tried with one delivery at a time.
    pub(crate) fn is_deferred(&self, recipient: Option<&str>) -> bool {
        recipient.is_some_and(|recipient| {
            self.lock().as_ref().is_some_and(|known| known.contains_key(recipient))
        })
    }

    /// Whether this one may not be tried yet.
    pub(crate) fn waits(&self, recipient: Option<&str>, clock: &dyn Clock) -> bool {
        recipient
            .and_then(|recipient| self.find(recipient))
            .is_some_and(|deferred| deferred.probe_at > clock.monotonic())
    }

    /// Those who may not be tried yet.
    pub(crate) fn waiting(&self, clock: &dyn Clock) -> Vec<String> {
        let now = clock.monotonic();
        let known = self.lock();
        known
            .iter()
            .flatten()
            .filter(|(_, deferred)| deferred.probe_at > now)
            .map(|(recipient, _)| recipient.clone())
            .collect()
    }

    /// How long until one of `these` may be tried.
    pub(crate) fn shortest_wait(&self, these: &[String], clock: &dyn Clock) -> Option<Duration> {
        let now = clock.monotonic();
        let waits = these
            .iter()
            .filter_map(|recipient| self.find(recipient))
            .map(|deferred| deferred.probe_at.saturating_sub(now));
        waits.filter(|wait| !wait.is_zero()).min()
    }
}
