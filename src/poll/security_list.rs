//! Reads the list of security alerts, and asks for those that are missing from it. What that means
//! for anybody is left to others.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::alerting::{RememberedSecurity, SecurityMemory};
use crate::domain::SecurityAlert;
use crate::ledger::LedgerError;
use crate::poll::cycle::Cycle;
use crate::source::{SecurityAlerts, SecurityError, SecurityList, SecurityWanted};

/// How many that are missing from a list are asked for in one read.
const MOST_ASKED: usize = 50;

/// What was read.
pub(super) struct Read {
    pub(super) alerts: Vec<SecurityAlert>,
    /// The keys of those that are no longer listed.
    pub(super) gone: HashSet<String>,
    pub(super) failure: Option<SecurityError>,
}

impl Cycle {
    /// Reads the list, and asks for those open ones that are missing from a whole one.
    pub(super) async fn read_list(
        &self,
        source: &SecurityAlerts,
        memory: &SecurityMemory,
        since: Timestamp,
    ) -> Read {
        let open: HashSet<String> = open(memory).map(|one| one.state.alert.key()).collect();
        let wanted = SecurityWanted { open, answered_since: since };
        let SecurityList { alerts, failure } = source.list(&wanted).await;
        let mut read = Read { alerts, gone: HashSet::new(), failure };
        if read.failure.is_some() {
            return read;
        }
        let listed: HashSet<String> = read.alerts.iter().map(SecurityAlert::key).collect();
        let missing = open_missing(memory, &listed);
        for one in missing.take(MOST_ASKED) {
            let alert = &one.state.alert;
            // Another API does not know it.
            if alert.source != source.source() {
                read.gone.insert(alert.key());
                continue;
            }
            match source.one(alert).await {
                Ok(Some(found)) => read.alerts.push(found),
                Ok(None) => {
                    read.gone.insert(alert.key());
                }
                Err(error) => {
                    read.failure = Some(error);
                    break;
                }
            }
        }
        read
    }

    /// Adds what the ledger knows of those that were read and ended too long ago to be in memory.
    pub(super) async fn remember_listed(
        &self,
        memory: &mut SecurityMemory,
        read: &Read,
    ) -> Result<(), LedgerError> {
        let known: HashSet<String> =
            memory.alerts.iter().map(|one| one.state.alert.key()).collect();
        let keys = read.alerts.iter().map(SecurityAlert::key);
        let keys: Vec<String> = keys.filter(|key| !known.contains(key)).collect();
        if !keys.is_empty() {
            let older = self.ledger.read(move |reader| reader.security_of(&keys)).await?;
            memory.alerts.extend(older);
        }
        Ok(())
    }
}

fn open(memory: &SecurityMemory) -> impl Iterator<Item = &RememberedSecurity> {
    memory.alerts.iter().filter(|one| one.state.ended_at.is_none())
}

pub(super) fn open_missing<'a>(
    memory: &'a SecurityMemory,
    listed: &HashSet<String>,
) -> impl Iterator<Item = &'a RememberedSecurity> {
    open(memory).filter(|one| !listed.contains(&one.state.alert.key()))
}
