//! Whether the loops make progress: what `/healthz` and the watchdog ask.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One sign of life.
#[derive(Debug, Clone, Copy)]
struct Beat {
    /// When, by the monotonic clock.
    at: Duration,
    /// How long it may take until the next one.
    next_within: Duration,
}

/// The last sign of life of each loop. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Health {
    beats: Arc<Mutex<BTreeMap<String, Beat>>>,
}

impl Health {
    /// A loop says that it makes progress, and by when it will say so again.
    pub fn beat(&self, name: &str, at: Duration, next_within: Duration) {
        let beat = Beat { at, next_within };
        let mut beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
        match beats.get_mut(name) {
            Some(last) => *last = beat,
            None => drop(beats.insert(name.to_owned(), beat)),
        }
    }

    /// A loop ended as it should.
    pub fn forget(&self, name: &str) {
        self.beats.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// The loops that are overdue at `now`, by the monotonic clock.
    pub fn overdue(&self, now: Duration) -> Vec<String> {
        let beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
        beats
            .iter()
            .filter(|(_, beat)| now > beat.at.saturating_add(beat.next_within))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_is_overdue_after_its_own_promise() {
        let health = Health::default();
        let seconds = Duration::from_secs;
        health.beat("poll", seconds(0), seconds(60));
        health.beat("delivery", seconds(0), seconds(10));
        assert_eq!(health.overdue(seconds(10)), Vec::<String>::new());
        assert_eq!(health.overdue(seconds(11)), ["delivery"]);
        health.forget("delivery");
        assert_eq!(health.overdue(seconds(11)), Vec::<String>::new());
    }
}
