//! Reads the list of security alerts, and asks for those of which it says something else than was
//! known. What that means for anybody is left to others.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::alerting::{RememberedSecurity, SecurityMemory};
use crate::domain::SecurityAlert;
use crate::ledger::LedgerError;
use crate::poll::cycle::Cycle;
use crate::source::{SecurityAlerts, SecurityError, SecurityList, SecurityWanted};

/// How many are asked for by their ids in one read.
const MOST_ASKED: usize = 50;

/// What was read.
pub(super) struct Read {
    pub(super) alerts: Vec<SecurityAlert>,
    /// The keys of those that are no longer listed.
    pub(super) gone: HashSet<String>,
    /// The keys of those that another API told of, which is not asked any more.
    pub(super) elsewhere: HashSet<String>,
    pub(super) failure: Option<SecurityError>,
}

impl Cycle {
    /// Reads the list.
    pub(super) async fn read_list(
        source: &SecurityAlerts,
        memory: &SecurityMemory,
        since: Timestamp,
    ) -> Read {
        let open: HashSet<String> = open(memory).map(|one| one.state.alert.key()).collect();
        let wanted = SecurityWanted { open, answered_since: since };
        let SecurityList { alerts, failure } = source.list(&wanted).await;
        Read { alerts, gone: HashSet::new(), elsewhere: HashSet::new(), failure }
    }

    /// Adds what the ledger knows of those that were read and that ended: too long ago to be in
    /// memory, or with what was told of them.
    pub(super) async fn remember_listed(
        &self,
        memory: &mut SecurityMemory,
        read: &Read,
    ) -> Result<(), LedgerError> {
        let known: HashMap<String, bool> = memory.alerts.iter().map(key_and_is_over).collect();
        let is_known = |alert: &&SecurityAlert| {
            known.get(&alert.key()).is_some_and(|is_over| !is_over || alert.is_resolved())
        };
        let keys: Vec<String> =
            read.alerts.iter().filter(|alert| !is_known(alert)).map(SecurityAlert::key).collect();
        if !keys.is_empty() {
            let ended = self.ledger.read(move |reader| reader.security_of(&keys)).await?;
            let found: HashSet<String> = ended.iter().map(|one| one.state.alert.key()).collect();
            memory.alerts.retain(|one| !found.contains(&one.state.alert.key()));
            memory.alerts.extend(ended);
        }
        Ok(())
    }
}

impl Read {
    /// Asks for those that are said to be open and were over: the list may be older than the
    /// answer. Then for those open ones that are missing from a whole list.
    pub(super) async fn ask(&mut self, source: &SecurityAlerts, memory: &SecurityMemory) {
        let known: HashMap<String, bool> = memory.alerts.iter().map(key_and_is_over).collect();
        let is_back =
            |alert: &SecurityAlert| !alert.is_resolved() && known.get(&alert.key()) == Some(&true);
        let (back, mut alerts): (Vec<SecurityAlert>, Vec<SecurityAlert>) =
            std::mem::take(&mut self.alerts).into_iter().partition(is_back);
        // Those that are not asked for stay as they were until the next read.
        for listed in back.into_iter().take(MOST_ASKED) {
            match source.one(&listed).await {
                Ok(Some(found)) => alerts.push(found),
                // It is listed, and that counts.
                Ok(None) => alerts.push(listed),
                Err(error) => {
                    self.failure.get_or_insert(error);
                }
            }
        }
        self.alerts = alerts;
        if self.failure.is_none() {
            self.failure = self.ask_for_missing(source, memory).await.err();
        }
    }

    async fn ask_for_missing(
        &mut self,
        source: &SecurityAlerts,
        memory: &SecurityMemory,
    ) -> Result<(), SecurityError> {
        let listed: HashSet<String> = self.alerts.iter().map(SecurityAlert::key).collect();
        let missing = open_missing(memory, &listed).map(|one| &one.state.alert);
        let (own, others): (Vec<&SecurityAlert>, Vec<&SecurityAlert>) =
            missing.partition(|alert| alert.source == source.source());
        self.elsewhere = others.into_iter().map(SecurityAlert::key).collect();
        for alert in own.into_iter().take(MOST_ASKED) {
            match source.one(alert).await? {
                Some(found) => self.alerts.push(found),
                None => {
                    self.gone.insert(alert.key());
                }
            }
        }
        Ok(())
    }
}

fn key_and_is_over(one: &RememberedSecurity) -> (String, bool) {
    (one.state.alert.key(), one.state.ended_at.is_some())
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
