//! What becomes of alerts after they were raised: which of them have to be looked at, and what is
//! noted about them.

use jiff::Timestamp;
use uuid::Uuid;

use crate::alerting::{AlertChange, OpenAlert};
use crate::domain::{AlertState, CustomerKey};
use crate::ledger::column::{self, Id, Instant, Length};
use crate::ledger::sql::{self, Connection, Optional, Row, named_params, params};
use crate::ledger::table::{acks, alerts, history, spikes};

/// The customers with alerts that time may have changed by `now` and the `newest` date of all data:
/// their period is over, the run of spikes that they are about is, they are silenced, or a reminder
/// is due; one told by a clock that was ahead is.
pub(in crate::ledger) fn to_review(
    connection: &Connection,
    now: Timestamp,
    newest: Option<Timestamp>,
) -> sql::Result<Vec<CustomerKey>> {
    let mut statement = connection.prepare_cached(
        "SELECT key FROM customer WHERE id IN (
             SELECT customer FROM alert WHERE state IN ('raised', 'silenced') AND period_end <= :newest
             UNION SELECT customer FROM alert WHERE state = 'silenced'
             UNION SELECT customer FROM spike_day WHERE ended IS NOT NULL
                 AND EXISTS (SELECT 1 FROM alert WHERE alert.id = spike_day.alert AND state = 'raised')
             UNION SELECT customer FROM alert WHERE state = 'raised' AND remind_every IS NOT NULL AND acked_at IS NULL
                 AND (told_at <= :now - remind_every OR told_at > :now)
         ) ORDER BY key",
    )?;
    let keys = statement.query_map(
        named_params! { ":now": Instant(now), ":newest": newest.map(Instant) },
        |row| Ok(CustomerKey::of(row.get_ref(0)?.as_str()?)),
    )?;
    keys.collect()
}

/// How many customers have alerts that a silence hides.
pub(in crate::ledger) fn customers_silenced(connection: &Connection) -> sql::Result<u64> {
    let sql = "SELECT count(DISTINCT customer) FROM alert WHERE state = 'silenced'";
    connection.prepare_cached(sql)?.query_row((), |row| column::count(row, 0))
}

/// The columns of an alert that is not over.
const OPEN: &str = "SELECT snapshot, state, rule, notify, remind_every, coalesce(told_at, raised_at) AS told_at, acked_at IS NOT NULL AS acknowledged,
    (SELECT json_group_array(DISTINCT notifier) FROM message_alert JOIN delivery ON delivery.message = message_alert.message
        WHERE message_alert.alert = alert.id AND delivery.state = 'pending') AS owed_to,
    (SELECT json_group_array(DISTINCT notifier) FROM message_alert JOIN delivery ON delivery.message = message_alert.message
        WHERE message_alert.alert = alert.id AND stands_in_for IS NOT NULL AND delivery.state <> 'dead') AS fell_back
    FROM alert";

/// The alerts about a security alert, by its row, that are not over, in the order in which they
/// were raised.
pub(in crate::ledger) fn open_of_security(
    connection: &Connection,
    security: i64,
) -> sql::Result<Vec<OpenAlert>> {
    let mut statement = connection.prepare_cached(&format!(
        "{OPEN} WHERE security = ?1 AND state IN ('raised', 'silenced') ORDER BY seq"
    ))?;
    statement.query_map([security], open_alert)?.collect()
}

/// The alerts about a security alert that are over, and whose steps are kept, likewise.
pub(in crate::ledger) fn over_of_security(
    connection: &Connection,
    security: i64,
) -> sql::Result<Vec<OpenAlert>> {
    let mut statement = connection.prepare_cached(&format!(
        "{OPEN} WHERE security = ?1 AND state IN ('resolved', 'closed')
         AND EXISTS (SELECT 1 FROM security_step WHERE security_step.alert = alert.id) ORDER BY seq"
    ))?;
    statement.query_map([security], open_alert)?.collect()
}

/// The alerts of a customer about its usage that are not over, in the order in which they were
/// raised. Those whose
/// billing period ends by the `newest` date of all data come with the last data of that period.
pub(in crate::ledger) fn open(
    connection: &Connection,
    key: &CustomerKey,
    newest: Option<Timestamp>,
) -> sql::Result<Vec<OpenAlert>> {
    let mut statement = connection.prepare_cached(&format!(
        "{OPEN} WHERE customer = (SELECT id FROM customer WHERE key = ?1) AND state IN ('raised', 'silenced') AND security IS NULL ORDER BY seq",
    ))?;
    let mut alerts: Vec<OpenAlert> =
        statement.query_map([key.as_str()], open_alert)?.collect::<sql::Result<_>>()?;
    for alert in &mut alerts {
        let period = alert.snapshot.alert.billing_period;
        if newest.is_some_and(|newest| period.end <= newest) {
            alert.closing = history::last_within(connection, key, &period)?;
        }
    }
    Ok(alerts)
}

fn open_alert(row: &Row<'_>) -> sql::Result<OpenAlert> {
    let names = |column: &str| {
        serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(column::unreadable)
    };
    Ok(OpenAlert {
        snapshot: alerts::snapshot(row)?,
        rule: row.get("rule")?,
        notify: names("notify")?,
        owed_to: names("owed_to")?,
        fell_back: names("fell_back")?,
        remind_every: row.get::<_, Option<Length>>("remind_every")?.map(|length| length.0),
        told_at: column::instant(row, "told_at")?,
        acknowledged: row.get("acknowledged")?,
        closing: None,
    })
}

/// How many alerts of each rule are not over, by the rule's name.
pub(in crate::ledger) fn open_by_rule(connection: &Connection) -> sql::Result<Vec<(String, u64)>> {
    let mut statement = connection.prepare_cached(
        "SELECT rule, count(*) FROM alert WHERE state IN ('raised', \
            'silenced') GROUP BY rule ORDER BY rule",
    )?;
    statement.query_map((), |row| Ok((row.get(0)?, column::count(row, 1)?)))?.collect()
}

/// Notes what becomes of an alert.
pub(in crate::ledger) fn change(
    connection: &Connection,
    change: &AlertChange,
    now: Timestamp,
) -> sql::Result<()> {
    match change {
        AlertChange::Resolved(alert) => end(connection, *alert, AlertState::Resolved, now),
        AlertChange::Closed(alert) => end(connection, *alert, AlertState::Closed, now),
        AlertChange::Released(alert) => {
            spikes::tell(connection, *alert, now)?;
            connection
                .prepare_cached("UPDATE alert SET state = 'raised', told_at = ?2 WHERE id = ?1")?
                .execute(params![Id(*alert), Instant(now)])
        }
        AlertChange::Reminded(alert) => connection
            .prepare_cached("UPDATE alert SET told_at = ?2 WHERE id = ?1")?
            .execute(params![Id(*alert), Instant(now)]),
        AlertChange::Reopened { alert, silenced } => {
            acks::unacknowledge(connection, *alert, None, now)?;
            let state = if *silenced { AlertState::Silenced } else { AlertState::Raised };
            let sql = "UPDATE alert SET state = ?3, ended_at = NULL, told_at = ?2 WHERE id = ?1";
            let row = params![Id(*alert), Instant(now), state.as_str()];
            connection.prepare_cached(sql)?.execute(row)
        }
    }?;
    Ok(())
}

fn end(
    connection: &Connection,
    alert: Uuid,
    state: AlertState,
    now: Timestamp,
) -> sql::Result<usize> {
    let sql = "UPDATE alert SET state = ?3, ended_at = ?2 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![Id(alert), Instant(now), state.as_str()])
}

/// The alert that somebody means: its id, or the reference that messages show; the newest of
/// several.
pub(in crate::ledger) fn find(connection: &Connection, text: &str) -> sql::Result<Option<Uuid>> {
    let wanted: String = text.trim().chars().filter(|letter| *letter != '-').collect();
    let id = |filler: &str| {
        let rest = filler.repeat(32_usize.saturating_sub(wanted.len()));
        Uuid::try_parse(&format!("{wanted}{rest}")).ok().map(Id)
    };
    let (8.., Some(first), Some(last)) = (wanted.len(), id("0"), id("f")) else { return Ok(None) };
    let mut statement = connection.prepare_cached(
        "SELECT id FROM alert WHERE id BETWEEN ?1 AND ?2 ORDER BY seq DESC LIMIT 1",
    )?;
    statement.query_row(params![first, last], |row| column::id(row, 0)).optional()
}
