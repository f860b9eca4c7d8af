//! A change of a customer's budget in Partner Center that a person ordered.

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::domain::{Currency, CustomerKey, PushOutcome};

/// A change of a customer's budget in Partner Center, as it is noted before it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetPush {
    /// `MS-RequestId`, the same for every try.
    pub request_id: Uuid,
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
    /// What came of it; none while that is not known.
    pub outcome: Option<PushOutcome>,
}

/// A try of a change, as it is noted before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushTry {
    /// `MS-CorrelationId`.
    pub correlation_id: Uuid,
    /// When it is made.
    pub at: Timestamp,
    /// The changes of the customer's budget that were known when Partner Center was read.
    pub known: Vec<Uuid>,
}
