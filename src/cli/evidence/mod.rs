//! `evidence`: one folder that proves what was seen of a customer, decided about it, told to whom
//! and done. Only reads the ledger.

mod document;
mod folder;
mod page;
mod redact;
mod shared;
mod sheets;

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::alerting::CustomerState;
use crate::cli::choice::{When, customers};
use crate::cli::evidence::document::{Evidence, Span};
use crate::cli::evidence::folder::Files;
use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::open::CommandContext;
use crate::cli::{output, text};
use crate::clock::SystemClock;
use crate::ledger::Reader;

/// How far back it goes where nobody says.
const USUAL_SPAN: SignedDuration = SignedDuration::from_hours(31 * 24);
/// The most of a customer's name in the folder's, in characters.
const NAME_LENGTH: usize = 40;

#[derive(Debug, Args)]
pub(super) struct EvidenceOf {
    /// The customer: its id, its name or its label, in any case; a part of a name will do
    #[arg(long, value_name = "CUSTOMER")]
    customer: String,
    /// From then on: a time (2026-11-14T18:00, or with a zone as in RFC 3339), a date, or how long
    /// ago (7d, 12h) [default: 31d]
    #[arg(long, value_name = "WHEN", value_parser = When::parse)]
    since: Option<When>,
    /// Until then: a time, a date (that day included), or how long ago [default: now]
    #[arg(long, value_name = "WHEN", value_parser = When::parse)]
    until: Option<When>,
    /// The folder to make, which must not be there yet [default: ./evidence-NAME-FROM-TO]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Print all files as JSON, in place of writing them: for who may not read the ledger
    #[arg(long, hide = true)]
    print: bool,
}

impl EvidenceOf {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let context = CommandContext::look(path)?;
        let reader = context.reader()?;
        let zone = &context.paths.time_zone;
        let span = self.span(SystemClock::shared().now(), zone)?;
        let seen = self.meant(&context, &reader)?;
        let evidence = Evidence::gather(&reader, &seen, span, zone)?;
        let files = Files::of(&evidence, usual_folder(&seen, &span, zone), zone)?;
        if self.print {
            output::json(&files)?;
        } else {
            self.write(&files, &files.folder)?;
        }
        Ok(Outcome::Done)
    }

    /// Whether it only prints, and writes nothing.
    pub(super) fn only_prints(&self) -> bool {
        self.print
    }

    /// Writes what the daemon printed, for who may not read the ledger: into the present folder, or
    /// where this user says.
    pub(super) fn write_printed(&self, printed: &str) -> anyhow::Result<()> {
        let files: Files = serde_json::from_str(printed)?;
        let name = files.folder.file_name().map(PathBuf::from).unwrap_or_default();
        self.write(&files, &name)
    }

    fn write(&self, files: &Files, usual: &Path) -> anyhow::Result<()> {
        let folder = self.output.as_deref().unwrap_or(usual);
        files.write(folder)?;
        output::page(&format!("{}\n{}", folder.display(), files.said))
    }

    fn span(&self, now: Timestamp, zone: &TimeZone) -> Result<Span, WrongUsage> {
        let until = self.until.map_or(now, |when| when.moment(now, zone, true).min(now));
        let usual = until.checked_sub(USUAL_SPAN).unwrap_or(Timestamp::MIN);
        let from = self.since.map_or(usual, |when| when.moment(now, zone, false));
        if from >= until {
            return Err(WrongUsage("--since must be before --until, and before now".to_owned()));
        }
        Ok(Span { from, until, made_at: now })
    }

    /// The one customer that is meant.
    fn meant(&self, context: &CommandContext, reader: &Reader) -> anyhow::Result<CustomerState> {
        let mut meant = customers(context.config(), reader, &self.customer)?;
        if meant.len() == 1 {
            return Ok(meant.swap_remove(0));
        }
        let named: Vec<_> = meant
            .iter()
            .map(|seen| format!("{} ({})", text::bare_called(seen), seen.customer.as_str()))
            .collect();
        let asked = text::clean(&self.customer);
        Err(WrongUsage(format!(
            "several customers are called something like \"{asked}\": {}; give the id of one",
            named.join(", ")
        ))
        .into())
    }
}

/// `evidence-contoso-nord-2026-11-01-2026-11-30` in the present folder.
fn usual_folder(seen: &CustomerState, span: &Span, zone: &TimeZone) -> PathBuf {
    let mut name = String::new();
    for letter in text::bare_called(seen).chars().take(NAME_LENGTH) {
        if letter.is_alphanumeric() {
            name.extend(letter.to_lowercase());
        } else if !name.ends_with('-') && !name.is_empty() {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    let name = if name.is_empty() { "customer" } else { name };
    let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
    // The first instant that is left out may be the midnight after the last day.
    let last = span.until.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(span.until);
    PathBuf::from(format!("evidence-{name}-{}-{}", day(span.from), day(last)))
}
