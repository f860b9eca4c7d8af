//! The answers: `/metrics`, `/metrics/customers`, `/healthz`, `/readyz`.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::IntGaugeVec;
use prometheus::core::Collector as _;
use prometheus::proto::MetricFamily;
use tokio::time::timeout;

use crate::ledger::{self, LedgerError, Reader};
use crate::web::customers;
use crate::web::shown::Shown;

/// How long a scrape waits for what is owed; scrapers give up after 10 s.
const LEDGER_TIME: Duration = Duration::from_secs(5);

/// All paths.
pub(super) fn routes(shown: Shown) -> Router {
    // Some that check health ask by OPTIONS unless they are told otherwise (HAProxy).
    let health = Router::new()
        .route("/healthz", get(healthz).options(healthz))
        .route("/readyz", get(readyz).options(readyz));
    health
        .route("/metrics", get(metrics))
        .route("/metrics/customers", get(customers::customers))
        .with_state(shown)
}

async fn metrics(State(shown): State<Shown>) -> Response {
    // A scrape says what is known: not even a ledger that hangs keeps it waiting.
    match timeout(LEDGER_TIME, refresh(&shown)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "what is owed cannot be read for a scrape"),
        Err(_) => tracing::warn!("the ledger is busy: a scrape says what was owed before"),
    }
    match shown.metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
            .into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

/// What is owed is asked of the ledger, so that it is true after any restart. A notifier that the
/// ledger does not name owes nothing.
async fn refresh(shown: &Shown) -> Result<(), LedgerError> {
    let now = shown.clock.now();
    let remembered = |reader: &Reader| Ok((reader.silences()?, reader.owed()?));
    let (silences, owed) = ledger::read(&shown.ledger_file, remembered).await?;
    let in_force = silences.iter().filter(|silence| silence.is_in_force(now)).count();
    shown.metrics.silences.set(i64::try_from(in_force).unwrap_or(i64::MAX));
    let (pending, oldest) =
        (&shown.metrics.deliveries_pending, &shown.metrics.delivery_oldest_pending);
    for notifier in
        labels(pending).iter().filter(|known| owed.iter().all(|owed| owed.notifier != **known))
    {
        pending.with_label_values(&[notifier]).set(0);
        oldest.with_label_values(&[notifier]).set(0.0);
    }
    for owed in owed {
        pending
            .with_label_values(&[&owed.notifier])
            .set(i64::try_from(owed.pending).unwrap_or(i64::MAX));
        let age =
            owed.oldest.map_or(0.0, |oldest| now.duration_since(oldest).as_secs_f64().max(0.0));
        oldest.with_label_values(&[&owed.notifier]).set(age);
    }
    Ok(())
}

/// The values of a gauge's one label.
fn labels(gauge: &IntGaugeVec) -> Vec<String> {
    let families = gauge.collect();
    let series = families.iter().flat_map(MetricFamily::get_metric);
    series
        .flat_map(|metric| metric.get_label().iter().map(|label| label.value().to_owned()))
        .collect()
}

async fn healthz(State(shown): State<Shown>) -> Response {
    let overdue = shown.metrics.health.overdue(shown.clock.monotonic());
    if overdue.is_empty() {
        (StatusCode::OK, "ok\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("no progress: {}\n", overdue.join(", ")))
            .into_response()
    }
}

/// The server is started once configuration and ledger are open. While nothing can be recorded, the
/// daemon is of little use.
async fn readyz(State(shown): State<Shown>) -> Response {
    match shown.metrics.writes.failure() {
        None => (StatusCode::OK, "ready\n").into_response(),
        Some(failure) => {
            let why = format!("nothing can be recorded since {}: {}\n", failure.since, failure.why);
            (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
        }
    }
}
