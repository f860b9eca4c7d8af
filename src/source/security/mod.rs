//! Reads Microsoft's security alerts, from Microsoft Graph or from Partner Center, and answers one
//! where a person orders that. What they mean for anybody is left to others.

mod asking;
mod error;
mod fraud_events;
mod graph;
mod items;
mod list;
mod score;

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use crate::domain::{SecurityAlert, SecuritySource};
use crate::source::SecurityConfig;
use crate::source::client::Client;
use crate::source::security::fraud_events::FraudEvents;
use crate::source::security::graph::Graph;

pub use error::{ACCESS, SecurityError};
pub use list::SecurityList;
pub use score::SecurityScore;

/// Which alerts of a list are kept: all that are not answered, and of the others these.
#[derive(Debug, Clone, Default)]
pub struct SecurityWanted {
    /// The keys of those that were open when they were last read.
    pub open: HashSet<String>,
    /// Those that were answered since.
    pub answered_since: Timestamp,
}

/// How a person answers an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[derive(IntoStaticStr, EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum AnswerReason {
    /// Somebody abuses the subscription.
    Fraud,
    /// The customer did it and meant it.
    Legitimate,
    /// Neither is worth saying.
    Ignore,
}

impl AnswerReason {
    /// The word of Microsoft Graph.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A call under way.
type Answered<'a, T> = Pin<Box<dyn Future<Output = Result<T, SecurityError>> + Send + 'a>>;

/// An API that tells of security alerts.
trait Api: Send + Sync {
    /// Which one it is.
    fn source(&self) -> SecuritySource;

    /// Reads the list. What was read before a failure stands all the same.
    fn list<'a>(
        &'a self,
        wanted: &'a SecurityWanted,
    ) -> Pin<Box<dyn Future<Output = SecurityList> + Send + 'a>>;

    /// Reads one alert as it is now; `None` where there is none any more.
    fn one<'a>(&'a self, alert: &'a SecurityAlert) -> Answered<'a, Option<SecurityAlert>>;

    /// Says that an alert is answered.
    fn answer<'a>(&'a self, alert: &'a SecurityAlert, reason: AnswerReason) -> Answered<'a, ()>;

    /// Whether an alert can be answered so; else why not.
    fn takes(&self, reason: AnswerReason) -> Result<(), SecurityError>;

    /// How fast Microsoft finds that alerts are answered; `None` where it does not say.
    fn score(&self) -> Answered<'_, Option<SecurityScore>>;
}

/// Microsoft's security alerts.
pub struct SecurityAlerts(Box<dyn Api>);

impl SecurityAlerts {
    pub(crate) fn new(client: Arc<Client>, config: &SecurityConfig) -> Self {
        Self(match config {
            SecurityConfig::Graph { url, scope, has_score } => Box::new(Graph {
                client,
                url: url.clone(),
                scope: scope.clone(),
                has_score: *has_score,
            }),
            SecurityConfig::PartnerCenter => Box::new(FraudEvents { client }),
        })
    }

    /// Which API tells of them.
    pub fn source(&self) -> SecuritySource {
        self.0.source()
    }

    /// Reads the list of all alerts and keeps those that are wanted. What was read before a failure
    /// stands all the same.
    pub async fn list(&self, wanted: &SecurityWanted) -> SecurityList {
        self.0.list(wanted).await
    }

    /// Reads one alert as it is now; `None` where there is none any more.
    pub async fn one(&self, alert: &SecurityAlert) -> Result<Option<SecurityAlert>, SecurityError> {
        self.0.one(alert).await
    }

    /// Says that an alert is answered, by order of a person. Only reading it again shows that it
    /// is.
    pub async fn answer(
        &self,
        alert: &SecurityAlert,
        reason: AnswerReason,
    ) -> Result<(), SecurityError> {
        self.0.takes(reason)?;
        self.0.answer(alert, reason).await
    }

    /// Whether an alert can be answered so; else why not.
    pub fn takes(&self, reason: AnswerReason) -> Result<(), SecurityError> {
        self.0.takes(reason)
    }

    /// How fast Microsoft finds that alerts are answered; `None` where it does not say.
    pub async fn score(&self) -> Result<Option<SecurityScore>, SecurityError> {
        self.0.score().await
    }
}
