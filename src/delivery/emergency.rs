//! Tells the operator that nothing can be recorded: the one message that comes from memory, because
//! the ledger cannot owe it. Its end is owed by the ledger again. Whether writes fail is found out
//! elsewhere.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::alerting::unrecorded_identity;
use crate::clock::Clock;
use crate::delivery::notifier_health::backoff;
use crate::delivery::operator_findings::{FindingClosure, OperatorFindings};
use crate::domain::{
    Audience, Delivery, FindingCode, Message, OperatorFinding, OperatorNews, Origin,
};
use crate::ledger::{LedgerError, OpenFinding};
use crate::metrics::WriteFailure;
use crate::notify::{Channel, DeliveryError, MirrorChannel, MirroredFact, Shown, Verdict};

/// What passes sooner is no news: another program that looks into the ledger holds it for a moment.
const NEWS_AFTER: Duration = Duration::from_secs(10);
/// It is over once writing has worked for so long: on a full disk little things still fit now and
/// then.
const OVER_AFTER: Duration = Duration::from_secs(20);
/// What is shown holds for so long, and is shown again as often.
const SHOWN_FOR: Duration = Duration::from_mins(5);
/// How often it is shown again.
const SHOWN_EVERY: Duration = Duration::from_mins(1);
/// What to do where a daemon runs.
const OF_A_DAEMON: &str = "fix that, the daemon then goes on by itself: each poll finds again \
    what was not recorded. Do not restart it before, it would forget what receivers have accepted \
    and tell that again.";
/// What to do where a command polls.
const OF_A_COMMAND: &str = "fix that, the next `budget-alertd poll` finds again what was not \
    recorded. It cannot remember that it told this, and tells it again each time it runs until \
    then.";

/// What to do where a daemon cannot start.
const OF_A_START: &str = "the daemon cannot start: fix that, and start it. systemd tries it again \
    every few seconds by itself; each poll then finds again what was not recorded. Until then this \
    is told once a day.";

/// The trouble that lasts, with who was told. Cloning shares it, so that it outlives a
/// configuration.
#[derive(Clone, Default)]
pub struct Occurrence(Arc<Mutex<Option<Trouble>>>);

/// One time in which writes failed.
struct Trouble {
    open: OpenFinding,
    began: Duration,
    /// When it was last seen to last.
    seen_at: Duration,
    /// The same for all who are told, and for each attempt.
    identity: Uuid,
    attempts: HashMap<(Box<str>, Option<String>), Attempts>,
}

/// What became of telling one recipient.
#[derive(Clone, Copy, Default)]
struct Attempts {
    failures: u32,
    /// When the next one is due, by the monotonic clock.
    next_at: Duration,
    /// Whether no more is to be done.
    ended: bool,
}

/// Tells the operator without the ledger, as long as a daemon runs.
pub struct Emergency {
    voice: Voice,
    findings: OperatorFindings,
    occurrence: Occurrence,
}

/// Who is told without the ledger, and by whom.
pub struct Voice {
    /// The operator's channels.
    pub channels: Vec<Arc<Channel>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Which daemon, or command, says so.
    pub origin: Option<Origin>,
    /// How long what is shown holds.
    pub shown_for: Duration,
}

/// Who cannot go on without the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// A `poll` without a daemon.
    Poll,
    /// A daemon that cannot start.
    Start,
}

impl Stopped {
    fn action(self) -> &'static str {
        match self {
            Self::Poll => OF_A_COMMAND,
            Self::Start => OF_A_START,
        }
    }
}

impl Emergency {
    /// Tells through the operator's channels.
    pub fn new(channels: Vec<Arc<Channel>>, findings: OperatorFindings) -> Self {
        let voice = Voice {
            channels,
            clock: Arc::clone(&findings.clock),
            origin: findings.origin(),
            shown_for: SHOWN_FOR,
        };
        Self { voice, findings, occurrence: Occurrence::default() }
    }

    /// The same, knowing who was told under the configuration before.
    #[must_use]
    pub fn with_occurrence(self, occurrence: Occurrence) -> Self {
        Self { occurrence, ..self }
    }

    /// Looks at whether writes fail now: tells whoever was not told, or that it is over. Fails when
    /// the end cannot be recorded, which is tried again by the next step.
    pub async fn step(&self, failure: Option<&WriteFailure>) -> Result<(), LedgerError> {
        let mut occurrence = self.occurrence.0.lock().await;
        let now = self.findings.clock.monotonic();
        match (failure, occurrence.as_mut()) {
            (Some(failure), None) => {
                let trouble =
                    Trouble { seen_at: now, ..Trouble::new(failure, OF_A_DAEMON, Uuid::new_v4()) };
                let finding = &trouble.open.finding;
                tracing::error!(
                    finding.code = finding.code.as_str(),
                    "{}; {}",
                    finding.summary,
                    finding.action
                );
                *occurrence = Some(trouble);
            }
            (Some(_), Some(trouble)) => {
                trouble.seen_at = now;
                if now.saturating_sub(trouble.began) >= NEWS_AFTER {
                    self.voice.tell(trouble).await;
                }
            }
            (None, Some(trouble)) if now.saturating_sub(trouble.seen_at) >= OVER_AFTER => {
                let ending = FindingClosure::of("the ledger can be written again");
                self.findings.keep_past(trouble.open.clone(), &ending).await?;
                tracing::info!(
                    finding.code = trouble.open.finding.code.as_str(),
                    "over: the ledger can be written again"
                );
                *occurrence = None;
            }
            (None, _) => {}
        }
        Ok(())
    }
}

impl Voice {
    /// Tells for a process that cannot go on: each once, and whoever cannot be told is tried again
    /// until `patience` is over. Whoever is told of the same again on that day gets it under the
    /// same identity, since nothing can be remembered. Returns whether anybody has accepted it.
    pub async fn tell_once(
        &self,
        stopped: Stopped,
        failure: &WriteFailure,
        patience: Duration,
    ) -> bool {
        let mut trouble = Trouble::new(
            failure,
            stopped.action(),
            unrecorded_identity(self.origin.as_ref(), failure.since),
        );
        let deadline = failure.began.saturating_add(patience);
        loop {
            self.tell(&mut trouble).await;
            let failed = trouble
                .attempts
                .values()
                .filter(|attempts| attempts.failures > 0 && !attempts.ended);
            let next =
                failed.map(|attempts| attempts.next_at).min().filter(|next| *next <= deadline);
            let Some(next) = next else { return trouble.open.told };
            trouble
                .attempts
                .values_mut()
                .filter(|attempts| attempts.failures == 0)
                .for_each(|attempts| attempts.ended = true);
            self.clock.sleep(next.saturating_sub(self.clock.monotonic())).await;
        }
    }

    /// Tells all who are due, beside each other; those of one channel one after the other.
    async fn tell(&self, trouble: &mut Trouble) {
        let told =
            join_all(self.channels.iter().map(|channel| self.tell_through(channel, trouble))).await;
        for (recipient, attempts, accepted) in told.into_iter().flatten() {
            trouble.open.told |= accepted;
            trouble.attempts.insert(recipient, attempts);
        }
    }

    /// Attempts what is due through one channel: to whom, what is next, and whether it was
    /// accepted.
    async fn tell_through(
        &self,
        channel: &Arc<Channel>,
        trouble: &Trouble,
    ) -> Vec<((Box<str>, Option<String>), Attempts, bool)> {
        let route = channel.route();
        let mirror = MirrorChannel::of(channel);
        let recipients = route.recipients.each();
        let mut ended = Vec::new();
        for recipient in recipients {
            let key = (route.notifier.clone(), recipient.map(str::to_owned));
            let before = trouble.attempts.get(&key).copied().unwrap_or_default();
            if before.ended || before.next_at > self.clock.monotonic() {
                continue;
            }
            let result = match &mirror {
                Some(mirror) => self.show(mirror, trouble).await,
                None => self.send(channel, key.1.clone(), trouble).await,
            };
            if let Err(error) = &result {
                tracing::warn!(
                    notifier = channel.name(),
                    "the operator is not told that nothing can be recorded: {error}"
                );
            }
            let next =
                before.after(result.as_ref().err(), self.clock.monotonic(), mirror.is_none());
            ended.push((key, next, result.is_ok()));
        }
        ended
    }

    async fn send(
        &self,
        channel: &Channel,
        recipient: Option<String>,
        trouble: &Trouble,
    ) -> Result<(), DeliveryError> {
        let delivery = Delivery {
            id: Uuid::new_v4(),
            identity: trouble.identity,
            notifier: channel.name().to_owned(),
            recipient,
            stands_in_for: None,
            audience: Audience::Partner,
            created_at: trouble.open.since,
            message: Message::Operator(trouble.news(self)),
        };
        channel.attempt(&delivery).await.map(drop)
    }

    async fn show(&self, mirror: &MirrorChannel, trouble: &Trouble) -> Result<(), DeliveryError> {
        let now = self.clock.now();
        let shown = Shown {
            fact: MirroredFact::Trouble(trouble.news(self)),
            ends_at: now.saturating_add(self.shown_for).unwrap_or(now),
        };
        mirror.show(&[shown]).await.map(drop)
    }
}

impl Trouble {
    fn new(failure: &WriteFailure, action: &str, identity: Uuid) -> Self {
        let finding = OperatorFinding {
            code: FindingCode::LedgerUnwritable,
            subject: String::new(),
            summary: format!(
                "nothing can be recorded, and so no new overspend is told: {}",
                failure.why
            ),
            action: action.to_owned(),
        };
        Self {
            open: OpenFinding { finding, since: failure.since, told: false },
            began: failure.began,
            seen_at: failure.began,
            identity,
            attempts: HashMap::new(),
        }
    }

    /// The news of it, as this voice tells them.
    fn news(&self, voice: &Voice) -> OperatorNews {
        OperatorNews::raised(&self.open.finding, self.open.since, voice.origin.clone())
    }
}

impl Attempts {
    /// After one more attempt: who was sent it is done, and who is shown it is shown it again.
    fn after(self, error: Option<&DeliveryError>, now: Duration, once: bool) -> Self {
        let failures = if error.is_some() { self.failures.saturating_add(1) } else { 0 };
        let wait = if error.is_some() { backoff(failures, Uuid::new_v4()) } else { SHOWN_EVERY };
        let ended = once && error.is_none_or(|error| error.verdict == Verdict::Message);
        Self { failures, next_at: now.saturating_add(wait), ended }
    }
}
