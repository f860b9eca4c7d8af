//! Takes a form of one of our pages, does what it orders, and leads back.

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;

use crate::actions::{Action, ActionContext, ActionError, Author};
use crate::text::clean;
use crate::web::address::own_path;
use crate::web::query::Query;
use crate::web::refused::{Reads, in_full, refused, status_of};
use crate::web::same_origin::is_from_own_page;
use crate::web::shown::Shown;
use crate::web::viewer::Viewer;

/// No form is longer, in bytes.
const MOST: usize = 16 << 10;

/// A form that one of our pages sent, and who sent it.
pub(super) struct Taken {
    pub(super) author: Author,
    pub(super) form: Query,
}

/// Takes a form; an answer for one that is not ours, or of somebody who may not act.
pub(super) async fn taken(request: Request) -> Result<Taken, Box<Response>> {
    let refuse = |status, why: &str| Err(Box::new(refused(Reads::Html, status, why)));
    let viewer = acting(&request)?;
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

/// Who asks, where that is somebody who may act; an answer for all others.
pub(super) fn acting(request: &Request) -> Result<Viewer, Box<Response>> {
    let viewer = Viewer::of(request);
    let refuse = |why| Box::new(refused(Reads::Html, StatusCode::FORBIDDEN, why));
    viewer.check_acts().map(|()| viewer).map_err(refuse)
}

/// Where actions are done; an answer where none are.
pub(super) fn context(shown: &Shown) -> Result<&ActionContext, Box<Response>> {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let refuse = || Box::new(refused(Reads::Html, status, "Nobody can act here."));
    shown.actions.as_ref().ok_or_else(refuse)
}

/// Does what a form orders, and leads back to where it was.
pub(super) async fn order<A: Action>(
    shown: &Shown,
    taken: Result<Taken, Box<Response>>,
    read: impl FnOnce(&Query) -> Result<A, String>,
) -> Response {
    match ordered(shown, taken, read).await {
        Ok((form, _)) => back(own_path(form.get("to").unwrap_or("/"))),
        Err(answer) => *answer,
    }
}

/// Does what a form orders; the form and what came of it.
pub(super) async fn ordered<A: Action>(
    shown: &Shown,
    taken: Result<Taken, Box<Response>>,
    read: impl FnOnce(&Query) -> Result<A, String>,
) -> Result<(Query, A::Answer), Box<Response>> {
    let Taken { author, form } = taken?;
    let action = read(&form).map_err(|why| Box::new(unread(&why)))?;
    let done = action.run(context(shown)?, &author).await;
    Ok((form, done.map_err(|error| Box::new(failed(&error)))?))
}

fn back(to: &str) -> Response {
    let Ok(to) = HeaderValue::from_str(to) else { return back("/") };
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// The answer to a form that makes no sense.
pub(super) fn unread(why: &str) -> Response {
    refused(Reads::Html, StatusCode::UNPROCESSABLE_ENTITY, why)
}

/// The answer to an order that was not done.
pub(super) fn failed(error: &ActionError) -> Response {
    refused(Reads::Html, status_of(error), &in_full(error))
}

/// The text of a field; none where it is empty.
pub(super) fn owned(form: &Query, name: &str) -> Option<String> {
    form.get(name).map(ToOwned::to_owned)
}

/// A day as browsers send it.
pub(super) fn day(text: &str) -> Result<Date, String> {
    let unread = || format!("\"{}\" is no day: write 2026-12-05.", clean(text, 40));
    text.parse().ok().filter(|_| text.len() == 10).ok_or_else(unread)
}
