//! What points to misuse: the runs of spikes and the security alerts that are remembered, and who
//! has gathered the evidence of what is marked as fraud.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::alerting::{MisuseSign, MisuseVerdict, SecurityState, SignSource};
use crate::domain::spike::{RecordedSpike, SpikeMark};
use crate::domain::{Alert, CustomerKey, UsageDate, utc_day};
use crate::ledger::column::{self, Instant};
use crate::ledger::sql::{self, Connection, Row, params};
use crate::ledger::table::{security, spikes};

/// When somebody has gathered the evidence, and who.
type Gathered = Option<(Timestamp, String)>;

/// The signs of one customer, its subscriptions among them.
pub(in crate::ledger) fn of_customer(
    connection: &Connection,
    customer: &CustomerKey,
) -> sql::Result<Vec<MisuseSign>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, key FROM customer WHERE key = ?1 OR (key > ?1 || '\u{1f}' AND key < ?1 || ' ')",
    )?;
    let rows = statement.query_map([customer.as_str()], keyed)?;
    let rows: Vec<(i64, CustomerKey)> = rows.collect::<sql::Result<_>>()?;
    let mut signs = of_rows(connection, &rows)?;
    let own = security_signs(connection, Timestamp::MIN)?.into_iter();
    signs.extend(own.filter(|sign| sign.customer == *customer));
    Ok(signs)
}

/// The signs of all customers that are marked as fraud and are no older than this.
pub(in crate::ledger) fn fraud_since(
    connection: &Connection,
    since: Timestamp,
) -> sql::Result<Vec<MisuseSign>> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT customer.id, customer.key FROM spike_day JOIN customer ON customer.id = spike_day.customer
         WHERE mark = 'fraud' AND day >= ?1",
    )?;
    let rows = statement.query_map([utc_day(since).to_string()], keyed)?;
    let rows: Vec<(i64, CustomerKey)> = rows.collect::<sql::Result<_>>()?;
    let mut signs = of_rows(connection, &rows)?;
    signs.extend(security_signs(connection, since)?);
    signs.retain(|sign| sign.is_fraud() && sign.last_day >= utc_day(since));
    Ok(signs)
}

/// Notes who has gathered the evidence of a sign that is marked as fraud.
pub(in crate::ledger) fn note_evidence(
    connection: &Connection,
    sign: &MisuseSign,
    by: &str,
    now: Timestamp,
) -> sql::Result<()> {
    match &sign.source {
        SignSource::Spikes { key, rule, .. } => connection
            .prepare_cached(
                "UPDATE spike_day SET evidence_at = ?5, evidence_by = ?6 WHERE customer = (SELECT id FROM customer WHERE key = ?1)
                 AND rule = ?2 AND day BETWEEN ?3 AND ?4 AND mark = 'fraud'",
            )?
            .execute(params![
                key.as_str(),
                rule,
                sign.first_day.to_string(),
                sign.last_day.to_string(),
                Instant(now),
                by
            ])?,
        SignSource::Security(key) => connection
            .prepare_cached(
                "UPDATE security_alert SET evidence_at = ?2, evidence_by = ?3 WHERE key = ?1",
            )?
            .execute(params![key, Instant(now), by])?,
    };
    Ok(())
}

fn keyed(row: &Row<'_>) -> sql::Result<(i64, CustomerKey)> {
    Ok((row.get("id")?, CustomerKey::of(row.get_ref("key")?.as_str()?)))
}

fn of_rows(connection: &Connection, rows: &[(i64, CustomerKey)]) -> sql::Result<Vec<MisuseSign>> {
    let mut signs = Vec::new();
    for (row, key) in rows {
        signs.extend(spike_signs(connection, *row, key)?);
    }
    Ok(signs)
}

/// The runs of spikes of one row.
fn spike_signs(
    connection: &Connection,
    row: i64,
    key: &CustomerKey,
) -> sql::Result<Vec<MisuseSign>> {
    let gathered = gathered(connection, row)?;
    let mut runs: Vec<Vec<RecordedSpike>> = Vec::new();
    for spike in spikes::of(connection, row)? {
        let is_own = |run: &&mut Vec<RecordedSpike>| {
            run.first().is_some_and(|first| first.is_of_run(&spike))
        };
        match runs.iter_mut().find(is_own) {
            Some(run) => run.push(spike),
            None => runs.push(vec![spike]),
        }
    }
    Ok(runs.iter().filter_map(|run| spike_sign(key, run, &gathered)).collect())
}

fn spike_sign(
    key: &CustomerKey,
    run: &[RecordedSpike],
    gathered: &[(String, Date, Timestamp, String)],
) -> Option<MisuseSign> {
    let (first, last) = (run.first()?, run.last()?);
    let note = run.iter().find_map(|spike| spike.note.as_ref());
    let is_own = |of: &&(String, Date, Timestamp, String)| {
        of.0 == *first.rule && (first.day..=last.day).contains(&of.1)
    };
    let reference = run.iter().find_map(|spike| spike.alert).map(Alert::reference_of);
    Some(MisuseSign {
        customer: key.of_whole(),
        reference: reference.unwrap_or_default(),
        first_day: first.day,
        last_day: last.day,
        verdict: note.map(|note| MisuseVerdict {
            is_fraud: note.mark == SpikeMark::Fraud,
            by: Some(note.by.to_string()),
            at: note.at,
        }),
        evidence: gathered.iter().find(is_own).map(|(_, _, at, by)| (*at, by.clone())),
        source: SignSource::Spikes {
            key: key.clone(),
            rule: first.rule.clone(),
            days: run.iter().map(|spike| spike.day).collect(),
        },
    })
}

/// The days of a row of which the evidence was gathered.
fn gathered(
    connection: &Connection,
    row: i64,
) -> sql::Result<Vec<(String, Date, Timestamp, String)>> {
    let mut statement = connection.prepare_cached(
        "SELECT rule, day, evidence_at, evidence_by FROM spike_day WHERE customer = ?1 AND evidence_at IS NOT NULL",
    )?;
    let days = statement.query_map([row], |row| {
        let day = column::read(row, "day", |text| text.parse::<Date>().ok())?;
        let by = row.get::<_, Option<String>>("evidence_by")?.unwrap_or_default();
        Ok((row.get("rule")?, day, column::instant(row, "evidence_at")?, by))
    })?;
    days.collect()
}

/// The security alerts that are open or ended since, but for tests.
fn security_signs(connection: &Connection, since: Timestamp) -> sql::Result<Vec<MisuseSign>> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM security_alert WHERE ended_at IS NULL OR ended_at >= ?1 ORDER BY id",
    )?;
    let rows = statement.query_map([Instant(since)], |row| {
        let at = column::instant_if_any(row, "evidence_at")?;
        let by = row.get::<_, Option<String>>("evidence_by")?;
        Ok((row.get::<_, i64>("id")?, security::state(row)?, at.zip(by)))
    })?;
    let rows = rows.collect::<sql::Result<Vec<_>>>()?;
    let real = rows.into_iter().filter(|(_, state, _)| !state.alert.is_test);
    real.map(|(id, state, evidence)| security_sign(connection, id, &state, evidence)).collect()
}

fn security_sign(
    connection: &Connection,
    id: i64,
    state: &SecurityState,
    evidence: Gathered,
) -> sql::Result<MisuseSign> {
    let alert = &state.alert;
    let first = alert.first_observed.map_or(alert.began(state.first_seen).0, UsageDate::instant);
    let last = alert.last_observed.map_or(first, |at| at.instant().max(first));
    let reference = security::references(connection, id)?.pop();
    let verdict = state.end().filter(|end| !end.unlisted).and_then(|end| {
        let is_fraud = end.reason.as_deref()?.eq_ignore_ascii_case("fraud");
        Some(MisuseVerdict { is_fraud, by: end.by, at: end.at })
    });
    Ok(MisuseSign {
        customer: alert.customer.key(),
        source: SignSource::Security(alert.key()),
        reference: reference.unwrap_or_else(|| alert.id.clone()),
        first_day: utc_day(first),
        last_day: utc_day(last),
        verdict,
        evidence,
    })
}
