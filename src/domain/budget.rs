//! A monthly amount for a customer, and where it was set.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::Currency;

/// Where a budget was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BudgetSource {
    /// In Partner Center (`budget.amount` of the usage record).
    PartnerCenter,
    /// In this daemon's configuration.
    Local,
}

impl BudgetSource {
    /// The words a message uses.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::PartnerCenter => "Partner Center",
            Self::Local => "the local configuration",
        }
    }
}

/// A budget for one billing period; the amount is never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    amount: Decimal,
    currency: Option<Currency>,
    source: BudgetSource,
}

impl Budget {
    /// A budget; `None` for a negative amount, which is no budget.
    pub fn try_new(
        amount: Decimal,
        currency: Option<Currency>,
        source: BudgetSource,
    ) -> Option<Self> {
        if amount.is_sign_negative() && !amount.is_zero() {
            None
        } else {
            Some(Self { amount, currency, source })
        }
    }

    /// The amount, zero or above.
    pub fn amount(&self) -> Decimal {
        self.amount
    }

    /// The currency, if known.
    pub fn currency(&self) -> Option<Currency> {
        self.currency
    }

    /// Where it was set.
    pub fn source(&self) -> BudgetSource {
        self.source
    }
}
