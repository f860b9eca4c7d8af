//! Changes of budgets in Partner Center: what was ordered, and what came of it.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::domain::{Currency, CustomerKey, PushOutcome, WrittenBudget};
use crate::ledger::column::{self, Exact, Id, Instant};
use crate::ledger::entry::{BudgetPush, PushTry};
use crate::ledger::sql::{self, Connection, Optional, Row, named_params, params};

/// How long a process that asks for a change is taken to be at it, after its last try.
const AT_IT: SignedDuration = SignedDuration::from_mins(10);

/// Notes a try of a change before it is made, unless another process is at the same customer's
/// budget or has been meanwhile: then nothing is noted, and its change returned. In a transaction
/// that no other host can share.
pub(in crate::ledger) fn begin(
    connection: &Connection,
    push: &BudgetPush,
    attempt: &PushTry,
    holder: Option<Uuid>,
) -> sql::Result<Option<BudgetPush>> {
    if let Some(other) = in_the_way(connection, push, attempt, holder)? {
        return Ok(Some(other));
    }
    connection
        .prepare_cached(
            "INSERT INTO budget_push (request_id, author, at, holder, tried_at, customer, before, amount, currency)
             VALUES (:request_id, :author, :at, :holder, :tried_at, :customer, :before, :amount, :currency)
             ON CONFLICT (request_id) DO UPDATE SET holder = excluded.holder, tried_at = excluded.tried_at",
        )?
        .execute(named_params! {
            ":request_id": Id(push.request_id),
            ":author": push.author,
            ":at": Instant(push.at),
            ":holder": holder.map(Id),
            ":tried_at": Instant(attempt.at),
            ":customer": push.customer.as_str(),
            ":before": push.before.map(Exact),
            ":amount": Exact(push.amount),
            ":currency": push.currency.as_str(),
        })?;
    connection
        .prepare_cached("INSERT INTO budget_push_try (correlation_id, request_id) VALUES (?1, ?2)")?
        .execute(params![Id(attempt.correlation_id), Id(push.request_id)])?;
    Ok(None)
}

/// A change that was not known when Partner Center was read, or that another process is still at; or
/// this one itself, likewise, or where it is settled by now.
fn in_the_way(
    connection: &Connection,
    own: &BudgetPush,
    attempt: &PushTry,
    holder: Option<Uuid>,
) -> sql::Result<Option<BudgetPush>> {
    let mut statement =
        connection.prepare_cached("SELECT * FROM budget_push WHERE customer = ?1 ORDER BY at")?;
    let all = statement.query_map([own.customer.as_str()], |row| {
        let other: Option<Id> = row.get("holder")?;
        let idle = attempt.at.duration_since(column::instant(row, "tried_at")?).abs();
        let is_at_it = other.map(|Id(other)| other) != holder && idle < AT_IT;
        Ok((push(row)?, is_at_it))
    })?;
    for found in all {
        let (other, is_at_it) = found?;
        let blocks = if other.request_id == own.request_id {
            other.outcome.is_some() || is_at_it
        } else {
            !attempt.known.contains(&other.request_id) || (other.outcome.is_none() && is_at_it)
        };
        if blocks {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

/// Notes what came of a change; returns whether that was not known before. What becomes of one that
/// another process is still at is left to that.
pub(in crate::ledger) fn end(
    connection: &Connection,
    request_id: Uuid,
    (outcome, words): (PushOutcome, &str),
    holder: Option<Uuid>,
    now: Timestamp,
) -> sql::Result<bool> {
    let idle_since = now.saturating_sub(AT_IT).unwrap_or(Timestamp::MIN);
    let ended = connection
        .prepare_cached(
            "UPDATE budget_push SET outcome = ?2, words = ?3, ended_at = ?4 WHERE request_id = ?1 AND outcome IS NULL
             AND (holder IS NOT DISTINCT FROM ?5 OR tried_at <= ?6)",
        )?
        .execute(params![
            Id(request_id),
            outcome.as_str(),
            words,
            Instant(now),
            holder.map(Id),
            Instant(idle_since)
        ])?;
    Ok(ended > 0)
}

/// All changes, oldest first.
pub(in crate::ledger) fn all(connection: &Connection) -> sql::Result<Vec<BudgetPush>> {
    connection
        .prepare_cached("SELECT * FROM budget_push ORDER BY at")?
        .query_map((), push)?
        .collect()
}

/// The `MS-RequestId`s and `MS-CorrelationId`s of all changes of a customer's budget.
pub(in crate::ledger) fn ids(
    connection: &Connection,
    customer: &CustomerKey,
) -> sql::Result<HashSet<Uuid>> {
    let mut statement = connection.prepare_cached(
        "SELECT budget_push.request_id, correlation_id FROM budget_push
         JOIN budget_push_try ON budget_push_try.request_id = budget_push.request_id WHERE customer = ?1",
    )?;
    let both = statement.query_map([customer.as_str()], |row| {
        Ok([column::id(row, 0)?, column::id(row, "correlation_id")?])
    })?;
    let both: Vec<[Uuid; 2]> = both.collect::<sql::Result<_>>()?;
    Ok(both.into_iter().flatten().collect())
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
    let outcome = row.get::<_, Option<String>>("outcome")?;
    Ok(BudgetPush {
        request_id: column::id(row, "request_id")?,
        author: row.get("author")?,
        at: column::instant(row, "at")?,
        customer: CustomerKey::of(row.get_ref("customer")?.as_str()?),
        before: column::decimal_if_any(row, "before")?,
        amount: column::decimal(row, "amount")?,
        currency: currency(row)?,
        outcome: outcome.and_then(|outcome| outcome.parse().ok()),
    })
}

/// Forgets changes that were ordered before an instant.
pub(in crate::ledger) fn forget(connection: &Connection, keep_from: Timestamp) -> sql::Result<()> {
    let tries = "DELETE FROM budget_push_try WHERE request_id IN (SELECT request_id FROM budget_push WHERE at < ?1)";
    connection.prepare_cached(tries)?.execute([Instant(keep_from)])?;
    connection
        .prepare_cached("DELETE FROM budget_push WHERE at < ?1")?
        .execute([Instant(keep_from)])
        .map(drop)
}
