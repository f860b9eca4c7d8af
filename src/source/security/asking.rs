//! How both APIs are asked: a page of alerts into a sink, and single requests, each with its tries.

use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, Response};

use crate::domain::SecuritySource;
use crate::http::{BodyError, read_capped};
use crate::source::SourceError;
use crate::source::call::{Call, Endpoint};
use crate::source::client::{Client, Target, network};
use crate::source::scan::{Form, Outline, ScanError, Scanner};
use crate::source::security::SecurityWanted;
use crate::source::security::list::{PageSink, Pages};

/// What one page may unpack to, in bytes.
const PAGE_CAP: usize = 256 << 20;
/// What the answer about one alert, or about the score, may unpack to.
const ONE_CAP: usize = 4 << 20;

/// Who is asked, and in which form lists come.
pub(super) struct Asking<'a> {
    pub(super) client: &'a Client,
    pub(super) target: Target<'a>,
    pub(super) source: SecuritySource,
    pub(super) form: Form,
}

impl Asking<'_> {
    /// Reads one page, with its tries. The last try counts, or the one that held most. Returns also
    /// whether it holds anything that no earlier page did.
    pub(super) async fn page(
        &self,
        endpoint: Endpoint,
        request: impl Fn() -> RequestBuilder,
        wanted: &SecurityWanted,
        pages: &mut Pages,
    ) -> Result<(Outline, bool), SourceError> {
        let mut call = Call::new(endpoint);
        let mut best = PageSink::new(wanted, self.source);
        loop {
            let mut sink = PageSink::new(wanted, self.source);
            let tried = self.try_page(request(), &mut call, &mut sink).await;
            if tried.is_ok() || sink.items > best.items {
                best = sink;
            }
            match tried {
                Err(error) if self.client.wait_after(&error, &mut call).await => {}
                tried => {
                    let is_new = pages.add(best);
                    return tried.map(|outline| (outline, is_new));
                }
            }
        }
    }

    /// An answer without a body is unreadable, not empty.
    async fn try_page(
        &self,
        request: RequestBuilder,
        call: &mut Call,
        sink: &mut PageSink<'_>,
    ) -> Result<Outline, SourceError> {
        let place = self.target.place;
        let mut response = self.client.exchange(request, &self.target, call).await?;
        let garbled = |error: ScanError| SourceError::Garbled {
            place,
            reason: format!("the list of security alerts {error}"),
        };
        let (mut scanner, mut size) = (Scanner::of(self.form), 0_usize);
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

    /// Sends a request, with its tries.
    pub(super) async fn send(
        &self,
        endpoint: Endpoint,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Response, SourceError> {
        let mut call = Call::new(endpoint);
        loop {
            match self.client.exchange(request(), &self.target, &mut call).await {
                Err(error) if self.client.wait_after(&error, &mut call).await => {}
                sent => return sent,
            }
        }
    }

    /// The whole body of an answer that is small.
    pub(super) async fn body(
        &self,
        endpoint: Endpoint,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Vec<u8>, SourceError> {
        let place = self.target.place;
        let mut response = self.send(endpoint, request).await?;
        read_capped(&mut response, ONE_CAP).await.map_err(|error| match error {
            BodyError::Broken(error) => network(&error, place),
            error @ BodyError::TooLarge(_) => {
                SourceError::Garbled { place, reason: error.to_string() }
            }
        })
    }
}

/// A request with a body of JSON.
pub(super) fn with_json(request: RequestBuilder, body: &serde_json::Value) -> RequestBuilder {
    request.header(CONTENT_TYPE, "application/json").body(body.to_string())
}
