//! Whether a POST comes from one of our own pages, and not from another site in the same browser.

use axum::extract::Request;
use axum::http::{HeaderMap, Uri, header};
use reqwest::Url;

/// Whether a request comes from a page of ours, as the guard has found.
#[derive(Debug, Clone, Copy)]
struct FromOwnPage(bool);

/// Finds for those who answer whether a request comes from a page of ours: one of this host, or of
/// the address that people reach it by.
pub(super) fn find_out(request: &mut Request, public_url: Option<&Url>) {
    let own = is_own(request) || is_of_public(request, public_url);
    request.extensions_mut().insert(FromOwnPage(own));
}

/// What was found.
pub(super) fn is_from_own_page(request: &Request) -> bool {
    request.extensions().get::<FromOwnPage>().is_some_and(|FromOwnPage(own)| *own)
}

/// Whether the page that sends it was served by this host, under the name that is asked now.
fn is_own(request: &Request) -> bool {
    let headers = request.headers();
    let crossed = word(headers, "sec-fetch-site").is_some_and(|site| site == "cross-site");
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    !crossed && origin.zip(asked(request)).is_some_and(|(origin, host)| is_of(origin, &host))
}

/// Whether it was served under the address that people reach this host by from elsewhere, where a
/// proxy asks it by another name.
fn is_of_public(request: &Request, public_url: Option<&Url>) -> bool {
    let headers = request.headers();
    let crossed = word(headers, "sec-fetch-site").is_some_and(|site| site == "cross-site");
    let public = public_url.map(|url| url.origin().ascii_serialization());
    !crossed && public.is_some_and(|public| word(headers, "origin") == Some(public.as_str()))
}

/// Whether that page came over an encrypted connection, as the browser knows.
pub(super) fn is_encrypted(headers: &HeaderMap) -> bool {
    word(headers, "origin").is_some_and(|origin| origin.starts_with("https://"))
}

/// Whether a browser comes here from a page of another site, without its cookies therefore.
pub(super) fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    word(headers, "sec-fetch-site").is_some_and(|site| site == "cross-site")
        && word(headers, "sec-fetch-mode").is_some_and(|mode| mode == "navigate")
}

fn word<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The host and the port that are asked, as they are written.
fn asked(request: &Request) -> Option<String> {
    let host = || request.headers().get(header::HOST)?.to_str().ok().map(ToOwned::to_owned);
    request.uri().authority().map(|authority| authority.as_str().to_owned()).or_else(host)
}

/// Whether an origin is that of a host, over either scheme: a proxy may encrypt for us.
fn is_of(origin: &str, host: &str) -> bool {
    let Ok(origin) = origin.parse::<Uri>() else { return false };
    let known = origin.scheme_str().is_some_and(|scheme| matches!(scheme, "http" | "https"));
    let own = origin.authority().is_some_and(|own| own.as_str().eq_ignore_ascii_case(host));
    known && own
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn post(headers: &[(&str, &str)]) -> bool {
        let request = Request::builder().uri("/login").header("host", "web1:9187");
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        is_own(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn only_our_own_pages_may_send_forms() {
        assert!(post(&[("origin", "http://web1:9187")]));
        assert!(post(&[("origin", "https://WEB1:9187"), ("sec-fetch-site", "same-origin")]));
        for origin in ["null", "http://web1", "http://evil.example", "web1:9187", "ftp://web1:9187"]
        {
            assert!(!post(&[("origin", origin)]), "{origin}");
        }
        assert!(!post(&[]), "a browser says where a form comes from");
        assert!(!post(&[("origin", "http://web1:9187"), ("sec-fetch-site", "cross-site")]));
    }
}
