//! Takes an order in JSON, for whoever may act, does it, and answers in JSON.

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::actions::{Action, Author};
use crate::web::json;
use crate::web::refused::{in_full, problem, status_of};
use crate::web::same_origin::is_from_own_page;
use crate::web::shown::Shown;
use crate::web::viewer::Viewer;

/// The most that a request's body may have, in bytes.
const BODY_CAP: usize = 1 << 20;
/// The header in which a page's script brings back the field `form` of a page. Nothing but a page of
/// ours can know it, and no other site may send this header.
const FORM: &str = "x-form-token";

/// Does what is ordered.
pub(super) async fn order<A: Action>(State(shown): State<Shown>, request: Request) -> Response {
    ordered::<A>(&shown, request).await.unwrap_or_else(|refusal| *refusal)
}

async fn ordered<A: Action>(shown: &Shown, request: Request) -> Result<Response, Box<Response>> {
    let refuse = |status, why: &str| Box::new(problem(status, why));
    let is_local = request.extensions().get::<Author>().is_some();
    let author = author(&request)?;
    let context = shown.actions.as_ref();
    let context =
        context.ok_or_else(|| refuse(StatusCode::SERVICE_UNAVAILABLE, "nobody can act here"))?;
    let body = to_bytes(request.into_body(), BODY_CAP).await.map_err(|_| {
        refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body has more than 1 MiB, or did not come whole")
    })?;
    // No body at all asks for what the action does by default.
    let body: &[u8] = if body.is_empty() { b"{}" } else { &body };
    let asked: A = serde_json::from_slice(body).map_err(|error| {
        refuse(StatusCode::BAD_REQUEST, &format!("the request is not understood: {error}"))
    })?;
    let refused = |error| refuse(status_of(&error), &in_full(&error));
    let asked = if is_local { asked } else { asked.over_network().map_err(refused)? };
    let done = asked.run(context, &author).await.map_err(refused)?;
    Ok(json::document(&done))
}

/// Who orders: the user at the control socket, who bears the token, or who has signed in; of those
/// whom a browser may make send this without their knowing, only from a page of ours.
fn author(request: &Request) -> Result<Author, Box<Response>> {
    if let Some(author) = request.extensions().get::<Author>() {
        return Ok(author.clone());
    }
    let refuse = |why: &str| Box::new(problem(StatusCode::FORBIDDEN, why));
    let viewer = Viewer::of(request);
    viewer.check_acts().map_err(refuse)?;
    let form = request.headers().get(FORM).and_then(|form| form.to_str().ok());
    let is_ours = || is_from_own_page(request) && form.is_some_and(|form| viewer.knows_form(form));
    if viewer.bears_token() || is_ours() {
        return Ok(viewer.author());
    }
    Err(refuse(
        "programs act with Authorization: Bearer and the token of [http], or over the control \
            socket; with the cookie of a session, or from this machine without any, Origin and the \
            header X-Form-Token, with the field form of a page, have to show that it comes from a \
            page of this server",
    ))
}
