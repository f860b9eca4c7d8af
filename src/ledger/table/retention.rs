//! Forgets what is old: steps, alerts, messages with their deliveries, findings, silences,
//! customers. Nothing that is owed, open or still keeps an alert from being raised twice; a piece
//! at a time. Which pieces, and when, is the caller's.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::{FindingCode, Silence};
use crate::ledger::column::{Instant, Length};
use crate::ledger::sql::{self, Connection, named_params, params};
use crate::ledger::table::customers::REMEMBERED;
use crate::ledger::table::{collection, silences};

/// Since when a customer has no record; a subscription has none while its customer has none.
const MISSING: &str = "(CASE WHEN seen.subscription IS NULL THEN customer.missing_since ELSE (SELECT missing_since FROM customer AS whole
     WHERE whole.key = substr(customer.key, 1, instr(customer.key, '\u{1f}') - 1)) END)";

/// What became of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) struct Piece {
    /// Where the next one begins; none after the last.
    pub(in crate::ledger) next: Option<i64>,
    /// How many findings were closed by it.
    pub(in crate::ledger) closed: usize,
}

impl Piece {
    fn then(next: Option<i64>) -> Self {
        Self { next, closed: 0 }
    }
}

/// The last row of a piece of `count` customers.
fn last_customer(connection: &Connection, first: i64, count: u32) -> sql::Result<Option<i64>> {
    let sql = "SELECT max(id) FROM (SELECT id FROM customer WHERE id >= ?1 ORDER BY id LIMIT ?2) \
        AS piece";
    connection.prepare_cached(sql)?.query_row(params![first, count], |row| row.get(0))
}

/// Forgets old steps of `count` customers, no more than `most`. The steps of the billing period
/// that a customer has a record in stay, whatever their age, and so do those that a late correction
/// of it could fall among.
pub(in crate::ledger) fn steps(
    connection: &Connection,
    first: i64,
    count: u32,
    most: u32,
    keep_from: Timestamp,
) -> sql::Result<Option<i64>> {
    let Some(last) = last_customer(connection, first, count)? else { return Ok(None) };
    let cut = format!(
        "(CASE WHEN {MISSING} < :keep_from OR seen.period_start - :remembered > :keep_from THEN :keep_from \
            ELSE seen.period_start - :remembered END)"
    );
    let forgotten = |of_day: String| {
        let mut statement = connection.prepare_cached(&format!(
            "DELETE FROM step WHERE id IN (SELECT step.id FROM customer CROSS JOIN seen ON seen.customer = customer.id
                 CROSS JOIN step ON step.customer = customer.id
                 WHERE customer.id BETWEEN :first AND :last AND {of_day} LIMIT :most)"
        ))?;
        let remembered = Length(REMEMBERED.unsigned_abs());
        statement.execute(named_params! {
            ":first": first, ":last": last, ":most": most, ":keep_from": Instant(keep_from), ":remembered": remembered,
        })
    };
    let forgotten = forgotten(format!("step.day = '' AND step.belongs_at < {cut}"))?.max(
        forgotten(format!("step.day > '' AND step.day < date({cut} / 1000000000, 'unixepoch')"))?,
    );
    let all = forgotten < usize::try_from(most).unwrap_or(usize::MAX);
    Ok(Some(if all { last.saturating_add(1) } else { first }))
}

/// Forgets those of `count` messages after a row that are old with all their deliveries: none is
/// owed, none of their alerts is open or keeps another from being raised, and the news they carry
/// is over.
pub(in crate::ledger) fn messages(
    connection: &Connection,
    after: i64,
    count: u32,
    keep_from: Timestamp,
) -> sql::Result<Piece> {
    let mut statement = connection.prepare_cached(
        "SELECT id, EXISTS (SELECT 1 FROM delivery WHERE message = message.id AND created_at >= :keep_from) AS young,
             EXISTS (SELECT 1 FROM delivery WHERE message = message.id AND (state = 'pending' OR coalesce(ended_at, created_at) >= :keep_from))
             OR EXISTS (SELECT 1 FROM message_alert JOIN alert ON alert.id = message_alert.alert WHERE message = message.id
                 AND (state IN ('raised', 'silenced') OR ended_at >= :keep_from OR EXISTS (SELECT 1 FROM step WHERE step.alert = alert.id)
                 OR EXISTS (SELECT 1 FROM security_step WHERE security_step.alert = alert.id)))
             OR EXISTS (SELECT 1 FROM finding WHERE message.operator IS NOT NULL AND cleared_at IS NULL
                 AND code = json_extract(message.operator, '$.code') AND subject = json_extract(message.operator, '$.subject')) AS needed
         FROM message WHERE id > :after ORDER BY id LIMIT :count",
    )?;
    let rows = statement.query_map(
        named_params! { ":keep_from": Instant(keep_from), ":after": after, ":count": count },
        |row| {
            Ok((
                row.get::<_, i64>("id")?,
                row.get::<_, bool>("young")?,
                row.get::<_, bool>("needed")?,
            ))
        },
    )?;
    let rows = rows.collect::<sql::Result<Vec<_>>>()?;
    let mut given_up = BTreeSet::new();
    for (id, ..) in rows.iter().filter(|(_, young, needed)| !young && !needed) {
        forget_message(connection, *id, &mut given_up)?;
    }
    // They are in the order of their recording: where all are young, so are all that follow.
    let next = rows.last().filter(|_| rows.iter().any(|(_, young, _)| !young)).map(|(id, ..)| *id);
    Ok(Piece { next, closed: close_given_up(connection, &given_up, keep_from)? })
}

fn forget_message(
    connection: &Connection,
    id: i64,
    given_up: &mut BTreeSet<String>,
) -> sql::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT notifier FROM delivery WHERE message = ?1 AND state = 'dead' AND NOT held",
    )?;
    for notifier in statement.query_map([id], |row| row.get(0))? {
        given_up.insert(notifier?);
    }
    for sql in [
        "DELETE FROM attempt WHERE delivery IN (SELECT seq FROM delivery WHERE message = ?1)",
        "DELETE FROM sent_message WHERE delivery IN (SELECT seq FROM delivery WHERE message = ?1)",
        "DELETE FROM delivery WHERE message = ?1",
        "DELETE FROM message_alert WHERE message = ?1",
        "DELETE FROM message WHERE id = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([id])?;
    }
    Ok(())
}

/// Closes the finding that a notifier gave deliveries up once the last of those is forgotten; that
/// is no news.
fn close_given_up(
    connection: &Connection,
    notifiers: &BTreeSet<String>,
    at: Timestamp,
) -> sql::Result<usize> {
    let close = |notifier: &String| {
        connection
            .prepare_cached(
                "UPDATE finding SET cleared_at = ?3 WHERE code = ?1 AND subject = ?2 AND cleared_at IS NULL
                 AND NOT EXISTS (SELECT 1 FROM delivery WHERE notifier = ?2 AND state = 'dead' AND NOT held)",
            )?
            .execute(params![FindingCode::DeliveryDead.as_str(), notifier, Instant(at)])
    };
    notifiers.iter().map(close).sum()
}

/// Forgets those of `count` alerts after a row that ended long ago, in no message and with no step
/// that is still kept.
pub(in crate::ledger) fn alerts(
    connection: &Connection,
    after: i64,
    count: u32,
    keep_from: Timestamp,
) -> sql::Result<Piece> {
    let (last, old): (Option<i64>, bool) = connection
        .prepare_cached(
            "SELECT max(seq), coalesce(min(raised_at) < ?3, FALSE) FROM (SELECT seq, raised_at FROM \
                alert WHERE seq > ?1 ORDER BY seq LIMIT ?2) AS piece",
        )?
        .query_row(params![after, count, Instant(keep_from)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let Some(last) = last.filter(|_| old) else { return Ok(Piece::then(None)) };
    connection
        .prepare_cached(
            "DELETE FROM alert WHERE seq > ?1 AND seq <= ?2 AND state IN ('resolved', 'closed') AND ended_at < ?3 AND raised_at < ?3
             AND NOT EXISTS (SELECT 1 FROM message_alert WHERE message_alert.alert = alert.id)
             AND NOT EXISTS (SELECT 1 FROM gathered WHERE gathered.alert = alert.id)
             AND NOT EXISTS (SELECT 1 FROM step WHERE step.alert = alert.id)
             AND NOT EXISTS (SELECT 1 FROM security_step WHERE security_step.alert = alert.id)",
        )?
        .execute(params![after, last, Instant(keep_from)])?;
    Ok(Piece::then(Some(last)))
}

/// Forgets those of `count` customers that are long gone, with nothing left of them but their last
/// seen state.
pub(in crate::ledger) fn customers(
    connection: &Connection,
    first: i64,
    count: u32,
    keep_from: Timestamp,
) -> sql::Result<Option<i64>> {
    let Some(last) = last_customer(connection, first, count)? else { return Ok(None) };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id FROM customer JOIN seen ON seen.customer = customer.id WHERE id BETWEEN ?1 AND ?2 AND {MISSING} < ?3
         AND NOT EXISTS (SELECT 1 FROM step WHERE customer = customer.id) AND NOT EXISTS (SELECT 1 FROM alert WHERE customer = customer.id)
         AND NOT EXISTS (SELECT 1 FROM spike_day WHERE customer = customer.id)
         AND NOT EXISTS (SELECT 1 FROM sample WHERE customer = customer.id) AND NOT EXISTS (SELECT 1 FROM event WHERE customer = customer.id)
         AND NOT EXISTS (SELECT 1 FROM customer AS part WHERE part.key > customer.key || '\u{1f}' AND part.key < customer.key || ' ')"
    ))?;
    let gone = statement.query_map(params![first, last, Instant(keep_from)], |row| row.get(0))?;
    for id in gone.collect::<sql::Result<Vec<i64>>>()? {
        collection::invalidate(connection)?;
        connection.prepare_cached("DELETE FROM seen WHERE customer = ?1")?.execute([id])?;
        connection.prepare_cached("DELETE FROM customer WHERE id = ?1")?.execute([id])?;
    }
    Ok(Some(last.saturating_add(1)))
}

/// Forgets findings that were closed long ago, and silences that have been over for so long; the
/// last silence stays, so that no number is given twice.
pub(in crate::ledger) fn findings_and_silences(
    connection: &Connection,
    keep_from: Timestamp,
) -> sql::Result<()> {
    connection
        .prepare_cached("DELETE FROM finding WHERE cleared_at < ?1")?
        .execute([Instant(keep_from)])?;
    let all = silences::all(connection)?;
    let last = all.last().map(|silence| silence.id);
    for Silence { id, .. } in
        all.iter().filter(|silence| silence.is_over(keep_from) && Some(silence.id) != last)
    {
        connection.prepare_cached("DELETE FROM silence WHERE id = ?1")?.execute([id])?;
    }
    Ok(())
}
