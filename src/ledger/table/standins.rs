//! Deliveries that stand in for those a notifier does not make: the same message to another
//! notifier, marked so, unless that one tells the same anyway.

use jiff::Timestamp;

use crate::alerting::identity;
use crate::domain::{MessageKind, Route, latest};
use crate::ledger::column::{self, Id, Instant};
use crate::ledger::sql::{self, Connection, Row, named_params, params};
use crate::ledger::table::deliveries::{self, NewDelivery};

/// A delivery without anybody who stands in for it.
pub(in crate::ledger) struct Unaided {
    row: i64,
    message: i64,
    severity: i64,
}

/// What a notifier owes without anybody who stands in, by when it was recorded.
const OWED: &str = "FROM delivery WHERE notifier = ?1 AND state = 'pending' AND aided = 0 AND NOT held
    AND (?3 OR EXISTS (SELECT 1 FROM recipient AS own WHERE own.notifier = ?1 AND own.recipient = delivery.recipient AND own.failures > 0))";

/// What a notifier has given up, and what it owes since before `overdue` or, by a clock that was
/// ahead, since the future, where nobody stands in yet; and when the oldest of the rest was
/// recorded. Where not `all` are owed for long, only what is owed to recipients that are deferred.
pub(in crate::ledger) fn unaided(
    connection: &Connection,
    notifier: &str,
    overdue: Option<Timestamp>,
    all: bool,
    now: Timestamp,
) -> sql::Result<(Vec<Unaided>, Option<Timestamp>)> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, message, severity FROM delivery WHERE notifier = ?1 AND state \
            = 'dead' AND aided = 0 AND NOT held",
    )?;
    let mut found = statement.query_map([notifier], read)?.collect::<sql::Result<Vec<_>>>()?;
    let Some(overdue) = overdue else { return Ok((found, None)) };
    let (overdue, latest) = (Instant(overdue), Instant(latest(now)));
    let mut statement = connection.prepare_cached(&format!(
        "SELECT seq, message, severity {OWED} AND (created_at <= ?2 OR created_at > ?4)"
    ))?;
    found.extend(
        statement
            .query_map(params![notifier, overdue, all, latest], read)?
            .collect::<sql::Result<Vec<_>>>()?,
    );
    let mut statement = connection.prepare_cached(&format!(
        "SELECT min(created_at) AS next {OWED} AND created_at > ?2 AND created_at <= ?4"
    ))?;
    let next = statement.query_row(params![notifier, overdue, all, latest], |row| {
        column::instant_if_any(row, "next")
    })?;
    found.sort_by_key(|unaided| unaided.row);
    Ok((found, next))
}

fn read(row: &Row<'_>) -> sql::Result<Unaided> {
    Ok(Unaided {
        row: row.get("seq")?,
        message: row.get("message")?,
        severity: row.get("severity")?,
    })
}

/// Owes the messages of these deliveries to other notifiers too; returns how many deliveries are
/// owed by it.
pub(in crate::ledger) fn fall_back(
    connection: &Connection,
    notifier: &str,
    unaided: &[Unaided],
    to: &[Route],
    now: Timestamp,
) -> sql::Result<usize> {
    let mut owed = 0;
    for delivery in unaided {
        for route in to {
            let open = route.has_incidents() && is_end(connection, delivery.message)?;
            if !open && !tells_anyway(connection, delivery.message, &route.notifier)? {
                for message in fitting(connection, delivery.message, route)? {
                    owed += owe(connection, message, delivery.severity, notifier, route, now)?;
                }
            }
        }
        connection
            .prepare_cached("UPDATE delivery SET aided = 1 WHERE seq = ?1")?
            .execute([delivery.row])?;
    }
    Ok(owed)
}

/// Whether a message says that alerts are over. Who keeps incidents is told the end of one that it
/// was told of by a message of its own; the end of another alert must not close it.
pub(in crate::ledger) fn is_end(connection: &Connection, message: i64) -> sql::Result<bool> {
    connection
        .prepare_cached("SELECT kind = ?2 FROM message WHERE id = ?1")?
        .query_row(params![message, MessageKind::Resolved.as_str()], |row| row.get(0))
}

fn owe(
    connection: &Connection,
    message: i64,
    severity: i64,
    notifier: &str,
    route: &Route,
    now: Timestamp,
) -> sql::Result<usize> {
    for recipient in route.recipients.each() {
        let new = NewDelivery {
            message,
            notifier: &route.notifier,
            recipient,
            severity,
            stands_in_for: Some(notifier),
            held: false,
        };
        deliveries::add(connection, &new, now)?;
    }
    Ok(route.recipients.count())
}

/// That a notifier has a message of the same kind about the alert `own` of `message`; of reminders,
/// this one or a later one.
const IS_TOLD: &str = "EXISTS (
    SELECT 1 FROM message_alert AS same JOIN message AS other ON other.id = same.message
    JOIN delivery ON delivery.message = other.id
    WHERE same.alert = own.alert AND notifier = :notifier AND delivery.state <> 'dead'
    AND (message.kind <> :reminder OR other.id >= message.id)
    AND (other.kind = message.kind OR (other.kind IN (:raised, :digest) AND message.kind IN (:raised, :digest))))";

/// Whether a notifier has the message already, or one of the same kind about each of its alerts, or
/// the same news; what it has given up counts for nothing. All in steps through indexes: there may
/// be very many deliveries.
fn tells_anyway(connection: &Connection, message: i64, notifier: &str) -> sql::Result<bool> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT EXISTS (SELECT 1 FROM delivery WHERE message = :message AND notifier = :notifier)
         OR EXISTS (SELECT 1 FROM message AS own CROSS JOIN message AS other ON other.operator = own.operator AND other.kind = own.kind
             CROSS JOIN delivery ON delivery.message = other.id AND notifier = :notifier AND delivery.state <> 'dead'
             WHERE own.id = :message AND own.operator IS NOT NULL AND other.operator IS NOT NULL)
         OR EXISTS (SELECT 1 FROM message AS own CROSS JOIN message AS other ON other.report = own.report
             CROSS JOIN delivery ON delivery.message = other.id AND notifier = :notifier AND delivery.state <> 'dead'
             WHERE own.id = :message AND own.report IS NOT NULL)
         OR (EXISTS (SELECT 1 FROM message_alert WHERE message = :message) AND NOT EXISTS (
             SELECT 1 FROM message_alert AS own JOIN message ON message.id = own.message WHERE own.message = :message AND NOT {IS_TOLD}))"
    ))?;
    statement.query_row(
        named_params! {
            ":message": message,
            ":notifier": notifier,
            ":raised": MessageKind::Raised.as_str(),
            ":digest": MessageKind::Digest.as_str(),
            ":reminder": MessageKind::Reminder.as_str(),
        },
        |row| row.get(0),
    )
}

/// The message, or where it holds more alerts than fit into one of that notifier, parts of it as
/// messages of their own; of what is told of one customer only what the notifier is not told
/// anyway.
fn fitting(connection: &Connection, message: i64, route: &Route) -> sql::Result<Vec<i64>> {
    let most = usize::try_from(route.digest_part.max(1)).unwrap_or(usize::MAX);
    let members: usize = connection
        .prepare_cached("SELECT count(*) FROM message_alert WHERE message = ?1")?
        .query_row([message], |row| column::count(row, 0))?
        .try_into()
        .unwrap_or(usize::MAX);
    let untold = untold(connection, message, &route.notifier)?;
    if untold.len() == members && members <= most {
        return Ok(vec![message]);
    }
    let chunks: Vec<&[i64]> = untold.chunks(most).collect();
    let parts = i64::try_from(chunks.len()).unwrap_or(i64::MAX);
    let split = |(part, positions): (i64, &&[i64])| {
        split(connection, message, &route.notifier, (part, parts), positions)
    };
    (0..).zip(&chunks).map(split).collect()
}

/// The places in a message of the alerts that a notifier is to be told; all of a digest.
fn untold(connection: &Connection, message: i64, notifier: &str) -> sql::Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT position FROM message_alert AS own JOIN message ON message.id = own.message
         WHERE own.message = :message AND (message.parts > 0 OR NOT {IS_TOLD}) ORDER BY position"
    ))?;
    let positions = statement.query_map(
        named_params! {
            ":message": message,
            ":notifier": notifier,
            ":raised": MessageKind::Raised.as_str(),
            ":digest": MessageKind::Digest.as_str(),
            ":reminder": MessageKind::Reminder.as_str(),
        },
        |row| row.get(0),
    )?;
    positions.collect()
}

/// Some alerts of a message as a message of their own: a part, counted from 0, of so many, or all
/// that is left to tell of one customer.
fn split(
    connection: &Connection,
    message: i64,
    notifier: &str,
    (part, parts): (i64, i64),
    positions: &[i64],
) -> sql::Result<i64> {
    let whole = connection
        .prepare_cached("SELECT identity FROM message WHERE id = ?1")?
        .query_row([message], |row| column::id(row, 0))?;
    let mut taken =
        connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM message WHERE identity = ?1)")?;
    let identity = identity::free(identity::of_part(whole, notifier, part), |id| {
        taken.query_row([Id(id)], |row| row.get(0))
    })?;
    let (number, of) = if parts > 1 { (part.saturating_add(1), parts) } else { (0, 0) };
    let new: i64 = connection
        .prepare_cached(
            "INSERT INTO message (identity, kind, part, parts, total, criticals, baseline, operator, audience, report, totals)
             SELECT ?2, kind, ?3, ?4, total, criticals, baseline, operator, audience, report, totals FROM message WHERE id = ?1 RETURNING id",
        )?
        .query_row(params![message, Id(identity), number, of], |row| row.get(0))?;
    let mut add = connection.prepare_cached(
        "INSERT INTO message_alert (message, position, alert, latest) SELECT ?2, position, alert, latest FROM message_alert
         WHERE message = ?1 AND position = ?3",
    )?;
    for position in positions {
        add.execute(params![message, new, position])?;
    }
    Ok(new)
}
