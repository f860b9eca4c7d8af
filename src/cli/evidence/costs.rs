//! What an incident has cost by day: before it, meanwhile and after it.

use jiff::ToSpan as _;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::alerting::{DailyCosts, Misuse, MisuseSign, SignSource};
use crate::cli::evidence::span::Span;
use crate::domain::{Currency, canonical, rounded, utc_day};

/// Costs are shown up to so many days after the last on which a claim can be filed.
const SHOWN_AFTER: i64 = 14;

/// What was spent. Amounts are in the currency of the data.
#[derive(Serialize)]
pub(super) struct CostFacts {
    pub(super) currency: Option<Currency>,
    /// The median of up to 35 days before the first.
    pub(super) usual_per_day: Option<Decimal>,
    pub(super) days: Vec<DayFacts>,
    pub(super) during: Option<Decimal>,
    pub(super) during_above_usual: Option<Decimal>,
    /// From the first day for as long as charges can be credited.
    pub(super) covered: Option<Decimal>,
    pub(super) covered_above_usual: Option<Decimal>,
}

#[derive(Serialize)]
pub(super) struct DayFacts {
    pub(super) day: Date,
    pub(super) when: When,
    pub(super) cost: Option<Decimal>,
    pub(super) above_usual: Option<Decimal>,
    pub(super) is_spike: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum When {
    Before,
    During,
    After,
}

impl CostFacts {
    pub(super) fn of(
        costs: &DailyCosts,
        misuse: &Misuse,
        currency: Option<Currency>,
        span: &Span,
    ) -> Self {
        let (first, last) = (misuse.first_day, misuse.last_day);
        let usual = costs.usual_before(first);
        let above = |until| usual.and_then(|usual| costs.above(usual, first, until)).map(canonical);
        let covered = misuse.covered_until().yesterday().unwrap_or(first);
        let is_spike = |day: Date| {
            let has = |sign: &MisuseSign| matches!(&sign.source, SignSource::Spikes { days, .. } if days.contains(&day));
            misuse.signs.iter().any(has)
        };
        // Days that are not over have no data yet.
        let newest = costs.0.keys().next_back().copied().unwrap_or(last);
        let end = misuse.file_by().saturating_add(SHOWN_AFTER.days());
        let until = utc_day(span.until).min(newest.max(last)).min(end.max(last));
        let days = utc_day(span.from).series(1.day()).take_while(|day| *day <= until);
        let days = days.map(|day| {
            let cost = costs.0.get(&day).copied();
            DayFacts {
                day,
                when: When::of(day, first, last),
                cost,
                above_usual: usual.zip(cost).map(|(usual, cost)| cost.saturating_sub(usual)),
                is_spike: is_spike(day),
            }
        });
        Self {
            currency,
            usual_per_day: usual.map(|usual| rounded(usual, 2)),
            days: days.collect(),
            during: costs.spent(first, last).map(canonical),
            during_above_usual: above(last),
            covered: costs.spent(first, covered).map(canonical),
            covered_above_usual: above(covered),
        }
    }
}

impl When {
    fn of(day: Date, first: Date, last: Date) -> Self {
        if day < first {
            Self::Before
        } else if day <= last {
            Self::During
        } else {
            Self::After
        }
    }
}
