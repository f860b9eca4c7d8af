//! Judges whether alerts would come: pure, from what the ledger remembers and what the daemon says.

use std::time::Duration;

use crate::cli::open::CommandContext;
use crate::cli::status::State;
use crate::cli::text;
use crate::config::{Config, Paths};
use crate::domain::{FindingCode, has_passed, is_ahead};
use crate::text::{clean, seconds_between, span};

/// Whether the daemon does its work, and what keeps it from doing so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Health {
    pub(super) state: HealthState,
    /// Why it is not well; those that make it fail first.
    pub(super) causes: Vec<Cause>,
}

/// How well it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HealthState {
    /// It reads, judges and delivers.
    Ok,
    /// It works, and something wants looking at.
    Degraded,
    /// An overspend would not be told.
    Failing,
}

/// Why something is not well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    /// For programs; that of a finding where it is one.
    pub(super) code: String,
    /// For people.
    pub(super) words: String,
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
    pub(super) fn as_str(&self) -> &'static str {
        match self.state {
            HealthState::Ok => "ok",
            HealthState::Degraded => "degraded",
            HealthState::Failing => "failing",
        }
    }

    /// The codes of its causes, each once.
    pub(super) fn codes(&self) -> Vec<&str> {
        let mut codes: Vec<&str> = Vec::new();
        for cause in &self.causes {
            if !codes.contains(&&*cause.code) {
                codes.push(&cause.code);
            }
        }
        codes
    }

    /// Its causes in words.
    pub(super) fn why(&self) -> String {
        self.causes.iter().map(|cause| cause.words.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// Judges the state.
pub(super) fn judge(state: &State, context: &CommandContext) -> Health {
    let mut failing: Vec<Cause> = no_daemon(state)
        .into_iter()
        .chain(unwritable(state))
        .chain(silence(state, &context.paths))
        .collect();
    let grave = state.findings.iter().map(|open| open.finding.code).filter(|code| is_grave(*code));
    failing.extend(grave.map(Cause::of));
    failing.extend(context.config().into_iter().flat_map(|config| untold(state, config)));
    let file = context.is_mistaken();
    let file = file.then(|| {
        Cause::new(
            "configuration-mistaken",
            format!("{} has mistakes", context.paths.file.display()),
        )
    });
    if !failing.is_empty() {
        return Health {
            state: HealthState::Failing,
            causes: failing.into_iter().chain(file).collect(),
        };
    }
    let causes: Vec<Cause> =
        file.into_iter().chain(not_reloaded(state)).chain(complaints(state)).collect();
    Health {
        state: if causes.is_empty() { HealthState::Ok } else { HealthState::Degraded },
        causes,
    }
}

fn no_daemon(state: &State) -> Option<Cause> {
    state.no_daemon.as_ref().map(|words| Cause::new("no-daemon", words))
}

/// Nothing can be recorded, says the daemon: this finding is in no ledger.
fn unwritable(state: &State) -> Option<Cause> {
    let unwritable = state.daemon.as_ref()?.unwritable.as_ref()?;
    let (code, lasts) =
        (FindingCode::LedgerUnwritable.as_str(), text::age(unwritable.since, state.now));
    Some(Cause::new(
        code,
        format!("{code}: nothing can be recorded for {lasts}: {}", clean(&unwritable.why, 300)),
    ))
}

/// The daemon goes by files that have changed since.
fn not_reloaded(state: &State) -> Option<Cause> {
    let changed = !state.changed().is_empty();
    changed.then(|| Cause::new("not-reloaded", "changed files are not reloaded"))
}

/// Nothing was read for longer than the operator accepts, and than two polls take.
fn silence(state: &State, paths: &Paths) -> Option<Cause> {
    let cause = |words: String| Some(Cause::new("no-good-poll", words));
    let Some(good) = &state.polls.last_good else {
        return cause(
            if state.polls.last.is_some() {
                "no poll was good yet"
            } else {
                "nothing was polled yet"
            }
            .to_owned(),
        );
    };
    let accepted = paths.source_failing_after.max(paths.poll_interval.saturating_mul(2));
    if is_ahead(good.at, state.now) {
        return cause("the last good poll is dated in the future".to_owned());
    }
    // To the second, as it is shown.
    let late = has_passed(accepted.saturating_add(Duration::from_secs(1)), good.at, state.now);
    if late {
        cause(format!("no good poll for {}", span(seconds_between(good.at, state.now))))
    } else {
        None
    }
}

/// Rules of which nobody hears: each of their notifiers, and each that stands in for it, has failed
/// for too long.
fn untold(state: &State, config: &Config) -> Vec<Cause> {
    let is_silent = |name: &str| {
        let notifier = config.notifiers.iter().find(|notifier| *notifier.name == *name);
        notifier.is_some_and(|notifier| {
            notifier
                .fallback
                .iter()
                .map(AsRef::as_ref)
                .chain([name])
                .all(|name| fails(state, config, name))
        })
    };
    let untold = config
        .rules
        .notifiers()
        .filter(|(_, told)| !told.is_empty() && told.iter().all(|name| is_silent(name)));
    untold
        .map(|(rule, _)| {
            Cause::new(
                "nobody-told",
                format!("nobody is told by rule {}: its notifiers fail", text::clean(rule)),
            )
        })
        .collect()
}

/// Whether a notifier has failed for so long that others are told in its place, where there are
/// any.
fn fails(state: &State, config: &Config, name: &str) -> bool {
    let after = config
        .notifiers
        .iter()
        .find(|notifier| *notifier.name == *name)
        .map(|notifier| notifier.fallback_after);
    let account =
        state.notifiers.iter().find(|account| account.name == name && account.state.failures > 0);
    let since = account.and_then(|account| account.state.failing_since);
    since.zip(after).is_some_and(|(since, after)| has_passed(after, since, state.now))
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

fn complaints(state: &State) -> Vec<Cause> {
    let mut complaints = Vec::new();
    if state.polls.last.as_ref().is_some_and(|last| !last.good) {
        complaints.push(Cause::new("poll-failed", "the last poll failed"));
    }
    let failing = state.notifiers.iter().filter(|notifier| notifier.state.failures > 0);
    let fails = |name: &str| {
        Cause::new(
            FindingCode::NotifierFailing.as_str(),
            format!("notifier {} fails", text::clean(name)),
        )
    };
    complaints.extend(failing.map(|notifier| fails(&notifier.name)));
    let deferring = state
        .notifiers
        .iter()
        .filter(|notifier| notifier.state.failures == 0 && !notifier.deferred.is_empty());
    complaints.extend(deferring.map(|notifier| {
        let recipients = text::count(notifier.deferred.len(), "recipient");
        Cause::new(
            "recipients-deferred",
            format!("{recipients} of notifier {} deferred", text::clean(&notifier.name)),
        )
    }));
    let told = |code| {
        matches!(
            code,
            FindingCode::NotifierFailing | FindingCode::SourceFailing | FindingCode::DeliveryDead
        )
    };
    complaints.extend(
        state
            .findings
            .iter()
            .map(|open| open.finding.code)
            .filter(|code| !told(*code))
            .map(Cause::of),
    );
    if state.dead() > 0 {
        let words = format!("{} given up", text::count(state.dead(), "delivery"));
        complaints.push(Cause::new(FindingCode::DeliveryDead.as_str(), words));
    }
    complaints
}
