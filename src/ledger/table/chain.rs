//! The chain of events: each is hashed with the one before. It is written in the transaction of
//! what it records; samples of usage are no events.

use jiff::Timestamp;
use serde::Serialize;
use strum::IntoStaticStr;

use crate::ledger::column::{self, Instant};
use crate::ledger::file;
use crate::ledger::listing::ChainEvent;
use crate::ledger::sql::{self, Connection, Optional, params};
use crate::text::{sha256, sha256_of_parts};

/// A SHA-256.
pub(in crate::ledger) type Hash = [u8; 32];

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub(in crate::ledger) enum EventKind {
    /// An alert was raised.
    Raised,
    /// An alert was recorded as silenced.
    Silenced,
    /// A step was passed by a higher one.
    Passed,
    /// A receiver was handed a message.
    Message,
    /// A delivery was tried.
    Attempt,
    /// Somebody said that they know of an alert, or took that back.
    Acknowledgement,
    /// Somebody ordered something.
    Order,
    /// Another configuration came into force.
    Reload,
}

/// The end of the chain, to which events are added.
pub(in crate::ledger) struct Chain<'c> {
    connection: &'c Connection,
    number: i64,
    hash: Hash,
}

impl<'c> Chain<'c> {
    /// The chain in a transaction.
    pub(in crate::ledger) fn open(connection: &'c Connection) -> sql::Result<Self> {
        let (number, hash) = last(connection)?;
        Ok(Self { connection, number, hash })
    }

    /// Adds an event.
    pub(in crate::ledger) fn add(
        &mut self,
        kind: EventKind,
        about: &str,
        at: Timestamp,
        content: &impl Serialize,
    ) -> sql::Result<()> {
        let content = serde_json::to_string(content).map_err(sql::Error::value)?;
        let kind = <&'static str>::from(kind);
        let number = self.number.saturating_add(1);
        let hash = hash(&self.hash, number, at, [kind, about, &content]);
        self.connection
            .prepare_cached(
                "INSERT INTO chain (number, at, kind, ref, content, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![number, Instant(at), kind, about, content, hash])?;
        (self.number, self.hash) = (number, hash);
        Ok(())
    }
}

/// Adds one event.
pub(in crate::ledger) fn add(
    connection: &Connection,
    kind: EventKind,
    about: &str,
    at: Timestamp,
    content: &impl Serialize,
) -> sql::Result<()> {
    Chain::open(connection)?.add(kind, about, at, content)
}

/// The hash of an event. The lengths of its parts come before them, so that no letter can move from
/// one to the next.
pub(in crate::ledger) fn hash(before: &Hash, number: i64, at: Timestamp, parts: [&str; 3]) -> Hash {
    let [kind, about, content] = parts.map(str::as_bytes);
    let length = |part: &[u8]| u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes();
    let lengths = [kind, about, content].map(length);
    sha256_of_parts([
        before.as_slice(),
        &number.to_be_bytes(),
        &Instant(at).nanoseconds().to_be_bytes(),
        lengths.as_flattened(),
        kind,
        about,
        content,
    ])
}

/// Every event in order, to `visit`.
pub(in crate::ledger) fn each(
    connection: &Connection,
    mut visit: impl FnMut(ChainEvent) -> sql::Result<()>,
) -> sql::Result<()> {
    let mut statement = connection
        .prepare_cached("SELECT number, at, kind, ref, content, hash FROM chain ORDER BY number")?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        visit(ChainEvent {
            number: row.get(0)?,
            at: column::instant(&row, 1)?,
            kind: row.get(2)?,
            about: row.get(3)?,
            content: row.get(4)?,
            hash: row.get(5)?,
        })?;
    }
    Ok(())
}

/// The number and the hash that the first event follows: of the last one that was forgotten, else
/// those of the ledger's identity.
pub(in crate::ledger) fn beginning(connection: &Connection) -> sql::Result<(i64, Hash)> {
    let (number, hash): (i64, Option<Hash>) = connection
        .prepare_cached("SELECT chain_number, chain_hash FROM file")?
        .query_row((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let first = || file::identity(connection).map(sha256);
    Ok((number, hash.map_or_else(first, Ok)?))
}

/// The number and the hash of the last event.
pub(in crate::ledger) fn last(connection: &Connection) -> sql::Result<(i64, Hash)> {
    let last = connection
        .prepare_cached("SELECT number, hash FROM chain ORDER BY number DESC LIMIT 1")?
        .query_row((), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    last.map_or_else(|| beginning(connection), Ok)
}

/// Forgets the oldest events that happened before an instant, no more than `most`; returns whether
/// there may be more. The hash of the last of them stays, as the beginning.
pub(in crate::ledger) fn forget(
    connection: &Connection,
    keep_from: Timestamp,
    most: u32,
) -> sql::Result<bool> {
    let mut statement = connection
        .prepare_cached("SELECT number, hash, at < ?1 FROM chain ORDER BY number LIMIT ?2")?;
    let mut rows = statement.query(params![Instant(keep_from), most])?;
    let (mut last, mut old): (Option<(i64, Hash)>, u32) = (None, 0);
    while let Some(row) = rows.next()?
        && row.get(2)?
    {
        last = Some((row.get(0)?, row.get(1)?));
        old = old.saturating_add(1);
    }
    if let Some((number, hash)) = last {
        connection.prepare_cached("DELETE FROM chain WHERE number <= ?1")?.execute([number])?;
        connection
            .prepare_cached("UPDATE file SET chain_number = ?1, chain_hash = ?2")?
            .execute(params![number, hash])?;
    }
    connection
        .prepare_cached("UPDATE file SET chain_cut = ?1 WHERE chain_cut IS NULL OR chain_cut < ?1")?
        .execute([Instant(keep_from)])?;
    Ok(old == most)
}
