//! How well the daemon is, as `status` judges it.

use jiff::Timestamp;

use crate::ledger::{LedgerError, OpenFinding, PollStatus, Reader};
use crate::listings::health::{self, Health, Signs};
use crate::listings::notifiers::{self, NotifierAccount};
use crate::metrics::Metrics;
use crate::notify;
use crate::web::shown::Known;

/// What the pages say of the daemon itself.
pub(super) struct Condition {
    pub(super) health: Health,
    pub(super) polls: PollStatus,
    pub(super) findings: Vec<OpenFinding>,
    pub(super) notifiers: Vec<NotifierAccount>,
    /// How many silences are in force.
    pub(super) silences: usize,
}

impl Condition {
    pub(super) fn pending(&self) -> u64 {
        self.notifiers.iter().map(|account| account.owed.pending).sum()
    }

    pub(super) fn held(&self) -> u64 {
        self.notifiers.iter().map(|account| account.owed.held).sum()
    }

    pub(super) fn dead(&self) -> u64 {
        self.notifiers.iter().map(|account| account.owed.dead).sum()
    }
}

/// How all notifiers stand.
pub(super) fn accounts(
    reader: &Reader,
    known: &Known,
) -> Result<Vec<NotifierAccount>, LedgerError> {
    let names: Vec<String> = known.notifiers.iter().map(|one| one.name.to_string()).collect();
    let routes: Vec<_> = known.notifiers.iter().map(notify::Config::route).collect();
    Ok(notifiers::accounts(
        &names,
        Some(&routes),
        reader.owed()?,
        &reader.notifier_states()?,
        reader.deferred_recipients()?,
    ))
}

/// Judges this daemon, which runs.
pub(super) fn condition(
    reader: &Reader,
    known: &Known,
    metrics: &Metrics,
    now: Timestamp,
) -> Result<Condition, LedgerError> {
    let (polls, findings) = (reader.polls()?, reader.findings()?);
    let notifiers = accounts(reader, known)?;
    let failure = metrics.writes.failure();
    let health = health::judge(&Signs {
        now,
        no_daemon: None,
        unwritable: failure.as_ref().map(|failure| (failure.since, failure.why.as_str())),
        is_not_reloaded: !known.files.changed().is_empty(),
        mistaken: None,
        polls: &polls,
        findings: &findings,
        notifiers: &notifiers,
        source_failing_after: known.source_failing_after,
        poll_interval: known.poll_interval,
        duties: Some((&known.rules, &known.notifiers)),
    });
    let silences = reader.silences()?.iter().filter(|silence| silence.is_in_force(now)).count();
    Ok(Condition { health, polls, findings, notifiers, silences })
}
