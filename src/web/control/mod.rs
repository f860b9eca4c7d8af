//! The control socket: the API over HTTP on a Unix socket, with what only users of this host may
//! order. Who may ask is decided by the rights of the socket; what is answered is `api`'s.

mod client;
mod older;
mod refusal;
mod socket;

use std::convert::Infallible;

use axum::Extension;
use axum::extract::Request;
use axum::http::{StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tokio::net::{UnixListener, UnixStream};

use crate::actions::Author;
use crate::web::api::{self, Door};
use crate::web::connections;
use crate::web::control::older::with_older;
use crate::web::limits::Limits;
use crate::web::refused::problem;
use crate::web::shown::Shown;

pub use crate::web::api::{About, BASE, Unwritable};
pub use client::{CallError, call};
pub use older::OLDER_BASE;
pub use refusal::Refused;
pub use socket::{Socket, SocketError, socket_paths};

/// The header in which root says who called `sudo`.
pub const SUDO_UID: &str = "x-sudo-uid";

/// Serves the API within `limits`, each request for the user at the other end. The caller owns the
/// socket, and ends all connections by dropping this.
pub async fn serve(listener: UnixListener, limits: Limits, shown: Shown) -> Infallible {
    let routes = api::routes(shown, Door::Socket).fallback(unknown).layer(from_fn(name_author));
    connections::serve(listener, limits, with_older(routes), Peer::of).await
}

async fn unknown(uri: Uri) -> Response {
    let why = format!("budget-alertd {} knows no {}", env!("CARGO_PKG_VERSION"), uri.path());
    problem(StatusCode::NOT_FOUND, &why)
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
    let Some(uid) = uid else { return nobody() };
    // Root may say for whom it acts, for the record; nobody else is believed.
    let caller = request.headers().get(SUDO_UID).filter(|_| uid == 0);
    let caller: Option<u32> = caller.and_then(|caller| caller.to_str().ok()?.parse().ok());
    // The system may ask other machines.
    let Ok(author) = tokio::task::spawn_blocking(move || {
        caller.map_or_else(|| Author::of(uid), Author::by_sudo)
    })
    .await
    else {
        return nobody();
    };
    request.extensions_mut().insert(author);
    next.run(request).await
}

fn nobody() -> Response {
    problem(StatusCode::FORBIDDEN, "the system does not say who asks")
}
