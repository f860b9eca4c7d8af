//! Who may ask: an unexpected `Host` is refused, and off loopback every path but the health ones wants the token.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};

use tokio::sync::watch;

use crate::secret::Secret;

/// Puts the guard before all routes.
pub(super) fn guarded(routes: Router, loopback_only: bool, token: watch::Receiver<Option<Secret>>) -> Router {
    routes.layer(from_fn(move |request: Request, next: Next| {
        let refusal = refusal(&request, loopback_only, token.borrow().as_ref());
        async move {
            match refusal {
                Some(refusal) => refusal,
                None => next.run(request).await,
            }
        }
    }))
}

fn refusal(request: &Request, loopback_only: bool, token: Option<&Secret>) -> Option<Response> {
    // A foreign name is a page in somebody's browser trying to reach this address (DNS rebinding).
    if !names_this_machine(request, loopback_only) {
        let names = if loopback_only { "localhost and loopback addresses" } else { "addresses and this host's own name" };
        return Some((StatusCode::MISDIRECTED_REQUEST, format!("this server answers to {names} only\n")).into_response());
    }
    let open = matches!(request.uri().path(), "/healthz" | "/readyz");
    let token = token.filter(|_| !open)?;
    if bears(request.headers(), token) {
        return None;
    }
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    Some((StatusCode::UNAUTHORIZED, challenge, "send Authorization: Bearer with the token of [http]\n").into_response())
}

/// Whether the request is for a loopback address or, where the server listens on others too, for any address or this host's
/// own name.
fn names_this_machine(request: &Request, loopback_only: bool) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    // What makes a URL of a name and a port is no part of either.
    let host = host.filter(|host| !host.contains(['@', '/', '?', '#', '\\']));
    let Some(url) = host.and_then(|host| format!("http://{host}/").parse::<reqwest::Url>().ok()) else { return false };
    crate::outbound::is_loopback(&url) || !loopback_only && (is_address(&url) || is_own_name(&url))
}

fn is_address(url: &reqwest::Url) -> bool {
    url.host_str().is_some_and(|host| host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok())
}

/// The host's name, alone or with a domain behind it.
fn is_own_name(url: &reqwest::Url) -> bool {
    let system = rustix::system::uname();
    let own = system.nodename().to_string_lossy().to_lowercase();
    let own = own.split('.').next().filter(|own| !own.is_empty());
    url.host_str().is_some_and(|host| own.is_some() && host.split('.').next() == own)
}

fn bears(headers: &HeaderMap, token: &Secret) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    // Compared by digest in constant time, so that neither content nor length shows in how long it takes.
    let digest = |text: &str| aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    given.is_some_and(|(_, given)| {
        aws_lc_rs::constant_time::verify_slices_are_equal(digest(given.trim()).as_ref(), digest(token.expose()).as_ref()).is_ok()
    })
}
