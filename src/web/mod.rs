//! Metrics and health over HTTP, where GET changes nothing and nothing else is answered; and [`control`], where commands
//! act through a running daemon.

mod config;
pub mod control;
mod guard;
mod pages;

use std::future::Future;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::secret::Secret;

pub use config::Config;

/// What the pages show.
#[derive(Clone)]
pub struct Shown {
    /// The instruments.
    pub metrics: Metrics,
    /// The ledger, asked at each scrape for what is owed.
    pub ledger: Ledger,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Serves until `shutdown`, to those who bear the `token` in force where there is one. The caller owns the socket and the
/// reason to stop.
pub async fn run(
    listener: TcpListener,
    token: watch::Receiver<Option<Secret>>,
    shown: Shown,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let loopback_only = listener.local_addr()?.ip().is_loopback();
    let app = guard::guarded(pages::routes(shown), loopback_only, token);
    axum::serve(listener, app).with_graceful_shutdown(shutdown).await
}
