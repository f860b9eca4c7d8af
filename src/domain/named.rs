//! The billing periods that a customer's usage summaries named, and where a date falls by them.

use jiff::Timestamp;

use crate::domain::{BillingPeriod, LegacyCycle, PeriodSource};

/// How many are kept: those of a year, and of the turns at both of its ends.
const MOST: usize = 14;

/// The periods that answers named, the last named first; few customers have any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedPeriods(Vec<LegacyCycle>);

impl NamedPeriods {
    /// No period at all.
    pub const NONE: Self = Self(Vec::new());

    /// The same after an answer named `period`.
    #[must_use]
    pub fn with(&self, period: LegacyCycle) -> Self {
        let others = self.0.iter().copied().filter(|known| *known != period);
        Self(std::iter::once(period).chain(others).take(MOST).collect())
    }

    /// The periods, the last named first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = LegacyCycle> + '_ {
        self.0.iter().copied()
    }

    /// Whether nobody named any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The period of a legacy customer that holds `at`: a named one, else the last named one moved
    /// by whole months, and cut where it would overlap a named one. None where nobody named any.
    pub fn holding(&self, at: Timestamp) -> Option<BillingPeriod> {
        let named = || self.iter().map(|cycle| cycle.named(PeriodSource::SubscriptionSummary));
        if let Some(named) = named().find(|named| named.holds(at)) {
            return Some(named);
        }
        let moved = self.0.first()?.holding(at, PeriodSource::Assumed);
        let cut = |moved: BillingPeriod, named: BillingPeriod| {
            if named.end <= at {
                BillingPeriod { start: moved.start.max(named.end), ..moved }
            } else {
                BillingPeriod { end: moved.end.min(named.start), ..moved }
            }
        };
        Some(named().fold(moved, cut))
    }

    /// Whether any of them is this calendar month, as an Azure plan is billed.
    pub fn names_month(&self, month: &BillingPeriod) -> bool {
        self.iter().any(|cycle| cycle.is_month(month))
    }
}

impl FromIterator<LegacyCycle> for NamedPeriods {
    /// The last named first.
    fn from_iter<T: IntoIterator<Item = LegacyCycle>>(periods: T) -> Self {
        Self(periods.into_iter().take(MOST).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycle(first: &str, last: &str) -> LegacyCycle {
        LegacyCycle::try_new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
    }

    fn holding(named: &[(&str, &str)], at: &str) -> String {
        let named = named
            .iter()
            .fold(NamedPeriods::NONE, |known, (first, last)| known.with(cycle(first, last)));
        let period = named.holding(at.parse().unwrap()).unwrap();
        format!("{} .. {} {}", period.start, period.end, period.source.as_str())
    }

    #[test]
    fn a_named_period_wins_and_a_moved_one_is_cut_where_it_would_overlap_one() {
        let both = [("2026-09-30", "2026-10-30"), ("2026-11-30", "2026-12-30")];
        assert_eq!(
            holding(&both, "2026-10-30T12:00:00Z"),
            "2026-09-30T07:00:00Z .. 2026-10-31T07:00:00Z subscription-summary"
        );
        assert_eq!(
            holding(&both, "2026-11-29T12:00:00Z"),
            "2026-10-31T07:00:00Z .. 2026-11-30T08:00:00Z assumed"
        );
        assert_eq!(
            holding(&both, "2027-01-15T12:00:00Z"),
            "2026-12-31T08:00:00Z .. 2027-01-31T08:00:00Z assumed"
        );
        let moved_day = [("2026-12-10", "2027-01-09"), ("2026-10-15", "2026-11-14")];
        assert_eq!(
            holding(&moved_day, "2026-12-05T12:00:00Z"),
            "2026-11-15T08:00:00Z .. 2026-12-10T08:00:00Z assumed"
        );
    }

    #[test]
    fn the_last_fourteen_are_kept_and_one_named_again_is_the_last() {
        let months =
            (1..=12).map(|month| (format!("2025-{month:02}-01"), format!("2025-{month:02}-28")));
        let more =
            (1..=4).map(|month| (format!("2026-{month:02}-01"), format!("2026-{month:02}-28")));
        let all = months
            .chain(more)
            .fold(NamedPeriods::NONE, |known, (first, last)| known.with(cycle(&first, &last)));
        assert_eq!(
            (all.iter().count(), all.iter().last().unwrap().first_day().to_string()),
            (14, "2025-03-01".to_owned())
        );
        let again = all.with(cycle("2025-03-01", "2025-03-28"));
        assert_eq!(
            (again.iter().count(), again.iter().next().unwrap().first_day().to_string()),
            (14, "2025-03-01".to_owned())
        );
    }
}
