//! The ledger of the keys that sign links of messages: made when one is needed first, and then a
//! new one each year.

use jiff::Timestamp;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::alerting::links::{LinkKey, forgotten, wants_new_key};
use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::reader::Reader;
use crate::ledger::sql::{self, Connection};
use crate::ledger::table::link_keys;

impl Ledger {
    /// The keys, with one that signs now. Only who leads makes one.
    pub async fn link_keys(&self, now: Timestamp) -> Result<Vec<LinkKey>, LedgerError> {
        let keys = self.read(Reader::link_keys).await?;
        if !wants_new_key(&keys, now) {
            return Ok(keys);
        }
        let mut secret = vec![0; 32];
        if SystemRandom::new().fill(&mut secret).is_err() {
            tracing::warn!("the system gives no random numbers: links keep their key");
            return Ok(keys);
        }
        let renewed = self.thread.write(move |connection| renewed(connection, secret, now)).await;
        match renewed {
            Err(error) if !keys.is_empty() => {
                tracing::warn!(%error, "links keep their key");
                Ok(keys)
            }
            renewed => renewed,
        }
    }
}

fn renewed(connection: &Connection, secret: Vec<u8>, now: Timestamp) -> sql::Result<Vec<LinkKey>> {
    let keys = link_keys::all(connection)?;
    // Another attempt may have been quicker.
    if wants_new_key(&keys, now) {
        let last = keys.iter().map(|key| key.id).max().unwrap_or_default();
        link_keys::add(connection, &LinkKey::new(last.saturating_add(1), now, secret))?;
        for id in forgotten(&keys, now) {
            link_keys::forget(connection, id)?;
        }
    }
    link_keys::all(connection)
}

impl Reader {
    /// The keys that sign links, oldest first.
    pub fn link_keys(&self) -> Result<Vec<LinkKey>, LedgerError> {
        self.read(link_keys::all)
    }
}
