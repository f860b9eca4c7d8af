//! `/deliveries/{id}`: the exact message as it was sent, every attempt and the receiver's answers.

use askama::Template;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use uuid::Uuid;

use crate::domain::{DeliveryState, SentMessage};
use crate::ledger::{AttemptRow, DeliveryRow, Reader};
use crate::listings::deliveries::{addressee, message, state_word};
use crate::text::{capitalized, clean, moment};
use crate::web::fault::Fault;
use crate::web::frame::Frame;
use crate::web::look::Look;
use crate::web::shown::Shown;

#[derive(Template)]
#[template(path = "delivery.html")]
struct Page {
    frame: Frame,
    /// Its address, where forms lead back to.
    to: String,
    id: Uuid,
    /// Whether it can be owed again.
    is_dead: bool,
    /// Whether it waits to be released.
    is_held: bool,
    state: &'static str,
    facts: Vec<(&'static str, String)>,
    attempts: Vec<Attempt>,
    given_up: Option<String>,
    sent: Option<Sent>,
}

struct Attempt {
    at: String,
    outcome: String,
    answer: String,
}

/// What was handed over.
struct Sent {
    at: String,
    headers: Vec<(String, String)>,
    subject: Option<String>,
    /// What it says, and in which form.
    parts: Vec<(&'static str, String)>,
    html: Option<String>,
    sha256: String,
}

/// A delivery with all that is kept of it.
pub(in crate::web) struct Found {
    pub(in crate::web) row: DeliveryRow,
    pub(in crate::web) attempts: Vec<AttemptRow>,
    pub(in crate::web) sent: Option<(jiff::Timestamp, SentMessage)>,
}

/// Looks a delivery up by its whole id.
pub(in crate::web) fn find(reader: &Reader, id: &str) -> Result<Found, Fault> {
    let missing = || Fault::Missing(format!("There is no delivery \"{}\".", clean(id, 60)));
    let id = Uuid::try_parse(id).map_err(|_| missing())?;
    let found = reader.find_deliveries(&id.to_string(), 10)?;
    let row = found.into_iter().find(|row| row.id == id).ok_or_else(missing)?;
    let (attempts, sent) = (reader.attempts(id)?, reader.sent_message(id)?);
    Ok(Found { row, attempts, sent })
}

pub(super) async fn show(
    State(shown): State<Shown>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let look = Look::of(&shown, &request);
    let found = look.read(move |reader| find(reader, &id)).await;
    look.answer(found.map(|found| page(&look, found)))
}

fn page(look: &Look, found: Found) -> Page {
    let Found { row, attempts, sent } = found;
    let at = |at| moment(at, look.now, look.zone());
    let ended = row.ended_at.map(at);
    let facts = [
        ("To", Some(addressee(&row))),
        ("In place of", row.fallback_for.as_deref().map(|failed| clean(failed, 60))),
        ("Recorded", Some(at(row.created_at))),
        ("Ended", ended),
        ("Delivery", Some(row.id.to_string())),
        ("Message", Some(row.identity.simple().to_string())),
    ];
    // What ends a delivery without an attempt says why, too.
    let last = attempts.last().map(|attempt| attempt.detail.clone());
    let dead = row.state == DeliveryState::Dead;
    let held = row.state == DeliveryState::Pending && row.held;
    let given_up = row.last_detail.as_ref().filter(|why| dead && Some(*why) != last.as_ref());
    let attempt = |attempt: AttemptRow| Attempt {
        at: at(attempt.at),
        outcome: attempt.outcome,
        answer: clean(&attempt.detail, 500),
    };
    Page {
        frame: look.frame(capitalized(&message(&row)), "/deliveries"),
        to: look.path.clone(),
        id: row.id,
        is_dead: dead && !row.held,
        is_held: held,
        state: state_word(&row),
        facts: facts.into_iter().filter_map(|(name, text)| Some((name, text?))).collect(),
        given_up: given_up.map(|why| clean(why, 500)),
        attempts: attempts.into_iter().map(attempt).collect(),
        sent: sent.map(|(when, message)| handed_over(message, at(when))),
    }
}

fn handed_over(message: SentMessage, at: String) -> Sent {
    let headers = message.headers.iter();
    let parts = [("Text", message.text), ("Body", message.body)];
    Sent {
        at,
        headers: headers.map(|(name, value)| (clean(name, 100), clean(value, 500))).collect(),
        subject: message.subject.map(|subject| clean(&subject, 500)),
        parts: parts.into_iter().filter_map(|(name, text)| Some((name, text?))).collect(),
        html: message.html,
        sha256: message.sha256,
    }
}
