//! `/deliveries`: what is owed, sent and given up, the newest first.

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::ledger::DeliveryRow;
use crate::listings::deliveries::{addressee, message, state_word};
use crate::listings::words;
use crate::text::clean;
use crate::web::fault::Fault;
use crate::web::frame::Frame;
use crate::web::look::Look;
use crate::web::shown::Shown;
use crate::web::{address, lists};

#[derive(Template)]
#[template(path = "deliveries.html")]
struct Page {
    frame: Frame,
    state: String,
    notifier: String,
    notifiers: Vec<String>,
    /// How many are held.
    held: u64,
    /// Where forms lead back to.
    to: String,
    rows: Vec<Line>,
    next: Option<String>,
    zone: String,
}

/// A delivery as its row shows it.
struct Line {
    state: &'static str,
    recorded: String,
    addressee: String,
    message: String,
    fallback_for: Option<String>,
    attempts: u64,
    detail: String,
    address: String,
}

pub(super) async fn show(State(shown): State<Shown>, request: Request) -> Response {
    let look = Look::of(&shown, &request);
    look.answer(page(&look).await)
}

async fn page(look: &Look) -> Result<Page, Fault> {
    let query = look.query.clone();
    let listed = look.read(move |reader| Ok((lists::deliveries(reader, &query)?, reader.held()?)));
    let (listed, held) = listed.await?;
    let of = |name| look.query.get(name).unwrap_or_default().to_owned();
    Ok(Page {
        frame: look.frame("Deliveries", "/deliveries"),
        held,
        to: look.query.with("/deliveries", "cursor", None),
        state: of("state"),
        notifier: of("notifier"),
        notifiers: look.known.notifiers.iter().map(|one| one.name.to_string()).collect(),
        rows: listed.rows.iter().map(|row| line(row, look.now, look.zone())).collect(),
        next: look.next(listed.next.as_deref()),
        zone: words::zone_note(look.zone()),
    })
}

fn line(row: &DeliveryRow, now: Timestamp, zone: &TimeZone) -> Line {
    Line {
        state: state_word(row),
        recorded: words::short_moment(row.created_at, now, zone),
        addressee: addressee(row),
        message: message(row),
        fallback_for: row.fallback_for.as_deref().map(words::clean),
        attempts: row.attempts,
        detail: clean(row.last_detail.as_deref().unwrap_or_default(), 160),
        address: address::delivery(row.id),
    }
}
