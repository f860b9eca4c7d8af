//! Owes again what was given up; lets messages to customers go that are held, or discards them.

use axum::extract::{Path, Request, State};
use axum::response::Response;

use crate::actions::{ReleaseRequest, RetryRequest};
use crate::ledger::Reader;
use crate::web::acting::forms::{order, owned, taken};
use crate::web::look::Look;
use crate::web::query::Query;
use crate::web::refused::Reads;
use crate::web::shown::Shown;

pub(super) async fn retry(
    State(shown): State<Shown>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let read = |_: &Query| Ok(RetryRequest { ids: vec![id], ..RetryRequest::default() });
    order(&shown, taken(request).await, read).await
}

pub(super) async fn release(
    State(shown): State<Shown>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    order(&shown, taken(request).await, |form| Ok(held(vec![id], false, form))).await
}

pub(super) async fn discard(
    State(shown): State<Shown>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    order(&shown, taken(request).await, |form| Ok(held(vec![id], true, form))).await
}

pub(super) async fn release_all(State(shown): State<Shown>, request: Request) -> Response {
    all(&shown, request, false).await
}

pub(super) async fn discard_all(State(shown): State<Shown>, request: Request) -> Response {
    all(&shown, request, true).await
}

/// All that are held, if they are as many as the page has shown.
async fn all(shown: &Shown, request: Request, discard: bool) -> Response {
    let look = Look::of(shown, &request);
    let taken = match taken(request).await {
        Ok(taken) => taken,
        Err(answer) => return *answer,
    };
    let now = match look.read(|reader: &Reader| Ok(reader.held()?)).await {
        Ok(now) => now,
        Err(fault) => return fault.answer(Reads::Html),
    };
    let read = |form: &Query| {
        let seen = form.get("count").and_then(|count| count.parse::<u64>().ok());
        let as_shown = seen == Some(now);
        as_shown.then(|| held(Vec::new(), discard, form)).ok_or_else(|| {
            format!("Meanwhile {now} messages are held. Nothing was done. Look at them again.")
        })
    };
    order(shown, Ok(taken), read).await
}

fn held(ids: Vec<String>, discard: bool, form: &Query) -> ReleaseRequest {
    ReleaseRequest { ids, discard, reason: owned(form, "reason"), ..ReleaseRequest::default() }
}
