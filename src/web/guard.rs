//! Who may look, and who may act: the health paths are open to all, and links of messages to
//! whoever has one; elsewhere an unexpected `Host` is refused, and where there is a token it is
//! wanted, or the session that it opened, or that of an account. Where nobody can sign in, only
//! this machine may look. How somebody signs in is in `login` and `sign_in`.

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
use crate::web::account::Account;
use crate::web::cookies::{SESSION_COOKIE, cookies};
use crate::web::doors::Doors;
use crate::web::login;
use crate::web::names::{Names, asked_host};
use crate::web::refused::{Reads, refused};
use crate::web::same_origin;
use crate::web::session::{Signed, Signer, is_token};
use crate::web::shown::Known;
use crate::web::sign_in::{self, SignIn};
use crate::web::viewer::{KnownBy, ONLY_LOOKS, Peer, Viewer, reads_html};

/// What the guard goes by. Cloning shares it.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) names: Names,
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
        let known = Arc::clone(&self.known.borrow());
        let host = asked_host(&request);
        let is_known = match &host {
            Some(host) => is_public(&known, host) || self.names.have(host).await,
            None => false,
        };
        if !is_known {
            let text =
                "this server answers to addresses, localhost and this host's own name only\n";
            return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
        }
        same_origin::find_out(&mut request, known.public_url.as_ref());
        let now = self.clock.now();
        if matches!(request.uri().path(), "/style.css" | "/icon.svg") {
            return next.run(request).await;
        }
        // A link bears its own signature.
        if request.uri().path().starts_with("/link/") {
            return next.run(request).await;
        }
        let doors = Doors::of(&known);
        if let Some(sign_in) = doors.sign_in
            && sign_in::is_door(request.uri().path())
        {
            return sign_in::answer(sign_in, &self.clock, request).await;
        }
        if doors.are_any() && matches!(request.uri().path(), "/login" | "/logout") {
            return login::answer(doors, now, request).await;
        }
        match self.viewer(&request, &known, now) {
            Ok(viewer) if !may(&viewer, request.method()) => {
                refused(reads(&request), StatusCode::FORBIDDEN, ONLY_LOOKS)
            }
            Ok(viewer) => {
                request.extensions_mut().insert(viewer);
                next.run(request).await
            }
            Err(answer) => *answer,
        }
    }

    /// Who looks; an answer for those who may not.
    fn viewer(
        &self,
        request: &Request,
        known: &Known,
        now: Timestamp,
    ) -> Result<Viewer, Box<Response>> {
        let doors = Doors::of(known);
        if !doors.are_any() {
            return self.local(request, known, now);
        }
        let of_token = doors.token.and_then(|token| by_token(request, token, now));
        let of_account = || doors.sign_in.and_then(|sign_in| by_account(request, sign_in, now));
        of_token.or_else(of_account).ok_or_else(|| Box::new(unknown(request, doors, now)))
    }

    /// Somebody on this machine, where nobody can sign in.
    fn local(
        &self,
        request: &Request,
        known: &Known,
        now: Timestamp,
    ) -> Result<Viewer, Box<Response>> {
        let peer = request.extensions().get::<Peer>();
        if peer.is_some_and(|peer| peer.is_local()) {
            let forms = known.local_actions.then(|| Arc::clone(&self.local));
            return Ok(Viewer::new(KnownBy::Machine, forms, now));
        }
        let why = "without a token or a sign-in of [http] only this machine may look";
        Err(Box::new(refused(reads(request), StatusCode::FORBIDDEN, why)))
    }
}

/// Whether it is the host of `public_url`.
fn is_public(known: &Known, host: &str) -> bool {
    let public = known.public_url.as_ref().and_then(|url| url.host_str());
    public.is_some_and(|public| host.strip_suffix('.').unwrap_or(host) == public)
}

/// Somebody who bears the token, or has signed in with it.
fn by_token(request: &Request, token: &Secret, now: Timestamp) -> Option<Viewer> {
    let signer = Arc::new(Signer::of(token));
    if bears(request.headers(), token) {
        return Some(Viewer::new(KnownBy::Token, Some(signer), now));
    }
    let is_session = |value: &str| signer.holds(Signed::Session, value, now);
    let known = cookies(request.headers(), SESSION_COOKIE).any(is_session);
    known.then(|| Viewer::new(KnownBy::Session, Some(signer), now))
}

/// Somebody who has signed in with an account.
fn by_account(request: &Request, sign_in: &SignIn, now: Timestamp) -> Option<Viewer> {
    let known = |value: &str| sign_in.account(value, now);
    let account = cookies(request.headers(), SESSION_COOKIE).find_map(known)?;
    Some(Viewer::new(KnownBy::Account(account), Some(Arc::new(sign_in.signer())), now))
}

/// Whether somebody may do what a method does.
fn may(viewer: &Viewer, method: &Method) -> bool {
    let looks = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    looks || viewer.account().is_none_or(Account::may_act)
}

/// The answer to somebody of whom nothing is known.
fn unknown(request: &Request, doors: Doors<'_>, now: Timestamp) -> Response {
    let reads = reads(request);
    let mut response = if reads == Reads::Html {
        let to = request.uri().path_and_query().map_or("/", |path| path.as_str());
        login::page(StatusCode::UNAUTHORIZED, doors, now, to, None)
    } else {
        let why = match doors.token {
            Some(_) => "send Authorization: Bearer with the token of [http]",
            None => "programs need a token of [http]; people sign in at /login",
        };
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

fn bears(headers: &HeaderMap, token: &Secret) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    given.is_some_and(|(_, given)| is_token(given.trim(), token))
}
