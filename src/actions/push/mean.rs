//! What a customer's usage comes to in a whole month, as far as history knows.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::alerting::{CustomerState, NewSample};
use crate::budgets::period_holding;

/// Data dated so near to the end of a billing period is its total.
const AT_THE_END: SignedDuration = SignedDuration::from_hours(72);

/// The mean of a customer's billing periods that history knows to their end; none without any.
pub(super) fn of_whole_months(seen: &CustomerState, history: &[NewSample]) -> Option<Decimal> {
    let mut last: BTreeMap<Timestamp, (Timestamp, &NewSample)> = BTreeMap::new();
    for sample in history {
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
    let whole: Vec<Decimal> = last
        .values()
        .filter(|(end, sample)| end.duration_since(sample.usage_as_of) <= AT_THE_END)
        .map(|(_, sample)| sample.cost)
        .collect();
    let sum = whole.iter().copied().fold(Decimal::ZERO, Decimal::saturating_add);
    sum.checked_div(Decimal::from(whole.len()))
}
