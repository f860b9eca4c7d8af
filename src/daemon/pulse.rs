//! The signs of life that a loop gives. Who judges by them is `metrics` and `systemd`.

use std::time::Duration;

use crate::clock::Clock;
use crate::metrics::Health;

/// How often a waiting loop gives a sign of life.
pub(super) const BEAT: Duration = Duration::from_secs(10);
/// How long an attempt may take before its loop counts as stuck.
pub(super) const LONGEST_ATTEMPT: Duration = Duration::from_mins(20);

/// A loop's place in what `/healthz` and the watchdog ask; given up however the loop ends.
pub(super) struct Pulse {
    health: Health,
    name: String,
}

impl Pulse {
    /// The place of the loop of this name.
    pub(super) fn new(health: &Health, name: &str) -> Self {
        Self { health: health.clone(), name: name.to_owned() }
    }

    /// Progress was made, and will be again within this time.
    pub(super) fn beat(&self, clock: &dyn Clock, next_within: Duration) {
        self.health.beat(&self.name, clock.monotonic(), next_within);
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.health.forget(&self.name);
    }
}
