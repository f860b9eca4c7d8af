//! What `/sign-in` and `/sign-in/callback` answer.

use std::sync::Arc;

use askama::Template;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use crate::clock::Clock;
use crate::entra::SignInFault;
use crate::http::one_line;
use crate::web::account::Account;
use crate::web::cookies::{cookies, on_to, session_cookie};
use crate::web::frame::{Frame, html};
use crate::web::query::Query;
use crate::web::refused::{Reads, refused};
use crate::web::session::SESSION;
use crate::web::sign_in::attempt::{Attempt, COOKIE, LASTS};
use crate::web::sign_in::service::SignIn;

const BEGIN: &str = "/sign-in";
const CALLBACK: &str = "/sign-in/callback";

/// The page that stands between signing in and where that leads to.
#[derive(Template)]
#[template(path = "signed-in.html")]
struct Page {
    frame: Frame,
    who: String,
    to: String,
}

/// Why there is no session.
enum Refusal {
    /// It was not begun here, in this browser, or is over.
    Foreign,
    /// The service says no, in its own words.
    Denied(String),
    /// There is no role.
    NoRole(String),
    /// Anything that went wrong between us and the service.
    Fault(SignInFault),
}

/// Whether a path is one of these.
pub(in crate::web) fn is_door(path: &str) -> bool {
    matches!(path, BEGIN | CALLBACK)
}

/// What they answer.
pub(in crate::web) async fn answer(
    sign_in: &SignIn,
    clock: &Arc<dyn Clock>,
    request: Request,
) -> Response {
    let (request, _) = request.into_parts();
    if request.method != Method::GET {
        let why = "signing in is a link, not a form";
        return refused(Reads::Html, StatusCode::METHOD_NOT_ALLOWED, why);
    }
    let query = Query::of(&request.uri);
    let answered = if request.uri.path() == BEGIN {
        begin(sign_in, clock, query.get("to").unwrap_or("/")).await
    } else {
        finish(sign_in, clock, &request.headers, &query).await
    };
    answered.unwrap_or_else(|refusal| refusal.answer())
}

/// Sends the browser to the service, with the cookie of the attempt.
async fn begin(sign_in: &SignIn, clock: &Arc<dyn Clock>, to: &str) -> Result<Response, Refusal> {
    let attempt = Attempt::begin(to, clock.now());
    let url = sign_in.address(&attempt, clock).await.map_err(Refusal::Fault)?;
    let cookie = attempt_cookie(attempt.cookie(), LASTS.as_secs(), sign_in.is_encrypted());
    Ok(on_to(url.as_str(), &cookie))
}

/// Takes what the browser brings back.
async fn finish(
    sign_in: &SignIn,
    clock: &Arc<dyn Clock>,
    headers: &HeaderMap,
    query: &Query,
) -> Result<Response, Refusal> {
    let (now, signer) = (clock.now(), sign_in.signer());
    let state = query.get("state").ok_or(Refusal::Foreign)?;
    let attempt = cookies(headers, COOKIE)
        .filter_map(Attempt::of_cookie)
        .find(|attempt| attempt.is_answered_by(state, &signer, now))
        .filter(|attempt| sign_in.take(attempt))
        .ok_or(Refusal::Foreign)?;
    if let Some(error) = query.get("error") {
        let said = query.get("error_description").unwrap_or(error);
        return Err(Refusal::Denied(one_line(said).chars().take(300).collect()));
    }
    let code = query.get("code").ok_or(Refusal::Foreign)?;
    let person = sign_in.person(code, &attempt, clock).await.map_err(Refusal::Fault)?;
    let account = Account::of(&person).ok_or(Refusal::NoRole(person.name))?;
    tracing::info!("{account} has signed in to the pages");
    let session = account.session(&signer, now);
    Ok(signed_in(&account, attempt.to(), &session, sign_in.is_encrypted()))
}

/// The browser comes from another site now, and sends no cookie of ours along with where it is sent
/// on to. A page of this site that loads the next one does.
fn signed_in(account: &Account, to: &str, session: &str, encrypted: bool) -> Response {
    let page =
        Page { frame: Frame::bare("Signed in"), who: account.to_string(), to: to.to_owned() };
    let mut response = html(StatusCode::OK, &page);
    let headers = response.headers_mut();
    let session = session_cookie(session, SESSION.as_secs(), encrypted);
    let over = attempt_cookie("", 0, encrypted);
    for cookie in [session, over] {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
    if let Ok(next) = HeaderValue::from_str(&format!("0; url={to}")) {
        headers.insert(header::REFRESH, next);
    }
    response
}

/// `Lax`, not `Strict`: it must come along when the service sends the browser back to us.
fn attempt_cookie(value: &str, seconds: i64, encrypted: bool) -> String {
    let secure = if encrypted { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path={BEGIN}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

impl Refusal {
    fn answer(&self) -> Response {
        let why = match self {
            Self::Foreign => {
                "This sign-in was not begun here in this browser, or took longer than 10 minutes. \
                    Begin again from the overview."
                    .to_owned()
            }
            Self::Denied(said) => format!("The sign-in service says: {said}"),
            Self::NoRole(name) => format!(
                "{name} has no role here. In the Microsoft Entra admin center, under Enterprise \
                    applications, open this application and assign the account the role reader, \
                    operator or admin (Users and groups); then sign in again."
            ),
            Self::Fault(fault) => format!("Nobody was signed in: {fault}."),
        };
        self.log();
        refused(Reads::Html, self.status(), &why)
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Fault(SignInFault::Unavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Foreign | Self::Denied(_) | Self::NoRole(_) | Self::Fault(_) => {
                StatusCode::FORBIDDEN
            }
        }
    }

    fn log(&self) {
        match self {
            Self::Foreign => tracing::debug!("a sign-in to the pages was not begun here"),
            Self::Denied(said) => tracing::info!(said, "a sign-in to the pages was denied"),
            Self::NoRole(name) => {
                tracing::warn!("{name} tried to sign in to the pages without a role");
            }
            Self::Fault(fault) => tracing::warn!("a sign-in to the pages failed: {fault}"),
        }
    }
}
