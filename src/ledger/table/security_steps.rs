//! The steps of rules that security alerts have reached: what keeps one from being told twice.

use jiff::Timestamp;

use crate::alerting::{NewSecurityStep, SecurityStep};
use crate::domain::canonical;
use crate::ledger::column::{self, Exact, Id, Instant};
use crate::ledger::sql::{self, Connection, Row, named_params};

/// The steps that a security alert, by its row, has reached.
pub(in crate::ledger) fn of(connection: &Connection, id: i64) -> sql::Result<Vec<SecurityStep>> {
    let mut statement = connection
        .prepare_cached("SELECT rule, at, raised FROM security_step WHERE security = ?1")?;
    let step = |row: &Row<'_>| {
        Ok(SecurityStep {
            rule: row.get("rule")?,
            at: column::decimal(row, "at")?,
            raised: row.get("raised")?,
        })
    };
    statement.query_map([id], step)?.collect()
}

/// Adds a step raised or passed; one that is there already stays as it is.
pub(in crate::ledger) fn add_step(
    connection: &Connection,
    step: &NewSecurityStep,
) -> sql::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO security_step (security, rule, at, raised, alert)
             VALUES ((SELECT id FROM security_alert WHERE key = :key), :rule, :at, :raised, :alert)
             ON CONFLICT DO NOTHING",
        )?
        .execute(named_params! {
            ":key": step.security,
            ":rule": step.rule,
            ":at": Exact(canonical(step.at)),
            ":raised": step.raised,
            ":alert": Id(step.alert),
        })?;
    connection
        .prepare_cached("INSERT INTO rule_name (name) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([&step.rule])?;
    Ok(())
}

/// Forgets which steps a removed rule has raised and passed.
pub(in crate::ledger) fn forget_rule(connection: &Connection, rule: &str) -> sql::Result<()> {
    connection.prepare_cached("DELETE FROM security_step WHERE rule = ?1")?.execute([rule])?;
    Ok(())
}

/// Gives what was done under one name to another.
pub(in crate::ledger) fn rename_rule(
    connection: &Connection,
    before: &str,
    now: &str,
) -> sql::Result<()> {
    connection
        .prepare_cached(
            "UPDATE security_step SET rule = ?2 WHERE rule = ?1 AND NOT EXISTS (SELECT 1 FROM security_step AS other
             WHERE other.rule = ?2 AND other.security = security_step.security AND other.at = security_step.at)",
        )?
        .execute([before, now])?;
    Ok(())
}

/// Forgets the steps of security alerts that ended long ago: they hold their alerts.
pub(in crate::ledger) fn forget_steps(
    connection: &Connection,
    keep_from: Timestamp,
) -> sql::Result<()> {
    let sql = "DELETE FROM security_step WHERE security IN (SELECT id FROM security_alert WHERE \
        ended_at < ?1)";
    connection.prepare_cached(sql)?.execute([Instant(keep_from)])?;
    Ok(())
}
