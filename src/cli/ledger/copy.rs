//! `ledger copy`: from a file to a server, or back.

use std::path::Path;

use clap::Args;

use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::ledger::{changed, holds};
use crate::cli::open::CommandContext;
use crate::cli::output::{self, Tone, tick};
use crate::clock::SystemClock;
use crate::ledger::{Config, copy_ledger};

#[derive(Debug, Args)]
pub(super) struct Copy {
    /// The ledger to copy: `sqlite:FILE`, relative to the state folder, or
    /// `postgres://USER@HOST/DATABASE`
    #[arg(long, value_name = "URL")]
    from: String,
    /// Where to; by default the `[ledger] url` of the configuration, which may be a secret
    #[arg(long, value_name = "URL")]
    to: Option<String>,
}

impl Copy {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let context = CommandContext::look(path)?;
        context.warn();
        let own = &context.paths.ledger;
        let at = |option: &str, url: &str| {
            Config::at(url, &context.paths.state_dir, own.retention)
                .map_err(|error| WrongUsage(format!("--{option}: {error}")))
        };
        let from = at("from", &self.from)?;
        let to = self.to.as_ref().map_or_else(|| Ok(own.clone()), |url| at("to", url))?;
        if from.path == to.path {
            let place = to.path.display();
            return Err(WrongUsage(format!("both are {place}: --to is another place")).into());
        }
        let copied = copy_ledger(&from, &to, SystemClock::shared().now())?;
        let said = format!("{}: {}", to.path.display(), holds(&copied));
        let mut lines = vec![tick(Tone::Good, "copied", &said)];
        if let Some(event) = copied.proof.as_ref().and_then(|proof| proof.changed.as_ref()) {
            lines.push(tick(Tone::Uneasy, "record", &changed(event)));
        }
        output::page(&format!("{}\n", lines.join("\n")))?;
        output::aside(&format!(
            "{} stays as it is: no daemon may start on it again. The sign-in stays in {}.\n",
            from.path.display(),
            context.paths.state_dir.display()
        ));
        Ok(Outcome::Done)
    }
}
