//! Sends a message marked `[TEST]` through one notifier, to each of its recipients. It is made up, is
//! owed to nobody, and counts in no metric.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actions::{Action, ActionContext, ActionError, Author};
use crate::clock::Clock;
use crate::domain::{Delivery, Message, Readers, Recipients};
use crate::metrics::Metrics;
use crate::notify::{self, BuildError, SampleKind, sample_message};
use crate::text::clean;

/// How much is told of what a receiver says, in characters.
const DETAIL_MOST: usize = 600;

const TO_REFUSED: &str = "an address for the test is taken from budget-alertd notify-test --to only, on the host of the daemon";

/// Which notifier is tried, and with what.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotifyTestRequest {
    /// Its name.
    pub notifier: String,
    /// What to send; all of it is made up.
    #[serde(default)]
    pub kind: SampleKind,
    /// The address to send it to, for a notifier that writes to each customer's contacts.
    #[serde(default)]
    pub to: Option<String>,
}

/// What came of a test, for one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyTested {
    /// To whom, where the notifier has several.
    pub recipient: Option<String>,
    /// Whether it was accepted.
    pub accepted: bool,
    /// What the receiver said, or why it could not be reached.
    pub detail: String,
}

impl NotifyTestRequest {
    /// Who gets it: never a customer.
    pub fn recipients(&self, notifier: &notify::Config) -> Result<Recipients, ActionError> {
        let (route, name) = (notifier.route(), clean(&self.notifier, 60));
        match (&route.readers, &self.to) {
            (Readers::Contacts, Some(to)) => Ok(Recipients::Addresses(vec![to.clone()])),
            (Readers::Contacts, None) => Err(ActionError::Invalid(format!(
                "{name} writes to each customer's contacts: add --to with an address of your own"
            ))),
            (_, None) => Ok(route.recipients.clone()),
            (_, Some(_)) => Err(ActionError::Invalid(format!(
                "{name} has recipients of its own: leave --to out"
            ))),
        }
    }
}

impl Action for NotifyTestRequest {
    const NAME: &'static str = "notify-test";
    type Answer = Vec<NotifyTested>;

    fn over_network(self) -> Result<Self, ActionError> {
        // Mail to any address is for who may read the configuration.
        if self.to.is_none() { Ok(self) } else { Err(ActionError::Invalid(TO_REFUSED.to_owned())) }
    }

    async fn run(
        self,
        context: &ActionContext,
        author: &Author,
    ) -> Result<Vec<NotifyTested>, ActionError> {
        let clock = Arc::clone(&context.cycle()?.clock);
        let notifiers = context.notifiers.borrow().clone();
        let notifier = notifiers.iter().find(|notifier| *notifier.name == *self.notifier);
        let notifier = notifier.ok_or_else(|| unknown(&self.notifier, &notifiers))?;
        let recipients = self.recipients(notifier)?;
        let message = sample_message(self.kind, clock.now());
        let tested = try_notifier(notifier, &recipients, &message, clock).await;
        let tested = tested.map_err(|error| ActionError::Unavailable(error.to_string()))?;
        let accepted = tested.iter().filter(|one| one.accepted).count();
        tracing::info!(%author, notifier = self.notifier, recipients = tested.len(), accepted, "a test message is sent");
        Ok(tested)
    }
}

/// Sends a message through a notifier, to each of these recipients, and says what they answer.
pub async fn try_notifier(
    notifier: &notify::Config,
    recipients: &Recipients,
    message: &Message,
    clock: Arc<dyn Clock>,
) -> Result<Vec<NotifyTested>, BuildError> {
    let channel = notifier.build(Arc::clone(&clock), Metrics::new())?;
    let (identity, mut tested) = (Uuid::new_v4(), Vec::new());
    for recipient in recipients.each() {
        let delivery = Delivery {
            id: Uuid::new_v4(),
            identity,
            notifier: notifier.name.to_string(),
            recipient: recipient.map(str::to_owned),
            stands_in_for: None,
            audience: channel.route().readers.audience(),
            created_at: clock.now(),
            message: message.clone(),
        };
        let (accepted, detail) = match channel.attempt(&delivery).await {
            Ok(accepted) => (true, accepted.detail),
            Err(error) => (false, error.to_string()),
        };
        let detail = clean(&detail, DETAIL_MOST);
        tested.push(NotifyTested { recipient: delivery.recipient, accepted, detail });
    }
    Ok(tested)
}

fn unknown(name: &str, notifiers: &[notify::Config]) -> ActionError {
    let names: Vec<&str> = notifiers.iter().map(|notifier| &*notifier.name).collect();
    ActionError::Invalid(format!(
        "there is no notifier \"{}\"; there are: {}",
        clean(name, 60),
        names.join(", ")
    ))
}
