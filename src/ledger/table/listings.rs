//! Alerts and deliveries for listings, newest first.

use uuid::Uuid;

use crate::domain::{Alert, AlertState, CustomerKey, DeliveryState, MessageKind, Severity};
use crate::ledger::column::{self, Id, Instant};
use crate::ledger::entry::AlertRows;
use crate::ledger::listing::{
    AlertFilter, AlertRow, AttemptRow, DeliveryFilter, DeliveryRow, DeliverySummary,
};
use crate::ledger::sql::{self, Conditions, Connection, Optional, Row, params};
use crate::ledger::table::{alerts, spikes};

/// That an alert is of a customer, or of one of its subscriptions.
const OF_CUSTOMER: &str = "customer IN (
    SELECT id FROM customer WHERE key = :customer OR (key > :customer || '\u{1f}' AND key < :customer || ' '))";

/// The alerts that a filter chooses.
pub(in crate::ledger) fn alerts(
    connection: &Connection,
    filter: &AlertFilter,
) -> sql::Result<Vec<AlertRow>> {
    let Ok(before) = row_of(connection, "SELECT seq FROM alert WHERE id = ?1", filter.before)?
    else {
        return Ok(Vec::new());
    };
    let chosen = Conditions::default()
        .on(":since", filter.since.map(Instant), "raised_at >= :since")
        .on(":until", filter.until.map(Instant), "raised_at < :until")
        .is("state", filter.state.map(AlertState::as_str))
        .is("severity", filter.severity.map(Severity::as_str))
        .also(
            filter
                .acknowledged
                .map(|known| if known { "acked_at IS NOT NULL" } else { "acked_at IS NULL" }),
        )
        .on(":before", before, "seq < :before")
        .on(":customer", filter.customer.as_ref().map(CustomerKey::as_str), OF_CUSTOMER);
    let (narrowed, limit) = (chosen.sql(), limit(filter.limit));
    // Of all customers, few may be found among very many: their snapshots are not read for that.
    let found = if filter.customer.is_some() {
        narrowed
    } else {
        format!(
            "seq IN (SELECT seq FROM alert INDEXED BY alert_listed
                 WHERE {narrowed} ORDER BY seq DESC {limit})"
        )
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, snapshot, state, rule, acked_at, acked_by, acked_note FROM alert
         WHERE {found} ORDER BY seq DESC {limit}"
    ))?;
    let rows = statement.query_map(&chosen, |row| alert(connection, row))?;
    rows.collect()
}

/// The row that a listing goes on before; none where it begins with the newest, an error where
/// there is no such row any more.
fn row_of(
    connection: &Connection,
    sql: &str,
    before: Option<Uuid>,
) -> sql::Result<Result<Option<i64>, Gone>> {
    let Some(before) = before else { return Ok(Ok(None)) };
    let row = connection.prepare_cached(sql)?.query_row([Id(before)], |row| row.get(0)).optional();
    Ok(row?.map(Some).ok_or(Gone))
}

/// The first of the rows that are found, where not all are wanted.
fn limit(most: Option<u32>) -> String {
    most.map(|most| format!("LIMIT {most}")).unwrap_or_default()
}

/// A row that was deleted since.
struct Gone;

/// The first of some alerts, no more than `limit`, each with its row.
pub(in crate::ledger) fn raised(
    connection: &Connection,
    rows: AlertRows,
    limit: u32,
) -> sql::Result<Vec<(i64, Alert)>> {
    let sql =
        "SELECT seq, snapshot, state FROM alert WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let read = statement.query_map(params![rows.after, rows.to, limit], |row| {
        Ok((row.get("seq")?, alerts::snapshot(row)?.alert))
    })?;
    read.collect()
}

/// One alert.
pub(in crate::ledger) fn one(connection: &Connection, id: Uuid) -> sql::Result<Option<AlertRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, snapshot, state, rule, acked_at, acked_by, acked_note FROM alert WHERE id = ?1",
    )?;
    statement.query_row([Id(id)], |row| alert(connection, row)).optional()
}

fn alert(connection: &Connection, row: &Row<'_>) -> sql::Result<AlertRow> {
    let snapshot = alerts::snapshot(row)?;
    let marked = spikes::note_of(connection, &snapshot.alert, row.get_ref("rule")?.as_str()?)?;
    Ok(AlertRow {
        snapshot,
        marked,
        note: row.get("acked_note")?,
        deliveries: summaries(connection, column::id(row, "id")?)?,
        acknowledged: column::instant_if_any(row, "acked_at")?.zip(row.get("acked_by")?),
    })
}

fn summaries(connection: &Connection, alert: Uuid) -> sql::Result<Vec<DeliverySummary>> {
    let mut statement = connection.prepare_cached(
        "SELECT notifier, count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'sent') AS sent,
         count(*) FILTER (WHERE state = 'dead') AS dead
         FROM message_alert JOIN delivery ON delivery.message = message_alert.message
         WHERE alert = ?1 GROUP BY notifier ORDER BY notifier",
    )?;
    let rows = statement.query_map([Id(alert)], |row| {
        Ok(DeliverySummary {
            notifier: row.get("notifier")?,
            pending: column::count(row, "pending")?,
            sent: column::count(row, "sent")?,
            dead: column::count(row, "dead")?,
        })
    })?;
    rows.collect()
}

/// The deliveries that somebody may mean by the first digits of an id of their own, or of their
/// messages; no more than `most`, oldest first.
pub(in crate::ledger) fn find_deliveries(
    connection: &Connection,
    digits: &str,
    most: u32,
) -> sql::Result<Vec<DeliveryRow>> {
    let id = |filler: &str| {
        let rest = filler.repeat(32_usize.saturating_sub(digits.len()));
        Uuid::try_parse(&format!("{digits}{rest}")).ok().map(Id)
    };
    let (Some(first), Some(last)) = (id("0"), id("f")) else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(&format!(
        "{DELIVERY} WHERE delivery.id BETWEEN ?1 AND ?2
         OR message IN (SELECT id FROM message WHERE identity BETWEEN ?1 AND ?2) ORDER BY seq LIMIT ?3"
    ))?;
    let rows = statement.query_map(params![first, last, most], |row| delivery(connection, row))?;
    rows.collect()
}

/// The columns of a delivery in a listing.
const DELIVERY: &str = "SELECT delivery.id AS id, message, identity, notifier, recipient, stands_in_for, kind, state, held, created_at,
         ended_at, attempts, last_detail, CASE WHEN state = 'pending' AND NOT held THEN (SELECT next_probe_at FROM recipient AS own
             WHERE own.notifier = delivery.notifier AND own.recipient = delivery.recipient AND own.failures > 0) END AS deferred_until
     FROM delivery JOIN message ON message.id = delivery.message";

/// The deliveries that a filter chooses.
pub(in crate::ledger) fn deliveries(
    connection: &Connection,
    filter: &DeliveryFilter,
) -> sql::Result<Vec<DeliveryRow>> {
    let Ok(before) = row_of(connection, "SELECT seq FROM delivery WHERE id = ?1", filter.before)?
    else {
        return Ok(Vec::new());
    };
    let of_customer = format!(
        "message IN (SELECT message_alert.message FROM alert
             JOIN message_alert ON message_alert.alert = alert.id WHERE {OF_CUSTOMER})"
    );
    let chosen = Conditions::default()
        .on(":since", filter.since.map(Instant), "created_at >= :since")
        .on(":until", filter.until.map(Instant), "created_at < :until")
        .is("state", filter.state.map(DeliveryState::as_str))
        .also(filter.held.then_some("held"))
        .on(":notifier", filter.notifier.as_deref(), "notifier = :notifier")
        .on(":before", before, "seq < :before")
        .on(":customer", filter.customer.as_ref().map(CustomerKey::as_str), &of_customer);
    let mut statement = connection.prepare_cached(&format!(
        "{DELIVERY} WHERE {} ORDER BY seq DESC {}",
        chosen.sql(),
        limit(filter.limit),
    ))?;
    let rows = statement.query_map(&chosen, |row| delivery(connection, row))?;
    rows.collect()
}

fn delivery(connection: &Connection, row: &Row<'_>) -> sql::Result<DeliveryRow> {
    let mut members = connection
        .prepare_cached("SELECT alert FROM message_alert WHERE message = ?1 ORDER BY position")?;
    let alerts = members
        .query_map([row.get::<_, i64>("message")?], |row| column::id(row, 0))?
        .collect::<sql::Result<_>>()?;
    Ok(DeliveryRow {
        id: column::id(row, "id")?,
        identity: column::id(row, "identity")?,
        alerts,
        notifier: row.get("notifier")?,
        recipient: row.get("recipient")?,
        fallback_for: row.get("stands_in_for")?,
        kind: column::read(row, "kind", MessageKind::from_name)?,
        state: column::read(row, "state", DeliveryState::from_name)?,
        held: row.get("held")?,
        created_at: column::instant(row, "created_at")?,
        ended_at: column::instant_if_any(row, "ended_at")?,
        attempts: column::count(row, "attempts")?,
        last_detail: row.get("last_detail")?,
        deferred_until: column::instant_if_any(row, "deferred_until")?,
    })
}

/// The attempts of a delivery, in their order.
pub(in crate::ledger) fn attempts(
    connection: &Connection,
    delivery: Uuid,
) -> sql::Result<Vec<AttemptRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT at, outcome, detail FROM attempt JOIN delivery ON delivery.seq = attempt.delivery \
            WHERE delivery.id = ?1 ORDER BY attempt.id",
    )?;
    let rows = statement.query_map([Id(delivery)], |row| {
        Ok(AttemptRow {
            at: column::instant(row, "at")?,
            outcome: row.get("outcome")?,
            detail: row.get("detail")?,
        })
    })?;
    rows.collect()
}
