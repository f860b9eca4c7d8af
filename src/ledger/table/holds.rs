//! Messages to customers that are owed but held: let go, or given up before anybody saw them.

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::CustomerKey;
use crate::ledger::column::{self, Instant};
use crate::ledger::entry::HoldFilter;
use crate::ledger::sql::{self, Connection, named_params, params};
use crate::ledger::table::recipients;

/// A delivery that is held.
struct Held {
    row: i64,
    message: i64,
    notifier: String,
    recipient: Option<String>,
}

/// How many deliveries are held.
pub(in crate::ledger) fn count(connection: &Connection) -> sql::Result<u64> {
    let sql = "SELECT count(*) AS held FROM delivery WHERE state = 'pending' AND held";
    connection.prepare_cached(sql)?.query_row((), |row| column::count(row, "held"))
}

/// Whether a message tells more of an alert of which an earlier message to the same notifier is
/// held: the end of what nobody was told is no news.
pub(in crate::ledger) fn follows_held(
    connection: &Connection,
    message: i64,
    notifier: &str,
) -> sql::Result<bool> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM message_alert AS own CROSS JOIN message_alert AS other ON other.alert = own.alert
             CROSS JOIN delivery ON delivery.message = other.message
             WHERE own.message = ?1 AND notifier = ?2 AND delivery.state = 'pending' AND held)",
        )?
        .query_row(params![message, notifier], |row| row.get(0))
}

/// Lets the chosen ones go: they are owed from now on. Returns how many.
pub(in crate::ledger) fn release(
    connection: &Connection,
    filter: &HoldFilter,
    now: Timestamp,
) -> sql::Result<usize> {
    let chosen = chosen(connection, filter)?;
    for held in &chosen {
        let (probes, possible) =
            recipients::share(connection, &held.notifier, held.recipient.as_deref())?;
        connection
            .prepare_cached(
                "UPDATE delivery SET held = FALSE, created_at = :now, probes_then = :probes, \
                    possible_then = :possible WHERE seq = :row",
            )?
            .execute(named_params! {
                ":row": held.row,
                ":now": Instant(now),
                ":probes": probes,
                ":possible": possible,
            })?;
    }
    Ok(chosen.len())
}

/// Lets go what came after this delivery: it is owed from now on.
pub(in crate::ledger) fn let_go(
    connection: &Connection,
    after: i64,
    now: Timestamp,
) -> sql::Result<()> {
    connection
        .prepare_cached(
            "UPDATE delivery SET held = FALSE, created_at = :now,
             probes_then = coalesce((SELECT probes FROM notifier WHERE name = delivery.notifier), 0)
                 + coalesce((SELECT probes FROM recipient AS own
                     WHERE own.notifier = delivery.notifier AND own.recipient = delivery.recipient), 0),
             possible_then = coalesce((SELECT possible FROM notifier WHERE name = delivery.notifier), 0)
                 + coalesce((SELECT possible FROM recipient AS own
                     WHERE own.notifier = delivery.notifier AND own.recipient = delivery.recipient), 0)
             WHERE state = 'pending' AND held AND seq > :after",
        )?
        .execute(named_params! { ":now": Instant(now), ":after": after })?;
    Ok(())
}

/// Gives the chosen ones up for good: whoever is not told of an alert is not told later what
/// becomes of it either. They stay listed, with why. Returns how many.
pub(in crate::ledger) fn discard(
    connection: &Connection,
    filter: &HoldFilter,
    why: &str,
    now: Timestamp,
) -> sql::Result<usize> {
    let chosen = chosen(connection, filter)?;
    for held in &chosen {
        connection
            .prepare_cached(
                "UPDATE delivery SET state = 'dead', ended_at = ?2, last_detail = ?3 \
                WHERE seq = ?1",
            )?
            .execute(params![held.row, Instant(now), why])?;
    }
    for held in &chosen {
        connection
            .prepare_cached(
                "UPDATE alert SET notify = (SELECT json_group_array(value) FROM json_each(alert.notify) WHERE value <> ?2)
                 WHERE id IN (SELECT alert FROM message_alert WHERE message = ?1) AND NOT EXISTS (
                     SELECT 1 FROM delivery WHERE message = ?1 AND notifier = ?2 AND NOT (state = 'dead' AND held))",
            )?
            .execute(params![held.message, held.notifier])?;
    }
    Ok(chosen.len())
}

fn chosen(connection: &Connection, filter: &HoldFilter) -> sql::Result<Vec<Held>> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, delivery.id AS id, message, notifier, recipient FROM delivery
         WHERE state = 'pending' AND held AND (CAST(:notifier AS TEXT) IS NULL OR notifier = :notifier)
         AND (CAST(:customer AS TEXT) IS NULL OR EXISTS (
             SELECT 1 FROM message_alert JOIN alert ON alert.id = message_alert.alert
             WHERE message_alert.message = delivery.message AND customer IN (
                 SELECT id FROM customer WHERE key = :customer OR (key > :customer || '\u{1f}' AND key < :customer || ' '))))
         ORDER BY seq",
    )?;
    let wanted = named_params! { ":notifier": filter.notifier, ":customer": filter.customer.as_ref().map(CustomerKey::as_str) };
    let rows = statement.query_map(wanted, |row| {
        let (notifier, recipient) = (row.get("notifier")?, row.get("recipient")?);
        let held = Held { row: row.get("seq")?, message: row.get("message")?, notifier, recipient };
        Ok((column::id(row, "id")?, held))
    })?;
    let meant = |id: &Uuid| filter.ids.is_empty() || filter.ids.contains(id);
    rows.filter(|row| row.as_ref().map_or(true, |(id, _)| meant(id)))
        .map(|row| row.map(|(_, held)| held))
        .collect()
}
