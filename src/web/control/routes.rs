//! Which path asks for which action. A path translates: JSON in, the action, JSON out.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};

use crate::actions::{
    AckRequest, Action, ActionContext, Author, EvidenceRequest, ExpireRequest, PollRequest,
    PushRequest, ReadRequest, ReleaseRequest, ReloadRequest, ResolveRequest, RetryRequest,
    SignInRequest, SilenceRequest,
};
use crate::web::control::about::about;
use crate::web::control::refusal::{Refusal, json};

/// The most that a request's body may have, in bytes.
const BODY_CAP: usize = 1 << 20;

/// All paths. Each request needs its [`Author`] as an extension.
pub(super) fn routes(context: ActionContext) -> Router {
    Router::new()
        .route("/v1/daemon", get(about))
        .merge(action::<PollRequest>())
        .merge(action::<PushRequest>())
        .merge(action::<RetryRequest>())
        .merge(action::<ReleaseRequest>())
        .merge(action::<ReadRequest>())
        .merge(action::<ReloadRequest>())
        .merge(action::<SignInRequest>())
        .merge(action::<SilenceRequest>())
        .merge(action::<ExpireRequest>())
        .merge(action::<AckRequest>())
        .merge(action::<ResolveRequest>())
        .merge(action::<EvidenceRequest>())
        .fallback(async |uri: Uri| Refusal::unknown(uri.path()))
        .method_not_allowed_fallback(async || Refusal::method())
        .layer(DefaultBodyLimit::max(BODY_CAP))
        .with_state(Arc::new(context))
}

fn action<A: Action>() -> Router<Arc<ActionContext>> {
    Router::new().route(&format!("/v1/{}", A::NAME), post(run::<A>))
}

async fn run<A: Action>(
    State(context): State<Arc<ActionContext>>,
    Extension(author): Extension<Author>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let body = body?;
    // No body at all asks for what the action does by default.
    let body: &[u8] = if body.is_empty() { b"{}" } else { &body };
    let asked: A = serde_json::from_slice(body).map_err(|error| Refusal::body(&error))?;
    Ok(json(StatusCode::OK, &asked.run(&context, &author).await?))
}
