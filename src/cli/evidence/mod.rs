//! `evidence`: one folder that proves what was seen of a customer, decided about it, told to whom
//! and done. It only reads the ledger; that the evidence of an incident was gathered is recorded by
//! an order.

mod costs;
mod deeds;
mod document;
mod folder;
mod incident;
mod incident_page;
mod page;
mod redact;
mod shared;
mod sheets;
mod shown;
mod span;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::actions::{ActionError, EvidenceNoted, EvidenceRequest, Incident};
use crate::alerting::{CustomerState, Misuse};
use crate::cli::choice::{When, customers};
use crate::cli::control::{Control, Daemon};
use crate::cli::evidence::document::{About, Evidence};
use crate::cli::evidence::folder::Files;
use crate::cli::evidence::span::Span;
use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::open::CommandContext;
use crate::cli::{output, text};
use crate::clock::SystemClock;
use crate::ledger::Reader;
use crate::source;

/// How far back it goes where nobody says.
const USUAL_SPAN: SignedDuration = SignedDuration::from_hours(31 * 24);
/// Of an incident it begins so many days before its first.
const BEFORE_DAYS: i64 = 14;
/// The most of a customer's name in the folder's, in characters.
const NAME_LENGTH: usize = 40;

#[derive(Debug, Args)]
pub(super) struct EvidenceOf {
    /// The customer: its id, its name or its label, in any case; a part of a name will do
    #[arg(long, value_name = "CUSTOMER", required_unless_present = "incident")]
    customer: Option<String>,
    /// An incident, with what a claim for fraud needs: the reference of a spike, of a security alert
    /// or of another alert of it, or Microsoft's id. It ends the reminders of a claim
    #[arg(long, value_name = "REF", conflicts_with = "customer")]
    incident: Option<String>,
    /// From then on: a time (2026-11-14T18:00, or with a zone as in RFC 3339), a date, or how long
    /// ago (7d, 12h) [default: 31d; of an incident 14 days before its first]
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
    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let context = CommandContext::look(path)?;
        let files = self.gather(&context)?;
        if self.print {
            output::json(&files)?;
            return Ok(Outcome::Done);
        }
        self.write(&files, &files.folder)?;
        self.record(context).await?;
        Ok(Outcome::Done)
    }

    fn gather(&self, context: &CommandContext) -> anyhow::Result<Files> {
        let (reader, zone) = (context.reader()?, &context.paths.time_zone);
        let now = SystemClock::shared().now();
        let incident = self.incident.as_ref().map(|text| Incident::find(&reader, text));
        let incident = incident.transpose().map_err(wrong)?;
        let first = incident.as_ref().map(|incident| beginning(&incident.misuse));
        let span = self.span(now, zone, first)?;
        let seen = self.meant(context, &reader, incident.as_ref())?;
        let partner = context.config().and_then(|config| match &config.source {
            source::Config::PartnerCenter(config) => Some(&*config.tenant_id),
            source::Config::File { .. } => None,
        });
        let about = About { seen: seen.as_ref(), incident: incident.as_ref(), partner };
        let evidence = Evidence::gather(&reader, &about, span, zone)?;
        let folder = usual_folder(&evidence, &span, zone);
        Files::of(&evidence, folder, zone)
    }

    /// Records that the evidence of an incident is gathered, by the daemon where one runs.
    async fn record(&self, context: CommandContext) -> anyhow::Result<()> {
        let Some(request) = self.request() else { return Ok(()) };
        let asked = async { Control::open(context).await?.ask(request).await };
        recorded(asked.await)
    }

    /// Whether it only prints, and writes nothing.
    pub(super) fn only_prints(&self) -> bool {
        self.print
    }

    /// Writes what the daemon printed, for who may not read the ledger: into the present folder, or
    /// where this user says; and lets the daemon record it.
    pub(super) async fn write_printed(&self, printed: &str, daemon: &Daemon) -> anyhow::Result<()> {
        let files: Files = serde_json::from_str(printed)?;
        let name = files.folder.file_name().map(PathBuf::from).unwrap_or_default();
        self.write(&files, &name)?;
        match self.request() {
            Some(request) => recorded(daemon.ask(&request).await),
            None => Ok(()),
        }
    }

    fn request(&self) -> Option<EvidenceRequest> {
        self.incident.clone().map(|incident| EvidenceRequest { incident })
    }

    fn write(&self, files: &Files, usual: &Path) -> anyhow::Result<()> {
        let folder = self.output.as_deref().unwrap_or(usual);
        files.write(folder)?;
        output::page(&format!("{}\n{}", folder.display(), files.said))
    }

    fn span(
        &self,
        now: Timestamp,
        zone: &TimeZone,
        of_incident: Option<Timestamp>,
    ) -> Result<Span, WrongUsage> {
        let until = self.until.map_or(now, |when| when.moment(now, zone, true).min(now));
        let usual = until.checked_sub(USUAL_SPAN).unwrap_or(Timestamp::MIN);
        let usual = of_incident.unwrap_or(usual);
        let from = self.since.map_or(usual, |when| when.moment(now, zone, false));
        if from >= until {
            return Err(WrongUsage("--since must be before --until, and before now".to_owned()));
        }
        Ok(Span { from, until, made_at: now })
    }

    /// The one customer that is meant; none of an incident of one whose usage was never read.
    fn meant(
        &self,
        context: &CommandContext,
        reader: &Reader,
        incident: Option<&Incident>,
    ) -> anyhow::Result<Option<CustomerState>> {
        if let Some(incident) = incident {
            let remembered = reader.current(&incident.misuse.customer)?;
            return Ok(remembered.map(|remembered| remembered.seen));
        }
        let asked = self.customer.as_deref().unwrap_or_default();
        let mut meant = customers(context.config(), reader, asked)?;
        if meant.len() == 1 {
            return Ok(Some(meant.swap_remove(0)));
        }
        let named: Vec<_> = meant
            .iter()
            .map(|seen| format!("{} ({})", text::bare_called(seen), seen.customer.as_str()))
            .collect();
        let asked = text::clean(asked);
        Err(WrongUsage(format!(
            "several customers are called something like \"{asked}\": {}; give the id of one",
            named.join(", ")
        ))
        .into())
    }
}

/// Says what follows from that the evidence of an incident is gathered.
fn recorded(noted: anyhow::Result<EvidenceNoted>) -> anyhow::Result<()> {
    let noted = noted.context(
        "the folder is whole, but that it was made is not recorded, so that reminders of a claim \
            go on",
    )?;
    let next = if noted.fraud {
        "Nobody is reminded of this claim any more."
    } else {
        "It is not marked as fraud, so that nobody is reminded to file a claim: budget-alertd ack \
            REF --fraud, or budget-alertd security resolve ID --reason fraud."
    };
    output::page(&format!("{next}\n"))
}

/// Some days before the first of an incident, for what was usual.
fn beginning(misuse: &Misuse) -> Timestamp {
    let day = misuse.first_day.saturating_sub(BEFORE_DAYS.days());
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |start| start.timestamp())
}

fn wrong(error: ActionError) -> anyhow::Error {
    match error {
        ActionError::Invalid(text) => WrongUsage(text).into(),
        failed @ (ActionError::Forbidden(_)
        | ActionError::Unavailable(_)
        | ActionError::Ledger(_)
        | ActionError::Unsaved { .. }) => failed.into(),
    }
}

/// `evidence-contoso-nord-2026-11-01-2026-11-30` in the present folder.
fn usual_folder(evidence: &Evidence, span: &Span, zone: &TimeZone) -> PathBuf {
    let mut name = String::new();
    for letter in crate::text::bare(evidence.customer.called(), NAME_LENGTH).chars() {
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
