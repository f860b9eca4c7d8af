//! `deliveries retry`: owes again what was given up, to the same notifier or to another. Delivering
//! it is left to the daemon, or to the next poll.

use std::path::Path;

use clap::Args;

use crate::actions::{Retried, RetryRequest};
use crate::cli::control::Control;
use crate::cli::exit::Outcome;
use crate::cli::open::CommandContext;
use crate::cli::{output, text};

#[derive(Debug, Args)]
pub(super) struct Retry {
    /// Deliveries by id, or by its first characters as listed; all that were given up by default
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Only those to this notifier
    #[arg(long, value_name = "NAME")]
    notifier: Option<String>,
    /// Owe them to this notifier instead
    #[arg(long, value_name = "NOTIFIER")]
    to: Option<String>,
}

impl Retry {
    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let control = Control::open(CommandContext::look(path)?).await?;
        let beside_daemon = control.is_daemon();
        let order = RetryRequest {
            ids: self.ids.clone(),
            notifier: self.notifier.clone(),
            to: self.to.clone(),
            all: false,
        };
        let Retried { owed, lost } = control.ask(order).await?;
        let who = if beside_daemon { "the daemon" } else { "the next `poll`, or `run`," };
        let mut said = match owed {
            0 => "Nothing was given up that could be owed again.\n".to_owned(),
            1 => format!("1 delivery is owed again; {who} delivers it.\n"),
            owed => format!("{owed} deliveries are owed again; {who} delivers them.\n"),
        };
        said.extend(lost.iter().map(|name| {
            let name = text::clean(name);
            format!(
                "Notifier \"{name}\" is no longer configured: add --to NOTIFIER, or they are \
                given up again.\n"
            )
        }));
        output::page(&said)?;
        Ok(Outcome::Done)
    }
}
