//! Orders that are done to their end though who gave them hangs up: whoever serves the connections
//! drives them beside. What they do is the routes'.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// What takes orders, for the connections.
#[derive(Clone)]
pub(super) struct Orders {
    sender: mpsc::UnboundedSender<BoxFuture<'static, ()>>,
    places: Arc<Semaphore>,
}

/// Orders under way, for who serves the connections.
pub(super) struct Ordered {
    receiver: mpsc::UnboundedReceiver<BoxFuture<'static, ()>>,
    running: FuturesUnordered<BoxFuture<'static, ()>>,
}

/// For so many connections: orders of those who hung up take no place of theirs, yet no more than a
/// few times as many go on at a time. Others wait for their turn.
pub(super) fn orders(connections: usize) -> (Orders, Ordered) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let places = Arc::new(Semaphore::new(connections.saturating_mul(4)));
    (Orders { sender, places }, Ordered { receiver, running: FuturesUnordered::new() })
}

/// Follows an order to its end, whoever hangs up meanwhile.
pub(super) async fn to_the_end(request: Request, next: Next) -> Response {
    match request.extensions().get::<Orders>().cloned() {
        Some(orders) => orders.follow(next.run(request)).await,
        None => next.run(request).await,
    }
}

impl Orders {
    /// The answer to an order, which goes on without whoever waits for it here.
    async fn follow(self, order: impl Future<Output = Response> + Send + 'static) -> Response {
        // It is never closed.
        let place = self.places.acquire_owned().await.ok();
        let (answer, answered) = oneshot::channel();
        let order = async move {
            if let Ok(done) = AssertUnwindSafe(order).catch_unwind().await {
                // Who asked may be gone.
                let _gone = answer.send(done);
            } else {
                tracing::error!("an order broke; the others go on");
            }
            drop(place);
        };
        let _ended = self.sender.send(Box::pin(order));
        answered.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}

impl Ordered {
    /// Goes on with what is ordered until there is another order, or one less.
    pub(super) async fn go_on(&mut self) {
        tokio::select! {
            Some(order) = self.receiver.recv() => self.running.push(order),
            Some(()) = self.running.next() => {}
            else => std::future::pending().await,
        }
    }
}
