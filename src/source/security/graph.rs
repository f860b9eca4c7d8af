//! Security alerts of Microsoft Graph: `securityAlerts`, page by page, one by its id, and the answer
//! to one.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use reqwest::{Method, Url};
use serde_json::json;

use crate::domain::{SecurityAlert, SecuritySource};
use crate::source::call::Endpoint;
use crate::source::client::{Client, Target};
use crate::source::scan::{Form, Outline};
use crate::source::security::asking::{Asking, with_json};
use crate::source::security::items;
use crate::source::security::list::{MOST_KEPT, Pages};
use crate::source::security::score::{self, SecurityScore};
use crate::source::security::{
    AnswerReason, Answered, Api, SecurityError, SecurityList, SecurityWanted,
};
use crate::source::{Place, SourceError};

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
            let sent = self.asking().send(Endpoint::SecurityAlerts, request).await;
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
            let request = || self.client.request(Method::GET, url.clone());
            let (outline, _) =
                self.asking().page(Endpoint::SecurityAlerts, request, wanted, pages).await?;
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

    fn asking(&self) -> Asking<'_> {
        let target = Target { place: Place::Graph, scope: Some(&self.scope) };
        Asking { client: &self.client, target, source: SecuritySource::Graph, form: Form::ODATA }
    }

    /// The whole body of an answer that is small.
    async fn body(&self, endpoint: Endpoint, url: &Url) -> Result<Vec<u8>, SourceError> {
        let request = || self.client.request(Method::GET, url.clone());
        self.asking().body(endpoint, request).await
    }
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
