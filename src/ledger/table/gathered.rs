//! What is gathered for digests while a mass crossing, or what becomes of one, is recorded in
//! slices: owed from the transaction that records it, and made into messages once the last slice is
//! there.

use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::alerting::planning;
use crate::alerting::planning::Parts;
use crate::alerting::{Content, DigestPart, Gathered, MessageAlert};
use crate::domain::{
    Currency, CustomerKey, DigestSum, DigestTotals, MessageKind, Occasion, Route, Severity,
};
use crate::ledger::column::{self, Exact, Id};
use crate::ledger::sql::{self, Connection, Optional, Row, named_params, params};
use crate::ledger::table::alerts::json;
use crate::ledger::table::{deliveries, listings};

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
    /// Whether it becomes a digest; else each customer a message of its own.
    is_digest: bool,
    /// How many alerts are in no part.
    left_out: u32,
    /// How full the last part is.
    parts: Parts,
    /// How many parts are written.
    written: u32,
}

/// What is gathered for a notifier on an occasion.
const GATHERED: &str = "FROM gathered WHERE notifier = ?1 AND kind = ?2";
/// The worst first.
const WORST_FIRST: &str = "ORDER BY mildness, dollars, percent, alert";

/// What the digest on this occasion for a notifier is going to be.
pub(in crate::ledger) fn begin(
    connection: &Connection,
    route: &Route,
    occasion: Occasion,
) -> sql::Result<Writing> {
    let (total, baseline, criticals, customers): (u32, u32, u32, u32) = connection
        .prepare_cached(&format!(
            "SELECT count(*), count(*) FILTER (WHERE baseline <> 0), count(*) FILTER (WHERE mildness = 0), count(DISTINCT customer) {GATHERED}"
        ))?
        .query_row([&*route.notifier, occasion.kind().as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
    // What becomes of a first account is as any other news.
    let first_account = if occasion == Occasion::New { baseline } else { 0 };
    let is_digest = planning::is_digest(customers, first_account, route);
    let (parts, left_out) =
        if is_digest { count_parts(connection, route, occasion)? } else { (0, 0) };
    let whole = DigestPart { part: 0, parts, total, criticals, baseline: baseline == total };
    Ok(Writing { occasion, whole, is_digest, left_out, parts: Parts::of(route), written: 0 })
}

/// How many parts a digest takes, and how many alerts are in none of them.
fn count_parts(
    connection: &Connection,
    route: &Route,
    occasion: Occasion,
) -> sql::Result<(u32, u32)> {
    let asked = [&*route.notifier, occasion.kind().as_str()];
    let mut alerts: HashMap<i64, u32> = connection
        .prepare_cached(&format!("SELECT customer, count(*) {GATHERED} GROUP BY customer"))?
        .query_map(asked, |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<sql::Result<_>>()?;
    let most = route.digest_parts.unwrap_or(u32::MAX);
    let (mut parts, mut number, mut left_out) = (Parts::of(route), 0, 0_u32);
    let mut statement =
        connection.prepare_cached(&format!("SELECT customer {GATHERED} {WORST_FIRST}"))?;
    let mut rows = statement.query(asked)?;
    while let Some(row) = rows.next()? {
        let Some(alerts) = alerts.remove(&row.get::<_, i64>(0)?) else { continue };
        match parts.place(alerts) {
            part if part > most => left_out = left_out.saturating_add(alerts),
            part => number = part,
        }
    }
    Ok((number, left_out))
}

/// Writes the next messages, the worst first; returns whether more are to come.
pub(in crate::ledger) fn write(
    connection: &Connection,
    route: &Route,
    ledger: Uuid,
    writing: &mut Writing,
    now: Timestamp,
) -> sql::Result<bool> {
    let Writing { occasion, whole, is_digest, left_out, .. } = *writing;
    let totals = if left_out > 0 {
        Some(totals(connection, &route.notifier, occasion, left_out)?)
    } else {
        None
    };
    for _ in 0..AT_ONCE {
        let members = if is_digest {
            take_part(connection, &route.notifier, writing)?
        } else {
            take_alone(connection, &route.notifier, occasion)?
        };
        if members.is_empty() {
            return Ok(false);
        }
        writing.written += 1;
        let (severities, alerts): (Vec<Severity>, Vec<MessageAlert>) =
            members.into_iter().map(|member| (severity(member.mildness), member.alert)).unzip();
        let content = if is_digest {
            let part = DigestPart { part: writing.written, ..whole };
            Content::Digest { occasion, alerts, part, totals: totals.clone() }
        } else {
            Content::Alerts(occasion, alerts)
        };
        let severity = severities.into_iter().fold(Severity::Info, Severity::max);
        let message = planning::message(route, &route.recipients, severity, content);
        deliveries::owe(connection, &message.identified(ledger), now)?;
        if is_digest && writing.written == whole.parts {
            // Whatever is left is told by the totals.
            connection
                .prepare_cached("DELETE FROM gathered WHERE notifier = ?1 AND kind = ?2")?
                .execute([&*route.notifier, occasion.kind().as_str()])?;
            return Ok(false);
        }
    }
    Ok(true)
}

/// An alert that is taken out of what is gathered, with what puts the worst first.
struct Member {
    mildness: i64,
    dollars: i64,
    percent: i64,
    alert: MessageAlert,
}

/// Takes the customers of the next part of a digest, the worst first.
fn take_part(
    connection: &Connection,
    notifier: &str,
    writing: &mut Writing,
) -> sql::Result<Vec<Member>> {
    let mut members = Vec::new();
    while let Some((customer, alerts)) = worst_customer(connection, notifier, writing.occasion)? {
        let mut parts = writing.parts;
        if parts.place(alerts) > writing.written + 1 {
            break;
        }
        writing.parts = parts;
        members.extend(take_customer(connection, notifier, writing.occasion, customer)?);
    }
    members.sort_by_key(|one| (one.mildness, one.dollars, one.percent, one.alert.id));
    Ok(members)
}

/// Takes the alerts of the worst customer, which are told alone.
fn take_alone(
    connection: &Connection,
    notifier: &str,
    occasion: Occasion,
) -> sql::Result<Vec<Member>> {
    let Some((customer, _)) = worst_customer(connection, notifier, occasion)? else {
        return Ok(Vec::new());
    };
    let members = take_customer(connection, notifier, occasion, customer)?;
    if members.len() <= 1 {
        return Ok(members);
    }
    // The order among the alerts of one customer needs all that is known of them.
    let with_alert = |member: Member| {
        let alert = listings::one(connection, member.alert.id)?;
        Ok((alert.map(|row| row.snapshot.alert), member))
    };
    let mut members: Vec<_> = members.into_iter().map(with_alert).collect::<sql::Result<_>>()?;
    members.sort_by(|(a, _), (b, _)| match (a, b) {
        (Some(a), Some(b)) => a.worst_first(b),
        _ => Ordering::Equal,
    });
    Ok(members.into_iter().map(|(_, member)| member).collect())
}

/// The customer of the worst of what is gathered, and how many alerts it has there.
fn worst_customer(
    connection: &Connection,
    notifier: &str,
    occasion: Occasion,
) -> sql::Result<Option<(i64, u32)>> {
    let kind = occasion.kind().as_str();
    let customer: Option<i64> = connection
        .prepare_cached(&format!("SELECT customer {GATHERED} {WORST_FIRST} LIMIT 1"))?
        .query_row([notifier, kind], |row| row.get(0))
        .optional()?;
    let Some(customer) = customer else { return Ok(None) };
    let alerts = connection
        .prepare_cached(
            "SELECT count(*) FROM gathered INDEXED BY gathered_by_customer WHERE customer = ?3 AND notifier = ?1 AND kind = ?2",
        )?
        .query_row(params![notifier, kind, customer], |row| row.get(0))?;
    Ok(Some((customer, alerts)))
}

/// Takes all alerts of a customer.
fn take_customer(
    connection: &Connection,
    notifier: &str,
    occasion: Occasion,
    customer: i64,
) -> sql::Result<Vec<Member>> {
    let asked = params![notifier, occasion.kind().as_str(), customer];
    let mut statement = connection.prepare_cached(&format!(
        "SELECT alert, mildness, dollars, percent, latest FROM gathered INDEXED BY gathered_by_customer
         WHERE customer = ?3 AND notifier = ?1 AND kind = ?2 {WORST_FIRST}"
    ))?;
    let member = |row: &Row<'_>| {
        let latest = row.get_ref("latest")?.as_str_or_null()?;
        let latest = latest.map(serde_json::from_str).transpose().map_err(column::unreadable)?;
        Ok(Member {
            mildness: row.get("mildness")?,
            dollars: row.get("dollars")?,
            percent: row.get("percent")?,
            alert: MessageAlert { id: column::id(row, "alert")?, latest },
        })
    };
    let members = statement.query_map(asked, member)?.collect::<sql::Result<_>>()?;
    connection
        .prepare_cached(
            "DELETE FROM gathered INDEXED BY gathered_by_customer WHERE customer = ?3 AND notifier = ?1 AND kind = ?2",
        )?
        .execute(asked)?;
    Ok(members)
}

fn severity(mildness: i64) -> Severity {
    Severity::ALL
        .iter()
        .copied()
        .find(|severity| 2 - deliveries::rank(*severity) == mildness)
        .unwrap_or_default()
}

/// What is gathered for a notifier comes to, by severity and by currency.
fn totals(
    connection: &Connection,
    notifier: &str,
    occasion: Occasion,
    left_out: u32,
) -> sql::Result<DigestTotals> {
    let mut statement = connection.prepare_cached(
        "SELECT mildness, key, currency, over FROM gathered JOIN customer ON customer.id = gathered.customer
         WHERE notifier = ?1 AND kind = ?2",
    )?;
    let mut rows = statement.query([notifier, occasion.kind().as_str()])?;
    let mut sum = DigestSum::default();
    while let Some(row) = rows.next()? {
        let currency: Option<String> = row.get("currency")?;
        sum.add(
            severity(row.get("mildness")?),
            CustomerKey::of(row.get_ref("key")?.as_str()?),
            currency.and_then(|code| Currency::try_new(&code).ok()),
            column::decimal_if_any(&row, "over")?,
        );
    }
    Ok(sum.totals(left_out))
}
