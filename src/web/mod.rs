//! Pages for the people on call, metrics and health over HTTP; and [`control`], where commands act
//! through a running daemon. GET changes nothing.

mod account;
mod acting;
mod address;
mod api;
mod assets;
mod certificate;
mod config;
mod connections;
pub mod control;
mod cookies;
mod customers;
mod dashboard;
mod doors;
mod fault;
mod frame;
mod guard;
mod headers;
mod health;
mod incoming;
mod json;
mod limits;
mod link;
mod listening;
mod lists;
mod login;
mod look;
mod names;
mod orders;
mod pace;
mod pages;
mod query;
mod refused;
mod same_origin;
mod session;
mod shown;
mod sign_in;
mod viewer;

use std::convert::Infallible;
use std::sync::Arc;

use axum::middleware::from_fn;

use crate::web::api::Door;
use crate::web::guard::Guard;
use crate::web::listening::Connection;
use crate::web::names::Names;
use crate::web::session::Signer;
use crate::web::viewer::Peer;

pub use certificate::{Certificate, CertificateError, CertificateFiles, OwnCertificate};
pub use config::Config;
pub use limits::Limits;
pub use listening::Listening;
pub use shown::{Known, REFRESH, Shown};
pub use sign_in::SignIn;

/// Serves, within `limits`, those who bear the token in force where there is one, and those who
/// have signed in with it or with an account; this machine where there is neither. The caller owns
/// the socket, and ends all connections by dropping this.
pub async fn run(listener: impl Into<Listening>, limits: Limits, shown: Shown) -> Infallible {
    let guard = Guard {
        names: Names::of_this_host(),
        known: shown.known.clone(),
        local: Arc::new(Signer::random()),
        clock: Arc::clone(&shown.sessions),
    };
    let acting = acting::routes(shown.clone());
    let routes = pages::routes(shown.clone()).merge(assets::routes());
    let routes = routes.merge(link::routes(shown.clone()));
    let routes = routes.merge(api::routes(shown.clone(), Door::Http));
    let routes = routes.merge(dashboard::routes(shown));
    let routes = routes.merge(acting);
    let routes = guard::guarded(routes, guard);
    let routes = routes.layer(from_fn(headers::secured));
    let peer = |connection: &Connection| Peer(Some(connection.peer().ip()));
    connections::serve(listener.into(), limits, routes, peer).await
}
