//! The ledger of misuse: that somebody has gathered the evidence of it, with its event in the
//! chain.

use jiff::Timestamp;
use serde::Serialize;

use crate::alerting::Misuse;
use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::sql::Connection;
use crate::ledger::table::chain::{self, EventKind};
use crate::ledger::table::misuse;

/// That evidence was gathered, as the chain has it.
#[derive(Serialize)]
struct EvidenceEvent<'a> {
    order: &'static str,
    by: &'a str,
    customer: &'a str,
    first_day: String,
    last_day: String,
    incidents: Vec<&'a str>,
    fraud: bool,
}

impl Ledger {
    /// Records that somebody has gathered the evidence of an incident, named by `about`: nobody is
    /// reminded any more of a claim for what of it is marked as fraud.
    pub async fn note_evidence(
        &self,
        incident: Misuse,
        about: String,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let by = self.author.clone().unwrap_or_default();
        let work = move |connection: &Connection| {
            for sign in incident.fraud() {
                misuse::note_evidence(connection, sign, &by, now)?;
            }
            let event = EvidenceEvent {
                order: "evidence --incident",
                by: &by,
                customer: incident.customer.as_str(),
                first_day: incident.first_day.to_string(),
                last_day: incident.last_day.to_string(),
                incidents: incident.signs.iter().map(|sign| &*sign.reference).collect(),
                fraud: incident.is_fraud(),
            };
            chain::add(connection, EventKind::Order, &about, now, &event)
        };
        self.thread.order(work).await
    }
}
