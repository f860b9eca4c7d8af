//! Signing in with the token of `[http]`, once for 12 hours, the way to sign in with an account,
//! and signing out.

use askama::Template;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use jiff::Timestamp;

use crate::web::address::own_path;
use crate::web::cookies::{on_to, session_cookie};
use crate::web::doors::Doors;
use crate::web::frame::{Frame, html};
use crate::web::query::Query;
use crate::web::refused::{Reads, refused};
use crate::web::same_origin::{is_encrypted, is_from_own_page};
use crate::web::session::{SESSION, Signed, Signer, is_token};

/// No form is longer, in bytes.
const MOST: usize = 16 << 10;

#[derive(Template)]
#[template(path = "login.html")]
struct Page {
    frame: Frame,
    why: Option<String>,
    /// What the form for a token brings back; none where there is no token.
    form: Option<String>,
    /// Where accounts sign in, if they can.
    account: Option<String>,
    to: String,
}

/// The page with the form, which leads on to `to`.
pub(super) fn page(
    status: StatusCode,
    doors: Doors<'_>,
    now: Timestamp,
    to: &str,
    why: Option<&str>,
) -> Response {
    let to = own_path(to);
    let page = Page {
        frame: Frame::bare("Sign in"),
        why: why.map(ToOwned::to_owned),
        form: doors.token.map(|token| Signer::of(token).sign(Signed::Login, now)),
        account: doors.sign_in.map(|sign_in| sign_in.way_in(to)),
        to: to.to_owned(),
    };
    html(status, &page)
}

/// What `/login` and `/logout` answer.
pub(super) async fn answer(doors: Doors<'_>, now: Timestamp, request: Request) -> Response {
    let is_login = request.uri().path() == "/login";
    if matches!(*request.method(), Method::GET | Method::HEAD) && is_login {
        return page(StatusCode::OK, doors, now, "/", None);
    }
    if *request.method() != Method::POST {
        let why = "this is done by the button of a page";
        return refused(Reads::Html, StatusCode::METHOD_NOT_ALLOWED, why);
    }
    let (own, encrypted) = (is_from_own_page(&request), is_encrypted(request.headers()));
    let Ok(body) = to_bytes(request.into_body(), MOST).await else {
        let why = "the form is longer than any of ours";
        return refused(Reads::Html, StatusCode::PAYLOAD_TOO_LARGE, why);
    };
    let form = Query::parse(&String::from_utf8_lossy(&body));
    let kind = if is_login { Signed::Login } else { Signed::Out };
    let is_ours = |text: &str| doors.signers().iter().any(|one| one.holds(kind, text, now));
    let known = form.get("form").is_some_and(is_ours);
    if !own || !known {
        let why = "This form does not come from a page of this server, or the page is too old. \
            Open it again.";
        return refused(Reads::Html, StatusCode::FORBIDDEN, why);
    }
    if !is_login {
        return on_to("/login", &session_cookie("", 0, encrypted));
    }
    let to = own_path(form.get("to").unwrap_or("/"));
    let Some(token) =
        doors.token.filter(|token| form.get("token").is_some_and(|given| is_token(given, token)))
    else {
        tracing::warn!("somebody tried to sign in to the pages with a wrong token");
        let why = "That is not the token.";
        return page(StatusCode::UNAUTHORIZED, doors, now, to, Some(why));
    };
    let session = Signer::of(token).sign(Signed::Session, now);
    on_to(to, &session_cookie(&session, SESSION.as_secs(), encrypted))
}
