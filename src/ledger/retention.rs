//! The ledger forgets: once a day history is thinned, and what is older than `retention` and bears
//! on nothing goes. In small pieces, each a transaction of its own, so that nobody waits long. What
//! may go is decided in `table::retention`.

use jiff::{SignedDuration, Timestamp};

use crate::domain::FindingCode;
use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::table::retention::Piece;
use crate::ledger::table::{
    budget_pushes, chain, history, polls, retention, security, security_steps,
};

/// How often.
const EVERY: SignedDuration = SignedDuration::from_hours(24);
/// What a claim may be about is kept for so long, whatever `retention` says: it can be filed for 60
/// days, and an attack may go on.
const CLAIMS: SignedDuration = SignedDuration::from_hours(120 * 24);
/// How many customers are looked at in one transaction.
const CUSTOMERS: u32 = 1000;
/// How many events, steps, messages or alerts go in one transaction.
const ROWS: u32 = 1000;

impl Ledger {
    /// Forgets what is old, once a day: of history each change is kept for 8 days, then one sample
    /// a day, then nothing; of all else nothing that is owed or open, and no step that still keeps
    /// an alert from being raised twice. The last of each day within `history` is kept, whatever
    /// `retention` says.
    pub async fn forget_old(
        &self,
        now: Timestamp,
        history: SignedDuration,
    ) -> Result<(), LedgerError> {
        let (last, good) = self
            .thread
            .run(|connection| {
                Ok((history::pruned_at(connection)?, polls::result(connection, "good")?))
            })
            .await?;
        // A clock that was ahead proves nothing: neither that anything has been forgotten, nor that
        // all of it is old.
        let last = last.filter(|last| *last <= now);
        let until = good.and_then(|good| good.newest).map_or(now, |newest| newest.min(now));
        if last.is_some_and(|last| now.duration_since(last) < EVERY) {
            return Ok(());
        }
        let retention = SignedDuration::try_from(self.retention).unwrap_or(SignedDuration::MAX);
        let keep_from = until.saturating_sub(retention).unwrap_or(Timestamp::MIN);
        let history_from = until.saturating_sub(history).unwrap_or(Timestamp::MIN);
        let claims_from = until.saturating_sub(CLAIMS).unwrap_or(Timestamp::MIN).min(keep_from);
        let thinning = history::Thinning {
            claims_from,
            keep_from,
            history_from: history_from.min(keep_from),
            thinned_to: last.map(|last| last.min(until)),
            now: until,
        };
        let mut next = Some(i64::MIN);
        while let Some(first) = next {
            next = self
                .thread
                .write(move |connection| history::thin(connection, first, CUSTOMERS, &thinning))
                .await?;
        }
        self.forget_before(keep_from, claims_from).await?;
        self.thread.write(move |connection| history::set_pruned_at(connection, now)).await
    }

    /// The chain before what its events speak of. Steps first: they hold their alerts; then messages, which hold theirs; customers last.
    async fn forget_before(
        &self,
        keep_from: Timestamp,
        claims_from: Timestamp,
    ) -> Result<(), LedgerError> {
        let mut more = true;
        while more {
            more = self
                .thread
                .write(move |connection| chain::forget(connection, keep_from, ROWS))
                .await?;
        }
        self.thread
            .write(move |connection| security_steps::forget_steps(connection, keep_from))
            .await?;
        let mut next = Some(i64::MIN);
        while let Some(first) = next {
            next = self
                .thread
                .write(move |connection| {
                    retention::steps(connection, first, CUSTOMERS, ROWS, keep_from)
                })
                .await?;
        }
        for forget in [retention::messages, retention::alerts] {
            let mut next = Some(i64::MIN);
            while let Some(after) = next {
                let Piece { next: then, closed } = self
                    .thread
                    .write(move |connection| forget(connection, after, ROWS, keep_from))
                    .await?;
                let open = self
                    .metrics
                    .operator_findings
                    .with_label_values(&[FindingCode::DeliveryDead.as_str()]);
                open.sub(i64::try_from(closed).unwrap_or_default());
                next = then;
            }
        }
        let mut next = Some(i64::MIN);
        while let Some(first) = next {
            next = self
                .thread
                .write(move |connection| {
                    retention::customers(connection, first, CUSTOMERS, keep_from)
                })
                .await?;
        }
        self.thread
            .write(move |connection| {
                budget_pushes::forget(connection, keep_from)?;
                security::forget_alerts(connection, claims_from)?;
                retention::findings_and_silences(connection, keep_from)
            })
            .await
    }
}
