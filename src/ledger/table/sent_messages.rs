//! Messages as they were handed to their receivers: packed, since there is one for each delivery.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::SentMessage;
use crate::ledger::column::{self, Id, Instant};
use crate::ledger::sql::{self, Connection, Optional, params};
use crate::text::sha256_hex;

/// The most that one is unpacked to: what is longer was not written by this program.
const MOST: u64 = 1 << 28;

/// Keeps what the last attempt of the delivery in this row handed over; returns the SHA-256 of what
/// is kept, in hex.
pub(in crate::ledger) fn keep(
    connection: &Connection,
    delivery: i64,
    message: &SentMessage,
    at: Timestamp,
) -> sql::Result<String> {
    let packed = pack(message).map_err(sql::Error::value)?;
    connection
        .prepare_cached(
            "INSERT INTO sent_message (delivery, at, message) VALUES (?1, ?2, ?3)
             ON CONFLICT (delivery) DO UPDATE SET at = excluded.at, message = excluded.message",
        )?
        .execute(params![delivery, Instant(at), packed])?;
    Ok(sha256_hex(packed))
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
