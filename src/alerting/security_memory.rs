//! What is remembered of security alerts, and what one read of them writes.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alerting::{AlertChange, NewAlert, NewMessage, OpenAlert};
use crate::domain::{CustomerKey, SecurityAlert, SecurityEnd, SecuritySummary, canonical, rounded};

/// How long answered alerts count in the mean of how fast they are answered.
pub const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Where a security alert stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityState {
    /// As it was last read.
    pub alert: SecurityAlert,
    /// When it was first read.
    pub first_seen: Timestamp,
    /// When it was answered, or found to be gone; none while it is open.
    pub ended_at: Option<Timestamp>,
    /// Whether it is no longer listed.
    pub unlisted: bool,
    /// Who answered it from here.
    pub ordered_by: Option<String>,
}

impl SecurityState {
    /// How it ended; none while it is open.
    pub fn end(&self) -> Option<SecurityEnd> {
        let at = self.ended_at?;
        let by = self.ordered_by.clone().or_else(|| self.alert.resolved_by.clone());
        Some(SecurityEnd {
            reason: self.alert.reason.clone().filter(|_| !self.unlisted),
            by: by.filter(|_| !self.unlisted),
            at,
            unlisted: self.unlisted,
            hours: self.alert.hours(self.first_seen, at),
        })
    }
}

/// A step of a rule that a security alert has reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityStep {
    /// The rule's name.
    pub rule: Box<str>,
    /// The step, canonical.
    pub at: Decimal,
    /// Raised itself, or passed by a higher one.
    pub raised: bool,
}

/// What is remembered of one security alert.
#[derive(Debug, Clone, PartialEq)]
pub struct RememberedSecurity {
    /// Where it stands.
    pub state: SecurityState,
    /// When it was last written because it had changed; it was listed then.
    pub listed_at: Timestamp,
    /// The steps that it has reached.
    pub steps: Vec<SecurityStep>,
    /// The alerts about it that are not over, in the order in which they were raised.
    pub alerts: Vec<OpenAlert>,
    /// Those that are over and whose steps are kept, likewise; looked up only of one that may be
    /// active again.
    pub over: Vec<OpenAlert>,
    /// The references of all alerts about it, for people, the newest first.
    pub references: Vec<String>,
}

/// How fast Microsoft finds that alerts are answered, as it was last asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityScoreSeen {
    /// The mean of the last 30 days, in hours.
    #[serde(with = "crate::domain::recorded")]
    pub hours: Option<Decimal>,
    /// Whether that is fast enough.
    pub is_compliant: Option<bool>,
}

/// How reading security alerts went last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityPoll {
    /// When.
    pub at: Timestamp,
    /// When they were last read whole.
    pub good_at: Option<Timestamp>,
    /// By which API.
    pub source: String,
    /// What went wrong, in words.
    pub errors: Vec<String>,
    /// How fast Microsoft finds that they are answered.
    pub score: Option<SecurityScoreSeen>,
    /// When it was last asked for that.
    pub score_at: Option<Timestamp>,
}

/// What is remembered of all of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SecurityMemory {
    /// How the last read went; none before the first.
    pub poll: Option<SecurityPoll>,
    /// Those that are open, those that ended lately, and those whose alerts are not over.
    pub alerts: Vec<RememberedSecurity>,
}

impl SecurityMemory {
    /// How they stand; none before the first read.
    pub fn summary(&self, now: Timestamp) -> Option<SecuritySummary> {
        let poll = self.poll.as_ref()?;
        let counted = || self.alerts.iter().map(|one| &one.state).filter(|it| !it.alert.is_test);
        let open = || counted().filter(|state| state.ended_at.is_none());
        let hours = |state: &SecurityState, at| state.alert.hours(state.first_seen, at);
        let lately = |at: &Timestamp| now.duration_since(*at) <= ANSWERED_WITHIN;
        let answered = counted().filter(|state| !state.unlisted);
        let answered: Vec<Decimal> = answered
            .filter_map(|state| Some(hours(state, state.ended_at.filter(lately)?)))
            .collect();
        let sum = answered.iter().fold(Decimal::ZERO, |sum, one| sum.saturating_add(*one));
        let mean = sum.checked_div(Decimal::from(answered.len()));
        let score = poll.score.as_ref();
        Some(SecuritySummary {
            open: u64::try_from(open().count()).unwrap_or(u64::MAX),
            oldest_hours: open().map(|state| hours(state, now)).max(),
            answered_in_hours: mean.map(|mean| canonical(rounded(mean, 2))),
            microsoft_hours: score.and_then(|score| score.hours),
            microsoft_compliant: score.and_then(|score| score.is_compliant),
            read_at: poll.at,
            good_at: poll.good_at,
        })
    }
}

/// A step that a security alert reaches now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSecurityStep {
    /// The security alert by its key.
    pub security: String,
    /// The rule.
    pub rule: Box<str>,
    /// The step, canonical.
    pub at: Decimal,
    /// Raised itself, or passed by a higher one.
    pub raised: bool,
    /// The alert.
    pub alert: Uuid,
}

/// What one read of security alerts writes: all of it or nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SecurityRecording {
    /// When.
    pub now: Timestamp,
    /// Security alerts that are new or have changed, each with its customer.
    pub states: Vec<(CustomerKey, SecurityState)>,
    /// New alerts, each with the key of the security alert that it is about.
    pub alerts: Vec<(String, NewAlert)>,
    /// Steps raised and passed.
    pub steps: Vec<NewSecurityStep>,
    /// What becomes of earlier alerts.
    pub changes: Vec<AlertChange>,
    /// Messages owed.
    pub messages: Vec<NewMessage>,
    /// Rules that have been through a good read.
    pub settled_rules: Vec<Box<str>>,
    /// How the read went.
    pub poll: Option<SecurityPoll>,
}
