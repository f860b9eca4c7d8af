//! Who may look: the health paths are open to all, and links of messages to whoever has one; elsewhere an unexpected `Host` is refused, and
//! where there is a token it is wanted, or the session that it opened. Without one only this
//! machine may look. How somebody signs in is in `login`.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::secret::Secret;
use crate::web::login::{self, SESSION_COOKIE};
use crate::web::names::{Names, asked_host};
use crate::web::refused::{Reads, refused};
use crate::web::same_origin;
use crate::web::session::{Signed, Signer, is_token};
use crate::web::shown::Known;
use crate::web::viewer::{KnownBy, Peer, Viewer, reads_html};

/// What the guard goes by. Cloning shares it.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) names: Names,
    pub(super) token: watch::Receiver<Option<Secret>>,
    pub(super) known: watch::Receiver<Arc<Known>>,
    /// Signs the forms of this machine, where no token does.
    pub(super) local: Arc<Signer>,
    pub(super) clock: Arc<dyn Clock>,
}

/// Puts the guard before all routes.
pub(super) fn guarded(routes: Router, guard: Guard) -> Router {
    routes.layer(from_fn(move |request: Request, next: Next| {
        let guard = guard.clone();
        async move { guard.pass(request, next).await }
    }))
}

impl Guard {
    async fn pass(&self, mut request: Request, next: Next) -> Response {
        let path = request.uri().path();
        // What checks health calls this host what it likes.
        if matches!(path, "/healthz" | "/readyz") {
            return next.run(request).await;
        }
        let host = asked_host(&request);
        let known = match &host {
            Some(host) => self.is_public(host) || self.names.have(host).await,
            None => false,
        };
        if !known {
            let text =
                "this server answers to addresses, localhost and this host's own name only\n";
            return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
        }
        let token = self.token.borrow().clone();
        let now = self.clock.now();
        if matches!(request.uri().path(), "/style.css" | "/icon.svg") {
            return next.run(request).await;
        }
        // A link bears its own signature.
        if request.uri().path().starts_with("/link/") {
            return next.run(request).await;
        }
        if let Some(token) = &token
            && matches!(request.uri().path(), "/login" | "/logout")
        {
            return login::answer(token, now, request).await;
        }
        match self.viewer(&request, token.as_ref(), now) {
            Ok(viewer) => {
                request.extensions_mut().insert(viewer);
                next.run(request).await
            }
            Err(answer) => *answer,
        }
    }

    /// Whether it is the host of `public_url`.
    fn is_public(&self, host: &str) -> bool {
        let known = self.known.borrow();
        let public = known.public_url.as_ref().and_then(|url| url.host_str());
        public.is_some_and(|public| host.strip_suffix('.').unwrap_or(host) == public)
    }

    /// Who looks; an answer for those who may not.
    fn viewer(
        &self,
        request: &Request,
        token: Option<&Secret>,
        now: Timestamp,
    ) -> Result<Viewer, Box<Response>> {
        let Some(token) = token else {
            let peer = request.extensions().get::<Peer>();
            if peer.is_some_and(|peer| peer.is_local()) {
                let forms = self.known.borrow().local_actions.then(|| Arc::clone(&self.local));
                return Ok(Viewer::new(KnownBy::Machine, forms, now));
            }
            let why = "without a token of [http] only this machine may look";
            return Err(Box::new(refused(reads(request), StatusCode::FORBIDDEN, why)));
        };
        let signer = Arc::new(Signer::of(token));
        if bears(request.headers(), token) {
            return Ok(Viewer::new(KnownBy::Token, Some(signer), now));
        }
        let is_session = |value: &str| signer.holds(Signed::Session, value, now);
        if cookies(request.headers()).any(is_session) {
            return Ok(Viewer::new(KnownBy::Session, Some(signer), now));
        }
        Err(Box::new(unknown(request, &signer, now)))
    }
}

/// The answer to somebody of whom nothing is known.
fn unknown(request: &Request, signer: &Signer, now: Timestamp) -> Response {
    let reads = reads(request);
    let mut response = if reads == Reads::Html {
        let to = request.uri().path_and_query().map_or("/", |path| path.as_str());
        login::page(StatusCode::UNAUTHORIZED, signer, now, to, None)
    } else {
        let why = "send Authorization: Bearer with the token of [http]";
        refused(reads, StatusCode::UNAUTHORIZED, why)
    };
    let headers = response.headers_mut();
    headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    // A link in a mail brings no cookie along. Asked for again from here, the page has it.
    if reads == Reads::Html
        && request.method() == Method::GET
        && same_origin::comes_from_elsewhere(request.headers())
    {
        headers.insert(header::REFRESH, HeaderValue::from_static("0"));
    }
    response
}

/// How whoever asks is answered.
pub(super) fn reads(request: &Request) -> Reads {
    let path = request.uri().path();
    if path.starts_with("/api/") {
        Reads::Problem
    } else if !path.starts_with("/metrics") && reads_html(request.headers()) {
        Reads::Html
    } else {
        Reads::Text
    }
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter(|(name, _)| *name == SESSION_COOKIE)
        .map(|(_, value)| value)
}

fn bears(headers: &HeaderMap, token: &Secret) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    given.is_some_and(|(_, given)| is_token(given.trim(), token))
}
