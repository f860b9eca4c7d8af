//! `/api`: the `OpenAPI` document, and the same as a page for those who read HTML.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::web::frame::{Frame, html};
use crate::web::look::Look;
use crate::web::shown::Shown;
use crate::web::viewer::reads_html;

/// The document, without its version.
const DOCUMENT: &str = include_str!("openapi.json");

#[derive(Template)]
#[template(path = "api.html")]
struct Page {
    frame: Frame,
    paths: Vec<Described>,
}

/// A path in words.
struct Described {
    path: String,
    summary: String,
    queries: Vec<(String, String)>,
}

pub(super) async fn show(State(shown): State<Shown>, request: Request) -> Response {
    if !reads_html(request.headers()) {
        let kind = [(header::CONTENT_TYPE, "application/json")];
        let version = env!("CARGO_PKG_VERSION");
        return (StatusCode::OK, kind, DOCUMENT.replace("VERSION", version)).into_response();
    }
    let look = Look::of(&shown, &request);
    html(StatusCode::OK, &Page { frame: look.frame("API", "/api"), paths: paths() })
}

fn paths() -> Vec<Described> {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let described = all.map(|(path, item)| {
        let get = item.get("get").unwrap_or(&Value::Null);
        let named = get.get("parameters").and_then(Value::as_array).into_iter().flatten();
        let of = |one: &Value, key| one.get(key).map(text).unwrap_or_default();
        Described {
            path: path.clone(),
            summary: get.get("summary").map(text).unwrap_or_default(),
            queries: named.map(|one| (of(one, "name"), of(one, "description"))).collect(),
        }
    });
    described.collect()
}
