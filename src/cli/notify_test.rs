//! `notify-test NAME`: sends a message marked `[TEST]` through one notifier, to each of its
//! recipients.

use std::path::Path;

use clap::{Args, ValueEnum};

use crate::actions::{NotifyTestRequest, NotifyTested, try_notifier};
use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::output::{self, Tone};
use crate::cli::{open, text};
use crate::clock::SystemClock;
use crate::config::SecretsFor;
use crate::domain::{Message, Recipients};
use crate::notify::{SampleKind, sample_message};

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

    /// As the file has the notifier: a daemon may not have read that yet.
    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let needed = SecretsFor::Notifiers(vec![self.name.clone()]);
        let config = open::look(path, needed)?;
        let notifier = open::notifier(&config, &self.name)?;
        let request = NotifyTestRequest {
            notifier: self.name.clone(),
            kind: self.kind.into(),
            to: self.to.clone(),
        };
        let recipients = request.recipients(notifier);
        let recipients = recipients.map_err(|error| WrongUsage(error.to_string()))?;
        let message = sample_message(request.kind, SystemClock::shared().now());
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
    let sending = try_notifier(notifier, recipients, message, SystemClock::shared());
    let tested = text::while_waiting("sending", sending).await?;
    let name = &notifier.name;
    for NotifyTested { recipient, accepted, detail } in &tested {
        let to = recipient.as_ref();
        let to = to.map_or_else(|| name.to_string(), |recipient| format!("{name} ({recipient})"));
        let said = if *accepted { Tone::Good.paint("accepted") } else { Tone::Bad.paint("failed") };
        output::page(&format!("{}: {said}: {detail}\n", text::clean(&to)))?;
    }
    Ok(tested.iter().all(|one| one.accepted))
}
