//! The pages for the people on call: each reads the ledger once, and changes nothing.

mod alerts;
mod curve;
mod customer;
mod customer_alerts;
mod customer_line;
mod customer_rules;
mod deliveries;
mod delivery;
mod notifiers;
mod overview;
mod security;
mod silences;
mod spark;
mod split;
mod trust;

pub(super) use customer::alone as customer_alone;
pub(super) use customer::find as find_customer;
pub(super) use customer::find_at as find_customer_at;
pub(super) use delivery::find as find_delivery;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

use crate::web::guard::reads;
use crate::web::refused::refused;
use crate::web::shown::Shown;

/// All pages, and what is answered where there is none.
pub(super) fn routes(shown: Shown) -> Router {
    Router::new()
        .route("/", get(overview::show))
        .route("/alerts", get(alerts::show))
        .route("/customers/{id}", get(customer::show))
        .route("/deliveries", get(deliveries::show))
        .route("/deliveries/{id}", get(delivery::show))
        .route("/notifiers", get(notifiers::show))
        .route("/silences", get(silences::show))
        .route("/security-alerts", get(security::show))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .with_state(shown)
}

async fn wrong_method(State(_shown): State<Shown>, request: Request) -> Response {
    let why = "This address is only read, by GET.";
    refused(reads(&request), StatusCode::METHOD_NOT_ALLOWED, why)
}

async fn unknown(State(_shown): State<Shown>, request: Request) -> Response {
    let why = "Nothing is served at this address.";
    refused(reads(&request), StatusCode::NOT_FOUND, why)
}
