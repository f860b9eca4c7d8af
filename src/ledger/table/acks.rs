//! What people say of alerts: that they know of them, that a spike was to be expected, that it was
//! fraud. Each with its event in the chain.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::domain::Alert;
use crate::domain::spike::{RecordedSpike, SpikeNote};
use crate::ledger::column::{self, Id, Instant};
use crate::ledger::sql::{self, Connection, Optional, params};
use crate::ledger::table::chain::{self, EventKind};
use crate::ledger::table::{alerts, spikes};

/// Notes that somebody knows of an alert; returns whether nobody had said so before.
pub(in crate::ledger) fn acknowledge(
    connection: &Connection,
    alert: Uuid,
    by: &str,
    note: Option<&str>,
    now: Timestamp,
) -> sql::Result<bool> {
    let noted = connection
        .prepare_cached(
            "UPDATE alert SET acked_at = ?2, acked_by = ?3, acked_note = ?4 WHERE id = ?1 AND acked_at IS NULL",
        )?
        .execute(params![Id(alert), Instant(now), by, note])?;
    if noted > 0 {
        let content = json!({ "by": by, "taken_back": false, "note": note });
        chain::add(connection, EventKind::Acknowledgement, &alert.to_string(), now, &content)?;
    }
    Ok(noted > 0)
}

/// Takes back that somebody knows of an alert; returns whether somebody had said so.
pub(in crate::ledger) fn unacknowledge(
    connection: &Connection,
    alert: Uuid,
    by: Option<&str>,
    now: Timestamp,
) -> sql::Result<bool> {
    let sql = "UPDATE alert SET acked_at = NULL, acked_by = NULL, acked_note = NULL WHERE id = ?1 \
        AND acked_at IS NOT NULL";
    let taken_back = connection.prepare_cached(sql)?.execute([Id(alert)])? > 0;
    if taken_back {
        let content = json!({ "by": by.unwrap_or_default(), "taken_back": true });
        chain::add(connection, EventKind::Acknowledgement, &alert.to_string(), now, &content)?;
    }
    Ok(taken_back)
}

/// Notes what somebody says of the run of spikes that an alert is about.
pub(in crate::ledger) fn mark_run(
    connection: &Connection,
    alert: Uuid,
    note: &SpikeNote,
) -> sql::Result<()> {
    let Some((about, run)) = run_of(connection, alert)? else { return Ok(()) };
    let is_marked = |spike: &RecordedSpike| spike.note.as_ref() == Some(note);
    if run.iter().all(is_marked) {
        return Ok(());
    }
    spikes::mark(connection, &about.key(), &run, note)?;
    let content = json!({
        "order": format!("ack --{}", note.mark.as_str()),
        "by": note.by,
        "reason": note.reason,
        "until": note.until,
        "customer": about.key().as_str(),
        "rule": run.first().map(|spike| &spike.rule),
        "days": days(&run),
    });
    chain::add(connection, EventKind::Order, &alert.to_string(), note.at, &content)
}

/// Takes back what was said of the run of spikes that an alert is about, wherever else the same
/// order has marked days; returns whether anything was.
pub(in crate::ledger) fn unmark_run(
    connection: &Connection,
    alert: Uuid,
    by: Option<&str>,
    now: Timestamp,
) -> sql::Result<bool> {
    let Some((about, run)) = run_of(connection, alert)? else { return Ok(false) };
    let orders: Vec<SpikeNote> = run.iter().filter_map(|spike| spike.note.clone()).collect();
    if orders.is_empty() {
        return Ok(false);
    }
    spikes::unmark(connection, &about.key(), &orders)?;
    let content = json!({
        "order": "ack --undo",
        "by": by,
        "customer": about.key().as_str(),
        "rule": run.first().map(|spike| &spike.rule),
        "days": days(&run),
    });
    chain::add(connection, EventKind::Order, &alert.to_string(), now, &content)?;
    Ok(true)
}

fn days(run: &[RecordedSpike]) -> Vec<String> {
    run.iter().map(|spike| spike.day.to_string()).collect()
}

/// An alert, and the days of the run that it is about, oldest first; none of one that is about no
/// spike, or whose days are no longer remembered.
fn run_of(
    connection: &Connection,
    alert: Uuid,
) -> sql::Result<Option<(Alert, Vec<RecordedSpike>)>> {
    let found = connection
        .prepare_cached("SELECT snapshot, state, rule FROM alert WHERE id = ?1")?
        .query_row([Id(alert)], |row| {
            Ok((alerts::snapshot(row)?.alert, row.get::<_, String>("rule")?))
        })
        .optional()?;
    let Some((about, rule)) = found else { return Ok(None) };
    let run = spikes::run_of(connection, &about, &rule)?;
    Ok((!run.is_empty()).then_some((about, run)))
}

/// How many days are remembered of the run of spikes that an alert is about.
pub(in crate::ledger) fn run_length(connection: &Connection, alert: Uuid) -> sql::Result<usize> {
    Ok(run_of(connection, alert)?.map_or(0, |(_, run)| run.len()))
}

/// The alerts about the run of spikes that an alert is about, itself among them; none where the
/// days are no longer remembered.
pub(in crate::ledger) fn alerts_of_run(
    connection: &Connection,
    alert: Uuid,
) -> sql::Result<Vec<Uuid>> {
    let Some((about, run)) = run_of(connection, alert)? else { return Ok(Vec::new()) };
    let rule = run.first().map(|spike| &*spike.rule).unwrap_or_default();
    let mut statement = connection.prepare_cached(
        "SELECT id, snapshot, state FROM alert WHERE customer = (SELECT id FROM customer WHERE key = ?1) AND rule = ?2 ORDER BY seq",
    )?;
    let own = statement.query_map(params![about.key().as_str(), rule], |row| {
        let day = alerts::snapshot(row)?.alert.spike.map(|spike| spike.day);
        let is_of_run = run.iter().any(|spike| Some(spike.day) == day);
        Ok(is_of_run.then_some(column::id(row, "id")?))
    })?;
    let own: Vec<Option<Uuid>> = own.collect::<sql::Result<_>>()?;
    Ok(own.into_iter().flatten().collect())
}

/// The alerts that were told together with one, itself first: those of the same customer in any of
/// its messages.
pub(in crate::ledger) fn told_together(
    connection: &Connection,
    alert: Uuid,
) -> sql::Result<Vec<Uuid>> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM alert WHERE customer = (SELECT customer FROM alert WHERE id = ?1) AND id IN (
             SELECT other.alert FROM message_alert AS own JOIN message_alert AS other ON other.message = own.message WHERE own.alert = ?1)
         ORDER BY seq",
    )?;
    let others = statement.query_map([Id(alert)], |row| column::id(row, 0))?;
    let others: Vec<Uuid> = others.collect::<sql::Result<_>>()?;
    let others = others.into_iter().filter(|other| *other != alert);
    Ok(std::iter::once(alert).chain(others).collect())
}
