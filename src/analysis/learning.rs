//! The customers that rules about spikes do not judge yet: too few days of them are known.

use jiff::{SignedDuration, Timestamp};

use crate::alerting::judging::{AsOf, judged_again};
use crate::alerting::{CustomerState, RememberedCustomer};
use crate::budgets;
use crate::domain::{Metric, Reason, Verdict};
use crate::ledger::{LedgerError, Reader};
use crate::rules::Rules;

/// What is usual is computed from so many days.
const WINDOW: SignedDuration = SignedDuration::from_hours(36 * 24);
/// A customer with dates of so many of them is learnt: not all of its dates may be usable.
const ENOUGH_DAYS: u32 = 15;

/// So many usable days are enough.
const ENOUGH: usize = 7;

/// A customer of which a rule about spikes knows too few days.
#[derive(Debug, Clone)]
pub struct LearningCustomer {
    /// Its last seen state.
    pub seen: CustomerState,
    /// How many usable days there are, of 7.
    pub days: usize,
}

/// The customers that are learnt now, those with the fewest days first; none where no rule is about
/// spikes.
pub fn learning(
    budgets: &budgets::Config,
    rules: &Rules,
    reader: &Reader,
    now: Timestamp,
) -> Result<Vec<LearningCustomer>, LedgerError> {
    if !rules.look_for_spikes() {
        return Ok(Vec::new());
    }
    let newest = reader.poll_memory()?.newest;
    let since = newest.unwrap_or(now).saturating_sub(WINDOW).unwrap_or(Timestamp::MIN);
    let mut found = Vec::new();
    for key in reader.customers_with_few_dates(since, ENOUGH_DAYS)? {
        let Some(remembered) = reader.current(&key)? else { continue };
        let days = days_learnt(budgets, rules, &remembered, AsOf { now, newest });
        found.extend(days.map(|days| LearningCustomer { seen: remembered.seen, days }));
    }
    found.sort_by_cached_key(|one| (one.days, one.seen.customer.to_string()));
    Ok(found)
}

/// How many days the rule knows that knows the fewest; none where every rule about spikes judges
/// the customer, or is not for it.
fn days_learnt(
    budgets: &budgets::Config,
    rules: &Rules,
    remembered: &RememberedCustomer,
    time: AsOf,
) -> Option<usize> {
    let judged = judged_again(budgets, rules, remembered, time);
    let known = judged.assessed.spending.as_ref().map(|spending| spending.days_before().count());
    let spikes = judged.evaluations.iter().filter(|one| one.rule.metric == Metric::Spike);
    let days = spikes.filter_map(|one| match one.verdict {
        Verdict::NotApplicable(Reason::Learning(days)) => Some(days),
        // The newest date says nothing of its day.
        Verdict::NotApplicable(
            Reason::NoEarlierDate
            | Reason::HalfADayApart
            | Reason::AfterCorrection
            | Reason::DataLate
            | Reason::GapInData,
        ) => known.filter(|known| *known < ENOUGH),
        Verdict::NotApplicable(_) | Verdict::Below { .. } | Verdict::Crossed { .. } => None,
    });
    days.min()
}
