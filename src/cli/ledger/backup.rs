//! `ledger backup`: one file of ledger and sign-in.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use crate::cli::exit::Outcome;
use crate::cli::open::CommandContext;
use crate::cli::output::{self, Tone, tick};
use crate::clock::SystemClock;
use crate::entra::token_files;
use crate::fs::Rights;
use crate::ledger::{KeptFile, back_up};

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Backup {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let context = CommandContext::look(path)?;
        context.warn();
        let state_dir = &context.paths.state_dir;
        let tokens = token_files(state_dir)
            .with_context(|| format!("the sign-in in {} cannot be read", state_dir.display()))?;
        let files: Vec<KeptFile> =
            tokens.into_iter().map(|(name, content)| KeptFile { name, content }).collect();
        let now = SystemClock::shared().now();
        back_up(&context.paths.ledger, &self.file, Rights::Mode(0o600), &files, now)?;
        let with = match files.len() {
            0 => "the ledger; there is no sign-in",
            _ => "the ledger and the sign-in: a secret",
        };
        let said = format!("{}: {with}", self.file.display());
        output::page(&format!("{}\n", tick(Tone::Good, "made", &said)))?;
        Ok(Outcome::Done)
    }
}
