//! A delivery with its message and its attempts, as programs get it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::SentMessage;
use crate::ledger::{AttemptRow, DeliveryRow};
use crate::listings::deliveries::{self, DeliveryDocument};

/// A delivery with its message and its attempts, as programs get it.
#[derive(Serialize)]
pub(crate) struct Document<'a> {
    delivery: DeliveryDocument<'a>,
    message: Option<MessageDocument<'a>>,
    attempts: Vec<AttemptDocument<'a>>,
}

#[derive(Serialize)]
struct MessageDocument<'a> {
    subject: Option<&'a str>,
    text: Option<&'a str>,
    html: Option<&'a str>,
    body: Option<&'a str>,
    /// Those of one name are one, as in HTTP.
    headers: BTreeMap<&'a str, String>,
    sha256: &'a str,
}

#[derive(Serialize)]
struct AttemptDocument<'a> {
    at: Timestamp,
    outcome: &'a str,
    answer: &'a str,
}

/// The whole document.
pub(crate) fn document<'a>(
    row: &'a DeliveryRow,
    sent: Option<&'a (Timestamp, SentMessage)>,
    attempts: &'a [AttemptRow],
) -> Document<'a> {
    let attempts = attempts.iter().map(|AttemptRow { at, outcome, detail }| AttemptDocument {
        at: *at,
        outcome,
        answer: detail,
    });
    Document {
        delivery: deliveries::document(row),
        message: sent.map(|(_, message)| message_document(message)),
        attempts: attempts.collect(),
    }
}

fn message_document(message: &SentMessage) -> MessageDocument<'_> {
    MessageDocument {
        subject: message.subject.as_deref(),
        text: message.text.as_deref(),
        html: message.html.as_deref(),
        body: message.body.as_deref(),
        headers: message.headers_by_name(),
        sha256: &message.sha256,
    }
}
