//! The control socket: actions over HTTP on a Unix socket, and their routes for a command that acts by itself. Who may
//! ask is decided by the rights of the socket; what is done is the pipeline's.

mod about;
mod client;
mod refusal;
mod routes;
mod socket;

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::serve::IncomingStream;
use tokio::net::UnixListener;

use crate::pipeline::{Author, Office};
use refusal::Refusal;

pub use about::{About, Unwritable};
pub use client::{CallError, call};
pub use refusal::Refused;
pub use routes::{BODY_CAP, routes};
pub use socket::{Socket, SocketError, places};

/// Serves the routes, each request for the user at the other end. The caller owns the socket, and ends it by dropping this.
pub async fn serve(listener: UnixListener, office: Office) -> std::io::Result<()> {
    let app = routes(office).layer(from_fn(name_author)).into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, app).await
}

/// The user at the other end of a connection, as the kernel says; none when it does not say.
#[derive(Clone)]
struct Peer(Option<u32>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok().map(|peer| peer.uid()))
    }
}

async fn name_author(ConnectInfo(Peer(uid)): ConnectInfo<Peer>, mut request: Request, next: Next) -> Response {
    match uid {
        Some(uid) => {
            request.extensions_mut().insert(Author::of(uid));
            next.run(request).await
        }
        None => Refusal::nobody().into_response(),
    }
}
