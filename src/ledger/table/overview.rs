//! Customers page by page, the worst first, and what is shown beside each. Their order is that of
//! the column `worst`, which the schema explains.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Sample, Severity};
use crate::ledger::column::{self, Instant};
use crate::ledger::overview::{
    CustomerCursor, CustomerFilter, CustomerPage, CustomerRow, CustomerTotals, OpenOfCustomer,
};
use crate::ledger::sql::{self, Connection, Optional, Row, named_params, params};
use crate::ledger::table::{customer_filter, customers};

/// How far back the dates of a customer go that are shown.
const SPAN: SignedDuration = SignedDuration::from_hours(30 * 24);
/// From this rank on, a customer is at or over its budget, and from that one its excess is known
/// in US dollars.
const OVER: i64 = 2_000_000_000_000_000;
const OVER_BY_USD: i64 = 3_000_000_000_000_000;
/// So few are looked up one by one, instead of being found in the order of all.
const FEW: usize = 200;

/// The customers that a filter chooses behind a place, no more than `limit`.
pub(in crate::ledger) fn page(
    connection: &Connection,
    filter: &CustomerFilter,
    after: Option<CustomerCursor>,
    limit: usize,
) -> sql::Result<CustomerPage> {
    let (mut places, total) = if filter.is_empty() {
        (in_order(connection, after, limit, |_| true)?, count(connection)?)
    } else {
        let chosen = customer_filter::chosen(connection, filter)?;
        let total = u64::try_from(chosen.len()).unwrap_or(u64::MAX);
        (among(connection, &chosen, after, limit)?, total)
    };
    let more = places.len() > limit;
    places.truncate(limit);
    let next = places.last().copied().filter(|_| more);
    let mut rows = Vec::with_capacity(places.len());
    for place in places {
        rows.extend(row(connection, place.row)?);
    }
    Ok(CustomerPage { rows, next, total })
}

/// The rows of customers in their order that are wanted, one more than `limit` where there is one.
/// They are read from the index alone: in SQLite their rank is nowhere else, and takes longer to
/// find out than all the rest of a row.
fn in_order(
    connection: &Connection,
    after: Option<CustomerCursor>,
    limit: usize,
    is_wanted: impl Fn(&CustomerCursor) -> bool,
) -> sql::Result<Vec<CustomerCursor>> {
    let mut statement = connection.prepare_cached(
        "SELECT worst, customer FROM seen WHERE worst <= :worst AND (worst < :worst OR customer > :row)
         ORDER BY worst DESC, customer LIMIT :piece",
    )?;
    let mut after = after.unwrap_or(CustomerCursor { worst: i64::MAX, row: 0 });
    let mut found = Vec::new();
    loop {
        let piece = connection.piece();
        let bound = named_params! { ":worst": after.worst, ":row": after.row, ":piece": piece };
        let mut rows = statement.query(bound)?;
        let mut left = piece;
        while let Some(row) = rows.next()? {
            after = place(&row)?;
            left -= 1;
            if is_wanted(&after) {
                found.push(after);
                if found.len() > limit {
                    return Ok(found);
                }
            }
        }
        if left > 0 {
            return Ok(found);
        }
    }
}

/// The same of those in some rows, which are in the order of their numbers.
fn among(
    connection: &Connection,
    chosen: &[i64],
    after: Option<CustomerCursor>,
    limit: usize,
) -> sql::Result<Vec<CustomerCursor>> {
    if chosen.len() > FEW {
        return in_order(connection, after, limit, |place| {
            chosen.binary_search(&place.row).is_ok()
        });
    }
    let mut rank =
        connection.prepare_cached("SELECT worst, customer FROM seen WHERE customer = ?1")?;
    let mut found = Vec::with_capacity(chosen.len());
    for row in chosen {
        found.extend(rank.query_row([*row], place).optional()?);
    }
    let order = |place: &CustomerCursor| (std::cmp::Reverse(place.worst), place.row);
    found.sort_unstable_by_key(order);
    found.retain(|place| after.is_none_or(|after| order(place) > order(&after)));
    Ok(found)
}

fn place(row: &Row<'_>) -> sql::Result<CustomerCursor> {
    Ok(CustomerCursor { worst: row.get(0)?, row: row.get(1)? })
}

fn count(connection: &Connection) -> sql::Result<u64> {
    connection.query_row("SELECT count(*) FROM seen", (), |row| column::count(row, 0))
}

/// The worst that nobody has acknowledged of each customer with open alerts, by its row.
fn open_alerts(connection: &Connection) -> sql::Result<HashMap<i64, Option<Severity>>> {
    let mut statement = connection.prepare_cached(
        "SELECT customer, severity, acked_at IS NULL AS unknown FROM alert INDEXED BY alert_open_listed
         WHERE state IN ('raised', 'silenced')",
    )?;
    let mut rows = statement.query(())?;
    let mut all: HashMap<i64, Option<Severity>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let worst = all.entry(row.get("customer")?).or_default();
        if row.get("unknown")? {
            *worst = (*worst).max(Some(column::read(&row, "severity", Severity::from_name)?));
        }
    }
    Ok(all)
}

/// What is shown of the customer in a row; none where it was deleted since.
fn row(connection: &Connection, customer: i64) -> sql::Result<Option<CustomerRow>> {
    let Some(seen) = customers::in_row(connection, customer)? else { return Ok(None) };
    let since = seen.usage_as_of.instant().saturating_sub(SPAN).unwrap_or(Timestamp::MIN);
    Ok(Some(CustomerRow {
        samples: samples(connection, customer, since)?,
        open: open_of(connection, customer)?,
        told: told(connection, customer)?,
        seen,
    }))
}

fn samples(connection: &Connection, customer: i64, since: Timestamp) -> sql::Result<Vec<Sample>> {
    let mut statement = connection.prepare_cached(
        "SELECT usage_as_of, cost, carried_over FROM sample WHERE customer = ?1 AND usage_as_of >= ?2
         ORDER BY usage_as_of, seen_at",
    )?;
    let mut rows = statement.query(params![customer, Instant(since)])?;
    let mut samples: Vec<Sample> = Vec::new();
    while let Some(row) = rows.next()? {
        let sample = Sample {
            usage_as_of: column::instant(&row, "usage_as_of")?,
            cost: column::decimal(&row, "cost")?,
            carried_over: row.get("carried_over")?,
        };
        // What was read last of a date holds.
        samples.pop_if(|last| last.usage_as_of == sample.usage_as_of);
        samples.push(sample);
    }
    Ok(samples)
}

fn open_of(connection: &Connection, customer: i64) -> sql::Result<OpenOfCustomer> {
    let mut statement = connection.prepare_cached(
        "SELECT severity, acked_at, acked_by FROM alert WHERE customer = ?1 AND state IN ('raised', 'silenced') ORDER BY seq",
    )?;
    let mut rows = statement.query([customer])?;
    let mut open = OpenOfCustomer::default();
    while let Some(row) = rows.next()? {
        open.count = open.count.saturating_add(1);
        open.severity =
            open.severity.max(Some(column::read(&row, "severity", Severity::from_name)?));
        match column::instant_if_any(&row, "acked_at")?.zip(row.get("acked_by")?) {
            Some(known) => open.acknowledged = Some(known),
            None => open.unacknowledged = open.unacknowledged.saturating_add(1),
        }
    }
    Ok(open)
}

fn told(connection: &Connection, customer: i64) -> sql::Result<Option<(String, Timestamp)>> {
    let mut statement = connection.prepare_cached(
        "SELECT notifier, delivery.ended_at AS told_at FROM alert JOIN message_alert ON message_alert.alert = alert.id
         JOIN delivery ON delivery.message = message_alert.message
         WHERE customer = ?1 AND delivery.state = 'sent' ORDER BY delivery.ended_at DESC, delivery.seq DESC LIMIT 1",
    )?;
    let told =
        statement.query_row([customer], |row| Ok((row.get(0)?, column::instant(row, "told_at")?)));
    told.optional()
}

/// What all customers come to.
pub(in crate::ledger) fn totals(connection: &Connection) -> sql::Result<CustomerTotals> {
    let mut totals = connection
        .prepare_cached(
            "SELECT count(*) AS beyond, CAST(coalesce(sum(CASE WHEN worst >= :usd THEN worst - :usd ELSE 0 END), 0) AS BIGINT) AS cents,
             coalesce(sum(CASE WHEN worst < :usd THEN 1 ELSE 0 END), 0) AS uncounted FROM seen WHERE worst >= :over",
        )?
        .query_row(named_params! { ":over": OVER, ":usd": OVER_BY_USD }, |row| {
            Ok(CustomerTotals {
                over: column::count(row, "beyond")?,
                over_cents: column::count(row, "cents")?,
                over_uncounted: column::count(row, "uncounted")?,
                ..CustomerTotals::default()
            })
        })?;
    totals.customers = count(connection)?;
    for unacknowledged in open_alerts(connection)?.into_values() {
        let counted = match unacknowledged {
            Some(Severity::Critical) => &mut totals.unacknowledged_critical,
            Some(Severity::Warning | Severity::Info) => &mut totals.unacknowledged_other,
            None => &mut totals.acknowledged,
        };
        *counted = counted.saturating_add(1);
    }
    Ok(totals)
}

/// The worst customers, no more than `limit`.
pub(in crate::ledger) fn worst(
    connection: &Connection,
    limit: usize,
    mut visit: impl FnMut(crate::alerting::CustomerState),
) -> sql::Result<()> {
    for place in in_order(connection, None, limit.saturating_sub(1), |_| true)? {
        customers::in_row(connection, place.row)?.into_iter().for_each(&mut visit);
    }
    Ok(())
}
