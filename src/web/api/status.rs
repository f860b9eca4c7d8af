//! `/api/v1/status`: what `status --format json` prints, of the daemon that answers.

use axum::extract::{Request, State};
use axum::response::Response;
use jiff::SignedDuration;

use crate::ledger::{Leadership, Reader};
use crate::listings::status_document::{Stated, document};
use crate::web::fault::Fault;
use crate::web::health::condition;
use crate::web::json::{Written, answer};
use crate::web::look::Look;
use crate::web::shown::Shown;

/// How many of the worst customers are named, as `status` names them.
const LISTED: usize = 20;
/// How far back events of the data go.
const RECENT: SignedDuration = SignedDuration::from_hours(24);

pub(super) async fn show(State(shown): State<Shown>, request: Request) -> Response {
    let look = Look::of(&shown, &request);
    let own = look.clone();
    let written = look.read(move |reader| status(reader, &own)).await;
    answer(&look, written)
}

fn status(reader: &Reader, look: &Look) -> Result<Written, Fault> {
    let now = look.now;
    let condition = condition(reader, &look.known, &look.shown.metrics, now)?;
    let leadership = look.shown.ledger.leadership().borrow().clone();
    let (leads, leader) = match leadership {
        Leadership::Leading => (true, None),
        Leadership::Standby { leader } => (false, leader),
    };
    let customers = reader.customers_worst_first(LISTED)?;
    let events = reader.events_since(now.saturating_sub(RECENT).unwrap_or(now))?;
    Ok(Written::of(&document(&Stated {
        health: &condition.health,
        pid: Some(std::process::id()),
        leads,
        leader,
        silences: condition.silences,
        changed: &look.known.files.changed(),
        polls: &condition.polls,
        findings: &condition.findings,
        notifiers: &condition.notifiers,
        missing: reader.missing()?,
        events: &events,
        security: reader.security_summary(now)?.as_ref(),
        customers: &customers,
    })))
}
