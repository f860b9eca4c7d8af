//! The smallest excess that a rule about spikes tells of: an amount by currency, a share of the
//! budget, or the greater of both.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::domain::Currency;
use crate::domain::spike::Floor;

/// A floor as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FloorSpec {
    /// Amounts by the customer's currency.
    pub amounts: BTreeMap<Currency, Decimal>,
    /// Percent of the budget.
    pub percent: Option<Decimal>,
}

impl FloorSpec {
    /// Whether nothing is written.
    pub(crate) fn is_empty(&self) -> bool {
        self.amounts.is_empty() && self.percent.is_none()
    }

    /// The floor for a customer: the greater of what has a value above zero; none where nothing
    /// has.
    pub(crate) fn of(&self, currency: Option<Currency>, budget: Option<Decimal>) -> Option<Floor> {
        let amount = currency.and_then(|currency| self.amounts.get(&currency).copied());
        let share = self.percent.zip(budget).map(|(percent, budget)| part(budget, percent));
        amount.max(share).filter(|floor| *floor > Decimal::ZERO).map(Floor)
    }
}

/// So many percent of an amount.
fn part(amount: Decimal, percent: Decimal) -> Decimal {
    let exact = amount.checked_mul(percent).and_then(|it| it.checked_div(Decimal::ONE_HUNDRED));
    let near = || amount.checked_div(Decimal::ONE_HUNDRED)?.checked_mul(percent);
    exact.or_else(near).unwrap_or(Decimal::MAX)
}
