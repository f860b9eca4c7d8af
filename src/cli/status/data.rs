//! What `status` says of the data: customers without a record, and what happened to the data in the
//! last day.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::cli::status::State;
use crate::cli::text;
use crate::domain::{CustomerEvent, CustomerKey, EventCode};
use crate::poll::Named;
use crate::text::{Name, clean, moment};

/// How far back.
pub(super) const RECENT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
/// How many events are listed.
const LISTED: usize = 10;

/// The data since yesterday.
pub(super) struct Data {
    /// Customers that the last good poll had no record of.
    pub(super) missing: u64,
    /// With the customers' ids and what they are called, oldest first.
    pub(super) events: Vec<(String, String, CustomerEvent)>,
}

impl Data {
    /// `; data: 1 customer without a record, 2 budgets cut`; nothing where nothing happened.
    pub(super) fn in_short(&self) -> String {
        let mut parts = Vec::new();
        if self.missing > 0 {
            parts.push(format!("{} without a record", text::count(self.missing, "customer")));
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (.., event) in self.events.iter().filter(|(.., event)| is_uneasy(event.code)) {
            *counts.entry(event.code.as_str()).or_default() += 1;
        }
        parts.extend(counts.into_iter().map(|(code, count)| format!("{count} {code}")));
        if parts.is_empty() { String::new() } else { format!("; data: {}", parts.join(", ")) }
    }

    /// The latest of them, a line each.
    pub(super) fn lines(&self, state: &State, zone: &TimeZone) -> Vec<String> {
        let line = |(id, called, event): &(String, String, CustomerEvent)| {
            let (at, code) = (moment(event.at, state.now, zone), event.code.as_str());
            let who = Name::among(&[called, id], id, state.namesakes.has(None, called)).whole();
            format!("  {at}  {who}  {code}: {}", clean(&event.detail, 200))
        };
        let mut lines: Vec<String> = self.events.iter().rev().take(LISTED).map(line).collect();
        if self.events.len() > LISTED {
            lines.push(format!(
                "  and {} more; explain tells each customer's",
                self.events.len() - LISTED
            ));
        }
        lines
    }
}

/// Whom the events that are listed are about.
pub(super) fn named_in(
    events: &[(String, String, CustomerEvent)],
) -> impl Iterator<Item = Named<'_>> {
    events
        .iter()
        .rev()
        .take(LISTED)
        .map(|(id, called, _)| (None, called.as_str(), CustomerKey::of(id)))
}

/// Whether it may hide something.
fn is_uneasy(code: EventCode) -> bool {
    !matches!(
        code,
        EventCode::BudgetSet
            | EventCode::BudgetRaised
            | EventCode::Returned
            | EventCode::Disappeared
    )
}
