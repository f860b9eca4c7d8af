//! Shows one notifier what is open, again and again, in place of owing it messages: it forgets by itself what it is not shown any
//! more. What has ended is shown as over until it certainly was, across restarts. When it is shown is the daemon's.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::clock::Clock;
use crate::domain::{Alert, FindingCode, Incident, Metric, OperatorFinding, OperatorNews, Severity};
use crate::ledger::{Ledger, LedgerError, NotifierState, OpenFinding, StandingAlert};
use crate::metrics::Metrics;
use crate::notify::{Channel, DeliveryError, Fact, Standing, Verdict};
use crate::pipeline::backoff;
use crate::pipeline::desk::{Desk, Ending, about};

/// Alerts shown by one request.
const BATCH: usize = 200;
/// What is shown holds for so many polls.
const POLLS_AHEAD: u32 = 3;
/// For so long what has ended is shown as over, though it was shown before.
const OVER_FOR: SignedDuration = SignedDuration::from_mins(5);
/// How soon it is shown again meanwhile.
const AGAIN_AFTER: Duration = Duration::from_mins(1);
/// The longest and the shortest wait that a destination may ask for.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(1));

/// Shows one notifier what is open.
pub struct Mirror {
    channel: Channel,
    desk: Desk,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    poll_interval: Duration,
    state: Option<NotifierState>,
    /// When a failing destination may be tried again, by the monotonic clock.
    probe_at: Duration,
}

/// What two alerts have in common that are one where they are shown.
type Identity = (Incident, Metric, Decimal, Severity);

/// A pass over all that is shown.
#[derive(Default)]
struct Pass {
    shown: HashSet<Identity>,
    requests: u32,
    /// Whether something of it ended just now.
    ended: bool,
}

impl Mirror {
    /// A mirror for one notifier, which tells at this desk what becomes of it; what it shows holds for three polls.
    pub fn new(channel: Channel, desk: Desk, metrics: Metrics, poll_interval: Duration) -> Self {
        let (ledger, clock) = (desk.ledger.clone(), Arc::clone(&desk.clock));
        Self { channel, desk, ledger, clock, metrics, poll_interval, state: None, probe_at: Duration::ZERO }
    }

    /// The notifier's name.
    pub fn name(&self) -> &str {
        self.channel.name()
    }

    /// Why the destination failed last; none while it takes what it is shown.
    pub fn failure(&self) -> Option<&str> {
        self.state.as_ref().filter(|state| state.failures > 0).map(|state| state.last_error.as_deref().unwrap_or("it failed before"))
    }

    /// Shows everything, unless the destination fails and is left alone; says how long until the next time. `stop` is asked
    /// before each request.
    pub async fn step(&mut self, stop: &(dyn Fn() -> bool + Sync)) -> Result<Duration, LedgerError> {
        self.recall().await?;
        let wait = self.probe_at.saturating_sub(self.clock.monotonic());
        if self.failure().is_some() && !wait.is_zero() {
            return Ok(wait);
        }
        self.show(stop).await
    }

    /// Shows everything now; says how long until the next time.
    pub async fn show(&mut self, stop: &(dyn Fn() -> bool + Sync)) -> Result<Duration, LedgerError> {
        self.recall().await?;
        let (began, last) = (self.clock.now(), self.ledger.shown_at(self.name()).await?);
        // What ended after the last time was never shown as over.
        let since = last.map_or(began, |last| last.min(began)).saturating_sub(OVER_FOR).unwrap_or(Timestamp::MIN);
        let mut pass = Pass::default();
        match self.pass(&mut pass, since, stop).await? {
            Ok(true) => {
                self.ledger.note_shown(self.channel.name(), began).await?;
                self.recovered().await?;
                Ok(if pass.ended { AGAIN_AFTER.min(self.poll_interval) } else { self.poll_interval })
            }
            Ok(false) => Ok(Duration::ZERO),
            Err(error) => self.failed(&error).await,
        }
    }

    /// All alerts, then the operator's findings; false when it was stopped. What is open comes first: an alert that ended and
    /// came again is open.
    async fn pass(
        &self,
        pass: &mut Pass,
        since: Timestamp,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Result<bool, DeliveryError>, LedgerError> {
        let rows = self.ledger.standing(since).await?;
        let mut refused = None;
        for rows in rows.chunks(BATCH) {
            if stop() {
                return Ok(Ok(false));
            }
            let mut alerts = self.ledger.standing_alerts(rows.to_vec(), self.name()).await?;
            alerts.retain(|alert| pass.shown.insert(identity(&alert.snapshot.alert)));
            pass.ended |= alerts.iter().any(|alert| alert.ended_at.is_some());
            let standing: Vec<Standing> = alerts.into_iter().map(|alert| self.alert(alert)).collect();
            match self.send(pass, &standing).await {
                Ok(()) => {}
                // What is wrong with these must not hide the others.
                Err(error) if error.verdict == Verdict::Message => refused = refused.or(Some(error)),
                Err(error) => return Ok(Err(error)),
            }
        }
        let troubles = self.troubles(since).await?;
        // Nothing is shown as well: so it is known whether the destination is there.
        let result = if pass.requests == 0 || !troubles.is_empty() { self.channel.show(&troubles).await.map(drop) } else { Ok(()) };
        Ok(result.and_then(|()| refused.map_or(Ok(true), Err)))
    }

    async fn send(&self, pass: &mut Pass, standing: &[Standing]) -> Result<(), DeliveryError> {
        if !standing.is_empty() {
            pass.requests += 1;
            self.channel.show(standing).await?;
        }
        Ok(())
    }

    fn alert(&self, alert: StandingAlert) -> Standing {
        let ends_at = alert.ended_at.unwrap_or_else(|| self.holds_until());
        Standing { fact: Fact::Alert(Box::new(alert.snapshot), alert.known_to), ends_at }
    }

    /// What is wrong with the daemon itself, where that is told to this notifier; but nothing that is about it.
    async fn troubles(&self, since: Timestamp) -> Result<Vec<Standing>, LedgerError> {
        if !self.desk.tells(self.name()) {
            return Ok(Vec::new());
        }
        let trouble =
            |open: &OpenFinding, ends_at| Standing { fact: Fact::Trouble(OperatorNews::raised(&open.finding, open.since)), ends_at };
        let is_shown = |open: &OpenFinding| about(open.finding.code, &open.finding.subject) != Some(self.name());
        let open = self.ledger.findings().await?;
        let closed = self.ledger.closed_findings(since).await?;
        let open = open.iter().filter(|open| is_shown(open) && self.desk.is_news(open)).map(|open| trouble(open, self.holds_until()));
        let closed = closed.iter().filter(|(finding, _)| is_shown(finding)).map(|(finding, at)| trouble(finding, *at));
        Ok(open.chain(closed).collect())
    }

    fn holds_until(&self) -> Timestamp {
        let now = self.clock.now();
        let ahead = SignedDuration::try_from(self.poll_interval.saturating_mul(POLLS_AHEAD)).unwrap_or(SignedDuration::MAX);
        now.checked_add(ahead).unwrap_or(Timestamp::MAX)
    }

    /// The destination fails: it is left alone for longer and longer.
    async fn failed(&mut self, error: &DeliveryError) -> Result<Duration, LedgerError> {
        let before = self.state.clone().unwrap_or_default();
        let now = self.clock.now();
        let failures = before.failures.saturating_add(1);
        let (shortest, longest) = RETRY_AFTER;
        let wait = match error.verdict {
            Verdict::Destination { retry_after: Some(asked) } => asked.clamp(shortest, longest),
            // The destination is there, and what it does take must not run out meanwhile.
            Verdict::Message => backoff(failures, Uuid::new_v4()).min(self.poll_interval),
            _ => backoff(failures, Uuid::new_v4()),
        };
        self.probe_at = self.clock.monotonic().saturating_add(wait);
        let state = NotifierState {
            failures,
            failing_since: before.failing_since.or(Some(now)),
            next_probe_at: now.checked_add(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX)).ok(),
            probes: before.probes.saturating_add(1),
            possible: before.possible,
            last_error: Some(error.to_string()),
        };
        tracing::warn!(notifier = self.name(), failures, "what is open cannot be shown: {error}");
        self.gauge(true);
        self.state = Some(state.clone());
        self.ledger.set_notifier_state(self.channel.name(), state).await?;
        let finding = OperatorFinding {
            code: FindingCode::NotifierFailing,
            subject: self.name().to_owned(),
            summary: format!("notifier \"{}\" cannot be shown what is open: {error}", self.name()),
            action: "it is tried again, and then shown everything; until then it forgets what it was shown".to_owned(),
        };
        self.desk.report(finding).await?;
        Ok(wait)
    }

    async fn recovered(&mut self) -> Result<(), LedgerError> {
        let Some(before) = self.state.clone().filter(|state| state.failures > 0) else { return Ok(()) };
        let ending = Ending::of(format!("notifier \"{}\" is shown everything again", self.name()));
        self.desk.clear(FindingCode::NotifierFailing, self.name(), ending).await?;
        let state = NotifierState { failures: 0, failing_since: None, next_probe_at: None, last_error: None, ..before };
        self.ledger.set_notifier_state(self.channel.name(), state.clone()).await?;
        self.state = Some(state);
        self.gauge(false);
        tracing::info!(notifier = self.name(), "the notifier is shown everything again");
        Ok(())
    }

    /// How the destination was doing before this process.
    async fn recall(&mut self) -> Result<(), LedgerError> {
        if self.state.is_some() {
            return Ok(());
        }
        let state = self.ledger.notifier_state(self.name()).await?;
        let wait = state.next_probe_at.map(|at| Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default());
        self.probe_at = self.clock.monotonic().saturating_add(wait.unwrap_or_default().min(RETRY_AFTER.1));
        self.gauge(state.failures > 0);
        self.state = Some(state);
        Ok(())
    }

    fn gauge(&self, failing: bool) {
        self.metrics.notifier_in_backoff.with_label_values(&[self.name()]).set(i64::from(failing));
    }
}

fn identity(alert: &Alert) -> Identity {
    (alert.incident(), alert.metric, alert.threshold, alert.severity)
}
