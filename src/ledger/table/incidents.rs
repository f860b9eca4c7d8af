//! Incidents at notifiers that keep one for a customer, rule and billing period: what must end with
//! a rule that was removed.

use uuid::Uuid;

use crate::domain::Severity;
use crate::ledger::column;
use crate::ledger::sql::{self, Connection, params};

/// The last open alert of each incident of a rule that a notifier was told of, whoever it was meant
/// for, or is still owed.
pub(in crate::ledger) fn open(
    connection: &Connection,
    rule: &str,
    notifier: &str,
) -> sql::Result<Vec<(Uuid, Severity)>> {
    // The period's end stands for the period.
    let mut statement = connection.prepare_cached(
        "SELECT id, severity FROM alert WHERE seq IN (
             SELECT max(seq) FROM alert WHERE state = 'raised' AND rule = ?1 AND EXISTS (
                 SELECT 1 FROM message_alert JOIN delivery ON delivery.message = message_alert.message
                 WHERE message_alert.alert = alert.id AND notifier = ?2 AND delivery.state <> 'dead')
             GROUP BY customer, period_end
         ) ORDER BY seq",
    )?;
    let rows = statement.query_map(params![rule, notifier], |row| {
        Ok((column::id(row, "id")?, column::read(row, "severity", Severity::from_name)?))
    })?;
    rows.collect()
}
