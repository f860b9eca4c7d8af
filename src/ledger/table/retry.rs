//! Owes again what was given up, to the same notifier or to another one.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::ledger::column;
use crate::ledger::entry::{RetryFilter, RetryTo};
use crate::ledger::sql::{self, Connection, named_params, params};
use crate::ledger::table::chain::{self, EventKind};
use crate::ledger::table::{deliveries, deliveries::NewDelivery, recipients, standins};

/// A delivery that was given up.
struct Dead {
    row: i64,
    id: Uuid,
    message: i64,
    notifier: String,
    recipient: Option<String>,
    severity: i64,
}

/// Owes the chosen deliveries again; returns how many are owed by it.
pub(in crate::ledger) fn revive(
    connection: &Connection,
    filter: &RetryFilter,
    to: Option<&RetryTo>,
    now: Timestamp,
) -> sql::Result<usize> {
    let dead = chosen(connection, filter)?;
    match to {
        None => dead
            .iter()
            .map(|dead| owe_again(connection, dead, &dead.notifier, dead.recipient.as_deref()))
            .sum(),
        Some(to) => dead
            .chunk_by(|a, b| a.message == b.message)
            .map(|dead| move_to(connection, dead, to, now))
            .sum(),
    }
}

/// The chosen ones, those of one message together.
fn chosen(connection: &Connection, filter: &RetryFilter) -> sql::Result<Vec<Dead>> {
    let ids: HashSet<Uuid> = filter.ids.iter().copied().collect();
    let mut statement = connection.prepare_cached(
        "SELECT seq, id, message, notifier, recipient, severity FROM delivery
         WHERE state = 'dead' AND NOT held AND (CAST(?1 AS TEXT) IS NULL OR notifier = ?1) ORDER BY message, seq",
    )?;
    let rows = statement.query_map(params![filter.notifier], |row| {
        let dead = Dead {
            row: row.get("seq")?,
            id: column::id(row, "id")?,
            message: row.get("message")?,
            notifier: row.get("notifier")?,
            recipient: row.get("recipient")?,
            severity: row.get("severity")?,
        };
        Ok(dead)
    })?;
    let is_chosen = |dead: &Dead| ids.is_empty() || ids.contains(&dead.id);
    rows.filter(|row| row.as_ref().map_or(true, is_chosen)).collect()
}

fn owe_again(
    connection: &Connection,
    dead: &Dead,
    notifier: &str,
    recipient: Option<&str>,
) -> sql::Result<usize> {
    let (probes, possible) = recipients::share(connection, notifier, recipient)?;
    connection
        .prepare_cached(
            "UPDATE delivery SET state = 'pending', ended_at = NULL, notifier = :notifier, recipient = :recipient,
             probes_then = :probes, possible_then = :possible WHERE seq = :row",
        )?
        .execute(named_params! {
            ":row": dead.row,
            ":notifier": notifier,
            ":recipient": recipient,
            ":probes": probes,
            ":possible": possible,
        })
}

/// Owes one message to the recipients of another notifier, those apart who have had it or are owed
/// it. The deliveries given up become theirs with their attempts; what is more than one for each
/// recipient joins the first. The end of an alert stays given up where it could end another one's
/// incident.
fn move_to(
    connection: &Connection,
    dead: &[Dead],
    to: &RetryTo,
    now: Timestamp,
) -> sql::Result<usize> {
    let Some(first) = dead.first() else { return Ok(0) };
    if to.has_incidents && standins::is_end(connection, first.message)? {
        return Ok(0);
    }
    let served = served(connection, dead, to)?;
    let mut recipients = to.recipients.each();
    recipients.retain(|recipient| !served.contains(recipient.unwrap_or_default()));
    if recipients.is_empty() {
        return Ok(0);
    }
    for surplus in dead.get(recipients.len()..).unwrap_or_default() {
        join(connection, (surplus.row, surplus.id), (first.row, first.id), now)?;
    }
    // Out of each other's way first: a recipient may change places with another.
    let kept = dead.get(..recipients.len()).unwrap_or(dead);
    for dead in kept {
        connection
            .prepare_cached("UPDATE delivery SET recipient = 'moving ' || seq WHERE seq = ?1")?
            .execute([dead.row])?;
    }
    for (dead, recipient) in kept.iter().zip(&recipients) {
        owe_again(connection, dead, &to.notifier, *recipient)?;
    }
    for recipient in recipients.get(kept.len()..).unwrap_or_default() {
        let (message, severity) = (first.message, first.severity);
        let new = NewDelivery {
            message,
            notifier: &to.notifier,
            recipient: *recipient,
            severity,
            stands_in_for: None,
            held: false,
        };
        deliveries::add(connection, &new, now)?;
    }
    Ok(recipients.len())
}

/// Hands the attempts of one delivery to another, and takes it out with what it handed over.
fn join(
    connection: &Connection,
    (surplus, joined): (i64, Uuid),
    (kept, into): (i64, Uuid),
    now: Timestamp,
) -> sql::Result<()> {
    let content = json!({ "order": "deliveries retry", "joined": joined, "into": into });
    chain::add(connection, EventKind::Order, &joined.to_string(), now, &content)?;
    connection
        .prepare_cached("UPDATE attempt SET delivery = ?2 WHERE delivery = ?1")?
        .execute([surplus, kept])?;
    connection
        .prepare_cached(
            "UPDATE delivery SET attempts = attempts + (SELECT attempts FROM delivery \
            WHERE seq = ?1) WHERE seq = ?2",
        )?
        .execute([surplus, kept])?;
    for sql in
        ["DELETE FROM sent_message WHERE delivery = ?1", "DELETE FROM delivery WHERE seq = ?1"]
    {
        connection.prepare_cached(sql)?.execute([surplus])?;
    }
    Ok(())
}

/// Recipients of `to` who have a delivery of the same message that is not to be moved.
fn served(connection: &Connection, dead: &[Dead], to: &RetryTo) -> sql::Result<HashSet<String>> {
    let Some(first) = dead.first() else { return Ok(HashSet::new()) };
    let mut statement = connection.prepare_cached(
        "SELECT seq, coalesce(recipient, '') FROM delivery WHERE message = ?1 AND notifier = ?2",
    )?;
    let rows = statement.query_map(params![first.message, to.notifier], |row| {
        Ok((row.get::<_, i64>(0)?, row.get(1)?))
    })?;
    let rows = rows.filter(|row| {
        row.as_ref().map_or(true, |(seq, _)| dead.iter().all(|dead| dead.row != *seq))
    });
    rows.map(|row| row.map(|(_, recipient)| recipient)).collect()
}
