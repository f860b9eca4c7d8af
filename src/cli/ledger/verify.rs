//! `ledger verify`: whether the ledger, or a backup, is sound, and whether what it recorded is as it
//! was recorded. Only reads.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::ledger::{changed, holds};
use crate::cli::open::CommandContext;
use crate::cli::output::{self, Tone, tick};
use crate::ledger::{Proof, verify, verify_copy};
use crate::text::clean;

/// A head may be given by so many digits, as reports show it.
const FEWEST_DIGITS: usize = 16;
const DIGITS: usize = 64;

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// A backup, or another copy of a ledger; the ledger itself by default
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Say whether this head, printed once before or shown as "Record" by a report, is in the chain
    #[arg(long, value_name = "HEX")]
    head: Option<String>,
}

impl Verify {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let head = self.head.as_deref().map(digits).transpose()?;
        let (place, verified) = if let Some(file) = &self.file {
            (file.clone(), verify_copy(file, head.as_deref())?)
        } else {
            let ledger = CommandContext::look(path)?.paths.ledger;
            let verified = verify(&ledger, head.as_deref())?;
            (ledger.path, verified)
        };
        if let Some(event) = verified.proof.as_ref().and_then(|proof| proof.changed.as_ref()) {
            output::page(&format!("{}\n", changed(event)))?;
            return Ok(Outcome::Failed);
        }
        let said = format!("{}: {}", place.display(), holds(&verified));
        output::page(&format!("{}\n", tick(Tone::Good, "sound", &said)))?;
        if let Some(proof) = &verified.proof {
            output::page(&format!("{}\n", proof.head))?;
        }
        let Some(head) = head else { return Ok(Outcome::Done) };
        let asked = verified.proof.as_ref().and_then(|proof: &Proof| proof.asked);
        let (tone, said, outcome) = asked.map_or_else(
            || {
                let text = format!(
                    "{head} is not in the chain: what it stands for was changed since, or is older \
                        than what is kept"
                );
                (Tone::Bad, text, Outcome::Failed)
            },
            |number| (Tone::Good, format!("{head} is that of event {number}"), Outcome::Done),
        );
        output::page(&format!("{}\n", tick(tone, "head", &said)))?;
        Ok(outcome)
    }
}

fn digits(head: &str) -> Result<String, WrongUsage> {
    let digits = head.trim().to_ascii_lowercase();
    let is_head = (FEWEST_DIGITS..=DIGITS).contains(&digits.len())
        && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_head.then_some(digits).ok_or_else(|| {
        WrongUsage(format!(
            "\"{}\" is no head: give the {DIGITS} hex digits that verify prints, or the first \
                {FEWEST_DIGITS} at least",
            clean(head, 80)
        ))
    })
}
