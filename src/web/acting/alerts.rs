//! Says that somebody knows of an alert, and of a spike what it was; or takes that back.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use jiff::civil::Date;

use crate::actions::AckRequest;
use crate::domain::spike::SpikeMark;
use crate::web::acting::forms::{day, order, owned, taken};
use crate::web::query::Query;
use crate::web::shown::Shown;

pub(super) async fn acknowledge(
    State(shown): State<Shown>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    order(&shown, taken(request).await, |form| Ok(noted(id, form, None, None))).await
}

pub(super) async fn expected(
    State(shown): State<Shown>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let read = |form: &Query| {
        let until = form.get("until").map(day).transpose()?;
        Ok(noted(id, form, Some(SpikeMark::Expected), until))
    };
    order(&shown, taken(request).await, read).await
}

pub(super) async fn fraud(
    State(shown): State<Shown>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let read = |form: &Query| Ok(noted(id, form, Some(SpikeMark::Fraud), None));
    order(&shown, taken(request).await, read).await
}

pub(super) async fn undo(
    State(shown): State<Shown>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let read = |_: &Query| Ok(AckRequest { alerts: vec![id], undo: true, ..AckRequest::default() });
    order(&shown, taken(request).await, read).await
}

fn noted(id: String, form: &Query, spikes: Option<SpikeMark>, until: Option<Date>) -> AckRequest {
    AckRequest { alerts: vec![id], undo: false, spikes, until, reason: owned(form, "note") }
}
