//! Tells the operator that nothing can be recorded: the one message that comes from memory, because the ledger cannot owe it.
//! Its end is owed by the ledger again. Whether writes fail is found out elsewhere.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::SignedDuration;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::domain::{Audience, Delivery, FindingCode, Message, OperatorFinding, OperatorNews};
use crate::ledger::{LedgerError, OpenFinding};
use crate::metrics::WriteFailure;
use crate::notify::{Channel, DeliveryError, Fact, Shown, Verdict};
use crate::pipeline::desk::{Desk, Ending};
use crate::pipeline::standing::backoff;

/// What passes sooner is no news: another program that looks into the ledger holds it for a moment.
const NEWS_AFTER: Duration = Duration::from_secs(10);
/// It is over once writing has worked for so long: on a full disk little things still fit now and then.
const OVER_AFTER: Duration = Duration::from_secs(20);
/// What is shown holds for so long, and is shown again as often.
const SHOWN_FOR: SignedDuration = SignedDuration::from_mins(5);
/// How often it is shown again.
const SHOWN_EVERY: Duration = Duration::from_mins(1);

/// The trouble that lasts, with who was told. Cloning shares it, so that it outlives a configuration.
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

/// Tells the operator without the ledger.
pub struct Emergency {
    channels: Vec<Arc<Channel>>,
    desk: Desk,
    occurrence: Occurrence,
}

impl Emergency {
    /// Tells through the operator's channels.
    pub fn new(channels: Vec<Arc<Channel>>, desk: Desk) -> Self {
        Self { channels, desk, occurrence: Occurrence::default() }
    }

    /// The same, knowing who was told under the configuration before.
    #[must_use]
    pub fn with_occurrence(self, occurrence: Occurrence) -> Self {
        Self { occurrence, ..self }
    }

    /// Looks at whether writes fail now: tells whoever was not told, or that it is over. Fails when the end cannot be recorded,
    /// which is tried again by the next step.
    pub async fn step(&self, failure: Option<&WriteFailure>) -> Result<(), LedgerError> {
        let mut occurrence = self.occurrence.0.lock().await;
        let now = self.desk.clock.monotonic();
        match (failure, occurrence.as_mut()) {
            (Some(failure), None) => *occurrence = Some(Trouble::of(failure, now)),
            (Some(_), Some(trouble)) => {
                trouble.seen_at = now;
                if now.saturating_sub(trouble.began) >= NEWS_AFTER {
                    self.tell(trouble).await;
                }
            }
            (None, Some(trouble)) if now.saturating_sub(trouble.seen_at) >= OVER_AFTER => {
                let ending = Ending::of("the ledger can be written again");
                self.desk.keep_past(trouble.open.clone(), &ending).await?;
                tracing::info!(finding.code = trouble.open.finding.code.as_str(), "over: the ledger can be written again");
                *occurrence = None;
            }
            (None, _) => {}
        }
        Ok(())
    }

    /// Tells all who are due, beside each other; those of one channel one after the other.
    async fn tell(&self, trouble: &mut Trouble) {
        let told = join_all(self.channels.iter().map(|channel| self.tell_through(channel, trouble))).await;
        for (recipient, attempts, accepted) in told.into_iter().flatten() {
            trouble.open.told |= accepted;
            trouble.attempts.insert(recipient, attempts);
        }
    }

    /// Attempts what is due through one channel: to whom, what is next, and whether it was accepted.
    async fn tell_through(&self, channel: &Channel, trouble: &Trouble) -> Vec<((Box<str>, Option<String>), Attempts, bool)> {
        let route = channel.route();
        let recipients = if route.is_owed() { route.recipients.clone() } else { vec![None] };
        let mut ended = Vec::new();
        for recipient in recipients {
            let key = (route.notifier.clone(), recipient);
            let before = trouble.attempts.get(&key).copied().unwrap_or_default();
            if before.ended || before.next_at > self.desk.clock.monotonic() {
                continue;
            }
            let result = if route.is_owed() { self.send(channel, key.1.clone(), trouble).await } else { self.show(channel, trouble).await };
            if let Err(error) = &result {
                tracing::warn!(notifier = channel.name(), "the operator is not told that nothing can be recorded: {error}");
            }
            let next = before.after(result.as_ref().err(), self.desk.clock.monotonic(), route.is_owed());
            ended.push((key, next, result.is_ok()));
        }
        ended
    }

    async fn send(&self, channel: &Channel, recipient: Option<String>, trouble: &Trouble) -> Result<(), DeliveryError> {
        let delivery = Delivery {
            id: Uuid::new_v4(),
            identity: trouble.identity,
            notifier: channel.name().to_owned(),
            recipient,
            stands_in_for: None,
            audience: Audience::Partner,
            created_at: trouble.open.since,
            message: Message::Operator(trouble.news(&self.desk)),
        };
        channel.attempt(&delivery).await.map(drop)
    }

    async fn show(&self, channel: &Channel, trouble: &Trouble) -> Result<(), DeliveryError> {
        let now = self.desk.clock.now();
        let shown = Shown { fact: Fact::Trouble(trouble.news(&self.desk)), ends_at: now.saturating_add(SHOWN_FOR).unwrap_or(now) };
        channel.show(&[shown]).await.map(drop)
    }
}

impl Trouble {
    fn of(failure: &WriteFailure, now: Duration) -> Self {
        let finding = OperatorFinding {
            code: FindingCode::LedgerUnwritable,
            subject: String::new(),
            summary: format!("nothing can be recorded, and so no new overspend is told: {}", failure.why),
            action: "mend that, the daemon then goes on by itself: each poll finds again what was not recorded. Do not restart it \
                     before, it would forget what receivers have accepted and tell that again."
                .to_owned(),
        };
        tracing::error!(finding.code = finding.code.as_str(), "{}; {}", finding.summary, finding.action);
        Self {
            open: OpenFinding { finding, since: failure.since, told: false },
            began: failure.began,
            seen_at: now,
            identity: Uuid::new_v4(),
            attempts: HashMap::new(),
        }
    }

    /// The news of it, as told at this desk.
    fn news(&self, desk: &Desk) -> OperatorNews {
        OperatorNews::raised(&self.open.finding, self.open.since, desk.origin())
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
