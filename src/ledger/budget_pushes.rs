//! The ledger of budgets that people push to Partner Center: the intent before the call, the outcome
//! after it, each outcome with its event in the chain.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use crate::domain::{Currency, PushOutcome, exact};
use crate::ledger::Ledger;
use crate::ledger::entry::{BudgetPush, PushTry};
use crate::ledger::error::LedgerError;
use crate::ledger::sql::Connection;
use crate::ledger::table::budget_pushes;
use crate::ledger::table::chain::{self, EventKind};

impl Ledger {
    /// Notes a try of a change before it is made: on disk when this returns. A further try of the
    /// same change is noted by the same `MS-RequestId`. Where another process is at the customer's
    /// budget, or has been since it was read, nothing is noted, and its change is returned.
    pub async fn begin_budget_push(
        &self,
        push: BudgetPush,
        attempt: PushTry,
    ) -> Result<Option<BudgetPush>, LedgerError> {
        let holder = self.holder();
        let begin = move |connection: &Connection| {
            budget_pushes::begin(connection, &push, &attempt, holder)
        };
        self.thread.order(begin).await
    }

    /// This process, where several share the ledger.
    fn holder(&self) -> Option<Uuid> {
        self.shared.as_ref().map(|(_, seat)| seat.holder)
    }

    /// Notes what came of a change, unless another process is still at it.
    pub async fn end_budget_push(
        &self,
        push: BudgetPush,
        outcome: PushOutcome,
        words: String,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let by = self.author.clone();
        let holder = self.holder();
        self.thread
            .order(move |connection| {
                let noted = (outcome, &*words);
                if budget_pushes::end(connection, push.request_id, noted, holder, now)? {
                    let event = Event::of(&push, by, outcome, &words);
                    chain::add(connection, EventKind::Order, "budgets", now, &event)?;
                }
                Ok(())
            })
            .await
    }
}

/// What came of a change, as the chain has it.
#[derive(Serialize)]
struct Event<'a> {
    order: &'static str,
    by: Option<String>,
    customer: &'a str,
    #[serde(with = "exact")]
    from: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::str")]
    to: Decimal,
    currency: Currency,
    outcome: PushOutcome,
    words: &'a str,
    ms_request_id: Uuid,
}

impl<'a> Event<'a> {
    fn of(push: &'a BudgetPush, by: Option<String>, outcome: PushOutcome, words: &'a str) -> Self {
        Self {
            order: "budgets push",
            by,
            customer: push.customer.as_str(),
            from: push.before,
            to: push.amount,
            currency: push.currency,
            outcome,
            words,
            ms_request_id: push.request_id,
        }
    }
}
