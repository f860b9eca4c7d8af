//! Sends one request to Partner Center and judges the answer: its headers, its token, its errors.
//! Trying again is decided in `call`; bodies are read by those who asked.

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, WWW_AUTHENTICATE};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde_json::Value;

use crate::clock::Clock;
use crate::http;
use crate::metrics::Metrics;
use crate::secret::Secret;
use crate::source::auth::SignIn;
use crate::source::call::{Call, Endpoint};
use crate::source::links::PageLink;
use crate::source::{BuildError, PartnerCenterConfig, Place, SourceError};

/// What is read of the body of an error, in bytes.
const ERROR_CAP: usize = 16 * 1024;
/// The code of a token without multi-factor authentication.
const MFA_CODE: &str = "900421";

/// Where a request goes that is not about usage.
pub(crate) struct Target<'a> {
    /// Who is asked.
    pub(crate) place: Place,
    /// What the token is for; none for that of Partner Center.
    pub(crate) scope: Option<&'a str>,
}

/// A client of one partner's Partner Center.
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    sign_in: SignIn,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

impl Client {
    pub(crate) fn new(
        config: &PartnerCenterConfig,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Result<Self, BuildError> {
        if config.api_url.cannot_be_a_base() {
            return Err(BuildError::Address(config.api_url.clone()));
        }
        let http = http::client(config.timeout)?;
        let sign_in = SignIn::new(config, http.clone(), Arc::clone(&clock), metrics.clone())?;
        Ok(Self { http, base: config.api_url.clone(), sign_in, clock, metrics })
    }

    /// The time.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The base of the API, without `/v1`.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// The sign-in, for what it has to tell.
    pub(crate) fn sign_in(&self) -> &SignIn {
        &self.sign_in
    }

    /// The address of `/v1/{segments}`; the segments are percent-encoded.
    pub(crate) fn address(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1").extend(segments);
        }
        url
    }

    /// One try. An answer that is no success is an error.
    pub(crate) async fn send(
        &self,
        link: &PageLink,
        call: &mut Call,
    ) -> Result<Response, SourceError> {
        let token = self.sign_in.access(call.refused.as_ref()).await?;
        self.send_as(token, link, call).await
    }

    /// Asks for the collection of usage records and reads no more than its first bytes; as `user`,
    /// else by the sign-in that is kept.
    pub(crate) async fn probe(&self, user: Option<&Secret>) -> Result<(), SourceError> {
        let link = PageLink::first(self.address(&["customers", "usagerecords"]));
        let mut call = Call::new(Endpoint::UsageRecords);
        loop {
            let tried = match self.try_probe(user, &link, &mut call).await {
                // A token that cannot be renewed is refused for good.
                Err(error) if user.is_some() && error.needs_operator() => return Err(error),
                tried => tried,
            };
            match tried {
                Err(error) if self.wait_after(&error, &mut call).await => {}
                tried => return tried,
            }
        }
    }

    async fn try_probe(
        &self,
        user: Option<&Secret>,
        link: &PageLink,
        call: &mut Call,
    ) -> Result<(), SourceError> {
        let mut response = match user {
            Some(token) => self.send_as(token.clone(), link, call).await?,
            None => self.send(link, call).await?,
        };
        let start = chunk(&mut response).await?;
        let start = start.as_ref().map_or(&[][..], AsRef::as_ref);
        // A success without a body is a collection without items; a page of somebody in between is
        // none.
        match start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start().first() {
            None | Some(b'{') => Ok(()),
            Some(_) => {
                let reason = "the answer is no collection of usage records".to_owned();
                Err(SourceError::Garbled { place: Place::PartnerCenter, reason })
            }
        }
    }

    async fn send_as(
        &self,
        token: Secret,
        link: &PageLink,
        call: &mut Call,
    ) -> Result<Response, SourceError> {
        call.token = Some(token.clone());
        let url = link.url.clone();
        let request = match &call.body {
            None => self.http.get(url),
            Some(body) => {
                self.http.patch(url).header(CONTENT_TYPE, "application/json").body(body.clone())
            }
        };
        let request = request.headers(headers(link, call)).bearer_auth(token.expose());
        self.answered(request.send().await, &token, Place::PartnerCenter, call).await
    }

    /// Counts an answer and judges it.
    async fn answered(
        &self,
        answered: Result<Response, reqwest::Error>,
        token: &Secret,
        place: Place,
        call: &mut Call,
    ) -> Result<Response, SourceError> {
        let code = answered
            .as_ref()
            .map_or_else(|_| "error".to_owned(), |response| response.status().as_u16().to_string());
        self.metrics
            .partner_center_requests
            .with_label_values(&[call.endpoint.label(), code.as_str()])
            .inc();
        let mut response = answered.map_err(|error| network(&error, place))?;
        call.answered(response.headers());
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(refusal(&mut response, token, self.clock.now(), place).await)
        }
    }

    /// One try, and the whole body of the answer, no more than `cap` bytes.
    pub(crate) async fn whole(
        &self,
        link: &PageLink,
        call: &mut Call,
        cap: u64,
    ) -> Result<Vec<u8>, SourceError> {
        let mut response = self.send(link, call).await?;
        let mut body = Vec::new();
        while let Some(bytes) = chunk(&mut response).await? {
            body.extend_from_slice(bytes.as_ref());
            if u64::try_from(body.len()).unwrap_or(u64::MAX) > cap {
                return Err(SourceError::TooLarge { place: Place::PartnerCenter, cap });
            }
        }
        Ok(body)
    }

    /// One try of a request of another kind than reading usage, to `place`, by a token for it. An
    /// answer that is no success is an error.
    pub(crate) async fn exchange(
        &self,
        request: RequestBuilder,
        to: &Target<'_>,
        call: &mut Call,
    ) -> Result<Response, SourceError> {
        let token = match to.scope {
            Some(scope) => self.sign_in.access_to(scope, call.refused.as_ref()).await?,
            None => self.sign_in.access(call.refused.as_ref()).await?,
        };
        call.token = Some(token.clone());
        let request = request
            .header("ms-requestid", call.request_id.to_string())
            .header("ms-correlationid", call.correlation_id.to_string())
            .header("client-request-id", call.request_id.to_string())
            .header(ACCEPT, "application/json")
            .bearer_auth(token.expose());
        self.answered(request.send().await, &token, to.place, call).await
    }

    /// A request to an address, as this program makes them.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    /// Waits before the next try of a call; `false` when there is none.
    pub(crate) async fn wait_after(&self, error: &SourceError, call: &mut Call) -> bool {
        match call.wait_after(error) {
            Some(wait) => {
                self.clock.sleep(wait).await;
                true
            }
            None => false,
        }
    }
}

/// The headers of a request: the link's, then ours, which win.
fn headers(link: &PageLink, call: &Call) -> HeaderMap {
    let mut headers = link.headers.clone();
    let id = |id: uuid::Uuid| reqwest::header::HeaderValue::try_from(id.to_string()).ok();
    for (name, value) in
        [("ms-requestid", id(call.request_id)), ("ms-correlationid", id(call.correlation_id))]
    {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    for (name, value) in [
        (ACCEPT.as_str(), "application/json"),
        ("ms-contract-version", "v1"),
        ("x-locale", "en-US"),
        ("ms-partnercenter-application", "budget-alertd"),
    ] {
        headers.insert(name, reqwest::header::HeaderValue::from_static(value));
    }
    headers
}

/// The next piece of a body.
pub(crate) async fn chunk(
    response: &mut Response,
) -> Result<Option<impl AsRef<[u8]> + use<>>, SourceError> {
    response.chunk().await.map_err(|error| network(&error, Place::PartnerCenter))
}

/// What failed on the way to `place`, or back.
pub(crate) fn network(error: &reqwest::Error, place: Place) -> SourceError {
    let unanswered = error.is_timeout() || error.is_connect() || error.is_request();
    SourceError::Network { place, reason: http::describe(error), unanswered }
}

async fn refusal(
    response: &mut Response,
    token: &Secret,
    now: Timestamp,
    place: Place,
) -> SourceError {
    let status = response.status();
    let retry_after = http::retry_after(response.headers(), now);
    let phrase = response.extensions().get::<hyper::ext::ReasonPhrase>();
    let mut signs = phrase
        .map(|phrase| String::from_utf8_lossy(phrase.as_bytes()).into_owned())
        .unwrap_or_default();
    for challenge in response.headers().get_all(WWW_AUTHENTICATE) {
        signs.push_str(&String::from_utf8_lossy(challenge.as_bytes()));
    }
    let body = http::read_start(response, ERROR_CAP).await;
    let mut redactor = http::redactor();
    redactor.add(token.expose());
    let reason = said(&redactor.redact(&body));
    signs.push_str(&body);
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if is_mfa(&signs) => {
            SourceError::MfaRequired { reason }
        }
        StatusCode::UNAUTHORIZED => SourceError::Unauthorized { reason },
        StatusCode::FORBIDDEN => SourceError::RoleMissing { reason },
        StatusCode::TOO_MANY_REQUESTS => SourceError::Throttled { place, retry_after },
        status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
            SourceError::Unavailable { place, status: status.as_u16(), reason }
        }
        status => SourceError::Refused { place, status: status.as_u16(), reason },
    }
}

fn is_mfa(signs: &str) -> bool {
    let signs = signs.to_ascii_lowercase();
    [MFA_CODE, "mfa required", "missingmfa"].iter().any(|sign| signs.contains(sign))
}

/// What an error says: `{code, description}`, `{statusCode, message}`, some other text, or nothing.
fn said(body: &str) -> String {
    let clipped = |text: &str| text.chars().take(300).collect::<String>();
    let Ok(Value::Object(fault)) = serde_json::from_str(body) else {
        let is_page = body.starts_with('<');
        return if is_page { "a page of HTML".to_owned() } else { clipped(body) };
    };
    // Microsoft Graph puts it one level deeper; names come in any case.
    let named = |fault: &serde_json::Map<String, Value>, name: &str| {
        fault.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    };
    let fault = match named(&fault, "error") {
        Some(Value::Object(inner)) => inner,
        _ => fault,
    };
    let text = |name: &str| match named(&fault, name) {
        Some(Value::String(text)) => clipped(&text),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let message = [text("description"), text("message")]
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    let code = text("code");
    [message, code]
        .into_iter()
        .filter(|part| !part.is_empty())
        .reduce(|message, code| format!("{message} ({code})"))
        .unwrap_or_default()
}
