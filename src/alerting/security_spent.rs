//! What a customer has spent since a security alert began, beside what it usually spends in a day.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::alerting::RememberedCustomer;
use crate::budgets;
use crate::domain::spike::{CostDate, DayRates};
use crate::domain::{Spent, SpentOf, rounded, utc_day};

/// Of so many days before it the usual is taken, and of no fewer than these.
const DAYS: usize = 35;
const FEWEST: usize = 3;

/// What was spent since an instant; none where no data is dated after it, or none before: then
/// nobody knows what of the cost came later.
pub(crate) fn spent_since(remembered: &RememberedCustomer, since: Timestamp) -> Option<Spent> {
    let seen = &remembered.seen;
    let date = |at: Timestamp, cost: Decimal| {
        let period = budgets::period_holding(seen.plan, at, &seen.named);
        CostDate { at, cost, start: period.start, is_start_known: true }
    };
    let samples = remembered.samples.iter().filter(|sample| !sample.carried_over);
    let mut dates: Vec<CostDate> =
        samples.map(|sample| date(sample.usage_as_of, sample.cost)).collect();
    dates.push(date(seen.usage_as_of.instant(), seen.cost));
    dates.sort_by_key(|date| date.at);
    dates.dedup_by_key(|date| date.at);
    // Costs before that are in another currency, or of another plan.
    dates.retain(|date| seen.series_since.is_none_or(|from| date.at >= from));
    if dates.first().is_none_or(|first| first.at > since) {
        return None;
    }
    let spans = dates.windows(2).filter_map(|pair| match pair {
        [before, after] if after.at > since => Some(risen(*before, *after, since)),
        _ => None,
    });
    let spans: Vec<Decimal> = spans.collect();
    if spans.is_empty() {
        return None;
    }
    let sum = spans.into_iter().fold(Decimal::ZERO, Decimal::saturating_add);
    let of = match seen.subscription {
        Some(_) => SpentOf::Subscription,
        None => SpentOf::Customer,
    };
    Some(Spent { of, since: rounded(sum, 2), usual: usual(&dates, since) })
}

/// What was spent between two dates, as far as that is after `since`.
fn risen(before: CostDate, after: CostDate, since: Timestamp) -> Decimal {
    let same_period = before.start == after.start;
    let from = if same_period { before.cost } else { Decimal::ZERO };
    let rise = after.cost.saturating_sub(from).max(Decimal::ZERO);
    let begins = if same_period { before.at } else { after.start };
    let seconds = |from: Timestamp| Decimal::from(after.at.duration_since(from).as_secs().max(0));
    if begins >= since {
        return rise;
    }
    let share = rise.checked_mul(seconds(since)).and_then(|it| it.checked_div(seconds(begins)));
    share.unwrap_or(rise)
}

/// The median of what was spent on the days before.
fn usual(dates: &[CostDate], since: Timestamp) -> Option<Decimal> {
    let day = utc_day(since);
    let rates = DayRates::of(dates);
    let mut before: Vec<Decimal> =
        rates.days.range(..day).rev().take(DAYS).map(|(_, rate)| rate.rate).collect();
    if before.len() < FEWEST {
        return None;
    }
    before.sort_unstable();
    before.get(before.len() / 2).copied()
}
