//! Answers in JSON.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::web::fault::Fault;
use crate::web::look::Look;

/// A document that is written already, and what the next page is asked for by.
pub(super) struct Written {
    body: Vec<u8>,
    next: Option<String>,
}

impl Written {
    /// A document.
    pub(super) fn of(document: &impl Serialize) -> Self {
        // Our own documents have no keys but texts.
        Self { body: serde_json::to_vec(document).unwrap_or_default(), next: None }
    }

    /// A page of a list.
    pub(super) fn page(rows: &[impl Serialize], next: Option<String>) -> Self {
        Self { next, ..Self::of(&rows) }
    }
}

/// A document as an answer.
pub(super) fn document(document: &impl Serialize) -> Response {
    answered(Written::of(document).body)
}

/// The answer to a look.
pub(super) fn answer(look: &Look, written: Result<Written, Fault>) -> Response {
    let written = match written {
        Ok(written) => written,
        Err(fault) => return fault.answer(look.reads),
    };
    let mut response = answered(written.body);
    let next = look.next(written.next.as_deref()).map(|next| format!("<{next}>; rel=\"next\""));
    if let Some(link) = next.and_then(|next| HeaderValue::from_str(&next).ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

fn answered(body: Vec<u8>) -> Response {
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
