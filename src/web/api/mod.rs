//! `/api/v1`: what the pages show and what they order, for programs, in the objects of the commands;
//! over HTTP and on the control socket. Further pages are named by the header `Link`; errors are
//! problem+json. Who may ask is decided before: by the guard, or by the rights of the socket.

mod about;
mod document;
mod endpoint;
mod order;
mod reads;
mod schema;
mod status;
mod table;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

use crate::web::api::endpoint::{Endpoint, Reach};
use crate::web::refused::problem;
use crate::web::shown::Shown;

pub use about::{About, Unwritable};
pub use endpoint::BASE;

/// Where the API is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// Over HTTP.
    Http,
    /// On the control socket.
    Socket,
}

/// All addresses of the API.
pub(super) fn routes(shown: Shown, door: Door) -> Router {
    let routes = table::endpoints().into_iter().fold(
        Router::new().route("/api", get(document::show)),
        |routes, Endpoint { path, reach, handler, .. }| match (door, reach) {
            (Door::Socket, _) | (Door::Http, Reach::Everywhere) => routes.route(&path, handler),
            (Door::Http, Reach::Socket) => routes.route(&path, get(elsewhere).post(elsewhere)),
        },
    );
    routes.method_not_allowed_fallback(wrong_method).with_state(shown)
}

async fn wrong_method() -> Response {
    let why = "GET reads and POST orders: /api says which this address takes";
    problem(StatusCode::METHOD_NOT_ALLOWED, why)
}

async fn elsewhere(request: Request) -> Response {
    let why = format!(
        "{} is answered on the control socket only: ask there, on the host of the daemon",
        request.uri().path()
    );
    problem(StatusCode::FORBIDDEN, &why)
}
