//! Addresses of HTTP endpoints: https anywhere, http to this machine only, and no passwords in
//! them.

use reqwest::Url;

use crate::http::is_loopback;

/// An address that may be called. The message never repeats it: it may be a secret.
pub(crate) fn endpoint(text: &str) -> Result<Url, String> {
    let url: Url = text.trim().parse().map_err(|error| format!("not a URL: {error}"))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err("http:// is allowed to this machine only; use https://".to_owned()),
        _ => return Err("not a URL that starts with https://".to_owned()),
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("the URL names no host".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL must not hold a user name or a password".to_owned());
    }
    Ok(url)
}
