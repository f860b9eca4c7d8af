//! Where security alerts stand after a read: those that were read, and those that are open and were
//! not.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::alerting::{RememberedSecurity, SecurityMemory, SecurityState};
use crate::domain::{SecurityAlert, UsageDate};
use crate::poll::security_list::{Read, open_missing};

/// A security alert as it stands now.
pub(super) struct Standing<'a> {
    pub(super) state: SecurityState,
    pub(super) remembered: Option<&'a RememberedSecurity>,
    /// Whether this read has told of it.
    pub(super) is_listed: bool,
    /// Whether another API told of it, which is not asked any more.
    pub(super) is_elsewhere: bool,
    /// Whether anything about it is new.
    pub(super) is_changed: bool,
}

/// When it was last known to be listed.
pub(super) fn last_listed(one: &Standing<'_>, good_at: Option<Timestamp>) -> Option<Timestamp> {
    one.remembered.map(|remembered| remembered.listed_at).max(good_at)
}

/// All that were read, and those that are open and were not.
pub(super) fn standing<'a>(
    memory: &'a SecurityMemory,
    read: &Read,
    now: Timestamp,
) -> Vec<Standing<'a>> {
    let known: HashMap<String, &RememberedSecurity> =
        memory.alerts.iter().map(|one| (one.state.alert.key(), one)).collect();
    let mut stands = Vec::new();
    for alert in &read.alerts {
        let remembered = known.get(&alert.key()).copied();
        // One that was answered before anybody here saw it is nothing to tell, but counts in the
        // mean.
        let state = stand(alert, remembered, now);
        let is_changed = remembered.is_none_or(|before| before.state != state);
        stands.push(Standing {
            state,
            remembered,
            is_listed: true,
            is_elsewhere: false,
            is_changed,
        });
    }
    let listed: HashSet<String> = read.alerts.iter().map(SecurityAlert::key).collect();
    // Answered from here, and told as open by then.
    let answered = memory.alerts.iter().filter(|one| {
        one.state.ended_at.is_some()
            && !one.alerts.is_empty()
            && !listed.contains(&one.state.alert.key())
    });
    for one in open_missing(memory, &listed).chain(answered) {
        let key = one.state.alert.key();
        let is_elsewhere = read.elsewhere.contains(&key);
        let is_changed = is_elsewhere || read.gone.contains(&key);
        let mut state = one.state.clone();
        if is_changed {
            (state.ended_at, state.unlisted) = (Some(now), true);
        }
        let remembered = Some(one);
        stands.push(Standing { state, remembered, is_listed: false, is_elsewhere, is_changed });
    }
    stands
}

/// How an alert stands that was read just now.
fn stand(
    alert: &SecurityAlert,
    remembered: Option<&RememberedSecurity>,
    now: Timestamp,
) -> SecurityState {
    let before = remembered.map(|remembered| &remembered.state);
    let answered_at = alert.resolved_at.map(UsageDate::instant).filter(|at| *at <= now);
    let ended_at = alert.is_resolved().then(|| {
        let ended_before = before.filter(|before| !before.unlisted);
        ended_before.and_then(|before| before.ended_at).or(answered_at).unwrap_or(now)
    });
    SecurityState {
        alert: alert.clone(),
        first_seen: before.map_or(now, |before| before.first_seen),
        ended_at,
        unlisted: false,
        ordered_by: before
            .and_then(|before| before.ordered_by.clone())
            .filter(|_| ended_at.is_some()),
    }
}
