//! Signing in with the token of `[http]`, once for 12 hours, and signing out.

use askama::Template;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;

use crate::secret::Secret;
use crate::web::address::own_path;
use crate::web::frame::{Frame, html};
use crate::web::query::Query;
use crate::web::refused::{Reads, refused};
use crate::web::same_origin::{is_encrypted, is_own};
use crate::web::session::{SESSION, Signed, Signer, is_token};

/// The name of the cookie.
pub(super) const SESSION_COOKIE: &str = "budget-alertd";
/// No form is longer, in bytes.
const MOST: usize = 16 << 10;

#[derive(Template)]
#[template(path = "login.html")]
struct Page {
    frame: Frame,
    why: Option<String>,
    form: String,
    to: String,
}

/// The page with the form, which leads on to `to`.
pub(super) fn page(
    status: StatusCode,
    signer: &Signer,
    now: Timestamp,
    to: &str,
    why: Option<&str>,
) -> Response {
    let page = Page {
        frame: Frame::bare("Sign in"),
        why: why.map(ToOwned::to_owned),
        form: signer.sign(Signed::Login, now),
        to: own_path(to).to_owned(),
    };
    html(status, &page)
}

/// What `/login` and `/logout` answer.
pub(super) async fn answer(token: &Secret, now: Timestamp, request: Request) -> Response {
    let signer = Signer::of(token);
    let is_login = request.uri().path() == "/login";
    if matches!(*request.method(), Method::GET | Method::HEAD) && is_login {
        return page(StatusCode::OK, &signer, now, "/", None);
    }
    if *request.method() != Method::POST {
        let why = "this is done by the button of a page";
        return refused(Reads::Html, StatusCode::METHOD_NOT_ALLOWED, why);
    }
    let (own, encrypted) = (is_own(&request), is_encrypted(request.headers()));
    let Ok(body) = to_bytes(request.into_body(), MOST).await else {
        let why = "the form is longer than any of ours";
        return refused(Reads::Html, StatusCode::PAYLOAD_TOO_LARGE, why);
    };
    let form = Query::parse(&String::from_utf8_lossy(&body));
    let kind = if is_login { Signed::Login } else { Signed::Form };
    let known = form.get("form").is_some_and(|form| signer.holds(kind, form, now));
    if !own || !known {
        let why = "This form does not come from a page of this server, or the page is too old. \
            Open it again.";
        return refused(Reads::Html, StatusCode::FORBIDDEN, why);
    }
    if !is_login {
        return on_to("/login", &cookie("", 0, encrypted));
    }
    let to = own_path(form.get("to").unwrap_or("/"));
    if !form.get("token").is_some_and(|given| is_token(given, token)) {
        tracing::warn!("somebody tried to sign in to the pages with a wrong token");
        let why = "That is not the token.";
        return page(StatusCode::UNAUTHORIZED, &signer, now, to, Some(why));
    }
    let session = signer.sign(Signed::Session, now);
    on_to(to, &cookie(&session, SESSION.as_secs(), encrypted))
}

fn cookie(value: &str, seconds: i64, encrypted: bool) -> String {
    let secure = if encrypted { "; Secure" } else { "" };
    format!(
        "{SESSION_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    )
}

/// Leads on to another page.
fn on_to(to: &str, cookie: &str) -> Response {
    let header_of = |text: &str| HeaderValue::from_str(text).ok();
    let (Some(to), Some(cookie)) = (header_of(to), header_of(cookie)) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    (StatusCode::SEE_OTHER, [(header::LOCATION, to), (header::SET_COOKIE, cookie)]).into_response()
}
