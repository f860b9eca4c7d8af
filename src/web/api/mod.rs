//! `/api/v1`: the lists of the pages for programs, in the objects of the commands. Further pages
//! are named by the header `Link`; errors are problem+json.

mod description;
mod reads;
mod status;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

use crate::web::refused::problem;
use crate::web::shown::Shown;

/// All paths of the API.
pub(super) fn routes(shown: Shown) -> Router {
    Router::new()
        .route("/api", get(description::show))
        .route("/api/v1/status", get(status::show))
        .route("/api/v1/customers", get(reads::customers))
        .route("/api/v1/customers/{id}", get(reads::customer))
        .route("/api/v1/alerts", get(reads::alerts))
        .route("/api/v1/deliveries", get(reads::deliveries))
        .route("/api/v1/deliveries/{id}", get(reads::delivery))
        .route("/api/v1/silences", get(reads::silences))
        .route("/api/v1/security-alerts", get(reads::security))
        .method_not_allowed_fallback(wrong_method)
        .with_state(shown)
}

async fn wrong_method() -> Response {
    problem(StatusCode::METHOD_NOT_ALLOWED, "this address is only read, by GET")
}
