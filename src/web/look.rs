//! One look at a page: who looks, when, at what, and how the ledger is read for it. No look keeps
//! the loops waiting: the ledger is read beside its writer, on a thread that may block, and by few
//! at the same time.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::Semaphore;

use crate::ledger::{self, Reader};
use crate::web::fault::Fault;
use crate::web::frame::{Frame, html};
use crate::web::guard::reads;
use crate::web::query::Query;
use crate::web::refused::Reads;
use crate::web::shown::{Known, Shown};
use crate::web::viewer::Viewer;

/// So many read the ledger at the same time.
static PLACES: Semaphore = Semaphore::const_new(4);
/// How long somebody waits for a place.
const PATIENCE: Duration = Duration::from_secs(10);

/// A look.
#[derive(Clone)]
pub(super) struct Look {
    pub(super) shown: Shown,
    /// What the configuration in force says.
    pub(super) known: Arc<Known>,
    pub(super) now: Timestamp,
    pub(super) viewer: Viewer,
    pub(super) path: String,
    pub(super) query: Query,
    pub(super) reads: Reads,
}

impl Look {
    /// What a request looks at.
    pub(super) fn of(shown: &Shown, request: &Request) -> Self {
        let now = shown.clock.now();
        Self {
            known: shown.known.borrow().clone(),
            now,
            viewer: Viewer::of(request),
            path: request.uri().path().to_owned(),
            query: Query::of(request.uri()),
            reads: reads(request),
            shown: shown.clone(),
        }
    }

    /// The zone of its times.
    pub(super) fn zone(&self) -> &TimeZone {
        &self.known.zone
    }

    /// What stands around its page.
    pub(super) fn frame(&self, title: impl Into<String>, here: &str) -> Frame {
        Frame::new(title, here, &self.viewer, self.now, self.zone())
    }

    /// Reads the ledger.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reader) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let waiting = tokio::time::timeout(PATIENCE, PLACES.acquire());
        let Ok(Ok(place)) = waiting.await else { return Err(Fault::Busy) };
        ledger::read(&self.shown.ledger_file, move |reader| {
            let _kept_until_it_is_read = place;
            work(reader)
        })
        .await
    }

    /// A page as an answer, or why there is none.
    pub(super) fn answer(&self, page: Result<impl Template, Fault>) -> Response {
        match page {
            Ok(page) => html(StatusCode::OK, &page),
            Err(fault) => fault.answer(self.reads),
        }
    }

    /// The address of the next page of a list.
    pub(super) fn next(&self, cursor: Option<&str>) -> Option<String> {
        cursor.map(|cursor| self.query.with(&self.path, "cursor", Some(cursor)))
    }
}
