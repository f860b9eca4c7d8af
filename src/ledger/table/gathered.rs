//! What is gathered for digests while a mass crossing, or what becomes of one, is recorded in
//! slices: owed from the transaction that records it, and made into messages once the last slice is
//! there.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::alerting::planning;
use crate::alerting::{Content, DigestPart, Gathered, MessageAlert};
use crate::domain::{Currency, DigestTotals, MessageKind, Occasion, Route, Severity};
use crate::ledger::column::{self, Exact, Id};
use crate::ledger::sql::{self, Connection, named_params, params};
use crate::ledger::table::alerts::json;
use crate::ledger::table::deliveries;

/// How many parts of a digest are written in one transaction.
const AT_ONCE: u32 = 20;

/// Gathers an alert for the digest of a notifier.
pub(in crate::ledger) fn add(connection: &Connection, new: &Gathered) -> sql::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO gathered (notifier, kind, mildness, dollars, percent, alert, baseline, customer, currency, over, latest)
             VALUES (:notifier, :kind, :mildness, :dollars, :percent, :alert, :baseline, (SELECT id FROM customer WHERE key = :customer),
             :currency, :over, :latest)",
        )?
        .execute(named_params! {
            ":notifier": new.notifier,
            ":kind": new.occasion.kind().as_str(),
            ":mildness": 2 - deliveries::rank(new.severity),
            ":dollars": -new.dollars,
            ":percent": -new.percent,
            ":alert": Id(new.alert),
            ":baseline": new.baseline,
            ":customer": new.customer.as_str(),
            ":currency": new.currency.map(|currency| currency.as_str().to_owned()),
            ":over": new.over.map(Exact),
            ":latest": new.latest.as_ref().map(json).transpose()?,
        })?;
    Ok(())
}

/// The digests for which anything is gathered: each a notifier and an occasion, in the order in
/// which they are told.
pub(in crate::ledger) fn digests(connection: &Connection) -> sql::Result<Vec<(String, Occasion)>> {
    let mut statement =
        connection.prepare_cached("SELECT DISTINCT notifier, kind FROM gathered")?;
    let occasion = |name: &str| MessageKind::from_name(name).and_then(Occasion::of_kind);
    let mut digests: Vec<(String, Occasion)> = statement
        .query_map((), |row| Ok((row.get("notifier")?, column::read(row, "kind", occasion)?)))?
        .collect::<sql::Result<_>>()?;
    digests.sort_by_key(|(_, occasion)| *occasion);
    Ok(digests)
}

/// How far a digest of a notifier is written.
#[derive(Debug, Clone, Copy)]
pub(in crate::ledger) struct Writing {
    occasion: Occasion,
    whole: DigestPart,
    /// Whether it becomes a digest; else each alert a message of its own.
    is_digest: bool,
    /// How many parts are written.
    written: u32,
}

/// What the digest on this occasion for a notifier is going to be.
pub(in crate::ledger) fn begin(
    connection: &Connection,
    route: &Route,
    occasion: Occasion,
) -> sql::Result<Writing> {
    let (total, baseline, criticals): (u32, u32, u32) = connection
        .prepare_cached(
            "SELECT count(*), count(*) FILTER (WHERE baseline <> 0), count(*) FILTER (WHERE mildness = 0) FROM gathered \
                WHERE notifier = ?1 AND kind = ?2",
        )?
        .query_row([&*route.notifier, occasion.kind().as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    // What becomes of a first account is as any other news.
    let first_account = if occasion == Occasion::New { baseline } else { 0 };
    let is_digest = planning::is_digest(total, first_account, route);
    let parts =
        total.div_ceil(route.digest_part.max(1)).min(route.digest_parts.unwrap_or(u32::MAX));
    let whole = DigestPart { part: 0, parts, total, criticals, baseline: baseline == total };
    Ok(Writing { occasion, whole, is_digest, written: 0 })
}

/// Writes the next messages, the worst first; returns whether more are to come.
pub(in crate::ledger) fn write(
    connection: &Connection,
    route: &Route,
    ledger: Uuid,
    writing: &mut Writing,
    now: Timestamp,
) -> sql::Result<bool> {
    let Writing { occasion, whole, is_digest, .. } = *writing;
    let part_size = if is_digest { route.digest_part.max(1) } else { 1 };
    let left_out = whole.total.saturating_sub(whole.parts.saturating_mul(part_size));
    let totals = if is_digest && left_out > 0 {
        Some(totals(connection, &route.notifier, occasion, left_out)?)
    } else {
        None
    };
    for _ in 0..AT_ONCE {
        let members = take(connection, &route.notifier, occasion, part_size)?;
        let (severities, mut alerts): (Vec<_>, Vec<_>) = members.into_iter().unzip();
        let Some(last) = alerts.pop() else { return Ok(false) };
        writing.written += 1;
        let content = if is_digest {
            alerts.push(last);
            let part = DigestPart { part: writing.written, ..whole };
            Content::Digest { occasion, alerts, part, totals: totals.clone() }
        } else {
            Content::Alert(occasion, last)
        };
        let severity = severities.into_iter().fold(Severity::default(), Severity::max);
        let message = planning::message(route, &route.recipients, severity, content);
        deliveries::owe(connection, &message.identified(ledger), now)?;
        if is_digest && writing.written == whole.parts {
            // Whatever is left is told by the totals.
            let sql = "DELETE FROM gathered WHERE notifier = ?1 AND kind = ?2";
            connection
                .prepare_cached(sql)?
                .execute([&*route.notifier, occasion.kind().as_str()])?;
            return Ok(false);
        }
    }
    Ok(true)
}

/// Takes the worst of what is gathered.
fn take(
    connection: &Connection,
    notifier: &str,
    occasion: Occasion,
    count: u32,
) -> sql::Result<Vec<(Severity, MessageAlert)>> {
    let mut statement = connection.prepare_cached(
        "SELECT alert, mildness, dollars, percent, latest FROM gathered WHERE notifier = ?1 AND kind = ?2
         ORDER BY mildness, dollars, percent, alert LIMIT ?3",
    )?;
    let rows = statement.query_map(params![notifier, occasion.kind().as_str(), count], |row| {
        let latest = row.get_ref("latest")?.as_str_or_null()?;
        let latest = latest.map(serde_json::from_str).transpose().map_err(column::unreadable)?;
        let mildness = row.get::<_, i64>("mildness")?;
        let alert = MessageAlert { id: column::id(row, "alert")?, latest };
        Ok((alert, (mildness, row.get::<_, i64>("dollars")?, row.get::<_, i64>("percent")?)))
    })?;
    let mut taken = Vec::new();
    for (alert, (mildness, dollars, percent)) in rows.collect::<sql::Result<Vec<_>>>()? {
        connection
            .prepare_cached(
                "DELETE FROM gathered WHERE notifier = ?1 AND kind = ?2 AND mildness = ?3 AND \
                    dollars = ?4 AND percent = ?5 AND alert = ?6",
            )?
            .execute(params![
                notifier,
                occasion.kind().as_str(),
                mildness,
                dollars,
                percent,
                Id(alert.id)
            ])?;
        taken.push((severity(mildness), alert));
    }
    Ok(taken)
}

fn severity(mildness: i64) -> Severity {
    Severity::ALL
        .iter()
        .copied()
        .find(|severity| 2 - deliveries::rank(*severity) == mildness)
        .unwrap_or_default()
}

/// What is gathered for a notifier comes to, by severity and by currency. What each customer is
/// over its budget counts once.
fn totals(
    connection: &Connection,
    notifier: &str,
    occasion: Occasion,
    left_out: u32,
) -> sql::Result<DigestTotals> {
    let sql =
        "SELECT mildness, customer, currency, over FROM gathered WHERE notifier = ?1 AND kind = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([notifier, occasion.kind().as_str()])?;
    let (mut by_severity, mut by_currency) =
        (BTreeMap::<i64, u32>::new(), BTreeMap::<Option<String>, (u32, Decimal)>::new());
    let mut customers = HashSet::new();
    while let Some(row) = rows.next()? {
        *by_severity.entry(row.get("mildness")?).or_default() += 1;
        let (count, sum) = by_currency.entry(row.get("currency")?).or_default();
        *count += 1;
        if customers.insert(row.get::<_, i64>("customer")?) {
            *sum = sum.saturating_add(column::decimal_if_any(&row, "over")?.unwrap_or_default());
        }
    }
    let currency = |code: Option<String>| code.and_then(|code| Currency::try_new(&code).ok());
    Ok(DigestTotals {
        left_out,
        by_severity: by_severity
            .into_iter()
            .map(|(mildness, count)| (severity(mildness), count))
            .collect(),
        by_currency: by_currency
            .into_iter()
            .map(|(code, (count, sum))| (currency(code), count, sum))
            .collect(),
    })
}
