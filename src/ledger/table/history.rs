//! History: the data of each customer at each of its dates, kept and thinned; and what happened to
//! it.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::alerting::NewSample;
use crate::domain::{self, BillingPeriod, CustomerEvent, CustomerKey, EventCode, Point, Sample};
use crate::ledger::column::{self, Exact, Instant};
use crate::ledger::sql::{self, Connection, Optional, Row, named_params, params};
use crate::ledger::table::{collection, spikes};
use crate::text::customer_key_hash;

/// How long every change is kept; older ones are thinned to one a day.
const EVERY_CHANGE: SignedDuration = SignedDuration::from_hours(8 * 24);
/// A day in nanoseconds.
const DAY: i64 = 86_400_000_000_000;

/// Adds a date of the data of a customer, whose row may be known; the same one read again at the
/// same time replaces it.
pub(in crate::ledger) fn add(
    connection: &Connection,
    customer: Option<i64>,
    sample: &NewSample,
) -> sql::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO sample (customer, usage_as_of, seen_at, cost, usd_cost, partner_center_budget, reported_percent, carried_over)
             VALUES (coalesce(:customer, (SELECT id FROM customer WHERE key = :key)), :usage_as_of, :seen_at, :cost, :usd_cost, :budget, :percent, :carried_over)
             ON CONFLICT (customer, usage_as_of, seen_at) DO UPDATE SET cost = excluded.cost, usd_cost = excluded.usd_cost,
             partner_center_budget = excluded.partner_center_budget, reported_percent = excluded.reported_percent,
             carried_over = excluded.carried_over",
        )?
        .execute(named_params! {
            ":customer": customer,
            ":key": sample.customer.as_str(),
            ":usage_as_of": Instant(sample.usage_as_of),
            ":seen_at": Instant(sample.seen_at),
            ":cost": Exact(sample.cost),
            ":usd_cost": sample.usd_cost.map(Exact),
            ":budget": sample.partner_center_budget.map(Exact),
            ":percent": sample.reported_percent.map(Exact),
            ":carried_over": sample.carried_over,
        })?;
    Ok(())
}

/// That nothing was read later of the date of a row, or nothing that is not carried over.
const LAST_READ: &str = "NOT EXISTS (SELECT 1 FROM sample AS later WHERE later.customer = sample.customer \
    AND later.usage_as_of = sample.usage_as_of AND later.seen_at > sample.seen_at)";
const LAST_READ_IN_ITS_PERIOD: &str = "NOT EXISTS (SELECT 1 FROM sample AS later WHERE later.customer = sample.customer \
    AND later.usage_as_of = sample.usage_as_of AND later.seen_at > sample.seen_at AND later.carried_over = 0)";

/// The latest dates of a customer's data, newest first; of each date what was read last.
pub(in crate::ledger) fn latest(
    connection: &Connection,
    customer: i64,
    limit: u32,
) -> sql::Result<Vec<Sample>> {
    let mut statement = connection.prepare_cached(
        &format!("SELECT usage_as_of, cost, carried_over FROM sample WHERE customer = ?1 AND {LAST_READ} ORDER BY usage_as_of DESC LIMIT ?2"),
    )?;
    statement.query_map(params![customer, limit], date)?.collect()
}

fn date(row: &Row<'_>) -> sql::Result<Sample> {
    Ok(Sample {
        usage_as_of: column::instant(row, "usage_as_of")?,
        cost: column::decimal(row, "cost")?,
        carried_over: row.get("carried_over")?,
    })
}

/// The last data that is dated in a billing period, and not carried over into it.
pub(in crate::ledger) fn last_within(
    connection: &Connection,
    key: &CustomerKey,
    period: &BillingPeriod,
) -> sql::Result<Option<Sample>> {
    let mut statement = connection.prepare_cached(
        "SELECT usage_as_of, cost, carried_over FROM sample WHERE customer = (SELECT id FROM customer WHERE key = ?1)
         AND usage_as_of >= ?2 AND usage_as_of < ?3 AND carried_over = 0 ORDER BY usage_as_of DESC, seen_at DESC LIMIT 1",
    )?;
    statement
        .query_row(params![key.as_str(), Instant(period.start), Instant(period.end)], date)
        .optional()
}

/// How a customer's cost went in a billing period before one date of its data, oldest first; of
/// each date what was read last.
pub(in crate::ledger) fn cost_history(
    connection: &Connection,
    key: &CustomerKey,
    period: &BillingPeriod,
    before: Timestamp,
) -> sql::Result<Vec<Point>> {
    let mut statement = connection.prepare_cached(
        &format!("SELECT usage_as_of, cost FROM sample WHERE customer = (SELECT id FROM customer WHERE key = ?1)
         AND usage_as_of >= ?2 AND usage_as_of < ?3 AND carried_over = 0 AND {LAST_READ_IN_ITS_PERIOD} ORDER BY usage_as_of"),
    )?;
    let point = |row: &Row<'_>| {
        Ok(Point { at: column::instant(row, "usage_as_of")?, cost: column::decimal(row, "cost")? })
    };
    let points = statement.query_map(
        params![key.as_str(), Instant(period.start), Instant(before.min(period.end))],
        point,
    )?;
    Ok(domain::cost_history(period, points.collect::<Result<Vec<_>, _>>()?))
}

/// The customers that are present and have dates of fewer than `most` days since an instant, or
/// days that were spikes; subscriptions are left out.
pub(in crate::ledger) fn customers_with_few_dates(
    connection: &Connection,
    since: Timestamp,
    most: u32,
) -> sql::Result<Vec<CustomerKey>> {
    let mut statement = connection.prepare_cached(
        "SELECT key FROM customer JOIN seen ON seen.customer = customer.id WHERE subscription IS NULL AND missing_since IS NULL
         AND ((SELECT count(DISTINCT usage_as_of / :day) FROM sample WHERE sample.customer = customer.id
             AND sample.usage_as_of >= :since) < :most
             OR EXISTS (SELECT 1 FROM spike_day WHERE spike_day.customer = customer.id)) ORDER BY key",
    )?;
    let keys = statement.query_map(
        named_params! { ":day": DAY, ":since": Instant(since), ":most": most },
        |row| Ok(CustomerKey::of(row.get_ref(0)?.as_str()?)),
    )?;
    keys.collect()
}

/// Everything that history has of a customer, as it was read, oldest reading first.
pub(in crate::ledger) fn of_customer(
    connection: &Connection,
    key: &CustomerKey,
) -> sql::Result<Vec<NewSample>> {
    let mut statement = connection.prepare_cached(
        "SELECT key, sample.* FROM sample JOIN customer ON customer.id = sample.customer WHERE key \
            = ?1 ORDER BY seen_at, usage_as_of",
    )?;
    statement.query_map([key.as_str()], sample)?.collect()
}

/// Everything that was read since an instant, one customer after another, oldest reading first, to
/// `visit`.
pub(in crate::ledger) fn each_since(
    connection: &Connection,
    since: Timestamp,
    mut visit: impl FnMut(NewSample),
) -> sql::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT key, sample.* FROM sample JOIN customer ON customer.id = sample.customer WHERE seen_at >= ?1
         ORDER BY sample.customer, seen_at, usage_as_of",
    )?;
    let mut rows = statement.query([Instant(since)])?;
    while let Some(row) = rows.next()? {
        visit(sample(&row)?);
    }
    Ok(())
}

fn sample(row: &Row<'_>) -> sql::Result<NewSample> {
    Ok(NewSample {
        customer: CustomerKey::of(row.get_ref("key")?.as_str()?),
        usage_as_of: column::instant(row, "usage_as_of")?,
        seen_at: column::instant(row, "seen_at")?,
        cost: column::decimal(row, "cost")?,
        usd_cost: column::decimal_if_any(row, "usd_cost")?,
        partner_center_budget: column::decimal_if_any(row, "partner_center_budget")?,
        reported_percent: column::decimal_if_any(row, "reported_percent")?,
        carried_over: row.get("carried_over")?,
    })
}

/// When history was last thinned.
pub(in crate::ledger) fn pruned_at(connection: &Connection) -> sql::Result<Option<Timestamp>> {
    connection
        .prepare_cached("SELECT pruned_at FROM file")?
        .query_row((), |row| column::instant_if_any(row, 0))
}

/// Remembers that history has been thinned.
pub(in crate::ledger) fn set_pruned_at(connection: &Connection, now: Timestamp) -> sql::Result<()> {
    connection.prepare_cached("UPDATE file SET pruned_at = ?1")?.execute([Instant(now)])?;
    Ok(())
}

/// What is to be thinned.
#[derive(Debug, Clone, Copy)]
pub(in crate::ledger) struct Thinning {
    /// Events before this instant go.
    pub(in crate::ledger) keep_from: Timestamp,
    /// Spike days that are marked as fraud go before this instant.
    pub(in crate::ledger) claims_from: Timestamp,
    /// Samples and other spike days before this instant go.
    pub(in crate::ledger) history_from: Timestamp,
    /// Samples from here on have not been thinned yet.
    pub(in crate::ledger) thinned_to: Option<Timestamp>,
    /// Now, or the newest date of the data where that is earlier.
    pub(in crate::ledger) now: Timestamp,
}

/// Thins the history of the customers in rows from `first` on, no more than `count` of them;
/// returns the row to go on with.
pub(in crate::ledger) fn thin(
    connection: &Connection,
    first: i64,
    count: u32,
    thinning: &Thinning,
) -> sql::Result<Option<i64>> {
    let last: Option<i64> = connection
        .prepare_cached(
            "SELECT max(id) FROM (SELECT id FROM customer WHERE id >= ?1 ORDER BY id LIMIT ?2) AS piece",
        )?
        .query_row(params![first, count], |row| row.get(0))?;
    let Some(last) = last else { return Ok(None) };
    connection
        .prepare_cached(
            "DELETE FROM sample WHERE customer BETWEEN ?1 AND ?2 AND usage_as_of < ?3 \
            AND seen_at < ?3",
        )?
        .execute(params![first, last, Instant(thinning.history_from)])?;
    spikes::forget_before(connection, (first, last), thinning.history_from, thinning.claims_from)?;
    connection
        .prepare_cached("DELETE FROM event WHERE customer BETWEEN ?1 AND ?2 AND at < ?3")?
        .execute(params![first, last, Instant(thinning.keep_from)])?;
    // A sample goes when its date was read again, or its day has a later date that had cost as
    // much: a peak that was corrected within its day stays, for what comes back after a correction
    // is no rise. Days thinned before are left alone.
    let before = thinning.now.saturating_sub(EVERY_CHANGE).unwrap_or(thinning.now);
    let from = thinning.thinned_to.map(|at| {
        at.saturating_sub(EVERY_CHANGE).unwrap_or(at).saturating_sub(SignedDuration::from_hours(48))
    });
    let from = from.map_or(thinning.history_from, |from| from.unwrap_or(thinning.history_from));
    connection
        .prepare_cached(
            "DELETE FROM sample WHERE customer BETWEEN :first AND :last AND usage_as_of >= :from AND usage_as_of < :before AND seen_at < :before
             AND EXISTS (SELECT 1 FROM sample AS later WHERE later.customer = sample.customer
                 AND later.usage_as_of >= sample.usage_as_of AND later.usage_as_of / :day = sample.usage_as_of / :day
                 AND later.usage_as_of < sample.usage_as_of + :day
                 AND (later.usage_as_of, later.seen_at) > (sample.usage_as_of, sample.seen_at)
                 AND (later.usage_as_of = sample.usage_as_of
                     OR later.carried_over = sample.carried_over AND CAST(later.cost AS DOUBLE PRECISION) >= CAST(sample.cost AS DOUBLE PRECISION)
                         AND NOT EXISTS (SELECT 1 FROM sample AS again WHERE again.customer = later.customer
                             AND again.usage_as_of = later.usage_as_of AND again.seen_at > later.seen_at)))",
        )?
        .execute(named_params! {
            ":first": first, ":last": last, ":from": Instant(from), ":before": Instant(before), ":day": DAY,
        })?;
    Ok(Some(last.saturating_add(1)))
}

/// Adds what happened to a customer's data.
pub(in crate::ledger) fn add_event(
    connection: &Connection,
    key: &CustomerKey,
    event: &CustomerEvent,
) -> sql::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO event (customer, at, code, detail) VALUES ((SELECT id FROM \
            customer WHERE key = ?1), ?2, ?3, ?4)",
        )?
        .execute(params![key.as_str(), Instant(event.at), event.code.as_str(), event.detail])?;
    Ok(())
}

/// What happened to a customer's data, oldest first.
pub(in crate::ledger) fn events(
    connection: &Connection,
    key: &CustomerKey,
) -> sql::Result<Vec<CustomerEvent>> {
    let mut statement = connection.prepare_cached(
        "SELECT at, code, detail FROM event WHERE customer = (SELECT id FROM customer WHERE key = \
            ?1) ORDER BY at, event.id",
    )?;
    statement.query_map([key.as_str()], event)?.collect()
}

/// What happened to all customers' data since an instant, each with the customer's id as received
/// and what it is called, oldest first.
pub(in crate::ledger) fn events_since(
    connection: &Connection,
    since: Timestamp,
) -> sql::Result<Vec<(String, String, CustomerEvent)>> {
    let mut statement = connection.prepare_cached(
        "SELECT received_id, coalesce(label, name) AS called, at, code, detail FROM event JOIN seen \
            ON seen.customer = event.customer WHERE at >= ?1 ORDER BY at, event.id",
    )?;
    statement
        .query_map([Instant(since)], |row| {
            Ok((row.get("received_id")?, row.get("called")?, event(row)?))
        })?
        .collect()
}

fn event(row: &Row<'_>) -> sql::Result<CustomerEvent> {
    Ok(CustomerEvent {
        at: column::instant(row, "at")?,
        code: column::read(row, "code", EventCode::from_name)?,
        detail: row.get("detail")?,
    })
}

/// Marks customers, by their folds, as missing since `now` or as there again, each with its event;
/// returns how many.
pub(in crate::ledger) fn note_presence(
    connection: &Connection,
    folds: &HashSet<u128>,
    gone: bool,
    now: Timestamp,
) -> sql::Result<usize> {
    let mut keys = Vec::new();
    let mut statement =
        connection.prepare_cached("SELECT key FROM customer WHERE (missing_since IS NULL) = ?1")?;
    let mut rows = statement.query([gone])?;
    while let Some(row) = rows.next()? {
        let key = CustomerKey::of(row.get_ref(0)?.as_str()?);
        if folds.contains(&customer_key_hash(&key)) {
            keys.push(key);
        }
    }
    if !keys.is_empty() {
        collection::invalidate(connection)?;
    }
    let (code, detail) = if gone {
        (
            EventCode::Disappeared,
            "the last good poll had no record of it; nothing is concluded from that",
        )
    } else {
        (EventCode::Returned, "it has a record again")
    };
    for key in &keys {
        connection
            .prepare_cached("UPDATE customer SET missing_since = ?2 WHERE key = ?1")?
            .execute(params![key.as_str(), gone.then_some(Instant(now))])?;
        add_event(connection, key, &CustomerEvent { at: now, code, detail: detail.to_owned() })?;
    }
    Ok(keys.len())
}

/// Since when the last good polls had no record of a customer.
pub(in crate::ledger) fn missing_since(
    connection: &Connection,
    key: &CustomerKey,
) -> sql::Result<Option<Timestamp>> {
    let mut statement =
        connection.prepare_cached("SELECT missing_since FROM customer WHERE key = ?1")?;
    Ok(statement
        .query_row([key.as_str()], |row| column::instant_if_any(row, 0))
        .optional()?
        .flatten())
}

/// How many customers the last good poll had no record of, and an earlier one had.
pub(in crate::ledger) fn missing(connection: &Connection) -> sql::Result<u64> {
    connection.query_row(
        "SELECT count(*) FROM customer JOIN seen ON seen.customer = customer.id WHERE missing_since \
            IS NOT NULL",
        (),
        |row| column::count(row, 0),
    )
}
