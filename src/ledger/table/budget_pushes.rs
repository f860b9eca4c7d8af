//! Changes of budgets in Partner Center: what was ordered, and what came of it.

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::{Currency, CustomerKey, PushOutcome, WrittenBudget};
use crate::ledger::column::{self, Exact, Id, Instant};
use crate::ledger::entry::BudgetPush;
use crate::ledger::sql::{self, Connection, Optional, Row, named_params, params};

/// Notes a change before it is asked for; of a further try only its `MS-CorrelationId` is new.
pub(in crate::ledger) fn begin(connection: &Connection, push: &BudgetPush) -> sql::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO budget_push (request_id, correlation_id, author, at, customer, before, amount, currency)
             VALUES (:request_id, :correlation_id, :author, :at, :customer, :before, :amount, :currency)
             ON CONFLICT (request_id) DO UPDATE SET correlation_id = excluded.correlation_id",
        )?
        .execute(named_params! {
            ":request_id": Id(push.request_id),
            ":correlation_id": Id(push.correlation_id),
            ":author": push.author,
            ":at": Instant(push.at),
            ":customer": push.customer.as_str(),
            ":before": push.before.map(Exact),
            ":amount": Exact(push.amount),
            ":currency": push.currency.as_str(),
        })
        .map(drop)
}

/// Notes what came of a change; returns whether that was not known before.
pub(in crate::ledger) fn end(
    connection: &Connection,
    request_id: Uuid,
    outcome: PushOutcome,
    words: &str,
    now: Timestamp,
) -> sql::Result<bool> {
    let ended = connection
        .prepare_cached(
            "UPDATE budget_push SET outcome = ?2, words = ?3, ended_at = ?4 WHERE request_id = ?1 AND outcome IS NULL",
        )?
        .execute(params![Id(request_id), outcome.as_str(), words, Instant(now)])?;
    Ok(ended > 0)
}

/// The changes of which it is not known yet what came of them, oldest first.
pub(in crate::ledger) fn open(connection: &Connection) -> sql::Result<Vec<BudgetPush>> {
    connection
        .prepare_cached("SELECT * FROM budget_push WHERE outcome IS NULL ORDER BY at")?
        .query_map((), push)?
        .collect()
}

/// The last change of a customer's budget that was made.
pub(in crate::ledger) fn last_written(
    connection: &Connection,
    customer: &CustomerKey,
) -> sql::Result<Option<WrittenBudget>> {
    let mut statement = connection.prepare_cached(
        "SELECT ended_at, before, amount, currency FROM budget_push WHERE customer = ?1 AND outcome = 'written' AND ended_at IS NOT NULL
         ORDER BY at DESC LIMIT 1",
    )?;
    let written = |row: &Row<'_>| {
        Ok(WrittenBudget {
            at: column::instant(row, "ended_at")?,
            before: column::decimal_if_any(row, "before")?,
            amount: column::decimal(row, "amount")?,
            currency: currency(row)?,
        })
    };
    statement.query_row([customer.as_str()], written).optional()
}

fn currency(row: &Row<'_>) -> sql::Result<Currency> {
    column::read(row, "currency", |text| Currency::try_new(text).ok())
}

fn push(row: &Row<'_>) -> sql::Result<BudgetPush> {
    Ok(BudgetPush {
        request_id: column::id(row, "request_id")?,
        correlation_id: column::id(row, "correlation_id")?,
        author: row.get("author")?,
        at: column::instant(row, "at")?,
        customer: CustomerKey::of(row.get_ref("customer")?.as_str()?),
        before: column::decimal_if_any(row, "before")?,
        amount: column::decimal(row, "amount")?,
        currency: currency(row)?,
    })
}

/// Forgets changes that were ordered before an instant.
pub(in crate::ledger) fn forget(connection: &Connection, keep_from: Timestamp) -> sql::Result<()> {
    connection
        .prepare_cached("DELETE FROM budget_push WHERE at < ?1")?
        .execute([Instant(keep_from)])
        .map(drop)
}
