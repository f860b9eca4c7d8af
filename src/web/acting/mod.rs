//! What people order from a page, each by a form of ours and by the same actions as the commands.
//! Behind each stands the page that the form was on. GET does nothing of it.

mod alerts;
mod deliveries;
mod forms;
mod notifiers;
mod security;
mod silence;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};

use crate::web::orders::to_the_end;
use crate::web::shown::Shown;

/// All that can be ordered, and the pages that ask once more before it is done.
pub(super) fn routes(shown: Shown) -> Router {
    Router::new()
        .route("/alerts/{id}/acknowledge", post(alerts::acknowledge))
        .route("/alerts/{id}/expected", post(alerts::expected))
        .route("/alerts/{id}/fraud", post(alerts::fraud))
        .route("/alerts/{id}/undo", post(alerts::undo))
        .route("/silences/new", get(silence::preview))
        .route("/silences/add", post(silence::add))
        .route("/silences/{id}/expire", post(silence::expire))
        .route("/deliveries/{id}/retry", post(deliveries::retry))
        .route("/deliveries/{id}/release", post(deliveries::release))
        .route("/deliveries/{id}/discard", post(deliveries::discard))
        .route("/deliveries/release", post(deliveries::release_all))
        .route("/deliveries/discard", post(deliveries::discard_all))
        .route("/notifiers/{name}/test", post(notifiers::test))
        .route("/security-alerts/{id}/answer", get(security::confirm).post(security::answer))
        .layer(from_fn(to_the_end))
        .with_state(shown)
}
