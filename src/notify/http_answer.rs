//! A POST and what its answer means, for every notifier that speaks HTTP.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{RequestBuilder, Response, StatusCode, Url};

use crate::domain::SentMessage;
use crate::http;
use crate::notify::{DeliveryError, FailureReason, Verdict};
use crate::text::sha256_hex;

/// However long a receiver wants to be left alone, it is asked again after this.
pub(crate) const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);
/// How much of an answer is read.
pub(crate) const ANSWER_CAP: usize = 300;
/// How long the rest of an answer is waited for once its status is known.
const ANSWER_PATIENCE: Duration = Duration::from_secs(2);

/// Sends a request; a failure without any answer becomes its verdict.
pub(crate) async fn send(request: RequestBuilder) -> Result<Response, DeliveryError> {
    request.send().await.map_err(unanswered)
}

/// What is kept of a request: its body and these of its headers.
pub(crate) fn copy_of(body: &[u8], headers: Vec<(String, String)>) -> SentMessage {
    SentMessage {
        body: Some(String::from_utf8_lossy(body).into_owned()),
        headers,
        sha256: sha256_hex(body),
        ..SentMessage::default()
    }
}

/// The headers of a request that only says that it is JSON.
pub(crate) fn as_json() -> Vec<(String, String)> {
    vec![(CONTENT_TYPE.to_string(), "application/json".to_owned())]
}

/// Connects to the host of `url`, with TLS and by the proxy that a message would take. The root is
/// asked for its headers: the path may be a secret, and a message is nothing to try with.
pub(crate) async fn reach(client: &reqwest::Client, url: &Url) -> Result<String, DeliveryError> {
    let mut root = url.clone();
    root.set_path("/");
    root.set_query(None);
    let what = http::place(&root);
    match client.head(root).send().await {
        // Once connected, whatever it says or leaves unsaid is about a path that is not ours.
        Err(error) if error.is_connect() => Err(unanswered(error)),
        _ => Ok(format!("{what} is reached; no message was sent")),
    }
}

fn unanswered(error: reqwest::Error) -> DeliveryError {
    let text = http::describe(&error);
    let error = error.without_url();
    let (verdict, reason, advice) = match (error.is_connect(), error.is_timeout()) {
        (true, _) if is_about_tls(&text) => {
            (Verdict::DESTINATION, FailureReason::TlsFailed, tls_advice(&text))
        }
        (true, true) => (Verdict::DESTINATION, FailureReason::TimedOut, ""),
        (true, false) => {
            (Verdict::DESTINATION, FailureReason::CannotConnect, "; check the url and the network")
        }
        (false, true) => {
            (Verdict::Ambiguous, FailureReason::TimedOut, "; the message may have arrived")
        }
        (false, false) => {
            (Verdict::Ambiguous, FailureReason::ConnectionLost, "; the message may have arrived")
        }
    };
    DeliveryError::new(verdict, reason, format!("{text}{advice}")).caused_by(error)
}

/// Whether the text of a failed connection speaks of TLS; the types behind it are not reachable
/// from here.
pub(crate) fn is_about_tls(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["certificate", "tls", "handshake", "corrupt message"].iter().any(|word| text.contains(word))
}

/// What to do about a connection that TLS refuses.
pub(crate) fn tls_advice(text: &str) -> &'static str {
    let text = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match () {
        () if says(&["expired"]) => "; its certificate has expired and must be renewed there",
        () if says(&["not valid yet", "notvalidyet"]) => {
            "; its certificate is not valid yet: compare the clocks"
        }
        () if says(&["not valid for name", "notvalidforname"]) => {
            "; use the host name that its certificate is for"
        }
        () if says(&["unknownissuer", "unknown issuer", "causedasendentity", "badsignature"]) => {
            "; its certificate is self-signed or of an authority unknown here: for a private \
                authority set SSL_CERT_FILE"
        }
        () => "; for a private certificate authority set SSL_CERT_FILE",
    }
}

/// The start of an answer's body on one line. A body that does not come is not waited for: its
/// status is known.
pub(crate) async fn start_of_body(response: &mut Response) -> String {
    tokio::time::timeout(ANSWER_PATIENCE, http::read_start(response, ANSWER_CAP))
        .await
        .unwrap_or_default()
}

/// The failure that a status other than 2xx means.
pub(crate) fn refused(
    status: StatusCode,
    headers: &HeaderMap,
    body: &str,
    now: Timestamp,
) -> DeliveryError {
    let (reason, advice) = meaning(status);
    let verdict = if reason == FailureReason::MessageRefused {
        Verdict::Message
    } else {
        let retry_after = http::retry_after(headers, now);
        Verdict::Destination { retry_after: retry_after.map(|wait| wait.min(LONGEST_RETRY_AFTER)) }
    };
    let said = if body.is_empty() { String::new() } else { format!(" \"{body}\"") };
    let name = status.canonical_reason().map(|name| format!(" {name}")).unwrap_or_default();
    DeliveryError::new(verdict, reason, format!("{}{name}{said}{advice}", status.as_u16()))
}

/// Why a status is a failure, and what to do about it.
fn meaning(status: StatusCode) -> (FailureReason, &'static str) {
    match status.as_u16() {
        400 | 415 | 422 => {
            (FailureReason::MessageRefused, "; the receiver does not take this message")
        }
        413 => (FailureReason::MessageRefused, "; the message is too large for the receiver"),
        300..=399 => {
            (FailureReason::Redirected, "; redirects are not followed, configure the final url")
        }
        401 | 403 | 407 => (
            FailureReason::SignInRefused,
            "; the receiver refuses us, check its secret, headers and url",
        ),
        404 | 410 => {
            (FailureReason::NotFound, "; the url does not exist any more, configure the new one")
        }
        408 => (FailureReason::TimedOut, ""),
        429 => (FailureReason::Throttled, ""),
        500..=599 => (FailureReason::ServerError, ""),
        _ => (FailureReason::UnexpectedAnswer, "; check the url"),
    }
}
