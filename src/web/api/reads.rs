//! The lists of the API, and what is behind one row of them.

use axum::extract::{Path, Request, State};
use axum::response::Response;

use crate::ledger::Reader;
use crate::listings::{alerts as alert_listing, deliveries as delivery_listing};
use crate::listings::{shown_delivery, status_document, story_document};
use crate::web::dashboard::{find_customer, find_delivery};
use crate::web::fault::Fault;
use crate::web::json::{Written, answer};
use crate::web::lists;
use crate::web::look::Look;
use crate::web::shown::Shown;

pub(super) async fn customers(State(shown): State<Shown>, request: Request) -> Response {
    let look = Look::of(&shown, &request);
    reading(look, |reader, look| {
        let (listed, _) = lists::customers(reader, &look.known, &look.query)?;
        let rows: Vec<_> =
            listed.rows.iter().map(|row| status_document::customer(&row.seen)).collect();
        Ok(Written::page(&rows, listed.next))
    })
    .await
}

pub(super) async fn customer(
    State(shown): State<Shown>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let look = Look::of(&shown, &request);
    reading(look, move |reader, look| {
        let story = find_customer(reader, look, &id)?;
        Ok(Written::of(&story_document::document(&story)))
    })
    .await
}

pub(super) async fn alerts(State(shown): State<Shown>, request: Request) -> Response {
    let look = Look::of(&shown, &request);
    reading(look, |reader, look| {
        let listed = lists::alerts(reader, &look.query)?;
        let rows: Vec<_> = listed.rows.iter().map(alert_listing::document).collect();
        Ok(Written::page(&rows, listed.next))
    })
    .await
}

pub(super) async fn deliveries(State(shown): State<Shown>, request: Request) -> Response {
    let look = Look::of(&shown, &request);
    reading(look, |reader, look| {
        let listed = lists::deliveries(reader, &look.query)?;
        let rows: Vec<_> = listed.rows.iter().map(delivery_listing::document).collect();
        Ok(Written::page(&rows, listed.next))
    })
    .await
}

pub(super) async fn delivery(
    State(shown): State<Shown>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let look = Look::of(&shown, &request);
    reading(look, move |reader, _| {
        let found = find_delivery(reader, &id)?;
        let document = shown_delivery::document(&found.row, found.sent.as_ref(), &found.attempts);
        Ok(Written::of(&document))
    })
    .await
}

pub(super) async fn silences(State(shown): State<Shown>, request: Request) -> Response {
    let look = Look::of(&shown, &request);
    reading(look, |reader, look| {
        let listed = lists::part(&look.query, lists::silences(reader, &look.query, look.now)?)?;
        Ok(Written::page(&listed.rows, listed.next))
    })
    .await
}

pub(super) async fn security(State(shown): State<Shown>, request: Request) -> Response {
    let look = Look::of(&shown, &request);
    reading(look, |reader, look| {
        let (rows, _) = lists::security(reader, look.now)?;
        let listed = lists::part(&look.query, rows)?;
        Ok(Written::page(&listed.rows, listed.next))
    })
    .await
}

/// The answer that is read from the ledger.
async fn reading(
    look: Look,
    work: impl FnOnce(&Reader, &Look) -> Result<Written, Fault> + Send + 'static,
) -> Response {
    let own = look.clone();
    let written = look.read(move |reader| work(reader, &own)).await;
    answer(&look, written)
}
