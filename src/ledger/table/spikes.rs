//! Days that were spikes: what a rule about them remembers of each customer.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::domain::spike::{RecordedSpike, RunEnd, SpikeMark, SpikeNote};
use crate::domain::{Alert, CustomerKey, canonical, utc_day};
use crate::ledger::column::{self, Exact, Id, Instant};
use crate::ledger::sql::{self, Connection, Optional, Row, named_params, params};

/// The days of one customer, oldest first.
pub(in crate::ledger) fn of(
    connection: &Connection,
    customer: i64,
) -> sql::Result<Vec<RecordedSpike>> {
    let mut statement = connection.prepare_cached(
        "SELECT rule, day, rate, usual, told, told_at, mark, marked_at, marked_by, reason, until, alert, ended, ended_by \
            FROM spike_day WHERE customer = ?1 ORDER BY day, rule",
    )?;
    statement.query_map([customer], recorded)?.collect()
}

fn recorded(row: &Row<'_>) -> sql::Result<RecordedSpike> {
    let ended = row.get::<_, Option<String>>("ended")?;
    let ended_by = row.get::<_, Option<String>>("ended_by")?;
    let alert: Option<Id> = row.get("alert")?;
    Ok(RecordedSpike {
        rule: row.get("rule")?,
        day: column::read(row, "day", |text| text.parse::<Date>().ok())?,
        rate: column::decimal(row, "rate")?,
        usual: column::decimal(row, "usual")?,
        told: column::decimal_if_any(row, "told")?,
        told_at: column::instant_if_any(row, "told_at")?,
        note: note(row)?,
        alert: alert.map(|Id(alert)| alert),
        ended: ended
            .and_then(|day| day.parse().ok())
            .zip(ended_by.as_deref().and_then(RunEnd::from_name)),
    })
}

fn note(row: &Row<'_>) -> sql::Result<Option<SpikeNote>> {
    let mark = row.get::<_, Option<String>>("mark")?;
    let at = column::instant_if_any(row, "marked_at")?;
    let (by, until) =
        (row.get::<_, Option<String>>("marked_by")?, row.get::<_, Option<String>>("until")?);
    let reason = row.get::<_, Option<String>>("reason")?.map(Into::into);
    let note = mark.as_deref().and_then(SpikeMark::from_name).zip(at).zip(by);
    Ok(note.map(|((mark, at), by)| SpikeNote {
        mark,
        by: by.into(),
        at,
        reason,
        until: until.and_then(|day| day.parse().ok()),
    }))
}

/// Keeps a day in place of what was known of it, beside what somebody has said since that was read.
pub(in crate::ledger) fn keep(
    connection: &Connection,
    customer: &CustomerKey,
    spike: &RecordedSpike,
) -> sql::Result<()> {
    let known = match row_of(connection, customer)? {
        Some(row) => of(connection, row)?,
        None => Vec::new(),
    };
    let spike = &spike.beside(&known);
    let note = spike.note.as_ref();
    connection
        .prepare_cached(
            "INSERT INTO spike_day (customer, rule, day, rate, usual, told, told_at, mark, marked_at, marked_by, reason, until, alert, ended, ended_by)
             VALUES ((SELECT id FROM customer WHERE key = :key), :rule, :day, :rate, :usual, :told, :told_at, :mark, :marked_at, :marked_by,
             :reason, :until, :alert, :ended, :ended_by)
             ON CONFLICT (customer, rule, day) DO UPDATE SET rate = excluded.rate, usual = excluded.usual, told = excluded.told,
             told_at = excluded.told_at, mark = excluded.mark, marked_at = excluded.marked_at, marked_by = excluded.marked_by,
             reason = excluded.reason, until = excluded.until, alert = excluded.alert, ended = excluded.ended, ended_by = excluded.ended_by",
        )?
        .execute(named_params! {
            ":key": customer.as_str(),
            ":rule": spike.rule,
            ":day": spike.day.to_string(),
            ":rate": Exact(canonical(spike.rate)),
            ":usual": Exact(canonical(spike.usual)),
            ":told": spike.told.map(|told| Exact(canonical(told))),
            ":told_at": spike.told_at.map(Instant),
            ":mark": spike.mark().map(SpikeMark::as_str),
            ":marked_at": note.map(|note| Instant(note.at)),
            ":marked_by": note.map(|note| &note.by),
            ":reason": note.and_then(|note| note.reason.as_ref()),
            ":until": note.and_then(|note| note.until).map(|day| day.to_string()),
            ":alert": spike.alert.map(Id),
            ":ended": spike.ended.map(|(day, _)| day.to_string()),
            ":ended_by": spike.ended.map(|(_, end)| end.as_str()),
        })?;
    Ok(())
}

/// Gives the days of one rule to another.
pub(in crate::ledger) fn rename_rule(
    connection: &Connection,
    before: &str,
    now: &str,
) -> sql::Result<()> {
    connection
        .prepare_cached(
            "UPDATE spike_day SET rule = ?2 WHERE rule = ?1 AND NOT EXISTS (SELECT 1 FROM spike_day AS other
             WHERE other.customer = spike_day.customer AND other.rule = ?2 AND other.day = spike_day.day)",
        )?
        .execute([before, now])?;
    Ok(())
}

/// Forgets the days of a removed rule, but for what is marked as fraud: a claim may be about it. Its
/// run is over.
pub(in crate::ledger) fn forget_rule(connection: &Connection, rule: &str) -> sql::Result<()> {
    let sql = "DELETE FROM spike_day WHERE rule = ?1 AND (mark IS NULL OR mark <> 'fraud')";
    connection.prepare_cached(sql)?.execute([rule])?;
    let mut statement = connection.prepare_cached(
        "SELECT customer, max(day) AS last FROM spike_day WHERE rule = ?1 AND ended IS NULL GROUP BY customer",
    )?;
    let open = statement
        .query_map([rule], |row| Ok((row.get::<_, i64>("customer")?, row.get("last")?)))?
        .collect::<sql::Result<Vec<(i64, String)>>>()?;
    for (customer, last) in open {
        connection
            .prepare_cached(
                "UPDATE spike_day SET ended = ?3, ended_by = ?4 WHERE customer = ?1 AND rule = ?2 AND ended IS NULL",
            )?
            .execute(params![customer, rule, last, RunEnd::NewSeries.as_str()])?;
    }
    Ok(())
}

/// Forgets the days before an instant, those that are marked as fraud before another, of the
/// customers in these rows.
pub(in crate::ledger) fn forget_before(
    connection: &Connection,
    (first, last): (i64, i64),
    keep_from: Timestamp,
    claims_from: Timestamp,
) -> sql::Result<()> {
    let [keep_from, claims_from] = [keep_from, claims_from].map(|from| utc_day(from).to_string());
    connection
        .prepare_cached(
            "DELETE FROM spike_day WHERE customer BETWEEN ?1 AND ?2 AND day < ?3 \
            AND (until IS NULL OR until < ?3) AND (mark IS NULL OR mark <> 'fraud' OR day < ?4)",
        )?
        .execute(params![first, last, keep_from, claims_from])?;
    Ok(())
}

/// Notes that people are told now of the day that an alert is about.
pub(in crate::ledger) fn tell(
    connection: &Connection,
    alert: Uuid,
    now: Timestamp,
) -> sql::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT customer, rule, day, rate, usual FROM spike_day WHERE alert = ?1",
    )?;
    let days = statement.query_map([Id(alert)], |row| {
        let excess = column::decimal(row, "rate")?.saturating_sub(column::decimal(row, "usual")?);
        Ok((row.get("customer")?, row.get("rule")?, row.get("day")?, excess))
    })?;
    let days: Vec<(i64, String, String, Decimal)> = days.collect::<sql::Result<_>>()?;
    for (customer, rule, day, excess) in days {
        let sql = "UPDATE spike_day SET told = ?4, told_at = ?5 WHERE customer = ?1 AND rule = ?2 \
            AND day = ?3";
        connection.prepare_cached(sql)?.execute(params![
            customer,
            rule,
            day,
            Exact(canonical(excess)),
            Instant(now)
        ])?;
    }
    Ok(())
}

/// The spike days of the run that an alert is about; none where they are not remembered.
pub(in crate::ledger) fn run_of(
    connection: &Connection,
    alert: &Alert,
    rule: &str,
) -> sql::Result<Vec<RecordedSpike>> {
    let Some(day) = alert.spike.map(|spike| spike.day) else { return Ok(Vec::new()) };
    let Some(customer) = row_of(connection, &alert.key())? else { return Ok(Vec::new()) };
    let spikes = of(connection, customer)?;
    let Some(own) = spikes.iter().find(|spike| *spike.rule == *rule && spike.day == day) else {
        return Ok(Vec::new());
    };
    Ok(spikes.iter().filter(|spike| spike.is_of_run(own)).cloned().collect())
}

fn row_of(connection: &Connection, customer: &CustomerKey) -> sql::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM customer WHERE key = ?1")?
        .query_row([customer.as_str()], |row| row.get(0))
        .optional()
}

/// Notes what somebody says of the days of a run. What was to be expected ends it; what is fraud,
/// and was taken for expected, goes on.
pub(in crate::ledger) fn mark(
    connection: &Connection,
    customer: &CustomerKey,
    run: &[RecordedSpike],
    note: &SpikeNote,
) -> sql::Result<()> {
    let last = run.iter().map(|spike| spike.day).max();
    let end = last.filter(|_| note.mark == SpikeMark::Expected).map(|day| (day, RunEnd::Expected));
    for spike in run {
        let reopened = spike.ended.filter(|(_, end)| *end != RunEnd::Expected);
        let ended = if note.mark == SpikeMark::Expected { spike.ended.or(end) } else { reopened };
        set_note(connection, customer, spike, Some(note), ended)?;
    }
    Ok(())
}

/// Takes back what was said by these orders about the days of a customer, whatever the rule; a run
/// that was over by it goes on.
pub(in crate::ledger) fn unmark(
    connection: &Connection,
    customer: &CustomerKey,
    orders: &[SpikeNote],
) -> sql::Result<()> {
    let Some(row) = row_of(connection, customer)? else { return Ok(()) };
    let is_taken_back = |spike: &RecordedSpike| {
        let note = spike.note.as_ref();
        note.is_some_and(|note| orders.iter().any(|order| order.is_same_order(note)))
    };
    for spike in of(connection, row)?.iter().filter(|spike| is_taken_back(spike)) {
        let ended = spike.ended.filter(|(_, end)| *end != RunEnd::Expected);
        set_note(connection, customer, spike, None, ended)?;
    }
    Ok(())
}

fn set_note(
    connection: &Connection,
    customer: &CustomerKey,
    spike: &RecordedSpike,
    note: Option<&SpikeNote>,
    ended: Option<(Date, RunEnd)>,
) -> sql::Result<()> {
    connection
        .prepare_cached(
            "UPDATE spike_day SET mark = CAST(:mark AS TEXT), marked_at = :at, marked_by = :by, reason = :reason, until = :until, ended = :ended,
             ended_by = :ended_by, evidence_at = CASE WHEN CAST(:mark AS TEXT) = 'fraud' THEN evidence_at END,
             evidence_by = CASE WHEN CAST(:mark AS TEXT) = 'fraud' THEN evidence_by END WHERE customer = (SELECT id FROM customer WHERE key = :key) AND rule = :rule AND day = :day",
        )?
        .execute(named_params! {
            ":key": customer.as_str(),
            ":rule": spike.rule,
            ":day": spike.day.to_string(),
            ":mark": note.map(|note| note.mark.as_str()),
            ":at": note.map(|note| Instant(note.at)),
            ":by": note.map(|note| &note.by),
            ":reason": note.and_then(|note| note.reason.as_ref()),
            ":until": note.and_then(|note| note.until).map(|day| day.to_string()),
            ":ended": ended.map(|(day, _)| day.to_string()),
            ":ended_by": ended.map(|(_, end)| end.as_str()),
        })?;
    Ok(())
}

/// What somebody has said of the day that an alert is about.
pub(in crate::ledger) fn note_of(
    connection: &Connection,
    alert: &Alert,
    rule: &str,
) -> sql::Result<Option<SpikeNote>> {
    let Some(day) = alert.spike.map(|spike| spike.day) else { return Ok(None) };
    let found = connection
        .prepare_cached(
            "SELECT mark, marked_at, marked_by, reason, until FROM spike_day
             WHERE customer = (SELECT id FROM customer WHERE key = ?1) AND rule = ?2 AND day = ?3",
        )?
        .query_row(params![alert.key().as_str(), rule, day.to_string()], note)
        .optional()?;
    Ok(found.flatten())
}
