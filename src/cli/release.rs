//! `deliveries release`: lets messages to customers go that are held, or discards them. Delivering
//! is left to the daemon, or to the next poll.

use std::path::Path;

use clap::Args;

use crate::actions::{ReleaseRequest, Released};
use crate::cli::control::Control;
use crate::cli::exit::Outcome;
use crate::cli::open::CommandContext;
use crate::cli::{output, text};

#[derive(Debug, Args)]
pub(super) struct Release {
    /// Deliveries by id, or by its first characters as listed; all that are held by default
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Only those to this notifier
    #[arg(long, value_name = "NAME")]
    notifier: Option<String>,
    /// Only those about this customer: its id, its name or its label
    #[arg(long, value_name = "CUSTOMER")]
    customer: Option<String>,
    /// Never send them: the data was wrong; the customers are not told of these alerts
    #[arg(long)]
    discard: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Release {
    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let control = Control::open(CommandContext::look(path)?).await?;
        let who = if control.is_daemon() { "the daemon" } else { "the next `poll`, or `run`," };
        let order = ReleaseRequest {
            ids: self.ids.clone(),
            notifier: self.notifier.clone(),
            customer: self.customer.clone(),
            discard: self.discard,
            reason: self.reason.clone(),
            all: false,
        };
        let Released { deliveries, held } = control.ask(order).await?;
        let (what, are) =
            (text::count(deliveries, "held delivery"), if deliveries == 1 { "is" } else { "are" });
        let mut said = match (deliveries, self.discard) {
            (0, _) => "No such delivery is held.\n".to_owned(),
            (_, true) => format!("{what} {are} discarded and will never be sent.\n"),
            (_, false) => format!(
                "{what} {are} released; {who} delivers {}.\n",
                if deliveries == 1 { "it" } else { "them" }
            ),
        };
        if held > 0 {
            said = format!("{said}{} still held.\n", text::count(held, "delivery"));
        }
        output::page(&said)?;
        Ok(Outcome::Done)
    }
}
