//! The addresses that commands of older versions ask, `/v1/…`, with refusals as they read them:
//! `{"error": text}`. During an upgrade an older command meets a newer daemon.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use serde_json::json;

use crate::web::api::BASE;
use crate::web::control::refusal::Refused;

/// Where they begin.
pub const OLDER_BASE: &str = "/v1";
/// The most that is read of a refusal, in bytes.
const REFUSAL_CAP: usize = 64 << 10;

/// The same routes, at the older addresses too.
pub(super) fn with_older(routes: Router) -> Router {
    Router::new().fallback_service(routes).layer(from_fn(translated))
}

async fn translated(mut request: Request, next: Next) -> Response {
    let Some(newer) = newer(request.uri()) else { return next.run(request).await };
    *request.uri_mut() = newer;
    let answer = next.run(request).await;
    if answer.status().is_success() { answer } else { refusal(answer).await }
}

/// The address that is meant by an older one.
fn newer(uri: &Uri) -> Option<Uri> {
    let rest = uri.path().strip_prefix(OLDER_BASE).filter(|rest| rest.starts_with('/'))?;
    format!("{BASE}{rest}").parse().ok()
}

async fn refusal(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let body = to_bytes(body, REFUSAL_CAP).await.unwrap_or_default();
    let Ok(Refused { detail }) = serde_json::from_slice(&body) else {
        return Response::from_parts(parts, Body::from(body));
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Response::from_parts(parts, Body::from(json!({ "error": detail }).to_string()))
}
