//! Takes the alerts of a list as they come in and keeps those that are wanted: the list may hold
//! years of answered ones.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::domain::{SecurityAlert, SecuritySource, UsageDate};
use crate::source::scan::ItemSink;
use crate::source::security::items::alert;
use crate::source::security::{SecurityError, SecurityWanted};

/// How many alerts are kept. Nobody could answer so many.
pub(super) const MOST_KEPT: usize = 20_000;

/// What was read of a list.
#[derive(Debug, Default)]
pub struct SecurityList {
    /// The alerts that are wanted, in their order.
    pub alerts: Vec<SecurityAlert>,
    /// Why it could not be read whole, if it could not.
    pub failure: Option<SecurityError>,
}

/// The sink of one page.
pub(super) struct PageSink<'a> {
    wanted: &'a SecurityWanted,
    source: SecuritySource,
    /// Wanted alerts by their keys, the last one of each.
    pub(super) kept: HashMap<String, SecurityAlert>,
    /// Items of any kind.
    pub(super) items: usize,
    /// Items that nobody can read.
    pub(super) unreadable: usize,
    /// What tells the items apart, shortened.
    seen: Vec<u64>,
}

impl<'a> PageSink<'a> {
    pub(super) fn new(wanted: &'a SecurityWanted, source: SecuritySource) -> Self {
        Self { wanted, source, kept: HashMap::new(), items: 0, unreadable: 0, seen: Vec::new() }
    }

    fn is_wanted(&self, alert: &SecurityAlert) -> bool {
        let answered_at = alert.resolved_at.map(UsageDate::instant);
        !alert.is_resolved()
            || self.wanted.open.contains(&alert.key())
            || answered_at.is_some_and(|at| at >= self.wanted.answered_since)
    }
}

impl ItemSink for PageSink<'_> {
    fn at_start(&mut self, _bytes: &[u8]) -> Option<usize> {
        None
    }

    fn whole(&mut self, item: &[u8]) {
        self.items += 1;
        let alert = alert(item, self.source);
        self.seen.push(alert.as_ref().map_or_else(|| hash(item), |alert| hash(&alert.key())));
        match alert {
            Some(alert) if self.is_wanted(&alert) => {
                if self.kept.len() < MOST_KEPT {
                    self.kept.insert(alert.key(), alert);
                }
            }
            Some(_) => {}
            None => self.unreadable += 1,
        }
    }

    fn too_large(&mut self, start: &[u8]) {
        self.items += 1;
        self.seen.push(hash(start));
        self.unreadable += 1;
    }
}

/// Gathers the pages of a list.
#[derive(Debug, Default)]
pub(super) struct Pages {
    kept: HashMap<String, SecurityAlert>,
    pub(super) unreadable: usize,
    seen: HashSet<u64>,
}

impl Pages {
    /// Adds what a page held; the later of two copies of an alert counts. Returns whether it held
    /// anything that no page before it did.
    pub(super) fn add(&mut self, page: PageSink<'_>) -> bool {
        let before = self.seen.len();
        self.seen.extend(page.seen);
        let is_new = self.seen.len() > before;
        if is_new {
            self.unreadable += page.unreadable;
        }
        self.kept.extend(page.kept);
        is_new
    }

    /// Whether there is no room for more.
    pub(super) fn is_full(&self) -> bool {
        self.kept.len() >= MOST_KEPT
    }

    /// All of it, the longest known first.
    pub(super) fn into_list(self, failure: Option<SecurityError>) -> SecurityList {
        let mut alerts: Vec<SecurityAlert> = self.kept.into_values().collect();
        alerts.sort_by_key(|alert| (alert.detected_at.map(UsageDate::instant), alert.key()));
        SecurityList { alerts, failure }
    }
}

fn hash(what: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
