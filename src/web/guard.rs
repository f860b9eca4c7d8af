//! Who may ask: the health paths are open to all; elsewhere an unexpected `Host` is refused, and
//! where there is a token it is wanted.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse as _;
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;

use crate::secret::Secret;
use crate::text::sha256;
use crate::web::names::{Names, asked_host};

/// Puts the guard before all routes.
pub(super) fn guarded(routes: Router, token: watch::Receiver<Option<Secret>>) -> Router {
    let names = Names::of_this_host();
    routes.layer(from_fn(move |request: Request, next: Next| {
        let (names, token) = (names.clone(), token.clone());
        async move {
            // What checks health calls this host what it likes.
            if matches!(request.uri().path(), "/healthz" | "/readyz") {
                return next.run(request).await;
            }
            let host = asked_host(&request);
            if !matches!(&host, Some(host) if names.have(host).await) {
                let text =
                    "this server answers to addresses, localhost and this host's own name only\n";
                return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
            }
            if token.borrow().as_ref().is_some_and(|token| !bears(request.headers(), token)) {
                let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
                let text = "send Authorization: Bearer with the token of [http]\n";
                return (StatusCode::UNAUTHORIZED, challenge, text).into_response();
            }
            next.run(request).await
        }
    }))
}

fn bears(headers: &HeaderMap, token: &Secret) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    // Compared by hash in constant time, so that neither content nor length shows in how long it
    // takes.
    given.is_some_and(|(_, given)| {
        sha256(given.trim()).as_slice().ct_eq(&sha256(token.expose())).into()
    })
}
