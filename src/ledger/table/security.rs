//! Security alerts of Microsoft: as they were last read, the steps that they have reached, and how
//! reading them went.

use jiff::Timestamp;

use crate::alerting::{RememberedSecurity, SecurityMemory, SecurityPoll, SecurityState};
use crate::domain::{Alert, CustomerKey};
use crate::ledger::column::{self, Id, Instant};
use crate::ledger::sql::{self, Connection, Optional, Row, named_params, params};
use crate::ledger::table::alerts::json;
use crate::ledger::table::{life, security_steps};

/// All that are open, those that ended since, and those that an alert is about that is not over; the
/// longest known first.
pub(in crate::ledger) fn memory(
    connection: &Connection,
    ended_since: Timestamp,
) -> sql::Result<SecurityMemory> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM security_alert WHERE ended_at IS NULL OR ended_at >= ?1 OR id IN (SELECT security FROM alert
             WHERE state IN ('raised', 'silenced') AND security IS NOT NULL) ORDER BY id",
    )?;
    let rows = statement.query_map([Instant(ended_since)], KeptRow::of)?;
    let rows = rows.collect::<sql::Result<Vec<_>>>()?;
    let alerts = rows.into_iter().map(|row| row.remembered(connection));
    Ok(SecurityMemory { poll: poll(connection)?, alerts: alerts.collect::<sql::Result<_>>()? })
}

/// Those of these keys that are remembered, however long ago they ended; also with the alerts about
/// them that are over.
pub(in crate::ledger) fn of_keys(
    connection: &Connection,
    keys: &[String],
) -> sql::Result<Vec<RememberedSecurity>> {
    let mut statement = connection.prepare_cached("SELECT * FROM security_alert WHERE key = ?1")?;
    let mut found = Vec::new();
    for key in keys {
        let row = statement.query_row([key], KeptRow::of).optional()?;
        if let Some(row) = row {
            let over = life::over_of_security(connection, row.id)?;
            found.push(RememberedSecurity { over, ..row.remembered(connection)? });
        }
    }
    Ok(found)
}

/// A row of the table.
struct KeptRow {
    id: i64,
    state: SecurityState,
    listed_at: Timestamp,
}

impl KeptRow {
    fn of(row: &Row<'_>) -> sql::Result<Self> {
        let listed_at = column::instant(row, "listed_at")?;
        Ok(Self { id: row.get("id")?, state: state(row)?, listed_at })
    }

    /// With what is known of it beside.
    fn remembered(self, connection: &Connection) -> sql::Result<RememberedSecurity> {
        Ok(RememberedSecurity {
            state: self.state,
            listed_at: self.listed_at,
            steps: security_steps::of(connection, self.id)?,
            alerts: life::open_of_security(connection, self.id)?,
            over: Vec::new(),
            references: references(connection, self.id)?,
        })
    }
}

/// Where the security alert in a row stands.
pub(in crate::ledger) fn state(row: &Row<'_>) -> sql::Result<SecurityState> {
    Ok(SecurityState {
        alert: serde_json::from_str(row.get_ref("state")?.as_str()?).map_err(column::unreadable)?,
        first_seen: column::instant(row, "first_seen")?,
        ended_at: column::instant_if_any(row, "ended_at")?,
        unlisted: row.get("unlisted")?,
        ordered_by: row.get("ordered_by")?,
    })
}

/// The references of the alerts about it, the newest first.
pub(in crate::ledger) fn references(connection: &Connection, id: i64) -> sql::Result<Vec<String>> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM alert WHERE security = ?1 ORDER BY seq DESC")?;
    let references =
        statement.query_map([id], |row| column::id(row, 0).map(Alert::reference_of))?;
    references.collect()
}

/// How the last read went; none before the first.
pub(in crate::ledger) fn poll(connection: &Connection) -> sql::Result<Option<SecurityPoll>> {
    let mut statement = connection.prepare_cached("SELECT * FROM security_poll")?;
    let read = |row: &Row<'_>| {
        let score = row.get_ref("score")?.as_str_or_null()?.map(serde_json::from_str);
        Ok(SecurityPoll {
            at: column::instant(row, "at")?,
            good_at: column::instant_if_any(row, "good_at")?,
            source: row.get("source")?,
            errors: serde_json::from_str(row.get_ref("errors")?.as_str()?)
                .map_err(column::unreadable)?,
            score: score.transpose().map_err(column::unreadable)?,
            score_at: column::instant_if_any(row, "score_at")?,
        })
    };
    statement.query_row((), read).optional()
}

/// Makes a customer that an alert can be about: it need not have been seen, and what was seen of it
/// may be forgotten.
pub(in crate::ledger) fn make_customer(
    connection: &Connection,
    customer: &CustomerKey,
    now: Timestamp,
) -> sql::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO customer (key, fingerprint, crossed, missing_since) VALUES (?1, 0, 0, ?2) ON CONFLICT DO NOTHING",
        )?
        .execute(params![customer.as_str(), Instant(now)])?;
    Ok(())
}

/// Keeps how a security alert stands, in place of what is kept of it. Who answered it from here,
/// and who has gathered its evidence, stays known until it is open again.
pub(in crate::ledger) fn keep(
    connection: &Connection,
    state: &SecurityState,
    now: Timestamp,
) -> sql::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO security_alert (key, state, first_seen, listed_at, ended_at, unlisted, ordered_by)
             VALUES (:key, :state, :first_seen, :now, :ended_at, :unlisted, :ordered_by)
             ON CONFLICT (key) DO UPDATE SET state = excluded.state, listed_at = excluded.listed_at, ended_at = excluded.ended_at,
             unlisted = excluded.unlisted,
             evidence_at = CASE WHEN excluded.ended_at IS NOT NULL THEN security_alert.evidence_at END,
             evidence_by = CASE WHEN excluded.ended_at IS NOT NULL THEN security_alert.evidence_by END,
             ordered_by = CASE WHEN excluded.ended_at IS NOT NULL THEN coalesce(excluded.ordered_by, security_alert.ordered_by) END",
        )?
        .execute(named_params! {
            ":key": state.alert.key(),
            ":state": json(&state.alert)?,
            ":first_seen": Instant(state.first_seen),
            ":now": Instant(now),
            ":ended_at": state.ended_at.map(Instant),
            ":unlisted": state.unlisted,
            ":ordered_by": state.ordered_by,
        })?;
    Ok(())
}

/// Says which security alert an alert is about.
pub(in crate::ledger) fn tie(
    connection: &Connection,
    alert: uuid::Uuid,
    security: &str,
) -> sql::Result<()> {
    let sql = "UPDATE alert SET security = (SELECT id FROM security_alert WHERE key = ?2) WHERE \
        id = ?1";
    connection.prepare_cached(sql)?.execute(params![Id(alert), security])?;
    Ok(())
}

/// Keeps how a read went.
pub(in crate::ledger) fn keep_poll(
    connection: &Connection,
    poll: &SecurityPoll,
) -> sql::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO security_poll (\"only\", at, good_at, source, errors, score, score_at)
             VALUES (1, :at, :good_at, :source, :errors, :score, :score_at)
             ON CONFLICT (\"only\") DO UPDATE SET at = excluded.at, good_at = excluded.good_at, source = excluded.source,
             errors = excluded.errors, score = excluded.score, score_at = excluded.score_at",
        )?
        .execute(named_params! {
            ":at": Instant(poll.at),
            ":good_at": poll.good_at.map(Instant),
            ":source": poll.source,
            ":errors": json(&poll.errors)?,
            ":score": poll.score.as_ref().map(json).transpose()?,
            ":score_at": poll.score_at.map(Instant),
        })?;
    Ok(())
}

/// Security alerts are not read any more: forgets how that went, and looks after none that is open.
pub(in crate::ledger) fn forget_poll(connection: &Connection, now: Timestamp) -> sql::Result<()> {
    connection.prepare_cached("DELETE FROM security_poll")?.execute(())?;
    let sql = "UPDATE security_alert SET ended_at = ?1, unlisted = ?2 WHERE ended_at IS NULL";
    connection.prepare_cached(sql)?.execute(params![Instant(now), true])?;
    Ok(())
}

/// Rules that have been through a good read are no longer new.
pub(in crate::ledger) fn settle(
    connection: &Connection,
    rules: &[Box<str>],
    now: Timestamp,
) -> sql::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO rule (name, settled_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?;
    rules.iter().try_for_each(|rule| statement.execute(params![rule, Instant(now)]).map(drop))
}

/// Forgets security alerts that ended long ago and are in no alert any more.
pub(in crate::ledger) fn forget_alerts(
    connection: &Connection,
    keep_from: Timestamp,
) -> sql::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM security_alert WHERE ended_at < ?1 AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.security = security_alert.id)
             AND NOT EXISTS (SELECT 1 FROM security_step WHERE security_step.security = security_alert.id)",
        )?
        .execute([Instant(keep_from)])?;
    Ok(())
}
