//! What a customer's usage came to in the billing periods that history knows to their end.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::alerting::{CustomerState, NewSample};
use crate::budgets::period_holding;

/// Data dated so near to the end of a billing period is its total.
const AT_THE_END: SignedDuration = SignedDuration::from_hours(72);

/// What of a customer's history is in the currency and of the plan of now: other amounts cannot be
/// compared with it.
pub(crate) fn comparable<'a>(
    seen: &CustomerState,
    history: &'a [NewSample],
) -> impl Iterator<Item = &'a NewSample> {
    let since = seen.series_since;
    history.iter().filter(move |sample| since.is_none_or(|since| sample.usage_as_of >= since))
}

/// What each billing period came to that history knows to its end, oldest first, in the customer's
/// currency of now.
pub fn whole_periods(seen: &CustomerState, history: &[NewSample]) -> Vec<Decimal> {
    let mut last: BTreeMap<Timestamp, (Timestamp, &NewSample)> = BTreeMap::new();
    for sample in comparable(seen, history) {
        let mut period = period_holding(seen.plan, sample.usage_as_of, &seen.named);
        if sample.carried_over {
            let before = period.start.saturating_sub(SignedDuration::from_nanos(1));
            period = period_holding(seen.plan, before.unwrap_or(period.start), &seen.named);
        }
        let known = last.entry(period.start).or_insert((period.end, sample));
        let order = |sample: &NewSample| (sample.usage_as_of, sample.seen_at);
        if order(known.1) <= order(sample) {
            *known = (period.end, sample);
        }
    }
    // The one that goes on is not whole.
    last.pop_last();
    last.values()
        .filter(|(end, sample)| end.duration_since(sample.usage_as_of) <= AT_THE_END)
        .map(|(_, sample)| sample.cost)
        .collect()
}
