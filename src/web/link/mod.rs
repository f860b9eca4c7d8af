//! `/link/<action>/<token>`: where the links of messages lead. Whoever has one may do this one
//! thing, without signing in. GET shows a page with one button, and changes nothing.

mod opened;
mod page;
mod press;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::response::Response;
use axum::routing::{get, post};

use crate::domain::LinkAction;
use crate::web::dashboard::{customer_alone, find_customer_at};
use crate::web::fault::Fault;
use crate::web::frame::html;
use crate::web::link::opened::{Opened, open};
use crate::web::link::page::page;
use crate::web::look::Look;
use crate::web::orders::to_the_end;
use crate::web::shown::Shown;

/// All links.
pub(super) fn routes(shown: Shown) -> Router {
    let press = post(press::press).layer(from_fn(to_the_end));
    Router::new().route("/link/{action}/{token}", get(show).merge(press)).with_state(shown)
}

async fn show(
    State(shown): State<Shown>,
    Path((action, token)): Path<(String, String)>,
    request: Request,
) -> Response {
    let look = Look::of(&shown, &request);
    let opened = match open(&look, &action, &token).await {
        Ok(opened) => opened,
        Err(answer) => return *answer,
    };
    if opened.link.action == LinkAction::Explain {
        return explained(&look, opened).await;
    }
    html(StatusCode::OK, &page(&look, &opened))
}

/// The customer, as it is; after the alert's billing period, as it was at its end.
async fn explained(look: &Look, opened: Opened) -> Response {
    let alert = &opened.row.snapshot.alert;
    let end = alert.billing_period.end;
    let then = (alert.has_usage() && end <= look.now).then_some(end);
    let (id, own) = (alert.customer.id.as_str().to_owned(), look.clone());
    let found = look.read(move |reader| find_customer_at(reader, &own, &id, then)).await;
    match found {
        Ok(story) => customer_alone(&story, look),
        // Of a security alert nothing more may be known of the customer.
        Err(Fault::Missing(_) | Fault::Query(_)) => html(StatusCode::OK, &page(look, &opened)),
        Err(fault) => fault.answer(look.reads),
    }
}
