//! The ledger of security alerts: what a read writes, and what a person orders.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::alerting::{NewMessage, NewSecurityStep, SecurityRecording, SecurityState, identity};
use crate::domain::CustomerKey;
use crate::ledger::Ledger;
use crate::ledger::column::Id;
use crate::ledger::error::LedgerError;
use crate::ledger::sql::{self, Connection};
use crate::ledger::table::chain::{self, Chain, EventKind};
use crate::ledger::table::{alerts, deliveries, life, security, security_steps};

/// An answer to a security alert, as the chain has it.
#[derive(Serialize)]
struct AnswerEvent<'a> {
    order: &'static str,
    by: &'a str,
    security: &'a str,
    reason: &'a str,
}

/// A passed step, likewise.
#[derive(Serialize)]
struct PassedEvent<'a> {
    security: &'a str,
    rule: &'a str,
    at: rust_decimal::Decimal,
}

impl Ledger {
    /// The identities that new alerts have of these: of an alert of a rule that was removed and is
    /// back, the one after that of the earlier.
    pub async fn free_alert_ids(&self, wanted: Vec<Uuid>) -> Result<Vec<Uuid>, LedgerError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let free = |connection: &Connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM alert WHERE id = ?1)";
            let mut statement = connection.prepare_cached(sql)?;
            let mut is_taken = |id: Uuid| statement.query_row([Id(id)], |row| row.get(0));
            wanted.into_iter().map(|id| identity::free(id, &mut is_taken)).collect()
        };
        self.thread.run(free).await
    }

    /// Records what a read of security alerts came to: all of it, durably, or nothing.
    pub async fn record_security(
        &self,
        recording: impl Into<Arc<SecurityRecording>>,
    ) -> Result<(), LedgerError> {
        let recording = recording.into();
        self.thread.write(move |connection| record(connection, &recording)).await
    }

    /// Records that security alerts are not read any more.
    pub async fn forget_security_poll(&self, now: Timestamp) -> Result<(), LedgerError> {
        self.thread.write(move |connection| security::forget_poll(connection, now)).await
    }

    /// Records that a person has answered a security alert, for this reason.
    pub async fn answer_security(
        &self,
        customer: CustomerKey,
        state: SecurityState,
        reason: &'static str,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let by = self.author.clone().unwrap_or_default();
        let work = move |connection: &Connection| {
            let state = SecurityState { ordered_by: Some(by.clone()), ..state };
            security::make_customer(connection, &customer, now)?;
            security::keep(connection, &state, now)?;
            let key = state.alert.key();
            let order = "security resolve";
            let content = AnswerEvent { order, by: &by, security: &key, reason };
            chain::add(connection, EventKind::Order, "security alert", now, &content)
        };
        self.thread.order(work).await
    }
}

fn record(connection: &Connection, recording: &SecurityRecording) -> sql::Result<()> {
    let now = recording.now;
    for (customer, state) in &recording.states {
        security::make_customer(connection, customer, now)?;
        security::keep(connection, state, now)?;
    }
    let mut chain = Chain::open(connection)?;
    for (key, alert) in &recording.alerts {
        security::make_customer(connection, &alert.snapshot.alert.key(), now)?;
        alerts::add(connection, alert, &mut chain, now)?;
        security::tie(connection, alert.snapshot.alert.id, key)?;
    }
    for step in &recording.steps {
        security_steps::add_step(connection, step)?;
        note_passed(&mut chain, step, now)?;
    }
    recording.changes.iter().try_for_each(|change| life::change(connection, change, now))?;
    for message in &recording.messages {
        // One that was over and is not any more ends, or is released, for a second time.
        let identity = alerts::free_message_id(connection, message.identity)?;
        deliveries::owe(connection, &NewMessage { identity, ..message.clone() }, now)?;
    }
    security::settle(connection, &recording.settled_rules, now)?;
    recording.poll.as_ref().map_or(Ok(()), |poll| security::keep_poll(connection, poll))
}

fn note_passed(chain: &mut Chain<'_>, step: &NewSecurityStep, now: Timestamp) -> sql::Result<()> {
    if step.raised {
        return Ok(());
    }
    let content = PassedEvent { security: &step.security, rule: &step.rule, at: step.at };
    chain.add(EventKind::Passed, &step.alert.to_string(), now, &content)
}
