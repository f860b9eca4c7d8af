//! One call to Partner Center with its tries: what is tried again, when, and under which request
//! id. It decides and waits for nobody; the waiting is done where the call is made.

use std::time::Duration;

use reqwest::header::HeaderMap;
use uuid::Uuid;

use crate::http;
use crate::secret::Secret;
use crate::source::SourceError;

/// The waits before the tries after a passing failure.
const WAITS: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_millis(1500), Duration::from_millis(3500)];
/// The longest `Retry-After` that is waited for within a poll.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often one call waits for it.
const THROTTLED_TRIES: u32 = 3;

/// Which question is asked; the metric's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    UsageRecords,
    Subscriptions,
    UsageSummary,
    ResourceUsage,
    UsageBudget,
    AuditRecords,
    SecurityAlerts,
    SecurityScore,
    FraudEvents,
}

impl Endpoint {
    /// One of `metrics::ENDPOINTS`.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::UsageRecords => "usagerecords",
            Self::Subscriptions => "subscriptions",
            Self::UsageSummary => "usagesummary",
            Self::ResourceUsage => "resourceusagerecords",
            Self::UsageBudget => "usagebudget",
            Self::AuditRecords => "auditrecords",
            Self::SecurityAlerts => "securityalerts",
            Self::SecurityScore => "securityscore",
            Self::FraudEvents => "fraudevents",
        }
    }
}

/// The ids that Microsoft's support asks for.
#[derive(Debug, Default)]
pub(crate) struct AnswerIds {
    request: String,
    correlation: String,
    cv: String,
}

impl AnswerIds {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .chars()
                .take(100)
                .collect()
        };
        let request = [text("ms-requestid"), text("request-id")];
        Self {
            request: request.into_iter().find(|id: &String| !id.is_empty()).unwrap_or_default(),
            correlation: text("ms-correlationid"),
            cv: text("ms-cv"),
        }
    }
}

/// A call and how its tries have gone.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) endpoint: Endpoint,
    /// Repeated when nobody knows whether the request arrived, else new for every request. Of a
    /// change it is the caller's.
    pub(crate) request_id: Uuid,
    /// New for every request. Of a change it is the caller's.
    pub(crate) correlation_id: Uuid,
    /// What is written, in JSON; none for a question.
    pub(crate) body: Option<String>,
    /// The token of the last try.
    pub(crate) token: Option<Secret>,
    /// The token that was refused, so that it is renewed.
    pub(crate) refused: Option<Secret>,
    answer: AnswerIds,
    failures: usize,
    throttled: u32,
}

impl Call {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            request_id: Uuid::new_v4(),
            correlation_id: Uuid::new_v4(),
            body: None,
            token: None,
            refused: None,
            answer: AnswerIds::default(),
            failures: 0,
            throttled: 0,
        }
    }

    /// A call that changes something: its body, `MS-RequestId` and `MS-CorrelationId`.
    pub(crate) fn change(
        endpoint: Endpoint,
        body: String,
        request: Uuid,
        correlation: Uuid,
    ) -> Self {
        Self {
            request_id: request,
            correlation_id: correlation,
            body: Some(body),
            ..Self::new(endpoint)
        }
    }

    /// An answer has come.
    pub(crate) fn answered(&mut self, headers: &HeaderMap) {
        self.answer = AnswerIds::of(headers);
    }

    /// How long to wait before the next try; `None` when there is none.
    pub(crate) fn wait_after(&mut self, error: &SourceError) -> Option<Duration> {
        let wait = self.decide(error);
        self.log(error, wait);
        if self.body.is_none() {
            if !matches!(error, SourceError::Network { unanswered: true, .. }) {
                self.request_id = Uuid::new_v4();
            }
            self.correlation_id = Uuid::new_v4();
        }
        self.answer = AnswerIds::default();
        wait
    }

    fn decide(&mut self, error: &SourceError) -> Option<Duration> {
        if matches!(error, SourceError::Unauthorized { .. }) && self.refused.is_none() {
            self.refused = self.token.take();
            return self.refused.is_some().then_some(Duration::ZERO);
        }
        if let Some(wait) = error.retry_after()
            && wait <= PATIENCE
            && self.throttled < THROTTLED_TRIES
        {
            self.throttled += 1;
            return Some(wait);
        }
        if !error.is_transient() {
            return None;
        }
        let wait = WAITS.get(self.failures).copied();
        self.failures += 1;
        wait
    }

    fn log(&self, error: &SourceError, wait: Option<Duration>) {
        let mut redactor = http::redactor();
        [&self.token, &self.refused]
            .into_iter()
            .flatten()
            .for_each(|token| redactor.add(token.expose()));
        let or_ours = |theirs: &str, ours: Uuid| {
            if theirs.is_empty() { ours.to_string() } else { redactor.redact(theirs) }
        };
        tracing::warn!(
            endpoint = self.endpoint.label(),
            request_id = or_ours(&self.answer.request, self.request_id),
            correlation_id = or_ours(&self.answer.correlation, self.correlation_id),
            cv = redactor.redact(&self.answer.cv),
            retry_in_ms = wait.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            "{error}"
        );
    }
}
