//! Alerts as snapshots, and the messages that carry them.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::alerting::identity;
use crate::alerting::{Content, NewAlert, NewMessage, NewStep};
use crate::domain::{
    AlertContext, AlertSnapshot, AlertState, Audience, BillingPeriod, MessageKind,
};
use crate::ledger::column::{self, Id, Instant, Length};
use crate::ledger::sql::{self, Connection, Optional, Row, named_params, params};
use crate::ledger::table::chain::{Chain, EventKind};
use crate::ledger::table::{collection, history, security_steps, spikes};
use crate::text::sha256_hex;

/// A new alert as the chain has it; all of it stands in its snapshot.
#[derive(Serialize)]
struct RaisedEvent<'a> {
    customer: &'a str,
    rule: &'a str,
    sha256: &'a str,
}

/// Adds a new alert, with the cost history of its period as history has it; its customer must have
/// been seen.
pub(in crate::ledger) fn add(
    connection: &Connection,
    new: &NewAlert,
    chain: &mut Chain<'_>,
    now: Timestamp,
) -> sql::Result<()> {
    let AlertSnapshot { alert, context } = &new.snapshot;
    let cost_history = if alert.security.is_some() {
        // It is no matter of a billing period.
        Vec::new()
    } else {
        let as_of = alert.usage_as_of.instant();
        history::cost_history(connection, &alert.key(), &alert.billing_period, as_of)?
    };
    let incident = open_incident(connection, &new.snapshot)?.or_else(|| context.incident.clone());
    let snapshot = AlertSnapshot {
        alert: alert.clone(),
        context: AlertContext { incident, cost_history, ..context.clone() },
    };
    let snapshot = json(&snapshot)?;
    connection
        .prepare_cached(
            "INSERT INTO alert (id, customer, subscription, rule, severity, state, raised_at, period_end, notify, remind_every, told_at, snapshot)
             VALUES (:id, (SELECT id FROM customer WHERE key = :key), :subscription, :rule, :severity, :state, :raised_at, :period_end,
             :notify, :remind_every, :raised_at, :snapshot)",
        )?
        .execute(named_params! {
            ":id": Id(alert.id),
            ":key": alert.key().as_str(),
            ":subscription": alert.subscription.as_deref().unwrap_or_default(),
            ":rule": alert.rule,
            ":severity": alert.severity.as_str(),
            ":state": alert.state.as_str(),
            ":raised_at": Instant(alert.raised_at),
            ":period_end": Instant(if alert.security.is_some() { BillingPeriod::NONE.end } else { alert.billing_period.end }),
            ":notify": json(&new.notify)?,
            ":remind_every": new.remind_every.map(Length),
            ":snapshot": snapshot,
        })?;
    let kind = match alert.state {
        AlertState::Silenced => EventKind::Silenced,
        AlertState::Raised | AlertState::Resolved | AlertState::Closed => EventKind::Raised,
    };
    let (key, sha256) = (alert.key(), sha256_hex(&snapshot));
    let content = RaisedEvent { customer: key.as_str(), rule: &alert.rule, sha256: &sha256 };
    chain.add(kind, &alert.id.to_string(), now, &content)
}

/// The incident that is open about the customer in the billing period of a new alert, by whatever
/// version it was opened: rather that of the same rule, else the oldest. The period's end stands
/// for the period.
fn open_incident(connection: &Connection, new: &AlertSnapshot) -> sql::Result<Option<String>> {
    let AlertSnapshot { alert: new, context } = new;
    // What has an incident of its own kind does not join that of the customer.
    let of_its_own = context.incident.as_ref().is_some_and(|own| *own != new.new_incident());
    if of_its_own || new.security.is_some() {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached(
        "SELECT snapshot, state FROM alert WHERE customer = (SELECT id FROM customer WHERE key = ?1)
         AND state IN ('raised', 'silenced') AND state = 'raised' AND period_end = ?2 ORDER BY rule <> ?3, seq LIMIT 1",
    )?;
    let (key, end) = (new.key(), Instant(new.billing_period.end));
    let open = statement.query_row(params![key.as_str(), end, new.rule], snapshot).optional()?;
    Ok(open.map(|open| open.incident()))
}

/// The snapshot in a row with the columns `snapshot` and `state`; the column holds, whatever the
/// snapshot says.
pub(in crate::ledger) fn snapshot(row: &Row<'_>) -> sql::Result<AlertSnapshot> {
    let mut snapshot: AlertSnapshot =
        serde_json::from_str(row.get_ref("snapshot")?.as_str()?).map_err(column::unreadable)?;
    snapshot.alert.state = column::read(row, "state", AlertState::from_name)?;
    Ok(snapshot)
}

/// The alerts of a message, in their order, each with how it was when the message was recorded.
pub(in crate::ledger) fn of_message(
    connection: &Connection,
    message: i64,
) -> sql::Result<Vec<AlertSnapshot>> {
    let mut statement = connection.prepare_cached(
        "SELECT snapshot, state, latest FROM message_alert JOIN alert ON alert.id = \
            message_alert.alert WHERE message = ?1 ORDER BY position",
    )?;
    let member = |row: &Row<'_>| {
        let mut snapshot = snapshot(row)?;
        let latest = row.get_ref("latest")?.as_str_or_null()?;
        snapshot.context.latest =
            latest.map(serde_json::from_str).transpose().map_err(column::unreadable)?;
        Ok(snapshot)
    };
    statement.query_map([message], member)?.collect()
}

/// A value as JSON for a column.
pub(in crate::ledger) fn json(value: &impl serde::Serialize) -> sql::Result<String> {
    serde_json::to_string(value).map_err(sql::Error::value)
}

/// The identity of a new alert: of one whose rule was removed and is back, the one after that of
/// the earlier.
pub(in crate::ledger) fn free_id(
    connection: &Connection,
    ledger: Uuid,
    raised_at: &NewStep,
) -> sql::Result<Uuid> {
    let mut statement =
        connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM alert WHERE id = ?1)")?;
    identity::free(identity::of_alert(ledger, raised_at), |id| {
        statement.query_row([Id(id)], |row| row.get(0))
    })
}

/// Whether a message of this kind may come again as it is.
fn may_repeat(kind: MessageKind) -> bool {
    !matches!(kind, MessageKind::Raised | MessageKind::Digest | MessageKind::Resolved)
}

/// The identity of a message: of a second reminder, the one after that of the first.
fn free_identity(connection: &Connection, message: &NewMessage) -> sql::Result<Uuid> {
    if may_repeat(message.content.kind()) {
        free_message_id(connection, message.identity)
    } else {
        Ok(message.identity)
    }
}

/// The first of a message's identity and those after it that no message has.
pub(in crate::ledger) fn free_message_id(
    connection: &Connection,
    identity: Uuid,
) -> sql::Result<Uuid> {
    let mut statement =
        connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM message WHERE identity = ?1)")?;
    identity::free(identity, |id| statement.query_row([Id(id)], |row| row.get(0)))
}

/// Adds a message without its deliveries; returns its row.
pub(in crate::ledger) fn add_message(
    connection: &Connection,
    message: &NewMessage,
) -> sql::Result<i64> {
    let (digest, totals, operator, report) = match &message.content {
        Content::Alerts(..) => (None, None, None, None),
        Content::Digest { part, totals, .. } => (Some(part), totals.as_ref(), None, None),
        Content::Operator(news) => (None, None, Some(news), None),
        Content::Report(report) => (None, None, None, Some(report)),
    };
    let row = connection
        .prepare_cached(
            "INSERT INTO message (identity, kind, part, parts, total, criticals, baseline, operator, report, audience, totals)
             VALUES (:identity, :kind, :part, :parts, :total, :criticals, :baseline, :operator, :report, :audience, :totals)
             RETURNING id",
        )?
        .query_row(named_params! {
            ":identity": Id(free_identity(connection, message)?),
            ":kind": message.content.kind().as_str(),
            ":part": digest.map_or(0, |digest| digest.part),
            ":parts": digest.map_or(0, |digest| digest.parts),
            ":total": digest.map_or(0, |digest| digest.total),
            ":criticals": digest.map_or(0, |digest| digest.criticals),
            ":baseline": digest.is_some_and(|digest| digest.baseline),
            ":operator": operator.map(json).transpose()?,
            ":audience": (message.audience == Audience::Customer).then_some(message.audience.as_str()),
            ":report": report.map(json).transpose()?,
            ":totals": totals.map(json).transpose()?,
        }, |row| row.get(0))?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO message_alert (message, position, alert, latest) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (position, alert) in (0_i64..).zip(message.content.alerts()) {
        let latest = alert.latest.as_ref().map(json).transpose()?;
        statement.execute(params![row, position, Id(alert.id), latest])?;
    }
    Ok(row)
}

/// Rules that have open alerts, have spent steps, or were through a good poll. Steps through the
/// index from name to name, so that it costs as many look-ups as rules.
pub(in crate::ledger) fn rules_in_force(connection: &Connection) -> sql::Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE open (rule) AS (
             SELECT min(rule) FROM alert WHERE state = 'raised'
             UNION ALL
             SELECT (SELECT min(rule) FROM alert WHERE state = 'raised' AND rule > open.rule) FROM open WHERE open.rule IS NOT NULL
         ) SELECT rule FROM open WHERE rule IS NOT NULL UNION SELECT rule FROM alert WHERE state = 'silenced'
         UNION SELECT name FROM rule UNION SELECT name FROM rule_name",
    )?;
    statement.query_map((), |row| row.get(0))?.collect()
}

/// Closes the open alerts of a rule that was removed; returns how many.
pub(in crate::ledger) fn close_rule(
    connection: &Connection,
    rule: &str,
    now: Timestamp,
) -> sql::Result<usize> {
    let sql = "UPDATE alert SET state = 'closed', ended_at = ?2 WHERE state IN ('raised', \
        'silenced') AND rule = ?1";
    connection.prepare_cached(sql)?.execute(params![rule, Instant(now)])
}

/// Forgets which steps a removed rule has spent, and that it was ever there. Customers with such
/// steps are judged again even when nothing else changes before it comes back.
pub(in crate::ledger) fn forget_rule(connection: &Connection, rule: &str) -> sql::Result<()> {
    collection::invalidate(connection)?;
    let sql = "UPDATE customer SET fingerprint = 0 WHERE id IN (SELECT customer FROM step WHERE \
        rule = ?1)";
    connection.prepare_cached(sql)?.execute([rule])?;
    connection.prepare_cached("DELETE FROM step WHERE rule = ?1")?.execute([rule])?;
    spikes::forget_rule(connection, rule)?;
    security_steps::forget_rule(connection, rule)?;
    connection.prepare_cached("DELETE FROM rule WHERE name = ?1")?.execute([rule])?;
    connection.prepare_cached("DELETE FROM rule_name WHERE name = ?1")?.execute([rule])?;
    Ok(())
}

/// Whether anything was done under this name.
pub(in crate::ledger) fn knows_rule(connection: &Connection, name: &str) -> sql::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM rule_name WHERE name = ?1) OR EXISTS (SELECT 1 FROM \
        rule WHERE name = ?1)";
    connection.prepare_cached(sql)?.query_row([name], |row| row.get(0))
}

/// Gives what was done under one name to another. Alerts keep the name they were told under.
pub(in crate::ledger) fn rename_rule(
    connection: &Connection,
    before: &str,
    now: &str,
) -> sql::Result<()> {
    connection
        .prepare_cached("UPDATE step SET rule = ?2 WHERE rule = ?1 AND NOT EXISTS (SELECT 1 FROM step AS other WHERE other.rule = ?2
             AND other.customer = step.customer AND other.subscription = step.subscription AND other.metric = step.metric
             AND other.at = step.at AND other.amount = step.amount AND other.day = step.day
             AND other.period_start = step.period_start AND other.period_end = step.period_end)",
        )?
        .execute([before, now])?;
    spikes::rename_rule(connection, before, now)?;
    security_steps::rename_rule(connection, before, now)?;
    connection
        .prepare_cached("UPDATE alert SET rule = ?2 WHERE rule = ?1")?
        .execute([before, now])?;
    connection.prepare_cached("DELETE FROM rule_name WHERE name = ?1")?.execute([before])?;
    connection
        .prepare_cached(
            "INSERT INTO rule_name (name) SELECT rule FROM (SELECT rule FROM step WHERE rule = ?1 UNION SELECT rule FROM security_step
             WHERE rule = ?1) AS spent LIMIT 1 ON CONFLICT DO NOTHING",
        )?
        .execute([now])?;
    connection
        .prepare_cached("UPDATE rule SET name = ?2 WHERE name = ?1 AND NOT EXISTS (SELECT 1 FROM rule AS other WHERE other.name = ?2)",
        )?
        .execute([before, now])?;
    Ok(())
}
