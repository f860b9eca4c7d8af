//! What every outgoing HTTP request shares: the client, its proxy, time-outs, a cap on bodies,
//! Retry-After, texts without secrets.

mod proxy;

pub(crate) use proxy::{check_proxy, redactor};

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use reqwest::{Response, Url};
use tokio_rustls::rustls::crypto::ring;

use proxy::ProxySetting;

/// `budget-alertd/VERSION`, as every request says.
pub const USER_AGENT: &str = concat!("budget-alertd/", env!("CARGO_PKG_VERSION"));

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Pooled connections race with the server's close; a short life keeps that rare.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// Builds a client with a total time-out for each request, of which connecting takes at most three
/// quarters: a request that timed out later may have been received. It follows no redirects: a POST
/// answered 302 would become a GET that may return 200, so that an undelivered alert looked
/// delivered. It goes by the proxy of [`proxy`] only.
pub fn client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    // A client takes the cryptography of the process. It is the same each time, and the first one
    // stays.
    drop(ring::default_provider().install_default());
    let builder = reqwest::Client::builder().no_proxy();
    let builder = match ProxySetting::of_process() {
        Some(setting) => builder.proxy(setting.proxy()?),
        None => builder,
    };
    builder
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT.min(timeout * 3 / 4))
        .read_timeout(timeout)
        .timeout(timeout)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .build()
}

/// A body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// More bytes than the cap, after unpacking.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The connection broke, or the body was cut.
    #[error("the answer broke off: {}", describe(.0))]
    Broken(#[source] reqwest::Error),
}

/// Reads a body of at most `cap` bytes, counted after unpacking.
pub async fn read_capped(response: &mut Response, cap: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if body.len() + chunk.len() > cap {
            return Err(BodyError::TooLarge(cap));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The start of a body for an error message: at most `cap` bytes, whatever else comes, one line, no
/// control characters.
pub async fn read_start(response: &mut Response, cap: usize) -> String {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= cap {
            break;
        }
    }
    body.truncate(cap);
    one_line(&String::from_utf8_lossy(&body))
}

/// `text` as one line for a log: control characters become spaces, a BOM goes.
pub fn one_line(text: &str) -> String {
    let cleaned: String = text
        .trim_start_matches('\u{feff}')
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    cleaned.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3); a date in the past is zero.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = Timestamp::try_from(httpdate::parse_http_date(text).ok()?).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// The text of an HTTP error with its causes and the host, without the rest of the URL: Slack's is
/// a secret, and queries may hold some.
pub fn describe(error: &reqwest::Error) -> String {
    let to = error.url().map(|url| format!(" to {}", reached(url))).unwrap_or_default();
    let what = match () {
        () if error.is_connect() && error.is_timeout() => format!("timed out connecting{to}"),
        () if error.is_timeout() => "timed out".to_owned(),
        () if error.is_connect() => format!("cannot connect{to}"),
        () if error.is_decode() || error.is_body() => "the answer broke off".to_owned(),
        () => "the request failed".to_owned(),
    };
    let mut cause = error.source();
    let mut last = None;
    while let Some(inner) = cause {
        last = Some(inner.to_string());
        cause = inner.source();
    }
    last.map_or_else(|| what.clone(), |last| format!("{what}: {}", one_line(&last)))
}

/// The host of a URL, with the proxy that stands before it.
fn reached(url: &Url) -> String {
    match ProxySetting::of_process().and_then(|setting| setting.between(url)) {
        Some(proxy) => format!("{} by {proxy}", place(url)),
        None => place(url),
    }
}

/// The host of a URL, with its port where it has one.
pub fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether the URL's host is this machine: plain `http` is allowed only there.
pub fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> Option<Duration> {
        let headers = HeaderMap::from_iter([(reqwest::header::RETRY_AFTER, text.parse().unwrap())]);
        retry_after(&headers, "2020-07-21T04:10:58Z".parse().unwrap())
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(after("57"), Some(Duration::from_secs(57)));
        assert_eq!(after("Tue, 21 Jul 2020 04:11:58 GMT"), Some(Duration::from_mins(1)));
        assert_eq!(after("Tue, 21 Jul 2020 04:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(after("soon"), None);
    }

    #[test]
    fn loopback_is_this_machine_only() {
        let loopback = |url: &str| is_loopback(&url.parse().unwrap());
        assert!(
            loopback("http://127.0.0.1:8080/x")
                && loopback("http://localhost/")
                && loopback("http://[::1]:1/")
        );
        assert!(!loopback("http://127.0.0.1.example/") && !loopback("http://10.0.0.1/"));
    }
}
