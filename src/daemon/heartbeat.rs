//! The dead man's switch: an address that is asked after each cycle that read, judged and left
//! nothing overdue. Whoever watches it hears when the daemon, this host or its network is gone.

use std::time::Duration;

use crate::clock::Clock;
use crate::domain::{FindingCode, has_passed};
use crate::http;
use crate::ledger::{Ledger, OpenFinding, Reader};
use crate::secret::{Redactor, Secret};

/// How long one ping may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A delivery owed for longer than this is overdue.
const OVERDUE: Duration = Duration::from_mins(10);

/// Where to ping. The address is a secret: whoever has it can keep the watcher quiet.
pub struct Heartbeat {
    url: Secret,
    /// Notifiers that are shown what is open, and so owed nothing that could be overdue.
    shown: Vec<Box<str>>,
    client: reqwest::Client,
}

impl Heartbeat {
    /// A heartbeat at this address, beside notifiers that are `shown` what is open.
    pub(super) fn new(url: Secret, shown: Vec<Box<str>>) -> Result<Self, reqwest::Error> {
        Ok(Self { url, shown, client: http::client(TIMEOUT)? })
    }

    /// Pings, unless something is overdue. A ping that fails is worth a warning: the watcher will
    /// notice.
    pub async fn beat(&self, ledger: &Ledger, clock: &dyn Clock) {
        let owed = match ledger.read(Reader::owed).await {
            Ok(owed) => owed,
            Err(error) => {
                return tracing::warn!(%error, "no heartbeat: what is owed cannot be read");
            }
        };
        let late = |oldest: &jiff::Timestamp| has_passed(OVERDUE, *oldest, clock.now());
        if let Some(owed) = owed.iter().find(|owed| owed.oldest.as_ref().is_some_and(late)) {
            return tracing::warn!(notifier = owed.notifier, "no heartbeat: a delivery is overdue");
        }
        match ledger.read(Reader::findings).await {
            Ok(open) => {
                if let Some(open) = open.iter().find(|open| open.finding.code.hides_overspends()) {
                    return tracing::warn!(
                        finding.code = open.finding.code.as_str(),
                        "no heartbeat: an overspend may be hidden"
                    );
                }
                if let Some(open) =
                    open.iter().find(|open| self.is_unshown(open) && late(&open.since))
                {
                    return tracing::warn!(
                        notifier = open.finding.subject,
                        "no heartbeat: what is open cannot be shown"
                    );
                }
            }
            Err(error) => return tracing::warn!(%error, "no heartbeat: findings cannot be read"),
        }
        self.ping().await;
    }

    /// Whether a finding says that a notifier is not shown what is open.
    fn is_unshown(&self, open: &OpenFinding) -> bool {
        open.finding.code == FindingCode::NotifierFailing
            && self.shown.iter().any(|name| **name == *open.finding.subject)
    }

    async fn ping(&self) {
        match self.client.get(self.url.expose()).send().await {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => tracing::warn!(
                http.status = answer.status().as_u16(),
                "the heartbeat was refused; check operator.heartbeat_url"
            ),
            Err(error) => {
                let redactor = Redactor::of([&self.url]);
                tracing::warn!(
                    "the heartbeat failed: {}",
                    redactor.redact(&http::describe(&error))
                );
            }
        }
    }
}
