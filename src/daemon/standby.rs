//! What a daemon does while another host leads: it keeps its own sign-in, sees whether the ledger
//! can be written, and says to whoever wants a poll who polls. Orders, pages and health are served
//! as by any other.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::daemon::pulse::{BEAT, LONGEST_ATTEMPT, Pulse};
use crate::daemon::signals::Signals;
use crate::daemon::writes::Writer;
use crate::ledger::Leadership;
use crate::metrics::Metrics;
use crate::poll::Cycle;

/// How often it is tried whether the ledger can be written.
const LOOK: Duration = Duration::from_secs(30);

/// Stands by until told to stop. The sign-in is renewed as often as a poll would.
pub(super) async fn stand_by(
    cycle: Arc<Cycle>,
    interval: Duration,
    metrics: Metrics,
    mut signals: Signals,
) {
    let clock = Arc::clone(&cycle.clock);
    let pulse = Pulse::new(&metrics.health, "standing by");
    let writer = Writer::new(&metrics, "trial");
    let poll_requests = Arc::clone(&signals.lines.poll_requests);
    let mut poll_requests = poll_requests.lock().await;
    let (mut renewed, mut looked) = (None, None);
    while !signals.stopping() {
        pulse.beat(&*clock, LONGEST_ATTEMPT);
        if is_due(&mut renewed, interval, &*clock)
            && let Err(error) = cycle.source.renew_sign_in().await
        {
            tracing::warn!("this host's sign-in is not renewed: {error}");
        }
        if is_due(&mut looked, LOOK, &*clock) {
            match cycle.ledger.try_to_write().await {
                Ok(()) => writer.succeeded(),
                Err(error) => writer.failed(&*clock, &error),
            }
        }
        pulse.beat(&*clock, BEAT * 6);
        tokio::select! {
            () = signals.wait(&*clock, BEAT) => {}
            () = poll_requests.wait() => {
                poll_requests.refuse(&who_polls(&cycle.ledger.leadership().borrow()));
            }
        }
    }
}

fn is_due(last: &mut Option<Duration>, every: Duration, clock: &dyn Clock) -> bool {
    let now = clock.monotonic();
    let due = last.is_none_or(|last| now.saturating_sub(last) >= every);
    if due {
        *last = Some(now);
    }
    due
}

fn who_polls(leadership: &Leadership) -> String {
    match leadership {
        Leadership::Leading => "this host has just begun to lead: ask again".to_owned(),
        Leadership::Standby { leader: Some(leader) } => {
            format!("{leader} leads, and polls: ask it there")
        }
        Leadership::Standby { leader: None } => "no host leads now: ask again".to_owned(),
    }
}
