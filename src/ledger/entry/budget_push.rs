//! A change of a customer's budget in Partner Center that a person ordered.

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::domain::{Currency, CustomerKey};

/// A change of a customer's budget in Partner Center, as it is noted before it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetPush {
    /// `MS-RequestId`, the same for every try.
    pub request_id: Uuid,
    /// `MS-CorrelationId` of the last try.
    pub correlation_id: Uuid,
    /// Who ordered it.
    pub author: String,
    /// When it was ordered.
    pub at: Timestamp,
    /// The customer.
    pub customer: CustomerKey,
    /// The amount that was there; none where there was no budget.
    pub before: Option<Decimal>,
    /// The amount that is wanted.
    pub amount: Decimal,
    /// The currency of both.
    pub currency: Currency,
}
