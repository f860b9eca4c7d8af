//! The ledger of what becomes of alerts after they were raised: who reviews them, what is silenced.

use jiff::Timestamp;
use serde_json::json;

use crate::alerting::{Depth, Reviewed};
use crate::domain::{CustomerKey, Silence};
use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::sql::{self, Connection};
use crate::ledger::table::chain::{self, EventKind};
use crate::ledger::table::customers::{self, Steps};
use crate::ledger::table::{life, silences};

impl Ledger {
    /// The customers with alerts that time may have changed by `now` and the `newest` date of all
    /// data, and `also` these.
    pub async fn to_review(
        &self,
        also: Vec<CustomerKey>,
        now: Timestamp,
        newest: Option<Timestamp>,
    ) -> Result<Vec<CustomerKey>, LedgerError> {
        let mut keys =
            self.thread.run(move |connection| life::to_review(connection, now, newest)).await?;
        keys.extend(also);
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }

    /// Customers that have alerts that are not over, each with what is remembered of it but its
    /// steps, and so much of its history.
    pub async fn review(
        &self,
        customers: Vec<CustomerKey>,
        depth: Depth,
        newest: Option<Timestamp>,
    ) -> Result<Vec<Reviewed>, LedgerError> {
        self.thread
            .run(move |connection| {
                let review = |key: CustomerKey| -> sql::Result<Option<Reviewed>> {
                    let alerts = life::open(connection, &key, newest)?;
                    let remembered = if alerts.is_empty() {
                        None
                    } else {
                        customers::recall(connection, &key, Steps::None, depth)?
                    };
                    Ok(remembered.map(|remembered| Reviewed { remembered, alerts }))
                };
                customers.into_iter().filter_map(|key| review(key).transpose()).collect()
            })
            .await
    }

    /// Adds a silence; returns its number.
    pub async fn add_silence(&self, silence: Silence) -> Result<i64, LedgerError> {
        let add = move |connection: &Connection| {
            let id = silences::add(connection, &silence)?;
            let content =
                json!({ "order": "silence add", "by": silence.author, "reason": silence.reason });
            let about = format!("silence {id}");
            chain::add(connection, EventKind::Order, &about, silence.created_at, &content)?;
            Ok(id)
        };
        self.thread.order(add).await
    }

    /// Ends a silence before its time; returns whether it was there and had not been ended.
    pub async fn expire_silence(&self, id: i64, now: Timestamp) -> Result<bool, LedgerError> {
        let by = self.author.clone();
        let expire = move |connection: &Connection| {
            let ended = silences::expire(connection, id, now)?;
            if ended {
                let content = json!({ "order": "silence expire", "by": by });
                let about = format!("silence {id}");
                chain::add(connection, EventKind::Order, &about, now, &content)?;
            }
            Ok(ended)
        };
        self.thread.order(expire).await
    }
}
