//! A delivery as JSON, and in the words that listings have for it.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::domain::{Alert, DeliveryState, MessageKind};
use crate::ledger::DeliveryRow;
use crate::listings::words;
use crate::text::clean;

/// A delivery in JSON.
#[derive(Serialize)]
pub(crate) struct DeliveryDocument<'a> {
    id: Uuid,
    identity: Uuid,
    notifier: &'a str,
    recipient: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback_for: Option<&'a str>,
    kind: MessageKind,
    state: DeliveryState,
    held: bool,
    alerts: &'a [Uuid],
    created_at: Timestamp,
    ended_at: Option<Timestamp>,
    attempts: u64,
    last_detail: Option<&'a str>,
    /// When its recipient is tried again for whom the destination takes nothing at the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    deferred_until: Option<Timestamp>,
}

/// A delivery as JSON.
pub(crate) fn document(row: &DeliveryRow) -> DeliveryDocument<'_> {
    DeliveryDocument {
        id: row.id,
        identity: row.identity,
        notifier: &row.notifier,
        recipient: row.recipient.as_deref(),
        fallback_for: row.fallback_for.as_deref(),
        kind: row.kind,
        state: row.state,
        held: row.held,
        alerts: &row.alerts,
        created_at: row.created_at,
        ended_at: row.ended_at,
        attempts: row.attempts,
        last_detail: row.last_detail.as_deref(),
        deferred_until: row.deferred_until,
    }
}

/// The state as people read it.
pub(crate) fn state_word(row: &DeliveryRow) -> &'static str {
    match (row.state, row.held) {
        (DeliveryState::Pending, true) => "held",
        (DeliveryState::Dead, true) => "discarded",
        (DeliveryState::Pending, false) if row.deferred_until.is_some() => "deferred",
        (state, _) => state.as_str(),
    }
}

/// The notifier, with the recipient where it has several.
pub(crate) fn addressee(row: &DeliveryRow) -> String {
    let name = words::clean(&row.notifier);
    row.recipient
        .as_deref()
        .map_or_else(|| name.clone(), |recipient| format!("{name} {}", clean(recipient, 80)))
}

/// What the message says: `alert 5F0C1C3E`, `alert 5F0C1C3E and 2 more`, `digest of 12`.
pub(crate) fn message(row: &DeliveryRow) -> String {
    let reference = || row.alerts.first().map(|id| Alert::reference_of(*id)).unwrap_or_default();
    let others = row.alerts.len().saturating_sub(1);
    match row.kind {
        MessageKind::Raised if others > 0 => format!("alert {} and {others} more", reference()),
        MessageKind::Raised => format!("alert {}", reference()),
        MessageKind::Digest => format!("digest of {}", row.alerts.len()),
        MessageKind::Test => "test".to_owned(),
        MessageKind::Reminder if row.alerts.len() == 1 => format!("reminder {}", reference()),
        MessageKind::Reminder => format!("reminder of {}", row.alerts.len()),
        MessageKind::Resolved if row.alerts.len() == 1 => format!("resolved {}", reference()),
        MessageKind::Resolved => format!("{} resolved", row.alerts.len()),
        MessageKind::OperatorRaised => "operator alert".to_owned(),
        MessageKind::OperatorResolved => "operator: over".to_owned(),
        MessageKind::Report => "report".to_owned(),
    }
}

/// The first characters of an id, which `deliveries retry` takes too.
pub(crate) fn short_id(id: Uuid) -> String {
    id.simple().to_string().chars().take(8).collect()
}
