//! What systemd is told (`sd_notify`): ready, reloading, stopping, a status line, and the watchdog
//! only while the loops make progress. Without systemd nothing of it does anything.

use std::time::Duration;

use sd_notify::NotifyState;

/// Tells systemd; a failure is worth a warning, not an end.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "cannot notify systemd");
    }
}

/// Configuration and ledger are open.
pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// A reload begins; `ready` ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// The end begins.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("finishing deliveries in flight")]);
}

/// A readable line for `systemctl status`.
pub(super) fn status(line: &str) {
    tell(&[NotifyState::Status(line)]);
}

/// The loops make progress.
pub(super) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// How often to say so: half of what the unit's `WatchdogSec=` allows; none without a watchdog.
pub(super) fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|within| within / 2)
}
