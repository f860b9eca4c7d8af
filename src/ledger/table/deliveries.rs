//! Deliveries: what is owed, how its attempts ended, what was given up.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::alerting::NewMessage;
use crate::alerting::identity;
use crate::domain::{
    AlertSnapshot, Audience, Delivery, DeliveryState, Digest, Message, MessageKind, Severity,
};
use crate::ledger::column::{self, Count, Id, Instant, Length};
use crate::ledger::entry::{AttemptRecord, GiveUp, NotifierState};
use crate::ledger::listing::{GivenUp, Owed};
use crate::ledger::sql::{self, Connection, Optional, Row, named_params, params};
use crate::ledger::table::chain::{Chain, EventKind};
use crate::ledger::table::sent_messages::PackedMessage;
use crate::ledger::table::{alerts, holds, recipients, sent_messages};

/// A delivery to be owed.
pub(in crate::ledger) struct NewDelivery<'a> {
    /// The row of its message.
    pub(in crate::ledger) message: i64,
    /// The notifier's name.
    pub(in crate::ledger) notifier: &'a str,
    /// The recipient, for notifiers that have several.
    pub(in crate::ledger) recipient: Option<&'a str>,
    /// The worst severity in the message.
    pub(in crate::ledger) severity: i64,
    /// The notifier in whose place it is sent.
    pub(in crate::ledger) stands_in_for: Option<&'a str>,
    /// Whether it is not sent until somebody releases it.
    pub(in crate::ledger) held: bool,
}

/// Adds a message and a delivery for each of its recipients.
pub(in crate::ledger) fn owe(
    connection: &Connection,
    message: &NewMessage,
    now: Timestamp,
) -> sql::Result<()> {
    let row = alerts::add_message(connection, message)?;
    for recipient in message.recipients.each() {
        let (notifier, severity) = (&*message.notifier, rank(message.severity));
        let follows = || holds::follows_held(connection, row, notifier);
        let held = message.audience == Audience::Customer && (message.held || follows()?);
        add(
            connection,
            &NewDelivery { message: row, notifier, recipient, severity, stands_in_for: None, held },
            now,
        )?;
    }
    Ok(())
}

pub(in crate::ledger) fn rank(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Warning => 1,
        Severity::Critical => 2,
    }
}

/// Adds one delivery, whose share of the notifier's failures starts now.
pub(in crate::ledger) fn add(
    connection: &Connection,
    new: &NewDelivery<'_>,
    now: Timestamp,
) -> sql::Result<()> {
    let (probes, possible) = recipients::share(connection, new.notifier, new.recipient)?;
    let mut message = connection.prepare_cached("SELECT identity FROM message WHERE id = ?1")?;
    let message = message.query_row([new.message], |row| column::id(row, 0))?;
    // One that was handed to another notifier has kept its own.
    let mut taken =
        connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM delivery WHERE id = ?1)")?;
    let id = identity::of_delivery(message, new.notifier, new.recipient);
    let id = identity::free(id, |id| taken.query_row([Id(id)], |row| row.get(0)))?;
    connection
        .prepare_cached(
            "INSERT INTO delivery (id, message, notifier, recipient, stands_in_for, severity, state, held, created_at, probes_then, possible_then)
             VALUES (:id, :message, :notifier, :recipient, :stands_in_for, :severity, 'pending', :held, :created_at, :probes, :possible)",
        )?
        .execute(named_params! {
            ":id": Id(id),
            ":message": new.message,
            ":notifier": new.notifier,
            ":recipient": new.recipient,
            ":stands_in_for": new.stands_in_for,
            ":severity": new.severity,
            ":held": new.held,
            ":created_at": Instant(now),
            ":probes": probes,
            ":possible": possible,
        })?;
    Ok(())
}

/// What is owed to a notifier: worst severity first, then oldest; without those in `except`, and
/// without what has to wait for an earlier message that does not come before it here.
pub(in crate::ledger) fn due(
    connection: &Connection,
    notifier: &str,
    except: &[Uuid],
    limit: u32,
) -> sql::Result<Vec<Delivery>> {
    due_in(connection, &OF_ALERT, notifier, (except, &[]), limit)
}

/// The same without what goes to these recipients.
pub(in crate::ledger) fn due_without(
    connection: &Connection,
    notifier: &str,
    except: &[Uuid],
    recipients: &[String],
    limit: u32,
) -> sql::Result<Vec<Delivery>> {
    due_in(connection, &OF_ALERT, notifier, (except, recipients), limit)
}

/// The same where all about one customer and billing period goes in the order of recording: a new
/// alert must not overtake the end of an earlier one, which would end the incident that both
/// belong to.
pub(in crate::ledger) fn due_by_incident(
    connection: &Connection,
    notifier: &str,
    except: &[Uuid],
    limit: u32,
) -> sql::Result<Vec<Delivery>> {
    due_in(connection, &OF_INCIDENT, notifier, (except, &[]), limit)
}

/// What keeps its order.
struct Order {
    /// Whether the first message of an alert has to wait, too.
    first_waits: bool,
    /// The deliveries, in any state, that have to go in order with message `?1`.
    others: &'static str,
}

/// The messages of one alert.
const OF_ALERT: Order = Order {
    first_waits: false,
    others: "message_alert AS own CROSS JOIN message_alert AS other ON other.alert = own.alert
             CROSS JOIN delivery ON delivery.message = other.message WHERE own.message = ?1",
};

/// The messages of all alerts of one incident. The period's end stands for the period.
const OF_INCIDENT: Order = Order {
    first_waits: true,
    others: "message_alert AS own CROSS JOIN alert AS this ON this.id = own.alert
             CROSS JOIN alert AS that ON that.customer = this.customer AND that.period_end = this.period_end
             AND that.security IS NOT DISTINCT FROM this.security
             CROSS JOIN message_alert AS other ON other.alert = that.id
             CROSS JOIN delivery ON delivery.message = other.message WHERE own.message = ?1",
};

fn due_in(
    connection: &Connection,
    order: &Order,
    notifier: &str,
    (except, without): (&[Uuid], &[String]),
    limit: u32,
) -> sql::Result<Vec<Delivery>> {
    let without: HashSet<&str> = without.iter().map(String::as_str).collect();
    let mut statement = connection.prepare_cached(
        "SELECT delivery.id AS id, seq, identity, notifier, recipient, stands_in_for, audience, created_at, message, kind, part, parts, total,
             criticals, baseline, operator, report, totals
         FROM delivery JOIN message ON message.id = delivery.message
         WHERE notifier = ?1 AND delivery.state = 'pending' AND NOT held ORDER BY delivery.severity DESC, delivery.seq
         LIMIT ?2 OFFSET ?3",
    )?;
    let is_due = |row: &Row<'_>, before: &[Delivery]| {
        let recipient = row.get_ref("recipient")?.as_str_or_null()?;
        let is_left_out = recipient.is_some_and(|recipient| without.contains(recipient));
        let is_left_out = is_left_out || except.contains(&column::id(row, "id")?);
        Ok::<_, sql::Error>(!is_left_out && !waits(connection, order, row, before)?)
    };
    let (piece, limit) = (connection.piece(), usize::try_from(limit).unwrap_or(usize::MAX));
    let (mut due, mut begin) = (Vec::new(), 0_i64);
    loop {
        let (mut rows, mut read) = (statement.query(params![notifier, piece, begin])?, 0_i64);
        while due.len() < limit
            && let Some(row) = rows.next()?
        {
            read += 1;
            if is_due(&row, &due)? {
                due.push(delivery(connection, &row)?);
            }
        }
        if read < piece {
            return Ok(due);
        }
        begin = begin.saturating_add(read);
    }
}

/// Whether an earlier message has to arrive first: a reminder or the end of an alert waits for
/// whatever carries the alert and is still owed to the same recipient, news for the operator for
/// the news before it; but not for what goes `before` it. All in steps through indexes: there may
/// be very many deliveries.
fn waits(
    connection: &Connection,
    order: &Order,
    row: &Row<'_>,
    before: &[Delivery],
) -> sql::Result<bool> {
    let others = match column::read(row, "kind", MessageKind::from_name)? {
        MessageKind::Test | MessageKind::Report => return Ok(false),
        MessageKind::Raised | MessageKind::Digest if !order.first_waits => return Ok(false),
        MessageKind::Raised
        | MessageKind::Digest
        | MessageKind::Reminder
        | MessageKind::Resolved => order.others,
        MessageKind::OperatorRaised | MessageKind::OperatorResolved => {
            "message CROSS JOIN delivery ON delivery.message = message.id WHERE message.operator \
                IS NOT NULL AND message.id <> ?1"
        }
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT delivery.id FROM {others} AND notifier = ?2 AND coalesce(recipient, '') = coalesce(?3, '') AND delivery.seq < ?4
         AND delivery.state = 'pending'"
    ))?;
    let (message, seq): (i64, i64) = (row.get("message")?, row.get("seq")?);
    let (notifier, recipient): (String, Option<String>) =
        (row.get("notifier")?, row.get("recipient")?);
    let mut earlier = statement.query(params![message, notifier, recipient, seq])?;
    while let Some(earlier) = earlier.next()? {
        let id = column::id(&earlier, "id")?;
        if before.iter().all(|delivery| delivery.id != id) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn delivery(connection: &Connection, row: &Row<'_>) -> sql::Result<Delivery> {
    Ok(Delivery {
        id: column::id(row, "id")?,
        identity: column::id(row, "identity")?,
        notifier: row.get("notifier")?,
        recipient: row.get("recipient")?,
        stands_in_for: row.get("stands_in_for")?,
        audience: audience(row)?,
        created_at: column::instant(row, "created_at")?,
        message: message(connection, row)?,
    })
}

/// Whom a delivery is for: the partner's own people where it stands in for another, else whom its
/// message is for.
fn audience(row: &Row<'_>) -> sql::Result<Audience> {
    let stands_in: Option<String> = row.get("stands_in_for")?;
    let name: Option<String> = if stands_in.is_some() { None } else { row.get("audience")? };
    let known = name.as_deref().map_or(Some(Audience::Partner), Audience::from_name);
    known.ok_or_else(|| column::unreadable("an unknown audience"))
}

fn message(connection: &Connection, row: &Row<'_>) -> sql::Result<Message> {
    let mut alerts = alerts::of_message(connection, row.get("message")?)?;
    let operator =
        || serde_json::from_str(row.get_ref("operator")?.as_str()?).map_err(column::unreadable);
    let single = |alert: Option<_>| {
        alert.map(Box::new).ok_or_else(|| column::unreadable("a message without an alert"))
    };
    Ok(match column::read(row, "kind", MessageKind::from_name)? {
        MessageKind::Raised if alerts.len() > 1 => Message::Alerts(digest(alerts, row)?),
        MessageKind::Raised => Message::Alert(single(alerts.pop())?),
        MessageKind::Test => Message::Test(single(alerts.pop())?),
        MessageKind::Digest => Message::Digest(digest(alerts, row)?),
        MessageKind::Reminder => Message::Reminder(digest(alerts, row)?),
        MessageKind::Resolved => Message::Resolved(digest(alerts, row)?),
        MessageKind::OperatorRaised | MessageKind::OperatorResolved => {
            Message::Operator(operator()?)
        }
        MessageKind::Report => Message::Report(
            serde_json::from_str(row.get_ref("report")?.as_str()?).map_err(column::unreadable)?,
        ),
    })
}

/// A part of a digest, or what is told of one customer alone.
fn digest(alerts: Vec<AlertSnapshot>, row: &Row<'_>) -> sql::Result<Digest> {
    if row.get::<_, u32>("parts")? == 0 {
        return Ok(Digest::of_one_customer(alerts));
    }
    Ok(Digest {
        part: row.get("part")?,
        parts: row.get("parts")?,
        total: row.get("total")?,
        criticals: row.get("criticals")?,
        baseline: row.get("baseline")?,
        totals: match row.get_ref("totals")?.as_str_or_null()? {
            Some(totals) => serde_json::from_str(totals).map_err(column::unreadable)?,
            None => None,
        },
        alerts,
    })
}

/// Claims a delivery for the leader that is about to send it; returns whether it is owed. For a
/// ledger of several hosts, within the transaction that checks who leads.
pub(in crate::ledger) fn claim(connection: &Connection, id: Uuid) -> sql::Result<bool> {
    let claimed = connection
        .prepare_cached(
            "UPDATE delivery SET claimed = (SELECT epoch FROM file) WHERE id = ?1 AND state = 'pending' AND NOT held",
        )?
        .execute([Id(id)])?;
    Ok(claimed > 0)
}

/// Records an attempt with what was handed over; returns the delivery's row, or `None` when there is
/// no such delivery.
pub(in crate::ledger) fn add_attempt(
    connection: &Connection,
    attempt: &AttemptRecord,
    message: Option<&PackedMessage>,
) -> sql::Result<Option<i64>> {
    let row: Option<i64> = connection
        .prepare_cached(
            "UPDATE delivery SET attempts = attempts + 1, last_detail = ?2 WHERE id = \
            ?1 RETURNING seq",
        )?
        .query_row(params![Id(attempt.delivery), attempt.detail], |row| row.get(0))
        .optional()?;
    if let Some(row) = row {
        connection
            .prepare_cached(
                "INSERT INTO attempt (delivery, at, outcome, detail) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![row, Instant(attempt.at), attempt.outcome, attempt.detail])?;
        let (mut chain, about) = (Chain::open(connection)?, attempt.delivery.to_string());
        if let Some(message) = message {
            sent_messages::keep(connection, row, message, attempt.at)?;
            let content = json!({ "sha256": message.sent, "kept": message.hash });
            chain.add(EventKind::Message, &about, attempt.at, &content)?;
        }
        let content = json!({ "outcome": attempt.outcome, "answer": attempt.detail });
        chain.add(EventKind::Attempt, &about, attempt.at, &content)?;
    }
    Ok(row)
}

/// Ends a delivery.
pub(in crate::ledger) fn end(
    connection: &Connection,
    row: i64,
    state: DeliveryState,
    at: Timestamp,
) -> sql::Result<()> {
    connection
        .prepare_cached("UPDATE delivery SET state = ?2, ended_at = ?3 WHERE seq = ?1")?
        .execute(params![row, state.as_str(), Instant(at)])?;
    Ok(())
}

/// Gives up what a notifier, or one of its recipients, has been owed for as long and as often as
/// `limits` says; returns what. Time and attempts are those of the notifier and of the recipient
/// together.
pub(in crate::ledger) fn give_up(
    connection: &Connection,
    (notifier, recipient): (&str, Option<&str>),
    state: &NotifierState,
    limits: &GiveUp,
    now: Timestamp,
) -> sql::Result<Vec<Uuid>> {
    let mut statement = connection.prepare_cached(
        "UPDATE delivery SET state = 'dead', ended_at = :now
         WHERE notifier = :notifier AND state = 'pending' AND NOT held AND (CAST(:recipient AS TEXT) IS NULL OR recipient = :recipient)
         AND :possible + coalesce((SELECT possible FROM recipient AS own
             WHERE own.notifier = delivery.notifier AND own.recipient = delivery.recipient), 0) - possible_then >= :after
         AND :probes + coalesce((SELECT probes FROM recipient AS own
             WHERE own.notifier = delivery.notifier AND own.recipient = delivery.recipient), 0) - probes_then >= :least RETURNING id",
    )?;
    let given_up = statement.query_map(
        named_params! {
            ":now": Instant(now),
            ":notifier": notifier,
            ":recipient": recipient,
            ":possible": Length(state.possible),
            ":after": Length(limits.after),
            ":probes": Count(state.probes),
            ":least": Count(limits.probes),
        },
        |row| column::id(row, 0),
    )?;
    given_up.collect()
}

/// Gives up everything owed to a notifier that does not exist; returns how many.
pub(in crate::ledger) fn drop_undeliverable(
    connection: &Connection,
    notifier: &str,
    now: Timestamp,
) -> sql::Result<usize> {
    connection
        .prepare_cached(
            "UPDATE delivery SET state = 'dead', held = FALSE, aided = 1, ended_at = ?2, last_detail = 'the notifier no longer exists'
             WHERE notifier = ?1 AND state = 'pending'",
        )?
        .execute(params![notifier, Instant(now)])
}

/// What each notifier owes and has given up, by name.
pub(in crate::ledger) fn owed(connection: &Connection) -> sql::Result<Vec<Owed>> {
    let mut statement = connection.prepare_cached(
        "SELECT notifier, CAST(sum(pending) AS BIGINT) AS pending, CAST(sum(held) AS BIGINT) AS held, min(oldest) AS oldest,
             CAST(sum(dead) AS BIGINT) AS dead FROM (
             SELECT notifier, count(*) AS pending, count(*) FILTER (WHERE held) AS held,
             min(created_at) FILTER (WHERE NOT held) AS oldest, 0 AS dead FROM delivery WHERE state = 'pending' GROUP BY notifier
             UNION ALL
             SELECT notifier, 0, 0, NULL, count(*) FROM delivery WHERE state = 'dead' AND NOT held GROUP BY notifier
         ) AS counted GROUP BY notifier ORDER BY notifier",
    )?;
    let rows = statement.query_map((), |row| {
        Ok(Owed {
            notifier: row.get("notifier")?,
            pending: column::count(row, "pending")?,
            held: column::count(row, "held")?,
            oldest: column::instant_if_any(row, "oldest")?,
            dead: column::count(row, "dead")?,
        })
    })?;
    rows.collect()
}

/// What each notifier has given up, by name.
pub(in crate::ledger) fn given_up(connection: &Connection) -> sql::Result<Vec<GivenUp>> {
    let mut statement = connection.prepare_cached(
        "SELECT notifier, count(*) AS dead, max(ended_at) AS last FROM delivery WHERE state = 'dead' AND NOT held
         GROUP BY notifier ORDER BY notifier",
    )?;
    let rows = statement.query_map((), |row| {
        Ok(GivenUp {
            notifier: row.get("notifier")?,
            dead: column::count(row, "dead")?,
            last: column::instant_if_any(row, "last")?,
        })
    })?;
    rows.collect()
}

/// Notifiers that are owed anything. Steps through the index from name to name.
pub(in crate::ledger) fn notifiers_that_owe(connection: &Connection) -> sql::Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE owing (name) AS (
             SELECT min(notifier) FROM delivery WHERE state = 'pending'
             UNION ALL
             SELECT (SELECT min(notifier) FROM delivery WHERE state = 'pending' AND notifier > owing.name) FROM owing WHERE owing.name IS NOT NULL
         ) SELECT name FROM owing WHERE name IS NOT NULL",
    )?;
    statement.query_map((), |row| row.get(0))?.collect()
}
