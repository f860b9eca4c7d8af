//! Who did what, and when: what the ledger's chain and Microsoft say of it, in words.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::cli::evidence::incident::SecurityFacts;
use crate::cli::evidence::shown::{Quiet, Recorded};
use crate::domain::Alert;

/// What somebody did.
#[derive(Serialize)]
pub(super) struct Deed {
    pub(super) at: Timestamp,
    pub(super) by: String,
    pub(super) what: String,
}

/// All that is known, in the order of time.
pub(super) fn deeds(
    record: &[Recorded],
    silences: &[Quiet],
    security: &[SecurityFacts],
) -> Vec<Deed> {
    let quiet = silences.iter().map(|silence| Deed {
        at: silence.created_at,
        by: silence.author.clone(),
        what: format!("silenced alerts: {}", silence.reason),
    });
    let orders = record.iter().filter_map(ordered);
    let mut deeds: Vec<Deed> = orders.chain(quiet).collect();
    // What was answered elsewhere is in no chain.
    let is_ordered = |one: &SecurityFacts| {
        record.iter().any(|event| text(event, "security").eq_ignore_ascii_case(&one.alert.id))
    };
    let elsewhere = security.iter().filter(|one| !one.is_unlisted && !is_ordered(one));
    deeds.extend(elsewhere.filter_map(|one| {
        let reason = one.reason.as_deref().unwrap_or("resolved");
        Some(Deed {
            at: one.answered_at?,
            by: one.answered_by.clone().unwrap_or_else(|| "not known".to_owned()),
            what: format!("answered Microsoft’s alert {} as {reason}, at Microsoft", one.alert.id),
        })
    }));
    deeds.sort_by_key(|deed| deed.at);
    deeds
}

fn text<'e>(event: &'e Recorded, field: &str) -> &'e str {
    event.content.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// What an event says that somebody did; none of what nobody did.
fn ordered(event: &Recorded) -> Option<Deed> {
    let reference = uuid::Uuid::parse_str(&event.about).ok().map(Alert::reference_of);
    let reference = reference.unwrap_or_default();
    let what = match event.kind.as_str() {
        "acknowledgement" if event.content.get("taken_back") == Some(&Value::Bool(true)) => {
            format!("took back the acknowledgement of {reference}")
        }
        "acknowledgement" => format!("acknowledged {reference}{}", because(text(event, "note"))),
        "order" => order(event, &reference),
        _ => return None,
    };
    Some(Deed { at: event.at, by: text(event, "by").to_owned(), what })
}

fn order(event: &Recorded, reference: &str) -> String {
    let because = because(text(event, "reason"));
    match text(event, "order") {
        "ack --fraud" => format!("marked the spike {reference} as fraud{because}"),
        "ack --expected" => format!("marked the spike {reference} as expected{because}"),
        "ack --undo" => format!("took back what was said of the spike {reference}"),
        "security resolve" => format!(
            "answered Microsoft’s alert {} as {}",
            text(event, "security"),
            text(event, "reason")
        ),
        "budgets push" => format!(
            "changed the budget in Partner Center from {} to {} {}: {}",
            Some(text(event, "from")).filter(|from| !from.is_empty()).unwrap_or("none"),
            text(event, "to"),
            text(event, "currency"),
            text(event, "outcome")
        ),
        "evidence --incident" => "gathered evidence of an incident".to_owned(),
        other => other.to_owned(),
    }
}

fn because(reason: &str) -> String {
    if reason.trim().is_empty() { String::new() } else { format!(": {}", reason.trim()) }
}
