//! Metrics and health over HTTP, where GET changes nothing and nothing else is answered; and
//! [`control`], where commands act through a running daemon.

mod config;
mod connections;
pub mod control;
mod customers;
mod guard;
mod incoming;
mod limits;
mod names;
mod pace;
mod pages;

use std::convert::Infallible;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::ledger::{self, Ledger};
use crate::metrics::Metrics;
use crate::secret::Secret;

pub use config::Config;
pub use limits::Limits;

/// What the pages show.
#[derive(Clone)]
pub struct Shown {
    /// The instruments.
    pub metrics: Metrics,
    /// The ledger, asked at each scrape for what is owed.
    pub ledger: Ledger,
    /// Its file, for reading beside it.
    pub ledger_file: ledger::Config,
    /// Whether `/metrics/customers` is served.
    pub customer_metrics: watch::Receiver<bool>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Serves, within `limits`, those who bear the `token` in force where there is one. The caller owns
/// the socket, and ends all connections by dropping this.
pub async fn run(
    listener: TcpListener,
    limits: Limits,
    token: watch::Receiver<Option<Secret>>,
    shown: Shown,
) -> Infallible {
    connections::serve(listener, limits, guard::guarded(pages::routes(shown), token), |_| ()).await
}
