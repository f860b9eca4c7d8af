//! `notify-test NAME`: sends a message marked `[TEST]` through one notifier, to each of its
//! recipients.

use std::path::Path;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use uuid::Uuid;

use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::output::{self, Tone};
use crate::cli::{open, text};
use crate::clock::SystemClock;
use crate::config::SecretsFor;
use crate::domain::{Delivery, Message, Readers, Recipients, Route};
use crate::metrics::Metrics;
use crate::notify::{SampleKind, sample_message};
use crate::text::clean;

#[derive(Debug, Args)]
pub(super) struct NotifyTest {
    /// The notifier's name, as in [notifiers.NAME]
    name: String,
    /// What to send; all of it is made up
    #[arg(long, value_enum, default_value_t)]
    kind: Kind,
    /// The address to send it to, for a notifier that writes to each customer's contacts
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
}

/// What can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Kind {
    /// One new alert
    #[default]
    Raised,
    /// Several new alerts in one message
    Digest,
    /// An alert that is still true
    Reminder,
    /// An alert that is over
    Resolved,
    /// News about the daemon itself
    Operator,
}

impl From<Kind> for SampleKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Raised => Self::Raised,
            Kind::Digest => Self::Digest,
            Kind::Reminder => Self::Reminder,
            Kind::Resolved => Self::Resolved,
            Kind::Operator => Self::Operator,
        }
    }
}

impl NotifyTest {
    /// The test of one notifier.
    pub(super) fn of(name: &str) -> Self {
        Self { name: name.to_owned(), kind: Kind::default(), to: None }
    }

    /// Who gets it: never a customer.
    fn recipients(&self, route: &Route) -> anyhow::Result<Recipients> {
        match (&route.readers, &self.to) {
            (Readers::Contacts, Some(to)) => Ok(Recipients::Addresses(vec![to.clone()])),
            (Readers::Contacts, None) => {
                let text = format!(
                    "{} writes to each customer's contacts: add --to with an address of your own",
                    self.name
                );
                Err(WrongUsage(text).into())
            }
            (_, None) => Ok(route.recipients.clone()),
            (_, Some(_)) => {
                Err(WrongUsage(format!("{} has recipients of its own: leave --to out", self.name))
                    .into())
            }
        }
    }

    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let needed = SecretsFor::Notifiers(vec![self.name.clone()]);
        let config = open::look(path, needed)?;
        let notifier = open::notifier(&config, &self.name)?;
        let recipients = self.recipients(&notifier.route())?;
        let message = sample_message(self.kind.into(), SystemClock::shared().now());
        let accepted = tell(notifier, &recipients, &message).await?;
        Ok(if accepted { Outcome::Done } else { Outcome::Failed })
    }
}

/// Sends a message through a notifier, to each of these recipients, and prints what they answer;
/// whether all accepted it.
pub(super) async fn tell(
    notifier: &crate::notify::Config,
    recipients: &Recipients,
    message: &Message,
) -> anyhow::Result<bool> {
    let clock = SystemClock::shared();
    let channel = notifier.build(Arc::clone(&clock), Metrics::new())?;
    let (name, identity, mut all) = (&notifier.name, Uuid::new_v4(), true);
    for recipient in recipients.each() {
        let delivery = Delivery {
            id: Uuid::new_v4(),
            identity,
            notifier: name.to_string(),
            recipient: recipient.map(str::to_owned),
            stands_in_for: None,
            audience: channel.route().readers.audience(),
            created_at: clock.now(),
            message: message.clone(),
        };
        let to =
            recipient.map_or_else(|| name.to_string(), |recipient| format!("{name} ({recipient})"));
        let to = text::clean(&to);
        match text::while_waiting("sending", channel.attempt(&delivery)).await {
            Ok(accepted) => output::page(&format!(
                "{to}: {}: {}\n",
                Tone::Good.paint("accepted"),
                clean(&accepted.detail, 300)
            ))?,
            Err(error) => {
                output::page(&format!(
                    "{to}: {}: {}\n",
                    Tone::Bad.paint("failed"),
                    clean(&error.to_string(), 600)
                ))?;
                all = false;
            }
        }
    }
    Ok(all)
}
