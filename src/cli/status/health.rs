//! Judges whether alerts would come: pure, from what the ledger remembers.

use crate::cli::open::Bearings;
use crate::cli::status::State;
use crate::cli::text;
use crate::config::Places;
use crate::domain::FindingCode;
use crate::notify::render::{clean, seconds_between, span};

/// Whether the daemon does its work, and what keeps it from doing so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Health {
    /// It reads, judges and delivers.
    Ok,
    /// It works, and something wants looking at.
    Degraded(Vec<String>),
    /// An overspend would not be told.
    Failing(Vec<String>),
}

impl Health {
    /// Its word in JSON.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded(_) => "degraded",
            Self::Failing(_) => "failing",
        }
    }

    /// Why; empty when all is well.
    pub(super) fn why(&self) -> &[String] {
        match self {
            Self::Ok => &[],
            Self::Degraded(why) | Self::Failing(why) => why,
        }
    }
}

/// Judges the state.
pub(super) fn judge(state: &State, bearings: &Bearings) -> Health {
    let mut failing: Vec<String> = unwritable(state).into_iter().chain(silence(state, &bearings.places)).collect();
    let grave = state.findings.iter().map(|open| open.finding.code).filter(|code| is_grave(*code));
    failing.extend(grave.map(|code| code.to_string()));
    let file = bearings.is_mistaken().then(|| format!("{} has mistakes", bearings.places.file.display()));
    if !failing.is_empty() {
        failing.extend(file);
        return Health::Failing(failing);
    }
    let degraded: Vec<String> = file.into_iter().chain(complaints(state)).collect();
    if degraded.is_empty() { Health::Ok } else { Health::Degraded(degraded) }
}

/// Nothing can be recorded, says the daemon: this finding is in no ledger.
fn unwritable(state: &State) -> Option<String> {
    let unwritable = state.daemon.as_ref()?.unwritable.as_ref()?;
    let lasts = text::age(unwritable.since, state.now);
    Some(format!("{}: nothing can be recorded for {lasts}: {}", FindingCode::LedgerUnwritable, clean(&unwritable.why, 300)))
}

/// Nothing was read for longer than the operator accepts, and than two polls take.
fn silence(state: &State, places: &Places) -> Vec<String> {
    let Some(good) = &state.polls.last_good else {
        return vec![if state.polls.last.is_some() { "no poll was good yet" } else { "nothing was polled yet" }.to_owned()];
    };
    let age = seconds_between(good.at, state.now);
    let accepted = places.source_failing_after.max(places.poll_interval.saturating_mul(2));
    let late = u64::try_from(age).is_ok_and(|age| age > accepted.as_secs());
    if late { vec![format!("no good poll for {}", span(age))] } else { Vec::new() }
}

/// Nothing gets better before somebody acts.
fn is_grave(code: FindingCode) -> bool {
    matches!(code, FindingCode::SignInRefused | FindingCode::MfaRequired | FindingCode::RoleMissing | FindingCode::LedgerUnwritable)
}

fn complaints(state: &State) -> Vec<String> {
    let mut complaints = Vec::new();
    if state.polls.last.as_ref().is_some_and(|last| !last.good) {
        complaints.push("the last poll failed".to_owned());
    }
    let failing = state.notifiers.iter().filter(|notifier| notifier.state.failures > 0);
    complaints.extend(failing.map(|notifier| format!("notifier {} fails", text::clean(&notifier.name))));
    let deferring = state.notifiers.iter().filter(|notifier| notifier.state.failures == 0 && !notifier.deferred.is_empty());
    complaints.extend(deferring.map(|notifier| {
        let recipients = text::count(notifier.deferred.len(), "recipient");
        format!("{recipients} of notifier {} deferred", text::clean(&notifier.name))
    }));
    let told = |code| matches!(code, FindingCode::NotifierFailing | FindingCode::SourceFailing | FindingCode::DeliveryDead);
    let findings = state.findings.iter().map(|open| open.finding.code).filter(|code| !told(*code));
    complaints.extend(findings.map(|code| code.to_string()));
    if state.dead() > 0 {
        complaints.push(format!("{} given up", text::count(state.dead(), "delivery")));
    }
    complaints
}
