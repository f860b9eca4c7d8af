//! `ledger restore`: brings ledger and sign-in back from a backup.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use crate::cli::exit::Outcome;
use crate::cli::ledger::{changed, holds};
use crate::cli::open::CommandContext;
use crate::cli::output::{self, Tone, tick};
use crate::clock::SystemClock;
use crate::entra::put_back;
use crate::ledger::Restore as Restoring;
use crate::text::moment;

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The backup, or another copy of a ledger
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the ledger that is there; it is kept under a name that ends in .replaced
    #[arg(long)]
    force: bool,
}

impl Restore {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let context = CommandContext::look(path)?;
        context.warn();
        let paths = &context.paths;
        let now = SystemClock::shared().now();
        let restore = Restoring::begin(&paths.ledger, &self.file, self.force)?;
        let of = restore.made_at.map_or_else(String::new, |made_at| {
            format!(" of {}", moment(made_at, now, &paths.time_zone))
        });
        let ledger = format!("{}{of}: {}", paths.ledger.path.display(), holds(&restore.holds));
        let mut said = Vec::new();
        // Before the ledger, which comes last: what is cut short is done again.
        for file in &restore.files {
            let place = paths.state_dir.join(&file.name);
            let is_back = put_back(&paths.state_dir, &file.name, &file.content)
                .with_context(|| format!("{} cannot be written", place.display()))?;
            let note = if is_back { "" } else { ": the one there is newer, and stays" };
            said.push(tick(Tone::Good, "sign-in", &format!("{}{note}", place.display())));
        }
        let proof = restore.holds.proof.clone();
        restore.finish(now)?;
        if let Some(event) = proof.and_then(|proof| proof.changed) {
            said.push(tick(Tone::Uneasy, "record", &changed(&event)));
        }
        said.insert(0, tick(Tone::Good, "restored", &ledger));
        output::page(&format!("{}\n", said.join("\n")))?;
        output::aside("What was recorded after that is told again, under the same identities.\n");
        Ok(Outcome::Done)
    }
}
