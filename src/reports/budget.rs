//! A budget that would have held: suggested where one was too small three times in a row.

use rust_decimal::Decimal;
use rust_decimal::RoundingStrategy;

/// The largest of what was needed and a tenth more, rounded up to two digits: 12,400 becomes
/// 14,000.
pub(crate) fn suggested(costs: &[Decimal]) -> Option<Decimal> {
    let largest = costs.iter().max().copied()?;
    let wanted = largest.checked_mul(Decimal::new(11, 1))?;
    wanted
        .round_sf_with_strategy(2, RoundingStrategy::AwayFromZero)
        .map(|rounded| rounded.normalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggested_budget_is_round_and_above_all_that_was_needed() {
        for (costs, expected) in [
            (["9000", "12400", "11000"], "14000"),
            (["100", "100", "100"], "110"),
            (["0.5", "0.72", "0.1"], "0.8"),
            (["99", "1", "2"], "110"),
        ] {
            let costs = costs.map(|cost| cost.parse().unwrap());
            assert_eq!(suggested(&costs).unwrap(), expected.parse().unwrap(), "{costs:?}");
        }
    }
}
