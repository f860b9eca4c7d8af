//! Judges whether alerts would come: pure, from what the ledger remembers and what the daemon says.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::{FindingCode, has_passed, is_ahead};
use crate::ledger::{OpenFinding, PollStatus};
use crate::listings::notifiers::NotifierAccount;
use crate::listings::words;
use crate::notify;
use crate::rules::Rules;
use crate::text::{clean, seconds_between, span};

/// What it is judged by.
pub(crate) struct Signs<'a> {
    /// When.
    pub(crate) now: Timestamp,
    /// Why there is no daemon that answers, if so.
    pub(crate) no_daemon: Option<&'a str>,
    /// Since when the daemon can record nothing, and why.
    pub(crate) unwritable: Option<(Timestamp, &'a str)>,
    /// Files that have changed since the daemon read them are not reloaded.
    pub(crate) is_not_reloaded: bool,
    /// The file of the configuration, where it has mistakes.
    pub(crate) mistaken: Option<&'a Path>,
    /// The polls.
    pub(crate) polls: &'a PollStatus,
    /// What the operator should know.
    pub(crate) findings: &'a [OpenFinding],
    /// How the notifiers stand.
    pub(crate) notifiers: &'a [NotifierAccount],
    /// How long there may be no good poll.
    pub(crate) source_failing_after: Duration,
    /// How often there is one.
    pub(crate) poll_interval: Duration,
    /// Who is to be told by which rules, where that is known.
    pub(crate) duties: Option<(&'a Rules, &'a [notify::Config])>,
}

/// Whether the daemon does its work, and what keeps it from doing so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Health {
    pub(crate) state: HealthState,
    /// Why it is not well; those that make it fail first.
    pub(crate) causes: Vec<Cause>,
}

/// How well it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HealthState {
    /// It reads, judges and delivers.
    Ok,
    /// It works, and something wants looking at.
    Degraded,
    /// An overspend would not be told.
    Failing,
}

/// Why something is not well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    /// For programs; that of a finding where it is one.
    pub(crate) code: String,
    /// For people.
    pub(crate) words: String,
}

impl Cause {
    fn new(code: &str, words: impl Into<String>) -> Self {
        Self { code: code.to_owned(), words: words.into() }
    }

    /// A finding, which is told in full below.
    fn of(code: FindingCode) -> Self {
        Self::new(code.as_str(), code.as_str())
    }
}

impl Health {
    /// Its word in JSON.
    pub(crate) fn as_str(&self) -> &'static str {
        match self.state {
            HealthState::Ok => "ok",
            HealthState::Degraded => "degraded",
            HealthState::Failing => "failing",
        }
    }

    /// The codes of its causes, each once.
    pub(crate) fn codes(&self) -> Vec<&str> {
        let mut codes: Vec<&str> = Vec::new();
        for cause in &self.causes {
            if !codes.contains(&&*cause.code) {
                codes.push(&cause.code);
            }
        }
        codes
    }

    /// Its causes in words.
    pub(crate) fn why(&self) -> String {
        self.causes.iter().map(|cause| cause.words.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// Judges the state.
pub(crate) fn judge(signs: &Signs<'_>) -> Health {
    let mut failing: Vec<Cause> =
        no_daemon(signs).into_iter().chain(unwritable(signs)).chain(silence(signs)).collect();
    let grave = signs.findings.iter().map(|open| open.finding.code).filter(|code| is_grave(*code));
    failing.extend(grave.map(Cause::of));
    failing.extend(untold(signs));
    let file = signs.mistaken.map(|file| {
        Cause::new("configuration-mistaken", format!("{} has mistakes", file.display()))
    });
    if !failing.is_empty() {
        return Health {
            state: HealthState::Failing,
            causes: failing.into_iter().chain(file).collect(),
        };
    }
    let causes: Vec<Cause> =
        file.into_iter().chain(not_reloaded(signs)).chain(complaints(signs)).collect();
    Health {
        state: if causes.is_empty() { HealthState::Ok } else { HealthState::Degraded },
        causes,
    }
}

fn no_daemon(signs: &Signs<'_>) -> Option<Cause> {
    signs.no_daemon.map(|words| Cause::new("no-daemon", words))
}

/// Nothing can be recorded, says the daemon: this finding is in no ledger.
fn unwritable(signs: &Signs<'_>) -> Option<Cause> {
    let (since, why) = signs.unwritable?;
    let (code, lasts) = (FindingCode::LedgerUnwritable.as_str(), words::age(since, signs.now));
    Some(Cause::new(
        code,
        format!("{code}: nothing can be recorded for {lasts}: {}", clean(why, 300)),
    ))
}

/// The daemon goes by files that have changed since.
fn not_reloaded(signs: &Signs<'_>) -> Option<Cause> {
    signs.is_not_reloaded.then(|| Cause::new("not-reloaded", "changed files are not reloaded"))
}

/// Nothing was read for longer than the operator accepts, and than two polls take.
fn silence(signs: &Signs<'_>) -> Option<Cause> {
    let cause = |words: String| Some(Cause::new("no-good-poll", words));
    let Some(good) = &signs.polls.last_good else {
        return cause(
            if signs.polls.last.is_some() {
                "no poll was good yet"
            } else {
                "nothing was polled yet"
            }
            .to_owned(),
        );
    };
    let accepted = signs.source_failing_after.max(signs.poll_interval.saturating_mul(2));
    if is_ahead(good.at, signs.now) {
        return cause("the last good poll is dated in the future".to_owned());
    }
    // To the second, as it is shown.
    let late = has_passed(accepted.saturating_add(Duration::from_secs(1)), good.at, signs.now);
    if late {
        cause(format!("no good poll for {}", span(seconds_between(good.at, signs.now))))
    } else {
        None
    }
}

/// Rules of which nobody hears: each of their notifiers, and each that stands in for it, has failed
/// for too long.
fn untold(signs: &Signs<'_>) -> Vec<Cause> {
    let Some((rules, notifiers)) = signs.duties else { return Vec::new() };
    let is_silent = |name: &str| {
        let notifier = notifiers.iter().find(|notifier| *notifier.name == *name);
        notifier.is_some_and(|notifier| {
            let told = notifier.fallback.iter().map(AsRef::as_ref).chain([name]);
            told.into_iter().all(|name| fails(signs, notifiers, name))
        })
    };
    let untold = rules
        .notifiers()
        .filter(|(_, told)| !told.is_empty() && told.iter().all(|name| is_silent(name)));
    untold
        .map(|(rule, _)| {
            Cause::new(
                "nobody-told",
                format!("nobody is told by rule {}: its notifiers fail", words::clean(rule)),
            )
        })
        .collect()
}

/// Whether a notifier has failed for so long that others are told in its place, where there are
/// any.
fn fails(signs: &Signs<'_>, notifiers: &[notify::Config], name: &str) -> bool {
    let after = notifiers
        .iter()
        .find(|notifier| *notifier.name == *name)
        .map(|notifier| notifier.fallback_after);
    let account =
        signs.notifiers.iter().find(|account| account.name == name && account.state.failures > 0);
    let since = account.and_then(|account| account.state.failing_since);
    since.zip(after).is_some_and(|(since, after)| has_passed(after, since, signs.now))
}

/// Nothing gets better before somebody acts.
fn is_grave(code: FindingCode) -> bool {
    matches!(
        code,
        FindingCode::SignInRefused
            | FindingCode::MfaRequired
            | FindingCode::RoleMissing
            | FindingCode::LedgerUnwritable
    )
}

fn complaints(signs: &Signs<'_>) -> Vec<Cause> {
    let mut complaints = Vec::new();
    if signs.polls.last.as_ref().is_some_and(|last| !last.good) {
        complaints.push(Cause::new("poll-failed", "the last poll failed"));
    }
    let failing = signs.notifiers.iter().filter(|notifier| notifier.state.failures > 0);
    let fails = |name: &str| {
        Cause::new(
            FindingCode::NotifierFailing.as_str(),
            format!("notifier {} fails", words::clean(name)),
        )
    };
    complaints.extend(failing.map(|notifier| fails(&notifier.name)));
    let deferring = signs
        .notifiers
        .iter()
        .filter(|notifier| notifier.state.failures == 0 && !notifier.deferred.is_empty());
    complaints.extend(deferring.map(|notifier| {
        let recipients = words::count(notifier.deferred.len(), "recipient");
        Cause::new(
            "recipients-deferred",
            format!("{recipients} of notifier {} deferred", words::clean(&notifier.name)),
        )
    }));
    let told = |code| {
        matches!(
            code,
            FindingCode::NotifierFailing | FindingCode::SourceFailing | FindingCode::DeliveryDead
        )
    };
    complaints.extend(
        signs
            .findings
            .iter()
            .map(|open| open.finding.code)
            .filter(|code| !told(*code))
            .map(Cause::of),
    );
    let dead: u64 = signs.notifiers.iter().map(|notifier| notifier.owed.dead).sum();
    if dead > 0 {
        let words = format!("{} given up", words::count(dead, "delivery"));
        complaints.push(Cause::new(FindingCode::DeliveryDead.as_str(), words));
    }
    complaints
}
