//! What a report is made of that listings do not tell: open alerts by severity, the cost history of
//! each customer's cost; and which occasion was reported last.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::alerting::{CustomerState, NewMessage};
use crate::domain::{BillingPeriod, OpenAlerts, Plan, Severity};
use crate::ledger::column::{self, Instant};
use crate::ledger::listing::{Closing, CostHistory};
use crate::ledger::sql::{self, Connection, Optional, params};
use crate::ledger::table::{customers, deliveries};

/// The occasion that was reported last, or from which on reports are sent.
pub(in crate::ledger) fn reported(connection: &Connection) -> sql::Result<Option<Timestamp>> {
    connection
        .prepare_cached("SELECT reported_at FROM file")?
        .query_row((), |row| column::instant_if_any(row, 0))
}

/// Records that an occasion is reported, with what is owed for it, unless another one than `before`
/// was recorded meanwhile; returns whether it was.
pub(in crate::ledger) fn record(
    connection: &Connection,
    before: Option<Timestamp>,
    occasion: Timestamp,
    messages: &[NewMessage],
    now: Timestamp,
) -> sql::Result<bool> {
    let changed = connection
        .prepare_cached(
            "UPDATE file SET reported_at = ?2 WHERE reported_at IS NOT DISTINCT FROM ?1",
        )?
        .execute(params![before.map(Instant), Instant(occasion)])?;
    if changed > 0 {
        messages.iter().try_for_each(|message| deliveries::owe(connection, message, now))?;
    }
    Ok(changed > 0)
}

/// The alerts that are not over, by severity: of one rule about one customer in one billing period
/// the highest, which says the others too.
pub(in crate::ledger) fn open_alerts(connection: &Connection) -> sql::Result<OpenAlerts> {
    let mut statement = connection.prepare_cached(
        "SELECT severity, count(*) AS alerts, count(*) FILTER (WHERE acked_at IS NULL) AS unknown FROM alert WHERE seq IN (
             SELECT max(seq) FROM alert WHERE state = 'raised' GROUP BY customer, subscription, rule, period_end, security
         ) GROUP BY severity",
    )?;
    let mut open = OpenAlerts::default();
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let alerts = column::count(&row, "alerts")?;
        match column::read(&row, "severity", Severity::from_name)? {
            Severity::Critical => {
                (open.critical, open.critical_unacknowledged) =
                    (alerts, column::count(&row, "unknown")?);
            }
            Severity::Warning => open.warning = alerts,
            Severity::Info => open.info = alerts,
        }
    }
    Ok(open)
}

/// The cost history of every customer's cost that had a record in the last good poll, one after
/// another, to `visit`: what it was `span` of the data's time before, and at the end of the two
/// billing periods before this one.
pub(in crate::ledger) fn each_cost_history(
    connection: &Connection,
    span: SignedDuration,
    mut visit: impl FnMut(CostHistory),
) -> sql::Result<()> {
    customers::each_present_row(connection, |row, seen| {
        let then = seen.usage_as_of.instant().saturating_sub(span).unwrap_or(Timestamp::MIN);
        let before = cost_at(connection, row, then)?;
        let closings = closings(connection, row, &seen)?;
        visit(CostHistory { seen, before, closings });
        Ok(())
    })
}

/// The latest data dated at or before an instant: its date and cost.
fn cost_at(
    connection: &Connection,
    customer: i64,
    at: Timestamp,
) -> sql::Result<Option<(Timestamp, Decimal)>> {
    connection
        .prepare_cached(
            "SELECT usage_as_of, cost FROM sample WHERE customer = ?1 AND usage_as_of <= ?2 ORDER \
                BY usage_as_of DESC, seen_at DESC LIMIT 1",
        )?
        .query_row(params![customer, Instant(at)], |row| {
            Ok((column::instant(row, "usage_as_of")?, column::decimal(row, "cost")?))
        })
        .optional()
}

/// How the two billing periods before this one ended, the latest first, as far as history goes;
/// nothing for a customer that is not over its budget.
fn closings(
    connection: &Connection,
    customer: i64,
    seen: &CustomerState,
) -> sql::Result<Vec<Closing>> {
    if seen.budget.is_none_or(|budget| seen.cost <= budget) {
        return Ok(Vec::new());
    }
    let mut closings = Vec::new();
    let mut period = seen.period;
    while closings.len() < 2
        && let Some(before) = period_before(&period, seen)
        && let Some(closing) = closing(connection, customer, &before)?
    {
        closings.push(closing);
        period = before;
    }
    Ok(closings)
}

fn closing(
    connection: &Connection,
    customer: i64,
    period: &BillingPeriod,
) -> sql::Result<Option<Closing>> {
    connection
        .prepare_cached(
            "SELECT cost, partner_center_budget FROM sample WHERE customer = ?1 AND usage_as_of >= ?2 AND usage_as_of < ?3
             AND carried_over = 0 ORDER BY usage_as_of DESC, seen_at DESC LIMIT 1",
        )?
        .query_row(params![customer, Instant(period.start), Instant(period.end)], |row| {
            Ok(Closing {
                cost: column::decimal(row, "cost")?,
                partner_center_budget: column::decimal_if_any(row, "partner_center_budget")?,
            })
        })
        .optional()
}

/// The period before this one; none for a legacy customer whose cycle nobody has named.
fn period_before(period: &BillingPeriod, seen: &CustomerState) -> Option<BillingPeriod> {
    let last = period.start.checked_sub(SignedDuration::from_nanos(1)).ok()?;
    match seen.plan {
        Plan::AzurePlan => Some(BillingPeriod::calendar_month(last, period.source)),
        Plan::Legacy => seen.named.holding(last),
    }
}
