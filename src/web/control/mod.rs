//! The control socket: actions over HTTP on a Unix socket. Who may ask is decided by the rights of
//! the socket; what is done is `actions`'s.

mod about;
mod client;
mod refusal;
mod routes;
mod socket;

use std::convert::Infallible;

use axum::Extension;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use tokio::net::{UnixListener, UnixStream};

use crate::actions::{ActionContext, Author};
use crate::web::connections;
use crate::web::limits::Limits;
use refusal::Refusal;

pub use about::{About, Unwritable};
pub use client::{CallError, call};
pub use refusal::Refused;
use routes::routes;
pub use socket::{Socket, SocketError, socket_paths};

/// The header in which root says who called `sudo`.
pub const SUDO_UID: &str = "x-sudo-uid";

/// Serves the routes within `limits`, each request for the user at the other end. The caller owns
/// the socket, and ends all connections by dropping this.
pub async fn serve(listener: UnixListener, limits: Limits, context: ActionContext) -> Infallible {
    connections::serve(listener, limits, routes(context).layer(from_fn(name_author)), Peer::of)
        .await
}

/// The user at the other end of a connection, as the kernel says; none when it does not say.
#[derive(Clone)]
struct Peer(Option<u32>);

impl Peer {
    fn of(stream: &UnixStream) -> Self {
        Self(stream.peer_cred().ok().map(|peer| peer.uid()))
    }
}

async fn name_author(
    Extension(Peer(uid)): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(uid) = uid else { return Refusal::nobody().into_response() };
    // Root may say for whom it acts, for the record; nobody else is believed.
    let caller = request.headers().get(SUDO_UID).filter(|_| uid == 0);
    let caller: Option<u32> = caller.and_then(|caller| caller.to_str().ok()?.parse().ok());
    // The system may ask other machines.
    let Ok(author) = tokio::task::spawn_blocking(move || {
        caller.map_or_else(|| Author::of(uid), Author::by_sudo)
    })
    .await
    else {
        return Refusal::nobody().into_response();
    };
    request.extensions_mut().insert(author);
    next.run(request).await
}
