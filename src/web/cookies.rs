//! Cookies: what a browser brings, and what it is given.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// The name of the cookie of a session.
pub(super) const SESSION_COOKIE: &str = "budget-alertd";

/// The values of a cookie that a browser brings.
pub(super) fn cookies<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter(move |(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// The cookie of a session, for pages of this server only; no seconds end it.
pub(super) fn session_cookie(value: &str, seconds: i64, encrypted: bool) -> String {
    let secure = if encrypted { "; Secure" } else { "" };
    format!(
        "{SESSION_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    )
}

/// Leads on to another page, with a cookie.
pub(super) fn on_to(to: &str, cookie: &str) -> Response {
    let header_of = |text: &str| HeaderValue::from_str(text).ok();
    let (Some(to), Some(cookie)) = (header_of(to), header_of(cookie)) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    (StatusCode::SEE_OTHER, [(header::LOCATION, to), (header::SET_COOKIE, cookie)]).into_response()
}
