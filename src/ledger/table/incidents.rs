//! Incidents at notifiers that keep one for a customer and billing period: which must end with a rule
//! that was removed.

use std::collections::HashSet;

use uuid::Uuid;

use crate::domain::Severity;
use crate::ledger::column;
use crate::ledger::sql::{self, Connection, Row, params};
use crate::ledger::table::alerts;

/// That a notifier was told of an alert, whoever it was meant for, or is still owed it.
const IS_TOLD: &str = "EXISTS (
    SELECT 1 FROM message_alert JOIN delivery ON delivery.message = message_alert.message
    WHERE message_alert.alert = alert.id AND notifier = ?2 AND delivery.state <> 'dead')";

/// The last open alert of a rule in each incident in which a notifier was told of no open alert of
/// another rule.
pub(in crate::ledger) fn ending(
    connection: &Connection,
    rule: &str,
    notifier: &str,
) -> sql::Result<Vec<(Uuid, Severity)>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, customer, severity, snapshot, state FROM alert WHERE state = 'raised' AND rule = ?1 AND {IS_TOLD} ORDER BY seq DESC"
    ))?;
    let open = |row: &Row<'_>| {
        let severity = column::read(row, "severity", Severity::from_name)?;
        let incident = alerts::snapshot(row)?.incident();
        Ok(((row.get::<_, i64>("customer")?, incident), (column::id(row, "id")?, severity)))
    };
    let mut incidents: HashSet<(i64, String)> = HashSet::new();
    let mut ending = Vec::new();
    for (incident, last) in
        statement.query_map(params![rule, notifier], open)?.collect::<sql::Result<Vec<_>>>()?
    {
        if !incidents.contains(&incident) && !goes_on(connection, rule, notifier, &incident)? {
            ending.push(last);
        }
        incidents.insert(incident);
    }
    ending.reverse();
    Ok(ending)
}

/// Whether an alert of another rule keeps an incident of a customer open.
fn goes_on(
    connection: &Connection,
    rule: &str,
    notifier: &str,
    (customer, incident): &(i64, String),
) -> sql::Result<bool> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT snapshot, state FROM alert WHERE customer = ?3 AND state IN ('raised', 'silenced') AND state = 'raised'
         AND rule <> ?1 AND {IS_TOLD}"
    ))?;
    let others = statement.query_map(params![rule, notifier, customer], |row| {
        Ok(alerts::snapshot(row)?.incident())
    })?;
    Ok(others.collect::<sql::Result<Vec<_>>>()?.contains(incident))
}
