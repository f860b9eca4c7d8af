//! Takes a form of one of our pages, does what it orders, and leads back.

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::actions::{Action, ActionContext, ActionError, Author};
use crate::web::address::own_path;
use crate::web::query::Query;
use crate::web::refused::{Reads, refused, status_of};
use crate::web::same_origin::is_from_own_page;
use crate::web::viewer::Viewer;

/// No form is longer, in bytes.
const MOST: usize = 16 << 10;

/// A form that one of our pages sent, and who sent it.
pub(super) struct Taken {
    author: Author,
    form: Query,
}

/// Takes a form; an answer for one that is not ours, or of somebody who may not act.
pub(super) async fn taken(request: Request) -> Result<Taken, Box<Response>> {
    let refuse = |status, why: &str| Err(Box::new(refused(Reads::Html, status, why)));
    let viewer = request.extensions().get::<Viewer>().filter(|viewer| viewer.form().is_some());
    let Some(viewer) = viewer.cloned() else {
        let why = "Nobody may act here without signing in: set [http] token or [http.sign_in], or \
            local_actions = true.";
        return refuse(StatusCode::FORBIDDEN, why);
    };
    let own = is_from_own_page(&request);
    let Ok(body) = to_bytes(request.into_body(), MOST).await else {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "The form is longer than any of ours.");
    };
    let form = Query::parse(&String::from_utf8_lossy(&body));
    if !own || !form.get("form").is_some_and(|form| viewer.knows_form(form)) {
        let why = "This form does not come from a page of this server, or the page is too old. \
            Nothing was done. Open it again.";
        return refuse(StatusCode::FORBIDDEN, why);
    }
    Ok(Taken { author: viewer.author(), form })
}

/// Does what a form orders, and leads back to where it was.
pub(super) async fn order<A: Action>(
    context: &ActionContext,
    taken: Result<Taken, Box<Response>>,
    read: impl FnOnce(&Query) -> Result<A, String>,
) -> Response {
    let Taken { author, form } = match taken {
        Ok(taken) => taken,
        Err(answer) => return *answer,
    };
    let action = match read(&form) {
        Ok(action) => action,
        Err(why) => return refused(Reads::Html, StatusCode::UNPROCESSABLE_ENTITY, &why),
    };
    match action.run(context, &author).await {
        Ok(_) => back(own_path(form.get("to").unwrap_or("/"))),
        Err(error) => failed(&error),
    }
}

fn back(to: &str) -> Response {
    let Ok(to) = HeaderValue::from_str(to) else { return back("/") };
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

fn failed(error: &ActionError) -> Response {
    refused(Reads::Html, status_of(error), &error.to_string())
}
