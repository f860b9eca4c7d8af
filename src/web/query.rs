//! What an address or a form says behind its question mark: names and values, decoded.

use axum::http::Uri;

/// Names and values, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

/// More of them than this are not looked at.
const MOST: usize = 50;

impl Query {
    /// Of an address.
    pub(super) fn of(uri: &Uri) -> Self {
        Self::parse(uri.query().unwrap_or_default())
    }

    /// Of a form's body.
    pub(super) fn parse(text: &str) -> Self {
        // A text alone is no address; what stands before it does not matter.
        let address = format!("http://localhost/?{}", text.replace('#', "%23"));
        let Ok(url) = address.parse::<reqwest::Url>() else { return Self::default() };
        Self(url.query_pairs().take(MOST).map(|(a, b)| (a.into_owned(), b.into_owned())).collect())
    }

    /// The first value of a name; none where it is missing or only blanks.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// The same address with another value of a name, or without it.
    pub(super) fn with(&self, path: &str, name: &str, value: Option<&str>) -> String {
        let kept = self.0.iter().filter(|(known, value)| known != name && !value.trim().is_empty());
        let pairs = kept.map(|(a, b)| (a.as_str(), b.as_str()));
        let Ok(mut url) = "http://localhost/".parse::<reqwest::Url>() else { return path.into() };
        url.query_pairs_mut().extend_pairs(pairs.chain(value.map(|value| (name, value))));
        match url.query() {
            Some(query) if !query.is_empty() => format!("{path}?{query}"),
            Some(_) | None => path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded_and_written_again() {
        let query = Query::parse("q=%C3%85sa+%26+%3Cb%3E&plan=&cursor=1-2&q=other");
        assert_eq!(query.get("q"), Some("Åsa & <b>"));
        assert_eq!((query.get("plan"), query.get("tag")), (None, None));
        assert_eq!(
            query.with("/", "cursor", Some("3-4")),
            "/?q=%C3%85sa+%26+%3Cb%3E&q=other&cursor=3-4"
        );
        assert_eq!(Query::default().with("/alerts", "cursor", None), "/alerts");
    }
}
