//! What people order from a page, each by a form of ours and by the same actions as the commands.
//! Behind each stands the page that the form was on. GET does nothing of it.

mod forms;
mod silence;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::post;

use crate::actions::{AckRequest, ActionContext, ExpireRequest, RetryRequest};
use crate::web::acting::forms::{order, taken};

/// All that can be ordered.
pub(super) fn routes(context: ActionContext) -> Router {
    Router::new()
        .route("/alerts/{id}/acknowledge", post(acknowledge))
        .route("/alerts/{id}/undo", post(undo))
        .route("/silences/add", post(silence::add))
        .route("/silences/{id}/expire", post(expire))
        .route("/deliveries/{id}/retry", post(retry))
        .with_state(Arc::new(context))
}

async fn acknowledge(
    State(context): State<Arc<ActionContext>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    order(&context, taken(request).await, |form| {
        let reason = form.get("note").map(ToOwned::to_owned);
        Ok(AckRequest { alerts: vec![id], reason, ..AckRequest::default() })
    })
    .await
}

async fn undo(
    State(context): State<Arc<ActionContext>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    order(&context, taken(request).await, |_| {
        Ok(AckRequest { alerts: vec![id], undo: true, ..AckRequest::default() })
    })
    .await
}

async fn expire(
    State(context): State<Arc<ActionContext>>,
    Path(id): Path<i64>,
    request: Request,
) -> Response {
    order(&context, taken(request).await, |_| Ok(ExpireRequest { id })).await
}

async fn retry(
    State(context): State<Arc<ActionContext>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    order(&context, taken(request).await, |_| {
        Ok(RetryRequest { ids: vec![id], ..RetryRequest::default() })
    })
    .await
}
