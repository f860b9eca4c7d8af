//! Shows one notifier what is open, again and again, in place of owing it messages: it forgets by
//! itself what it is not shown any more. What has ended is shown as over until it certainly was,
//! across restarts. When it is shown is the daemon's.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::delivery::attempt::DeliveryAttempts;
use crate::delivery::backoff;
use crate::delivery::notifier_health::NotifierHealth;
use crate::delivery::operator_findings::{OperatorFindings, about};
use crate::domain::{
    Alert, CustomerKey, FindingCode, Metric, OperatorFinding, OperatorNews, Severity,
};
use crate::ledger::{AlertToMirror, LedgerError, OpenFinding, Reader};
use crate::metrics::Metrics;
use crate::notify::{DeliveryError, MirrorChannel, MirroredFact, Shown, Verdict};

/// Alerts shown by one request.
const BATCH: usize = 200;
/// What is shown holds for so many polls.
const POLLS_AHEAD: u32 = 3;
/// For so long what has ended is shown as over, though it was shown before.
const OVER_FOR: SignedDuration = SignedDuration::from_mins(5);
/// How soon it is shown again meanwhile.
const AGAIN_AFTER: Duration = Duration::from_mins(1);

/// Shows one notifier what is open.
pub struct Mirror {
    channel: MirrorChannel,
    attempts: DeliveryAttempts,
    health: NotifierHealth,
    poll_interval: Duration,
}

/// What two alerts have in common that are one where they are shown.
type Identity = (CustomerKey, Timestamp, String, Metric, Decimal, Severity);

/// A pass over all that is shown.
#[derive(Default)]
struct Pass {
    shown: HashSet<Identity>,
    requests: u32,
    /// Whether something of it ended just now.
    ended: bool,
}

impl Mirror {
    /// A mirror for one notifier, which tells at this findings what becomes of it; what it shows
    /// holds for three polls.
    pub fn new(
        channel: MirrorChannel,
        findings: OperatorFindings,
        metrics: Metrics,
        poll_interval: Duration,
    ) -> Self {
        Self {
            attempts: DeliveryAttempts::new(Arc::clone(channel.channel()), findings, metrics),
            channel,
            health: NotifierHealth::default(),
            poll_interval,
        }
    }

    /// The notifier's name.
    pub fn name(&self) -> &str {
        self.attempts.name()
    }

    /// Why the destination failed last; none while it takes what it is shown.
    pub fn failure(&self) -> Option<&str> {
        self.health.failure()
    }

    /// Shows everything, unless the destination fails and is left alone; says how long until the
    /// next time. `stop` is asked before each request.
    pub async fn step(
        &mut self,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Duration, LedgerError> {
        let state = self.health.state(&self.attempts).await?;
        match self.health.until_probe(&state, &self.attempts) {
            Some(wait) => Ok(wait),
            None => self.show(stop).await,
        }
    }

    /// Shows everything now; says how long until the next time.
    pub async fn show(
        &mut self,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Duration, LedgerError> {
        self.health.state(&self.attempts).await?;
        let (began, last) =
            (self.attempts.clock().now(), self.attempts.ledger().shown_at(self.name()).await?);
        // What ended after the last time was never shown as over.
        let since = last
            .map_or(began, |last| last.min(began))
            .saturating_sub(OVER_FOR)
            .unwrap_or(Timestamp::MIN);
        let mut pass = Pass::default();
        match self.pass(&mut pass, since, stop).await? {
            Ok(true) => {
                self.attempts.ledger().note_shown(self.name(), began).await?;
                self.health.recovered(&self.attempts).await?;
                Ok(if pass.ended {
                    AGAIN_AFTER.min(self.poll_interval)
                } else {
                    self.poll_interval
                })
            }
            Ok(false) => Ok(Duration::ZERO),
            Err(error) => self.failed(&error).await,
        }
    }

    /// All alerts, then the operator's findings; false when it was stopped. What is open comes
    /// first: an alert that ended and came again is open.
    async fn pass(
        &self,
        pass: &mut Pass,
        since: Timestamp,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Result<bool, DeliveryError>, LedgerError> {
        let rows =
            self.attempts.ledger().read(move |reader| reader.alerts_open_since(since)).await?;
        let mut refused = None;
        for rows in rows.chunks(BATCH) {
            if stop() {
                return Ok(Ok(false));
            }
            let mut alerts =
                self.attempts.ledger().alerts_to_mirror(rows.to_vec(), self.name()).await?;
            alerts.retain(|alert| pass.shown.insert(identity(&alert.snapshot.alert)));
            pass.ended |= alerts.iter().any(|alert| alert.ended_at.is_some());
            let shown: Vec<Shown> = alerts.into_iter().map(|alert| self.alert(alert)).collect();
            match self.send(pass, &shown).await {
                Ok(()) => {}
                // What is wrong with these must not hide the others.
                Err(error) if error.verdict == Verdict::Message => {
                    refused = refused.or(Some(error));
                }
                Err(error) => return Ok(Err(error)),
            }
        }
        let troubles = self.troubles(since).await?;
        // Nothing is shown as well: so it is known whether the destination is there.
        let result = if pass.requests == 0 || !troubles.is_empty() {
            self.channel.show(&troubles).await.map(drop)
        } else {
            Ok(())
        };
        Ok(result.and_then(|()| refused.map_or(Ok(true), Err)))
    }

    async fn send(&self, pass: &mut Pass, shown: &[Shown]) -> Result<(), DeliveryError> {
        if !shown.is_empty() {
            pass.requests += 1;
            self.channel.show(shown).await?;
        }
        Ok(())
    }

    fn alert(&self, alert: AlertToMirror) -> Shown {
        // What ended by a clock that was ahead is over all the same.
        let ends_at = alert
            .ended_at
            .map_or_else(|| self.holds_until(), |ended| ended.min(self.attempts.clock().now()));
        Shown {
            fact: MirroredFact::Alert(Box::new(alert.snapshot), alert.acknowledged_by),
            ends_at,
        }
    }

    /// What is wrong with the daemon itself, where that is told to this notifier; but nothing that
    /// is about it.
    async fn troubles(&self, since: Timestamp) -> Result<Vec<Shown>, LedgerError> {
        if !self.attempts.findings.tells(self.name()) {
            return Ok(Vec::new());
        }
        let origin = self.attempts.findings.origin();
        let news =
            |open: &OpenFinding| OperatorNews::raised(&open.finding, open.since, origin.clone());
        let trouble = |open: &OpenFinding, ends_at| Shown {
            fact: MirroredFact::Trouble(news(open)),
            ends_at,
        };
        let is_shown = |open: &OpenFinding| {
            about(open.finding.code, &open.finding.subject) != Some(self.name())
        };
        let open = self.attempts.ledger().read(Reader::findings).await?;
        let closed =
            self.attempts.ledger().read(move |reader| reader.closed_findings(since)).await?;
        let open = open
            .iter()
            .filter(|open| is_shown(open) && self.attempts.findings.is_news(open))
            .map(|open| trouble(open, self.holds_until()));
        let closed = closed
            .iter()
            .filter(|(finding, _)| is_shown(finding))
            .map(|(finding, at)| trouble(finding, (*at).min(self.attempts.clock().now())));
        Ok(open.chain(closed).collect())
    }

    fn holds_until(&self) -> Timestamp {
        let now = self.attempts.clock().now();
        let ahead = SignedDuration::try_from(self.poll_interval.saturating_mul(POLLS_AHEAD))
            .unwrap_or(SignedDuration::MAX);
        now.checked_add(ahead).unwrap_or(Timestamp::MAX)
    }

    /// The destination fails: it is left alone for longer and longer.
    async fn failed(&mut self, error: &DeliveryError) -> Result<Duration, LedgerError> {
        let before = self.health.state(&self.attempts).await?.failures;
        let asked = match error.verdict {
            Verdict::Destination { retry_after } => retry_after,
            // The destination is there, and what it does take must not run out meanwhile.
            Verdict::Message => {
                Some(backoff(before.saturating_add(1), Uuid::new_v4()).min(self.poll_interval))
            }
            Verdict::Ambiguous | Verdict::Recipient => None,
        };
        let state = self.health.worse(error, asked, &self.attempts).await?;
        tracing::warn!(
            notifier = self.name(),
            failures = state.failures,
            "what is open cannot be shown: {error}"
        );
        self.attempts.ledger().set_notifier_state(self.name(), state.clone()).await?;
        let finding = OperatorFinding {
            code: FindingCode::NotifierFailing,
            subject: self.name().to_owned(),
            summary: format!("notifier \"{}\" cannot be shown what is open: {error}", self.name()),
            action: "it is tried again, and then shown everything; until then it forgets what it \
                was shown"
                .to_owned(),
        };
        self.attempts.findings.report(finding).await?;
        Ok(self.health.until_probe(&state, &self.attempts).unwrap_or_default())
    }
}

fn identity(alert: &Alert) -> Identity {
    let (since, rule) = (alert.billing_period.start, alert.rule.clone());
    (alert.key(), since, rule, alert.metric, alert.threshold, alert.severity)
}
