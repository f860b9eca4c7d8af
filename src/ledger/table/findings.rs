//! Findings for the operator, open until they are cleared.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::domain::{FindingCode, OperatorFinding};
use crate::ledger::column::{self, Instant};
use crate::ledger::listing::OpenFinding;

/// Opens a finding, or brings the words of an open one up to date; returns whether it is new. Writes nothing when
/// nothing changed.
pub(in crate::ledger) fn open(connection: &Connection, finding: &OperatorFinding, now: Timestamp) -> rusqlite::Result<bool> {
    let was_open = connection
        .prepare_cached("SELECT 1 FROM finding WHERE code = ?1 AND subject = ?2 AND cleared_at IS NULL")?
        .exists(params![finding.code.as_str(), finding.subject])?;
    connection
        .prepare_cached(
            "INSERT INTO finding (code, subject, summary, action, since) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (code, subject) DO UPDATE SET summary = excluded.summary, action = excluded.action,
                 since = iif(cleared_at IS NULL, since, excluded.since), cleared_at = NULL
             WHERE cleared_at IS NOT NULL OR (summary, action) <> (excluded.summary, excluded.action)",
        )?
        .execute(params![finding.code.as_str(), finding.subject, finding.summary, finding.action, Instant(now)])?;
    Ok(!was_open)
}

/// Closes a finding; returns whether it was open.
pub(in crate::ledger) fn close(connection: &Connection, code: FindingCode, subject: &str, now: Timestamp) -> rusqlite::Result<bool> {
    let closed = connection
        .prepare_cached("UPDATE finding SET cleared_at = ?3 WHERE code = ?1 AND subject = ?2 AND cleared_at IS NULL")?
        .execute(params![code.as_str(), subject, Instant(now)])?;
    Ok(closed > 0)
}

/// How many findings of a kind are open.
pub(in crate::ledger) fn count(connection: &Connection, code: FindingCode) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT count(*) FROM finding WHERE code = ?1 AND cleared_at IS NULL")?
        .query_row([code.as_str()], |row| row.get(0))
}

/// The open findings, oldest first.
pub(in crate::ledger) fn all_open(connection: &Connection) -> rusqlite::Result<Vec<OpenFinding>> {
    let mut statement = connection.prepare_cached(
        "SELECT code, subject, summary, action, since FROM finding WHERE cleared_at IS NULL ORDER BY since, code, subject",
    )?;
    let rows = statement.query_map([], |row| {
        let finding = OperatorFinding {
            code: column::read(row, "code", FindingCode::from_name)?,
            subject: row.get("subject")?,
            summary: row.get("summary")?,
            action: row.get("action")?,
        };
        Ok(OpenFinding { finding, since: column::instant(row, "since")? })
    })?;
    rows.collect()
}
