//! Who of several hosts leads, as this process knows it: whether it may poll, send and mark now.
//! How a lease is had and kept is `lease`'s.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

/// How long after its last renewal a leader goes on: shorter than the lease, by the boot clock,
/// which runs on while a process is frozen or the machine sleeps.
const VALID: Duration = Duration::from_secs(50);

/// Whether this process leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leadership {
    /// It does.
    Leading,
    /// Another one does, or none.
    Standby {
        /// The host of the one that does, where it is known.
        leader: Option<String>,
    },
}

impl Leadership {
    /// Whether this process leads.
    pub fn is_leading(&self) -> bool {
        matches!(self, Self::Leading)
    }
}

/// A term of this process as the leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Term {
    /// Its number: each leader has a higher one.
    pub(super) epoch: i64,
    /// When the last renewal was asked for, by the boot clock.
    pub(super) renewed: Duration,
}

/// What this process knows of the lease. Its connections share it.
#[derive(Debug)]
pub(super) struct Seat {
    /// This process among all that ever were.
    pub(super) holder: Uuid,
    term: Mutex<Option<Term>>,
    state: watch::Sender<Leadership>,
}

impl Seat {
    /// Of a process that does not lead.
    pub(super) fn vacant() -> Self {
        Self {
            holder: Uuid::new_v4(),
            term: Mutex::default(),
            state: watch::Sender::new(Leadership::Standby { leader: None }),
        }
    }

    /// Tells who leads, as it changes.
    pub(super) fn state(&self) -> &watch::Sender<Leadership> {
        &self.state
    }

    /// The term of this process, whether it is still valid or not.
    pub(super) fn term(&self) -> Option<Term> {
        *self.lock()
    }

    /// This process leads.
    pub(super) fn lead(&self, term: Term) {
        *self.lock() = Some(term);
        self.tell(Leadership::Leading);
    }

    /// Another process leads, or none.
    pub(super) fn follow(&self, leader: Option<String>) {
        *self.lock() = None;
        self.tell(Leadership::Standby { leader });
    }

    /// The epoch in which this process may write now; else who leads.
    pub(super) fn epoch(&self, now: Duration) -> Result<i64, Option<String>> {
        match self.term().filter(|term| now.saturating_sub(term.renewed) < VALID) {
            Some(term) => Ok(term.epoch),
            None => Err(self.leader()),
        }
    }

    /// The host that leads, where it is another one and known.
    pub(super) fn leader(&self) -> Option<String> {
        match &*self.state.borrow() {
            Leadership::Leading => None,
            Leadership::Standby { leader } => leader.clone(),
        }
    }

    fn tell(&self, now: Leadership) {
        self.state.send_if_modified(|state| {
            let changed = *state != now;
            *state = now;
            changed
        });
    }

    fn lock(&self) -> MutexGuard<'_, Option<Term>> {
        self.term.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_that_was_not_renewed_is_over() {
        let seat = Seat::vacant();
        assert_eq!(seat.epoch(Duration::ZERO), Err(None));
        seat.lead(Term { epoch: 7, renewed: Duration::from_secs(100) });
        assert_eq!(seat.epoch(Duration::from_secs(149)), Ok(7));
        assert_eq!(seat.epoch(Duration::from_secs(150)), Err(None));
        seat.follow(Some("mars".into()));
        assert_eq!(seat.epoch(Duration::from_secs(101)), Err(Some("mars".into())));
    }
}
