//! Accepts connections and serves them within [`Limits`], so that nobody who connects can keep
//! descriptors from polling, the ledger or delivery. What is answered is left to the routes.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::serve::Listener;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio_util::io::InspectReader;

use crate::web::incoming::Coming;
use crate::web::limits::Limits;
use crate::web::orders::{Orders, orders};
use crate::web::pace::Pace;

/// The longest head of a request, in bytes.
const HEAD_CAP: u32 = 32 * 1024;
/// How many requests an HTTP/2 connection may have at a time.
const STREAMS: u32 = 16;

/// Serves the routes for as long as it is polled; who drops it ends all connections. `peer` says
/// who is at the other end of one, for the extensions of its requests.
///
/// Where `limits.open` are open and another comes, the one that has had no whole request for
/// longest gives way. While all are being answered, the newcomer waits.
pub(super) async fn serve<L, P>(
    mut listener: L,
    limits: Limits,
    routes: Router,
    peer: impl Fn(&L::Io) -> P,
) -> Infallible
where
    L: Listener,
    P: Clone + Send + Sync + 'static,
{
    let rested = Arc::new(Notify::new());
    let (mut open, mut paces, mut newcomer) = (FuturesUnordered::new(), Vec::new(), None);
    let (orders, mut ordered) = orders(limits.open);
    loop {
        if open.len() < limits.open
            && let Some(stream) = newcomer.take()
        {
            let pace = Arc::new(Pace::new(limits, Arc::clone(&rested)));
            paces.push(Arc::clone(&pace));
            let who = (peer(&stream), orders.clone());
            open.push(guarded(stream, routes.clone(), who, pace));
        }
        if newcomer.is_some() {
            make_room(&paces);
        }
        tokio::select! {
            (stream, _) = listener.accept(), if newcomer.is_none() => newcomer = Some(stream),
            Some(ended) = open.next() => paces.retain(|pace| !Arc::ptr_eq(pace, &ended)),
            () = ordered.go_on() => {}
            () = rested.notified(), if newcomer.is_some() => {}
        }
    }
}

/// Gives up the connection that rests for longest, unless one is given up already.
fn make_room(paces: &[Arc<Pace>]) {
    if paces.iter().any(|pace| pace.is_given_up()) {
        return;
    }
    let longest = paces
        .iter()
        .filter_map(|pace| Some((pace.rests_since()?, pace)))
        .min_by_key(|(since, _)| *since);
    if let Some((_, pace)) = longest {
        tracing::debug!("too many connections: one without a request is closed");
        pace.give_up();
    }
}

/// A connection until it is over. What breaks in it breaks no other.
async fn guarded<S, P>(stream: S, routes: Router, who: (P, Orders), pace: Arc<Pace>) -> Arc<Pace>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    P: Clone + Send + Sync + 'static,
{
    if AssertUnwindSafe(converse(stream, routes, who, &pace)).catch_unwind().await.is_err() {
        tracing::error!("a connection broke; the others go on");
    }
    pace
}

async fn converse<S, P>(stream: S, routes: Router, (peer, orders): (P, Orders), pace: &Arc<Pace>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    P: Clone + Send + Sync + 'static,
{
    let noticed = Arc::clone(pace);
    let stream = InspectReader::new(stream, move |bytes: &[u8]| {
        if !bytes.is_empty() {
            noticed.read();
        }
    });
    let routes = TowerToHyperService::new(routes);
    let service = service_fn(|mut request: hyper::Request<Incoming>| {
        let asked = Arc::new(Arc::clone(pace).head(request.version()));
        request.extensions_mut().insert(peer.clone());
        request.extensions_mut().insert(orders.clone());
        let body = Arc::clone(&asked);
        let answer = routes.call(request.map(|incoming| Body::new(Coming::new(incoming, body))));
        async move {
            let answer = answer.await;
            drop(asked);
            answer
        }
    });
    // The streams of an HTTP/2 connection are tasks of hyper's, which end with their answers.
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().max_buf_size(usize::try_from(HEAD_CAP).unwrap_or(usize::MAX));
    builder.http2().max_concurrent_streams(STREAMS).max_header_list_size(HEAD_CAP);
    tokio::select! {
        biased;
        // First: what has come counts, however late it is looked at.
        ended = builder.serve_connection(TokioIo::new(stream), service) => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
        }
        () = pace.over() => tracing::debug!("a connection without a whole request is closed"),
    }
}
