//! Answers of those who get nothing better: in the look of the pages for browsers, as problem+json
//! for programs that ask the API, as a line of text for all others.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::actions::ActionError;
use crate::web::frame::{Frame, html};

/// Who is answered, by what is asked and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// A browser.
    Html,
    /// A program that asks the API.
    Problem,
    /// Anything else.
    Text,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct Page {
    frame: Frame,
    why: String,
}

/// A problem, as RFC 9457 has it.
#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

/// The answer: a heading and a sentence.
pub(super) fn refused(reads: Reads, status: StatusCode, why: &str) -> Response {
    match reads {
        Reads::Html => {
            let page = Page { frame: Frame::bare(heading(status)), why: why.to_owned() };
            html(status, &page)
        }
        Reads::Problem => problem(status, why),
        Reads::Text => (status, format!("{why}\n")).into_response(),
    }
}

/// The same for programs that ask the API.
pub(super) fn problem(status: StatusCode, why: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("refused");
    let body = Problem { kind: "about:blank", title, status: status.as_u16(), detail: why };
    let body = serde_json::to_vec(&body).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
}

/// The status of an action that was not done.
pub(super) fn status_of(error: &ActionError) -> StatusCode {
    match error {
        ActionError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        ActionError::Forbidden(_) => StatusCode::FORBIDDEN,
        ActionError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        ActionError::Ledger(_) | ActionError::Unsaved { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Why an action was not done, with its causes.
pub(super) fn in_full(error: &ActionError) -> String {
    let first: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(first), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What people read above it.
fn heading(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "There is no such page",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::BAD_REQUEST => "Not understood",
        StatusCode::UNPROCESSABLE_ENTITY => "Nothing was done",
        StatusCode::SERVICE_UNAVAILABLE => "Not available now",
        _ => "That did not work",
    }
}
