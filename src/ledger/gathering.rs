//! The ledger of digests that are gathered over several slices.

use jiff::Timestamp;

use crate::domain::{Keeps, Readers, Recipients, Route};
use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::sql::Connection;
use crate::ledger::table::gathered;

impl Ledger {
    /// Makes messages of what was gathered for digests, a few parts in each transaction; returns
    /// whether anything was. What is gathered when a process is killed is told by the next that
    /// asks.
    pub async fn write_digests(
        &self,
        routes: &[Route],
        now: Timestamp,
    ) -> Result<bool, LedgerError> {
        let digests = self.thread.run(gathered::digests).await?;
        let any = !digests.is_empty();
        for (notifier, occasion) in digests {
            let known = routes.iter().find(|route| *route.notifier == *notifier).cloned();
            let route = known.unwrap_or_else(|| gone(&notifier));
            let asked = route.clone();
            let mut writing = self
                .thread
                .run(move |connection| gathered::begin(connection, &asked, occasion))
                .await?;
            let ledger = self.identity;
            let mut more = true;
            while more {
                let route = route.clone();
                let write = move |connection: &Connection| {
                    let more = gathered::write(connection, &route, ledger, &mut writing, now)?;
                    Ok((more, writing))
                };
                (more, writing) = self.thread.write(write).await?;
            }
        }
        Ok(any)
    }
}

/// A notifier that is not there any more: what is owed to it is given up, and said, as all that is.
fn gone(notifier: &str) -> Route {
    Route {
        notifier: notifier.into(),
        readers: Readers::Partner,
        recipients: Recipients::Destination,
        digest_above: Some(0),
        send_resolved: false,
        digest_part: 30,
        digest_parts: Some(1),
        keeps: Keeps::Messages,
    }
}
