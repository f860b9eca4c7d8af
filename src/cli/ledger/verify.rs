//! `ledger verify`: whether the ledger, or a backup, is sound. Only reads.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::exit::Outcome;
use crate::cli::ledger::holds;
use crate::cli::open::CommandContext;
use crate::cli::output::{self, Tone, tick};
use crate::ledger::{verify, verify_copy};

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// A backup, or another copy of a ledger; the ledger itself by default
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let (place, verified) = if let Some(file) = &self.file {
            (file.clone(), verify_copy(file)?)
        } else {
            let ledger = CommandContext::look(path)?.paths.ledger;
            let verified = verify(&ledger)?;
            (ledger.path, verified)
        };
        let said = format!("{}: {}", place.display(), holds(&verified));
        output::page(&format!("{}\n", tick(Tone::Good, "sound", &said)))?;
        Ok(Outcome::Done)
    }
}
