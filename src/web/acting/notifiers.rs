//! Sends a test message through a notifier, and shows what its receiver said.

use askama::Template;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::actions::{NotifyTestRequest, NotifyTested};
use crate::listings::words;
use crate::notify::SampleKind;
use crate::text::clean;
use crate::web::acting::forms::{ordered, taken};
use crate::web::frame::{Frame, html};
use crate::web::look::Look;
use crate::web::shown::Shown;

#[derive(Template)]
#[template(path = "tested.html")]
struct Page {
    frame: Frame,
    rows: Vec<Line>,
}

/// What came of the test, for one recipient.
struct Line {
    recipient: String,
    accepted: bool,
    detail: String,
}

pub(super) async fn test(
    State(shown): State<Shown>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let look = Look::of(&shown, &request);
    let title = format!("Test of {}", words::clean(&name));
    let kind = SampleKind::default();
    let read = |_: &_| Ok(NotifyTestRequest { notifier: name, kind, to: None });
    let tested = match ordered(&shown, taken(request).await, read).await {
        Ok((_, tested)) => tested,
        Err(answer) => return *answer,
    };
    let rows = tested.into_iter().map(line).collect();
    html(StatusCode::OK, &Page { frame: look.frame(title, "/notifiers"), rows })
}

fn line(tested: NotifyTested) -> Line {
    let NotifyTested { recipient, accepted, detail } = tested;
    Line { recipient: clean(&recipient.unwrap_or_default(), 80), accepted, detail }
}
