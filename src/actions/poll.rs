//! Asks a daemon to poll now, and waits for what comes of it. A command that finds no daemon polls
//! by itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::actions::{Action, ActionContext, ActionError, Author, PollTicket, Polled, progress};
use crate::domain::Alert;
use crate::ledger::{AlertRows, Reader};
use crate::poll::{CycleReport, SecurityReport, Suppressed};

/// How long deliveries are waited for unless something else is said.
const WAIT_SECONDS: u64 = 30;

/// How long who asks over the network can wait: each takes one of the few places for connections.
const MOST_WAIT_SECONDS: u64 = 600;

/// Poll now.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PollRequest {
    /// Take an answer without any item for the truth.
    pub accept_empty: bool,
    /// How long to wait for deliveries, in seconds.
    pub wait_seconds: u64,
}

impl Default for PollRequest {
    fn default() -> Self {
        Self { accept_empty: false, wait_seconds: WAIT_SECONDS }
    }
}

/// What a poll and its deliveries came to, as `poll --format json` prints it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PollAnswer {
    /// Usable records.
    pub records: u64,
    /// Records that could not be used.
    pub skipped: u64,
    /// What was raised, worst first; of a mass crossing the worst.
    pub alerts: Vec<Alert>,
    /// How many alerts were raised, where not all of them are listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised: Option<u64>,
    /// Where the ledger has all of them, where not all of them are listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<AlertRows>,
    /// What was kept silent.
    pub suppressed: Suppressed,
    /// What was delivered.
    pub deliveries: DeliveriesAnswer,
    /// How reading went.
    pub source: SourceState,
    /// How reading security alerts went.
    #[serde(default)]
    pub security: SecurityReadState,
    /// What went wrong or was odd, in words.
    pub errors: Vec<String>,
    /// How many of the owed deliveries wait for a person to release them; filled in by the command,
    /// for people.
    #[serde(skip)]
    pub held: u64,
    /// Whether a notifier could not be shown what is open; the errors say which. A daemon tries
    /// that by itself.
    #[serde(skip)]
    pub unshown: bool,
}

/// Deliveries around a poll.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveriesAnswer {
    /// Accepted since the poll began.
    pub sent: u64,
    /// All that is owed at the end.
    pub pending: u64,
    /// Given up since the poll began.
    pub dead: u64,
}

/// How reading went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceState {
    /// Read whole.
    Ok,
    /// Not read whole.
    Failed,
}

/// How reading security alerts went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecurityReadState {
    /// Read whole.
    Ok,
    /// Not read whole.
    Failed,
    /// None are to be read.
    #[default]
    Off,
}

impl PollAnswer {
    /// What a poll came to, with its deliveries.
    pub fn of(report: &CycleReport, deliveries: DeliveriesAnswer) -> Self {
        let more = u64::try_from(report.alerts.len()).is_ok_and(|listed| listed < report.raised);
        Self {
            records: report.records,
            skipped: report.skipped,
            alerts: report.alerts.iter().map(|snapshot| snapshot.alert.clone()).collect(),
            raised: more.then_some(report.raised),
            rows: report.rows.filter(|_| more),
            suppressed: report.suppressed,
            deliveries,
            source: if report.good { SourceState::Ok } else { SourceState::Failed },
            security: SecurityReadState::Off,
            errors: report.errors.clone(),
            held: 0,
            unshown: false,
        }
    }

    /// The same with what a read of security alerts came to.
    #[must_use]
    pub fn with_security(mut self, report: Option<&SecurityReport>) -> Self {
        let Some(report) = report else { return self };
        self.security = if report.good { SecurityReadState::Ok } else { SecurityReadState::Failed };
        self.errors.extend(report.errors.iter().cloned());
        self.alerts.extend(report.alerts.iter().map(|snapshot| snapshot.alert.clone()));
        self.alerts.sort_by(Alert::worst_first);
        self.suppressed.silenced += report.silenced;
        if let Some(raised) = &mut self.raised {
            *raised += u64::try_from(report.alerts.len()).unwrap_or_default();
        }
        self
    }

    /// That not all of what a poll raised is listed.
    pub fn left_out(&self) -> Option<String> {
        let (raised, listed) = (self.raised?, self.alerts.len());
        let since = self.alerts.iter().map(|alert| alert.raised_at).min()?;
        Some(format!(
            "{raised} alerts were raised, the worst {listed} are listed here; all of them: \
                budget-alertd alerts --since {since}"
        ))
    }

    /// Whether the source was read whole, nothing is left owed or was given up, and what is open
    /// was shown where it is.
    pub fn is_good(&self) -> bool {
        self.source == SourceState::Ok
            && self.security != SecurityReadState::Failed
            && self.deliveries.pending == 0
            && self.deliveries.dead == 0
            && !self.unshown
    }
}

impl Action for PollRequest {
    const NAME: &'static str = "poll";
    type Answer = PollAnswer;

    fn over_network(self) -> Result<Self, ActionError> {
        Ok(Self { wait_seconds: self.wait_seconds.min(MOST_WAIT_SECONDS), ..self })
    }

    async fn run(
        self,
        context: &ActionContext,
        author: &Author,
    ) -> Result<PollAnswer, ActionError> {
        let Some(daemon) = &context.daemon else {
            return Err(ActionError::Unavailable("no daemon polls here".to_owned()));
        };
        let cycle = context.cycle()?;
        let stopping = || ActionError::Unavailable("the daemon stops".to_owned());
        tracing::info!(%author, poll.accept_empty = self.accept_empty, "asked to poll");
        let (answer, polled) = oneshot::channel();
        daemon
            .polls
            .send(PollTicket { accept_empty: self.accept_empty, fresh: false, answer })
            .await
            .map_err(|_| stopping())?;
        let polled = polled.await.map_err(|_| stopping())?;
        let security = cycle.read_security().await?;
        // What that owes is waited for too.
        let newest = context.wake_couriers();
        let Polled { report, before, mut progress, call } =
            polled.map_err(ActionError::Unavailable)?;
        progress::settled(
            &mut progress,
            newest.unwrap_or(call),
            &*cycle.clock,
            Duration::from_secs(self.wait_seconds),
        )
        .await;
        let (sent, dead) = progress.borrow().since(&before);
        let pending = cycle.ledger.read(Reader::owed).await?.iter().map(|owed| owed.pending).sum();
        let answer = PollAnswer::of(&report, DeliveriesAnswer { sent, pending, dead });
        Ok(answer.with_security(security.as_ref()))
    }
}
