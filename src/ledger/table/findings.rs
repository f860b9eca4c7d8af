//! Findings for the operator, open until they are closed, and what is owed for them. What is told
//! of them, and to whom, is the caller's.

use jiff::Timestamp;

use crate::alerting::{NewFinding, NewMessage};
use crate::domain::{FindingCode, MessageKind, OperatorFinding};
use crate::ledger::column::{self, Instant};
use crate::ledger::listing::OpenFinding;
use crate::ledger::sql::{self, Connection, Optional, Row, params};
use crate::ledger::table::deliveries;

/// What became of a finding that was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reported {
    /// Whether it was not open before.
    pub new: bool,
    /// Whether messages are owed for it now.
    pub told: bool,
}

/// Opens a finding, or brings the words of an open one up to date. While it was not told, `tell` is
/// asked for the messages it owes, with since when it is open. Writes nothing when nothing changed.
pub(in crate::ledger) fn report(
    connection: &Connection,
    finding: &OperatorFinding,
    now: Timestamp,
    tell: impl FnOnce(Timestamp) -> Vec<NewMessage>,
) -> sql::Result<Reported> {
    let open = find(connection, finding.code, &finding.subject)?;
    let since = open.as_ref().map_or(now, |open| open.since);
    let was_told = open.as_ref().is_some_and(|open| open.told);
    let messages = if was_told { Vec::new() } else { tell(since) };
    let reported = Reported { new: open.is_none(), told: !messages.is_empty() };
    if reported.told || open.is_none_or(|open| open.finding != *finding) {
        connection.write(|connection| {
            keep(connection, finding, since, was_told || reported.told)?;
            messages.iter().try_for_each(|message| deliveries::owe(connection, message, now))
        })?;
    }
    Ok(reported)
}

/// Asks `tell` for the messages that open findings owe which were not told; returns whether there
/// were any. Writes nothing when there are none.
pub(in crate::ledger) fn tell(
    connection: &Connection,
    now: Timestamp,
    tell: impl Fn(&OpenFinding) -> Vec<NewMessage>,
) -> sql::Result<bool> {
    let untold = all_open(connection)?.into_iter().filter(|open| !open.told);
    let owing: Vec<_> = untold
        .map(|open| (tell(&open), open))
        .filter(|(messages, _)| !messages.is_empty())
        .collect();
    if owing.is_empty() {
        return Ok(false);
    }
    connection.write(|connection| {
        for (messages, open) in owing {
            keep(connection, &open.finding, open.since, true)?;
            messages.iter().try_for_each(|message| deliveries::owe(connection, message, now))?;
        }
        Ok(true)
    })
}

/// Closes a finding and returns it, if it was open. For one that was told, `tell` is asked for the
/// messages that this owes. Writes nothing when it was not open.
pub(in crate::ledger) fn close(
    connection: &Connection,
    code: FindingCode,
    subject: &str,
    now: Timestamp,
    tell: impl FnOnce(&OpenFinding) -> Vec<NewMessage>,
) -> sql::Result<Option<OpenFinding>> {
    let Some(open) = find(connection, code, subject)? else { return Ok(None) };
    let messages = if open.told { tell(&open) } else { Vec::new() };
    let sql = "UPDATE finding SET cleared_at = ?3 WHERE code = ?1 AND subject = ?2 AND cleared_at \
        IS NULL";
    connection.write(|connection| {
        connection.prepare_cached(sql)?.execute(params![code.as_str(), subject, Instant(now)])?;
        messages.iter().try_for_each(|message| deliveries::owe(connection, message, now))
    })?;
    Ok(Some(open))
}

/// Keeps a finding that is over and was told without the ledger, with what its end owes.
pub(in crate::ledger) fn keep_past(
    connection: &Connection,
    open: &OpenFinding,
    cleared_at: Timestamp,
    messages: &[NewMessage],
) -> sql::Result<()> {
    let OpenFinding { finding, since, told } = open;
    keep(connection, finding, *since, *told)?;
    connection
        .prepare_cached("UPDATE finding SET cleared_at = ?3 WHERE code = ?1 AND subject = ?2")?
        .execute(params![finding.code.as_str(), finding.subject, Instant(cleared_at)])?;
    messages.iter().try_for_each(|message| deliveries::owe(connection, message, cleared_at))
}

/// Opens a finding in the transaction of what it is about, or brings an open one up to date; the
/// messages are owed unless it was told before. Returns whether it was not open.
pub(in crate::ledger) fn note(
    connection: &Connection,
    new: &NewFinding,
    now: Timestamp,
) -> sql::Result<bool> {
    let open = find(connection, new.finding.code, &new.finding.subject)?;
    let was_told = open.as_ref().is_some_and(|open| open.told);
    let since = open.as_ref().map_or(now, |open| open.since);
    keep(connection, &new.finding, since, was_told || !new.messages.is_empty())?;
    new.messages
        .iter()
        .filter(|_| !was_told)
        .try_for_each(|message| deliveries::owe(connection, message, now))?;
    Ok(open.is_none())
}

fn keep(
    connection: &Connection,
    finding: &OperatorFinding,
    since: Timestamp,
    told: bool,
) -> sql::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO finding (code, subject, summary, action, since, told) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (code, subject) DO UPDATE SET summary = excluded.summary, action = excluded.action,
             since = excluded.since, told = excluded.told, cleared_at = NULL",
        )?
        .execute(params![
            finding.code.as_str(),
            finding.subject,
            finding.summary,
            finding.action,
            Instant(since),
            told
        ])?;
    Ok(())
}

/// Takes open findings for untold where the news of them that a notifier was owed has just been
/// dropped, and nobody else had it or is owed it.
pub(in crate::ledger) fn untell(
    connection: &Connection,
    notifier: &str,
    now: Timestamp,
) -> sql::Result<()> {
    const NEWS: &str = "SELECT 1 FROM message CROSS JOIN delivery ON delivery.message = message.id
         WHERE operator IS NOT NULL AND kind = ?1 AND json_extract(operator, '$.code') = finding.code
         AND json_extract(operator, '$.subject') = finding.subject AND delivery.created_at >= finding.since";
    connection
        .prepare_cached(&format!(
            "UPDATE finding SET told = FALSE WHERE told AND cleared_at IS NULL AND NOT EXISTS ({NEWS} AND delivery.state <> 'dead')
             AND EXISTS ({NEWS} AND notifier = ?2 AND delivery.state = 'dead' AND ended_at = ?3)"
        ))?
        .execute(params![MessageKind::OperatorRaised.as_str(), notifier, Instant(now)])?;
    Ok(())
}

/// How many findings of a kind are open.
pub(in crate::ledger) fn count(connection: &Connection, code: FindingCode) -> sql::Result<i64> {
    connection
        .prepare_cached("SELECT count(*) FROM finding WHERE code = ?1 AND cleared_at IS NULL")?
        .query_row([code.as_str()], |row| row.get(0))
}

const OPEN: &str =
    "SELECT code, subject, summary, action, since, told FROM finding WHERE cleared_at IS NULL";

/// The open findings, oldest first.
pub(in crate::ledger) fn all_open(connection: &Connection) -> sql::Result<Vec<OpenFinding>> {
    let mut statement =
        connection.prepare_cached(&format!("{OPEN} ORDER BY since, code, subject"))?;
    statement.query_map((), open)?.collect()
}

/// The findings that were closed at this instant or later, with when.
pub(in crate::ledger) fn closed_since(
    connection: &Connection,
    since: Timestamp,
) -> sql::Result<Vec<(OpenFinding, Timestamp)>> {
    let mut statement = connection.prepare_cached(
        "SELECT code, subject, summary, action, since, told, cleared_at FROM finding WHERE \
            cleared_at >= ?1 ORDER BY code, subject",
    )?;
    statement
        .query_map([Instant(since)], |row| Ok((open(row)?, column::instant(row, "cleared_at")?)))?
        .collect()
}

fn find(
    connection: &Connection,
    code: FindingCode,
    subject: &str,
) -> sql::Result<Option<OpenFinding>> {
    let mut statement =
        connection.prepare_cached(&format!("{OPEN} AND code = ?1 AND subject = ?2"))?;
    statement.query_row(params![code.as_str(), subject], open).optional()
}

fn open(row: &Row<'_>) -> sql::Result<OpenFinding> {
    let finding = OperatorFinding {
        code: column::read(row, "code", FindingCode::from_name)?,
        subject: row.get("subject")?,
        summary: row.get("summary")?,
        action: row.get("action")?,
    };
    Ok(OpenFinding { finding, since: column::instant(row, "since")?, told: row.get("told")? })
}
