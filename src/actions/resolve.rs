//! Answers a security alert of Microsoft: says there why it is no longer open, and looks whether
//! that is seen. Only a person orders it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::actions::{Action, ActionContext, ActionError, Author};
use crate::alerting::{RememberedSecurity, SecurityState};
use crate::domain::{CustomerId, SecurityAlert, SecurityEnd, SecurityView, UsageDate};
use crate::poll::{Cycle, SecurityReading};
use crate::source::{AnswerReason, SecurityError};
use crate::text::clean;

/// After which times it is looked whether an answer is seen.
const LOOKS: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_millis(1500), Duration::from_millis(3500)];

/// Which alert is answered, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolveRequest {
    /// Microsoft's id, the reference of an alert about it, or the beginning of either.
    pub id: String,
    /// How.
    pub reason: AnswerReason,
}

/// An alert that is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityAnswered {
    /// The alert as it is now.
    pub alert: SecurityView,
    /// The customer's tenant.
    pub customer: CustomerId,
    /// How it was answered.
    pub end: SecurityEnd,
    /// Whether it had been answered before: nothing was written then.
    pub already: bool,
}

impl Action for ResolveRequest {
    const NAME: &'static str = "resolve";
    type Answer = SecurityAnswered;

    async fn run(
        self,
        context: &ActionContext,
        author: &Author,
    ) -> Result<SecurityAnswered, ActionError> {
        let cycle = context.cycle()?;
        let reading = cycle.security.as_ref().ok_or_else(|| {
            ActionError::Invalid(
                "no security alerts are read here: add [security_alerts] to the configuration"
                    .to_owned(),
            )
        })?;
        let answered = {
            let _turn = reading.turn.lock().await;
            self.answer(&cycle, reading, &author.to_string()).await?
        };
        // Whoever was told of it is told that it is over; the next read does that too.
        if !answered.already
            && let Err(error) = cycle.read_security().await
        {
            tracing::warn!("the end of a security alert is told later: {error}");
        }
        context.wake_couriers();
        Ok(answered)
    }
}

impl ResolveRequest {
    async fn answer(
        &self,
        cycle: &Cycle,
        reading: &SecurityReading,
        author: &str,
    ) -> Result<SecurityAnswered, ActionError> {
        let memory = cycle.ledger.read(|reader| reader.security(Timestamp::MIN)).await?;
        let known = meant(&memory.alerts, &self.id)?;
        if let Some(end) = known.state.end() {
            return Ok(answered(&known.state.alert, end, true));
        }
        reading.alerts.takes(self.reason).map_err(|error| refused(&error))?;
        let source = &reading.alerts;
        let unlisted = || {
            ActionError::Invalid(
                "Microsoft lists this alert no longer: there is nothing to answer".to_owned(),
            )
        };
        let now = source.one(&known.state.alert).await.map_err(|error| failed(&error))?;
        let now = now.ok_or_else(unlisted)?;
        if now.is_resolved() {
            let state = ended(&known.state, now, None, cycle.clock.now());
            let end = state.end().ok_or_else(unlisted)?;
            return Ok(answered(&state.alert, end, true));
        }
        source.answer(&now, self.reason).await.map_err(|error| failed(&error))?;
        for wait in LOOKS {
            cycle.clock.sleep(wait).await;
            let seen = source.one(&now).await.map_err(|error| failed(&error))?;
            if let Some(seen) = seen.filter(SecurityAlert::is_resolved) {
                let state = ended(&known.state, seen, Some(author), cycle.clock.now());
                return self.record(cycle, state, author).await;
            }
        }
        Err(ActionError::Unavailable(format!(
            "Microsoft took the answer, but does not show it after {} s: look again with \
                budget-alertd security show {}",
            LOOKS.iter().sum::<Duration>().as_secs(),
            clean(&self.id, 60)
        )))
    }

    async fn record(
        &self,
        cycle: &Cycle,
        state: SecurityState,
        author: &str,
    ) -> Result<SecurityAnswered, ActionError> {
        let reason = self.reason.as_str();
        let gone = || ActionError::Unavailable("the answer is not seen".to_owned());
        let answer = answered(&state.alert, state.end().ok_or_else(gone)?, false);
        tracing::info!(%author, security.id = state.alert.id, security.reason = reason, "a security alert is answered");
        let (customer, now) = (state.alert.customer.key(), cycle.clock.now());
        let ledger = cycle.ledger.ordered_by(author);
        ledger.answer_security(customer, state, reason, now).await?;
        Ok(answer)
    }
}

fn answered(alert: &SecurityAlert, end: SecurityEnd, already: bool) -> SecurityAnswered {
    SecurityAnswered { alert: alert.view(), customer: alert.customer.clone(), end, already }
}

/// How an alert stands that is answered now.
fn ended(
    before: &SecurityState,
    alert: SecurityAlert,
    author: Option<&str>,
    now: Timestamp,
) -> SecurityState {
    let at = alert.resolved_at.map(UsageDate::instant).filter(|at| *at <= now);
    SecurityState {
        alert,
        first_seen: before.first_seen,
        ended_at: Some(at.unwrap_or(now)),
        unlisted: false,
        ordered_by: author.map(str::to_owned),
    }
}

fn failed(error: &SecurityError) -> ActionError {
    ActionError::Unavailable(error.in_full())
}

fn refused(error: &SecurityError) -> ActionError {
    ActionError::Invalid(error.to_string())
}

/// The alert that is meant by Microsoft's id, by the reference of an alert about it, or by the
/// beginning of either.
pub fn meant<'a>(
    alerts: &'a [RememberedSecurity],
    text: &str,
) -> Result<&'a RememberedSecurity, ActionError> {
    let wanted = text.trim().to_ascii_lowercase();
    let shown = clean(text, 60);
    let names = |one: &RememberedSecurity| {
        let references = one.references.iter().map(|reference| reference.to_ascii_lowercase());
        references.chain([one.state.alert.key()]).collect::<Vec<_>>()
    };
    if let Some(one) = alerts.iter().find(|one| names(one).contains(&wanted)) {
        return Ok(one);
    }
    if wanted.chars().count() < 4 {
        return Err(ActionError::Invalid(format!(
            "\"{shown}\" is too short: give at least 4 characters of the id or of the reference"
        )));
    }
    let fits = |one: &&RememberedSecurity| names(one).iter().any(|name| name.starts_with(&wanted));
    let mut found = alerts.iter().filter(fits);
    match (found.next(), found.count()) {
        (Some(one), 0) => Ok(one),
        (Some(_), more) => Err(ActionError::Invalid(format!(
            "\"{shown}\" is the beginning of {} security alerts: give more of it",
            more + 1
        ))),
        (None, _) => Err(ActionError::Invalid(format!(
            "there is no security alert \"{shown}\": budget-alertd security list"
        ))),
    }
}
