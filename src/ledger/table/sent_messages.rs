//! Messages as they were handed to their receivers: packed, since there is one for each delivery.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::SentMessage;
use crate::ledger::column::{self, Id, Instant};
use crate::ledger::entry::AttemptRecord;
use crate::ledger::sql::{self, Connection, Optional, params};
use crate::text::sha256_hex;

/// The most that one is unpacked to: what is longer was not written by this program.
const MOST: u64 = 1 << 28;

/// A message as it is kept.
pub(in crate::ledger) struct PackedMessage {
    bytes: Vec<u8>,
    /// The SHA-256 of those bytes, in hex.
    pub(in crate::ledger) hash: String,
    /// The SHA-256 of all that was handed over, in hex.
    pub(in crate::ledger) sent: String,
}

impl PackedMessage {
    /// Packs what an attempt handed over, where that is known. It takes longer than to write it:
    /// whoever marks an attempt does it, not the thread that writes for all.
    pub(in crate::ledger) fn of(attempt: &AttemptRecord) -> sql::Result<Option<Self>> {
        let Some(message) = &attempt.message else { return Ok(None) };
        let bytes = pack(message).map_err(sql::Error::value)?;
        Ok(Some(Self { hash: sha256_hex(&bytes), sent: message.sha256.clone(), bytes }))
    }
}

/// Keeps what the last attempt of the delivery in this row handed over.
pub(in crate::ledger) fn keep(
    connection: &Connection,
    delivery: i64,
    message: &PackedMessage,
    at: Timestamp,
) -> sql::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO sent_message (delivery, at, message) VALUES (?1, ?2, ?3)
             ON CONFLICT (delivery) DO UPDATE SET at = excluded.at, message = excluded.message",
        )?
        .execute(params![delivery, Instant(at), message.bytes])?;
    Ok(())
}

/// What the last attempt of a delivery handed over, and when that ended.
pub(in crate::ledger) fn of(
    connection: &Connection,
    delivery: Uuid,
) -> sql::Result<Option<(Timestamp, SentMessage)>> {
    let mut statement = connection.prepare_cached(
        "SELECT at, sent_message.message FROM sent_message JOIN delivery ON delivery.seq = sent_message.delivery WHERE delivery.id = ?1",
    )?;
    let read = statement.query_row([Id(delivery)], |row| {
        let message = unpack(row.get_ref(1)?.as_blob()?).map_err(column::unreadable)?;
        Ok((column::instant(row, 0)?, message))
    });
    read.optional()
}

fn pack(message: &SentMessage) -> std::io::Result<Vec<u8>> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&serde_json::to_vec(message)?)?;
    packed.finish()
}

fn unpack(packed: &[u8]) -> std::io::Result<SentMessage> {
    let mut text = Vec::new();
    ZlibDecoder::new(packed).take(MOST).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}
