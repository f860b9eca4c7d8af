//! Who has changed a budget in Partner Center that nobody changed from here, as far as Microsoft's
//! audit records tell: asked for a person who pushes budgets, and never in the way of the push.

use std::collections::HashSet;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use uuid::Uuid;

use crate::actions::push::wanted::Wanted;
use crate::domain::utc_day;
use crate::poll::Cycle;
use crate::source::{AuditedChange, SpendingBudget};
use crate::text::{clean, moment};

/// How far back Microsoft's records go, in days.
const KEPT_DAYS: i64 = 89;

/// Of how many customers they are asked in one order: a person waits for it.
const MOST_ASKED: u32 = 50;

/// Asks the audit records, until they cannot be read.
#[derive(Default)]
pub(super) struct Audit {
    asked: u32,
    failure: Option<String>,
}

impl Audit {
    /// Who made the budget what was `found`, in words; the change was made after `since`.
    pub(super) async fn who(
        &mut self,
        cycle: &Cycle,
        wanted: &Wanted,
        found: SpendingBudget,
        since: Timestamp,
    ) -> String {
        match self.find(cycle, wanted, found, since).await {
            Ok(change) => in_words(&change, cycle.clock.now()),
            Err(why) => format!("changed there, who is unknown: {why}"),
        }
    }

    async fn find(
        &mut self,
        cycle: &Cycle,
        wanted: &Wanted,
        found: SpendingBudget,
        since: Timestamp,
    ) -> Result<AuditedChange, String> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if self.asked >= MOST_ASKED {
            return Err(format!("the audit records were asked for {MOST_ASKED} others"));
        }
        self.asked += 1;
        let today = utc_day(cycle.clock.now());
        // Records come with a delay, and their days are UTC.
        let since = utc_day(since).saturating_sub(1.day());
        let since = since.clamp(today.saturating_sub(KEPT_DAYS.days()), today);
        let read = cycle.source.budget_changes(&wanted.id, since).await;
        let changes = read.map_err(|error| self.failed(&error.to_string()))?;
        let customer = wanted.key.clone();
        let own = cycle.ledger.read(move |reader| reader.budget_push_ids(&customer)).await;
        let own = own.map_err(|error| self.failed(&error.to_string()))?;
        newest(changes, found, &own)
            .ok_or_else(|| format!("the audit records since {since} do not tell, or not yet"))
    }

    fn failed(&mut self, why: &str) -> String {
        let why = format!("the audit records cannot be read: {}", clean(why, 300));
        self.failure = Some(why.clone());
        why
    }
}

/// The last change of somebody else that made the budget what was found, or may have.
fn newest(
    changes: Vec<AuditedChange>,
    found: SpendingBudget,
    own: &HashSet<Uuid>,
) -> Option<AuditedChange> {
    let is_own = |change: &AuditedChange| change.correlation.is_some_and(|id| own.contains(&id));
    let fits = |change: &AuditedChange| {
        change.budget == found || change.budget == SpendingBudget::Unreadable
    };
    let others = changes.into_iter().filter(|change| !is_own(change) && fits(change));
    others.max_by_key(|change| (change.budget == found, change.at))
}

/// `changed there by anna@partner.example, Sat 14 Nov 10:15 UTC`.
fn in_words(change: &AuditedChange, now: Timestamp) -> String {
    let by = change.by.as_deref().map(|by| clean(by, 120)).filter(|by| !by.trim().is_empty());
    let by = by.unwrap_or_else(|| "somebody whom the audit records do not name".to_owned());
    let at = change.at.map(|at| format!(", {}", moment(at, now, &TimeZone::UTC)));
    format!("changed there by {by}{}", at.unwrap_or_default())
}
