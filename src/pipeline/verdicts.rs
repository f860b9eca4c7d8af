//! Carries what one stage knows to the next: what the ledger remembers into the terms of the assessment, and back.

use jiff::Timestamp;

use crate::budgets::LastSeen;
use crate::domain::{Assessed, LegacyCycle};
use crate::ledger::{Recollection, Seen};

/// What bears on the billing period.
pub(crate) fn last_seen(seen: &Seen) -> LastSeen {
    LastSeen { usage_as_of: seen.usage_as_of.instant(), period: seen.period, closing_cost: seen.closing_cost, cycle: seen.cycle }
}

/// What is fresh about a legacy customer: the cycle just named, and that it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) cycle: Option<LegacyCycle>,
}

/// The state to remember, or none when the record is older data than what is remembered: a late correction of a closed
/// period must not bring that period back.
pub(crate) fn seen_now(
    assessed: &Assessed,
    fingerprint: u64,
    remembered: Option<&Recollection>,
    asked: Option<Asked>,
    now: Timestamp,
) -> Option<Seen> {
    let record = &assessed.record;
    let before = remembered.map(|remembered| &remembered.seen);
    let at = record.usage_as_of.instant();
    if before.is_some_and(|before| at < before.usage_as_of.instant() && assessed.period.end <= before.period.start) {
        return None;
    }
    let closing_cost = match before {
        Some(before) if assessed.carried_over => before.closing_cost,
        _ => record.cost,
    };
    Some(Seen {
        customer: record.customer.clone(),
        name: record.name.clone(),
        label: assessed.profile.label.clone(),
        plan: record.plan,
        usage_as_of: record.usage_as_of,
        seen_at: now,
        cost: record.cost,
        usd_cost: record.usd_cost,
        currency: assessed.currency,
        reported_percent: record.reported_percent,
        computed_percent: assessed.computed_percent,
        budget: assessed.budget.map(|budget| budget.amount()),
        partner_center_budget: record.budget,
        period: assessed.period,
        closing_cost,
        cycle: asked.and_then(|asked| asked.cycle).or_else(|| before?.cycle),
        asked: asked.map(|_| (now, at)).or_else(|| before?.asked),
        // What is taken for late data is looked at again in every poll: a summary may say later whose it is.
        fingerprint: if assessed.carried_over { !fingerprint } else { fingerprint },
    })
}
