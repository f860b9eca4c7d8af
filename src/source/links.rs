//! What a collection says of itself beside its items: how many there are, and where the next page
//! is. Where a link leads is checked here, since a token must not be carried to strangers;
//! following it is left to `pages`.

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::domain::parse_wire_number;
use crate::source::SourceError;
use crate::source::scan::Outline;

/// Headers that a link must not set: those of the connection, and the ones that say who we are.
const OWN_HEADERS: [&str; 12] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "accept-encoding",
    "te",
    "upgrade",
    "range",
    "expect",
];

/// The page of a collection to ask for: an address and the headers its link came with.
#[derive(Debug, Clone)]
pub(crate) struct PageLink {
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
}

impl PageLink {
    /// A page that no link led to.
    pub(crate) fn first(url: Url) -> Self {
        Self { url, headers: HeaderMap::new() }
    }

    /// What tells this page from others: some collections keep the address and change the
    /// continuation token.
    pub(crate) fn identity(&self) -> (String, Option<HeaderValue>) {
        (self.url.to_string(), self.headers.get("ms-continuationtoken").cloned())
    }
}

/// `links.next` as written; `Err` when `links` cannot be read, so that nobody takes that for the
/// last page.
pub(crate) fn next(outline: &Outline) -> Result<Option<Value>, serde_json::Error> {
    if outline.links.is_empty() {
        return Ok(None);
    }
    let mut links: Value = serde_json::from_slice(&outline.links)?;
    Ok(links.get_mut("next").map(Value::take).filter(|next| !next.is_null()))
}

/// Turns `links.next` into a page to ask for below `base` (the API without `/v1`).
pub(crate) fn resolve(base: &Url, next: &Value) -> Result<PageLink, SourceError> {
    let refused = |reason: &str| SourceError::Link { reason: reason.to_owned() };
    let uri = next.get("uri").and_then(Value::as_str).map(str::trim).filter(|uri| !uri.is_empty());
    let url = below(base, uri.ok_or_else(|| refused("it has no address"))?)?;
    let mut headers = HeaderMap::new();
    for header in next.get("headers").and_then(Value::as_array).into_iter().flatten() {
        let part = |name: &str| header.get(name).and_then(Value::as_str);
        let name = part("key").and_then(|key| HeaderName::try_from(key.trim()).ok());
        let value = part("value").and_then(|value| HeaderValue::try_from(value).ok());
        if let (Some(name), Some(value)) = (name, value)
            && !OWN_HEADERS.contains(&name.as_str())
        {
            headers.insert(name, value);
        }
    }
    Ok(PageLink { url, headers })
}

/// The address below `base`: path and query are the link's, `/v1` is put before where it is missing
/// (the API leaves it out of some links), and everything before the path is ours.
fn below(base: &Url, uri: &str) -> Result<Url, SourceError> {
    let foreign =
        |host: &str| SourceError::Link { reason: format!("it leads to another host ({host})") };
    let rest = match Url::parse(uri) {
        Ok(absolute) if absolute.origin() != base.origin() => {
            return Err(foreign(absolute.host_str().unwrap_or("none")));
        }
        Ok(absolute) => absolute
            .as_str()
            .get(absolute.origin().ascii_serialization().len()..)
            .unwrap_or_default()
            .to_owned(),
        Err(_) if uri.starts_with("//") || uri.starts_with('\\') || uri.starts_with("/\\") => {
            return Err(foreign("unnamed"));
        }
        Err(_) => format!("/{}", uri.trim_start_matches('/')),
    };
    let prefix = base.path().trim_end_matches('/');
    let rest = rest.strip_prefix(prefix).filter(|rest| rest.starts_with('/')).unwrap_or(&rest);
    let version = if rest.starts_with("/v1/") { "" } else { "/v1" };
    let (path, query) =
        rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    let mut url = base.clone();
    url.set_path(&format!("{prefix}{version}{path}"));
    url.set_query(query);
    url.set_fragment(None);
    Ok(url)
}

/// The warning that a collection promised more items than it gave, once its last page is read.
pub(crate) fn missing_items(outline: &Outline, items: u64) -> Option<String> {
    let promised =
        parse_wire_number(std::str::from_utf8(&outline.total_count).ok()?.trim()).ok()?.value;
    (promised > items.into()).then(|| {
        format!(
            "totalCount says {promised} but only {items} items came; customers that are \
            missing from the answer were not judged"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(base: &str, uri: &str) -> String {
        match below(&base.parse().unwrap(), uri) {
            Ok(url) => url.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn links_stay_on_our_host_and_get_their_version() {
        let api = "https://api.example/";
        for (uri, expected) in [
            (
                "/customers/usagerecords?seekOperation=Next",
                "https://api.example/v1/customers/usagerecords?seekOperation=Next",
            ),
            ("/v1/customers/usagerecords", "https://api.example/v1/customers/usagerecords"),
            ("customers/x", "https://api.example/v1/customers/x"),
            (
                "https://api.example/v1/customers?a=b%20c",
                "https://api.example/v1/customers?a=b%20c",
            ),
            ("https://API.example:443/customers", "https://api.example/v1/customers"),
            ("/../../x", "https://api.example/x"),
            (
                "http://api.example/v1/x",
                "the link to the next page is not followed: it leads to another host (api.example)",
            ),
            (
                "https://evil.example/v1/x",
                "the link to the next page is not followed: it leads to another host \
                    (evil.example)",
            ),
            (
                "https://api.example@evil.example/v1",
                "the link to the next page is not followed: it leads to another host \
                    (evil.example)",
            ),
            (
                "//evil.example/v1/x",
                "the link to the next page is not followed: it leads to another host (unnamed)",
            ),
            (
                "/\\evil.example/v1/x",
                "the link to the next page is not followed: it leads to another host (unnamed)",
            ),
        ] {
            assert_eq!(resolved(api, uri), expected, "{uri}");
        }
        assert_eq!(
            resolved("http://127.0.0.1:8080/pc", "/customers"),
            "http://127.0.0.1:8080/pc/v1/customers"
        );
        assert_eq!(
            resolved("http://127.0.0.1:8080/pc", "http://127.0.0.1:8080/pc/v1/customers"),
            "http://127.0.0.1:8080/pc/v1/customers"
        );
    }
}
