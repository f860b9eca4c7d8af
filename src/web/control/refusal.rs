//! Answers in JSON: what was done, or why not, as `{"error": text}` with a status.

use axum::body::Body;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::actions::ActionError;
use crate::web::refused::status_of;

/// A refusal as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Why, in words.
    pub error: String,
}

/// Why there is nothing better to answer.
pub(super) struct Refusal {
    status: StatusCode,
    error: String,
}

impl Refusal {
    /// The system does not say who asks.
    pub(super) fn nobody() -> Self {
        Self { status: StatusCode::FORBIDDEN, error: "the system does not say who asks".to_owned() }
    }

    /// There is nothing of that name.
    pub(super) fn unknown(path: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            error: format!("budget-alertd {} knows no {path}", env!("CARGO_PKG_VERSION")),
        }
    }

    /// It is there, and is asked for in another way.
    pub(super) fn method() -> Self {
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            error: "actions are asked for by POST, /v1/daemon by GET".to_owned(),
        }
    }

    /// The body is not what the action takes.
    pub(super) fn body(error: &serde_json::Error) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: format!("the request is not understood: {error}"),
        }
    }
}

impl From<BytesRejection> for Refusal {
    fn from(rejection: BytesRejection) -> Self {
        Self { status: rejection.status(), error: rejection.body_text() }
    }
}

impl From<ActionError> for Refusal {
    fn from(error: ActionError) -> Self {
        let status = status_of(&error);
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            text = format!("{text}: {inner}");
            cause = inner.source();
        }
        Self { status, error: text }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        json(self.status, &Refused { error: self.error })
    }
}

/// A value as the body of an answer.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let (status, body) = match serde_json::to_vec(value) {
        Ok(body) => (status, body),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string().into_bytes()),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
