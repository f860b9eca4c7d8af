//! Days that were spikes: what a rule about them remembers of each customer.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::domain::spike::{RecordedSpike, RunEnd, SpikeMark};
use crate::domain::{CustomerKey, canonical, utc_day};
use crate::ledger::column::{self, Exact, Id};
use crate::ledger::sql::{self, Connection, Row, named_params, params};

/// The days of one customer, oldest first.
pub(in crate::ledger) fn of(
    connection: &Connection,
    customer: i64,
) -> sql::Result<Vec<RecordedSpike>> {
    let mut statement = connection.prepare_cached(
        "SELECT rule, day, rate, usual, told, mark, alert, ended, ended_by FROM spike_day \
            WHERE customer = ?1 ORDER BY day, rule",
    )?;
    statement.query_map([customer], recorded)?.collect()
}

fn recorded(row: &Row<'_>) -> sql::Result<RecordedSpike> {
    let mark = row.get::<_, Option<String>>("mark")?;
    let ended = row.get::<_, Option<String>>("ended")?;
    let ended_by = row.get::<_, Option<String>>("ended_by")?;
    let alert: Option<Id> = row.get("alert")?;
    Ok(RecordedSpike {
        rule: row.get("rule")?,
        day: column::read(row, "day", |text| text.parse::<Date>().ok())?,
        rate: column::decimal(row, "rate")?,
        usual: column::decimal(row, "usual")?,
        told: column::decimal_if_any(row, "told")?,
        mark: mark.as_deref().and_then(SpikeMark::from_name),
        alert: alert.map(|Id(alert)| alert),
        ended: ended
            .and_then(|day| day.parse().ok())
            .zip(ended_by.as_deref().and_then(RunEnd::from_name)),
    })
}

/// Keeps a day in place of what was known of it; how somebody has marked it stays.
pub(in crate::ledger) fn keep(
    connection: &Connection,
    customer: &CustomerKey,
    spike: &RecordedSpike,
) -> sql::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO spike_day (customer, rule, day, rate, usual, told, alert, ended, ended_by)
             VALUES ((SELECT id FROM customer WHERE key = :key), :rule, :day, :rate, :usual, :told, :alert, :ended, :ended_by)
             ON CONFLICT (customer, rule, day) DO UPDATE SET rate = excluded.rate, usual = excluded.usual, told = excluded.told,
             alert = excluded.alert, ended = excluded.ended, ended_by = excluded.ended_by",
        )?
        .execute(named_params! {
            ":key": customer.as_str(),
            ":rule": spike.rule,
            ":day": spike.day.to_string(),
            ":rate": Exact(canonical(spike.rate)),
            ":usual": Exact(canonical(spike.usual)),
            ":told": spike.told.map(|told| Exact(canonical(told))),
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

/// Forgets the days of a removed rule.
pub(in crate::ledger) fn forget_rule(connection: &Connection, rule: &str) -> sql::Result<()> {
    connection.prepare_cached("DELETE FROM spike_day WHERE rule = ?1")?.execute([rule])?;
    Ok(())
}

/// Forgets the days before an instant, of the customers in these rows.
pub(in crate::ledger) fn forget_before(
    connection: &Connection,
    (first, last): (i64, i64),
    keep_from: Timestamp,
) -> sql::Result<()> {
    connection
        .prepare_cached("DELETE FROM spike_day WHERE customer BETWEEN ?1 AND ?2 AND day < ?3")?
        .execute(params![first, last, utc_day(keep_from).to_string()])?;
    Ok(())
}

/// Notes that people are told now of the day that an alert is about.
pub(in crate::ledger) fn tell(connection: &Connection, alert: Uuid) -> sql::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT customer, rule, day, rate, usual FROM spike_day WHERE alert = ?1",
    )?;
    let days = statement.query_map([Id(alert)], |row| {
        let excess = column::decimal(row, "rate")?.saturating_sub(column::decimal(row, "usual")?);
        Ok((row.get("customer")?, row.get("rule")?, row.get("day")?, excess))
    })?;
    let days: Vec<(i64, String, String, Decimal)> = days.collect::<sql::Result<_>>()?;
    for (customer, rule, day, excess) in days {
        let sql = "UPDATE spike_day SET told = ?4 WHERE customer = ?1 AND rule = ?2 AND day = ?3";
        connection.prepare_cached(sql)?.execute(params![
            customer,
            rule,
            day,
            Exact(canonical(excess))
        ])?;
    }
    Ok(())
}
