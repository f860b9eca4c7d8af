//! Security alerts of Microsoft Graph: `securityAlerts`, page by page, one by its id, and the answer
//! to one.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder, Response, Url};
use serde_json::json;

use crate::domain::{SecurityAlert, SecuritySource};
use crate::http::{BodyError, read_capped};
use crate::source::call::{Call, Endpoint};
use crate::source::client::{Client, Target, network};
use crate::source::scan::{Form, Outline, ScanError, Scanner};
use crate::source::security::items;
use crate::source::security::list::{MOST_KEPT, PageSink, Pages};
use crate::source::security::score::{self, SecurityScore};
use crate::source::security::{
    AnswerReason, Answered, Api, SecurityError, SecurityList, SecurityWanted,
};
use crate::source::{Place, SourceError};

/// What one page may unpack to, in bytes.
const PAGE_CAP: usize = 256 << 20;
/// What the answer about one alert, or about the score, may unpack to.
const ONE_CAP: usize = 4 << 20;
/// More pages than alerts of years fill.
const MOST_PAGES: usize = 10_000;

/// Microsoft Graph.
pub(super) struct Graph {
    pub(super) client: Arc<Client>,
    /// With the version.
    pub(super) url: Url,
    pub(super) scope: String,
    pub(super) has_score: bool,
}

impl Api for Graph {
    fn source(&self) -> SecuritySource {
        SecuritySource::Graph
    }

    fn list<'a>(
        &'a self,
        wanted: &'a SecurityWanted,
    ) -> Pin<Box<dyn Future<Output = SecurityList> + Send + 'a>> {
        Box::pin(async move {
            let mut pages = Pages::default();
            let failure = self.pages(wanted, &mut pages).await.err();
            pages.into_list(failure.map(|error| SecurityError::of(error, Place::Graph)))
        })
    }

    fn one<'a>(&'a self, alert: &'a SecurityAlert) -> Answered<'a, Option<SecurityAlert>> {
        Box::pin(async move {
            let url = self.address(&["securityAlerts", &alert.id]);
            let body = self.body(Endpoint::SecurityAlerts, &url).await;
            let body = match body.map_err(|error| SecurityError::of(error, Place::Graph)) {
                Err(error) if error.is_not_found() => return Ok(None),
                body => body?,
            };
            let unreadable = |why: &str| SecurityError::Source(garbled(why.to_owned()));
            let read = items::alert(&body, SecuritySource::Graph)
                .ok_or_else(|| unreadable("the alert cannot be read"))?;
            if read.key() != alert.key() {
                return Err(unreadable("the answer is about another alert than was asked for"));
            }
            Ok(Some(read))
        })
    }

    fn answer<'a>(&'a self, alert: &'a SecurityAlert, reason: AnswerReason) -> Answered<'a, ()> {
        Box::pin(async move {
            let url = self.address(&["securityAlerts", &alert.id]);
            let body = json!({
                "@odata.type": "#microsoft.graph.partner.security.partnerSecurityAlert",
                "status": "resolved",
                "resolvedReason": reason.as_str(),
            });
            let request = || with_json(self.client.request(Method::PATCH, url.clone()), &body);
            let sent = self.send(Endpoint::SecurityAlerts, request).await;
            sent.map(drop).map_err(|error| SecurityError::of(error, Place::Graph))
        })
    }

    fn takes(&self, _reason: AnswerReason) -> Result<(), SecurityError> {
        Ok(())
    }

    fn score(&self) -> Answered<'_, Option<SecurityScore>> {
        Box::pin(async move {
            if !self.has_score {
                return Ok(None);
            }
            let url = self.address(&["securityScore", "requirements"]);
            let body = self.body(Endpoint::SecurityScore, &url).await;
            let body = body.map_err(|error| SecurityError::of(error, Place::Graph))?;
            Ok(score::score(&body))
        })
    }
}

impl Graph {
    /// The address of `security/partner/{segments}`; the segments are percent-encoded.
    fn address(&self, segments: &[&str]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["security", "partner"]).extend(segments);
        }
        url
    }

    /// Reads page after page. What cannot be read of one does not keep the next from being read.
    async fn pages(&self, wanted: &SecurityWanted, pages: &mut Pages) -> Result<(), SourceError> {
        let (mut url, mut seen) = (self.address(&["securityAlerts"]), HashSet::new());
        loop {
            if !seen.insert(url.to_string()) {
                return Err(link("it leads to a page that was read before".to_owned()));
            }
            if seen.len() > MOST_PAGES {
                return Err(link(format!("there were {MOST_PAGES} pages before it")));
            }
            let outline = self.page(&url, wanted, pages).await?;
            if pages.is_full() {
                return Err(garbled(format!("there are {MOST_KEPT} open alerts or more")));
            }
            match next(&outline, &self.url)? {
                Some(next) => url = next,
                None if pages.unreadable > 0 => {
                    return Err(garbled(format!(
                        "{} of the alerts cannot be read",
                        pages.unreadable
                    )));
                }
                None => return Ok(()),
            }
        }
    }

    /// One page, with its tries. The last try counts, or the one that held most.
    async fn page(
        &self,
        url: &Url,
        wanted: &SecurityWanted,
        pages: &mut Pages,
    ) -> Result<Outline, SourceError> {
        let mut call = Call::new(Endpoint::SecurityAlerts);
        let mut best = PageSink::new(wanted, SecuritySource::Graph);
        loop {
            let mut sink = PageSink::new(wanted, SecuritySource::Graph);
            let tried = self.try_page(url, &mut call, &mut sink).await;
            if tried.is_ok() || sink.items > best.items {
                best = sink;
            }
            match tried {
                Err(error) if self.client.wait_after(&error, &mut call).await => {}
                tried => {
                    pages.add(best);
                    return tried;
                }
            }
        }
    }

    async fn try_page(
        &self,
        url: &Url,
        call: &mut Call,
        sink: &mut PageSink<'_>,
    ) -> Result<Outline, SourceError> {
        let request = self.client.request(Method::GET, url.clone());
        let mut response = self.client.exchange(request, &self.target(), call).await?;
        read_page(&mut response, Form::ODATA, Place::Graph, sink).await
    }

    fn target(&self) -> Target<'_> {
        Target { place: Place::Graph, scope: Some(&self.scope) }
    }

    /// The whole body of an answer that is small.
    async fn body(&self, endpoint: Endpoint, url: &Url) -> Result<Vec<u8>, SourceError> {
        let request = || self.client.request(Method::GET, url.clone());
        let mut response = self.send(endpoint, request).await?;
        small_body(&mut response, Place::Graph).await
    }

    /// Sends a request, with its tries.
    async fn send(
        &self,
        endpoint: Endpoint,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Response, SourceError> {
        let mut call = Call::new(endpoint);
        loop {
            match self.client.exchange(request(), &self.target(), &mut call).await {
                Err(error) if self.client.wait_after(&error, &mut call).await => {}
                sent => return sent,
            }
        }
    }
}

/// Reads a page of alerts; an answer without a body is unreadable, not empty.
pub(super) async fn read_page(
    response: &mut Response,
    form: Form,
    place: Place,
    sink: &mut PageSink<'_>,
) -> Result<Outline, SourceError> {
    let garbled = |error: ScanError| SourceError::Garbled {
        place,
        reason: format!("the list of security alerts {error}"),
    };
    let (mut scanner, mut size) = (Scanner::of(form), 0_usize);
    while let Some(bytes) = response.chunk().await.map_err(|error| network(&error, place))? {
        size = size.saturating_add(bytes.len());
        if size > PAGE_CAP {
            let cap = u64::try_from(PAGE_CAP).unwrap_or(u64::MAX);
            return Err(SourceError::TooLarge { place, cap });
        }
        scanner.feed(&bytes, sink).map_err(garbled)?;
    }
    scanner.finish().map_err(garbled)
}

/// The body of an answer about one thing.
pub(super) async fn small_body(
    response: &mut Response,
    place: Place,
) -> Result<Vec<u8>, SourceError> {
    read_capped(response, ONE_CAP).await.map_err(|error| match error {
        BodyError::Broken(error) => network(&error, place),
        error @ BodyError::TooLarge(_) => SourceError::Garbled { place, reason: error.to_string() },
    })
}

/// A request with a body of JSON.
pub(super) fn with_json(request: RequestBuilder, body: &serde_json::Value) -> RequestBuilder {
    request.header(CONTENT_TYPE, "application/json").body(body.to_string())
}

/// The next page, as it is written; another host would get the token.
fn next(outline: &Outline, base: &Url) -> Result<Option<Url>, SourceError> {
    if outline.links.is_empty() || outline.links == b"null" {
        return Ok(None);
    }
    let text: String =
        serde_json::from_slice(&outline.links).map_err(|_| link("it cannot be read".to_owned()))?;
    let url = Url::parse(&text).map_err(|_| link("it is no address".to_owned()))?;
    if url.origin() != base.origin() {
        let host = url.host_str().unwrap_or("none");
        return Err(link(format!("it leads to another host ({host})")));
    }
    Ok(Some(url))
}

fn link(reason: String) -> SourceError {
    SourceError::Link { reason }
}

fn garbled(reason: String) -> SourceError {
    SourceError::Garbled { place: Place::Graph, reason }
}
