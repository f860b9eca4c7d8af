//! `explain CUSTOMER`: everything that bears on one customer, in order: its usage, budgets, billing
//! period and history, what each rule makes of it and why, and what became of its alerts; now, or
//! as it was known at an earlier time.

mod history;
mod page;

use std::path::Path;

use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use crate::alerting::CustomerState;
use crate::cli::choice::When;
use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::{choice, open, output, text};
use crate::clock::SystemClock;
use crate::config::{Config, SecretsFor};
use crate::ledger::Reader;
use crate::listings::story::{Books, StoryError};
use crate::listings::story_document;

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The customer: its id, its name or its label, in any case; a part of a name will do. Or the
    /// reference of an alert
    customer: String,
    /// What was known then: a time (2026-11-14T18:00, or with a zone as in RFC 3339), a date (at
    /// its end), or how long ago (3h, 2d)
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    at: Option<When>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

/// How an explanation is printed: it is no list, and so no spreadsheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Form {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

impl Explain {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let config = open::look(path, SecretsFor::Nothing)?;
        let reader = Reader::open(&config.ledger)?;
        // What a message shows is at hand at three in the morning; a name is to be typed.
        let alert = reader.find_alert(&self.customer)?;
        let wanted = alert.map_or_else(
            || self.customer.clone(),
            |row| row.snapshot.alert.customer.id.as_str().to_owned(),
        );
        let meant = choice::customers(Some(&config), &reader, &wanted)?;
        let [only] = meant.as_slice() else { return Err(ambiguous(&self.customer, &meant).into()) };
        let unknown =
            || WrongUsage(format!("no usage of {} is remembered any more", only.customer));
        let remembered = reader.recollection(&only.customer.key())?.ok_or_else(unknown)?;
        let today = SystemClock::shared().now();
        let now = self.moment(today, &config)?;
        let newest = reader.poll_memory()?.newest;
        let books = Books {
            budgets: &config.budgets,
            rules: &config.rules,
            zone: &config.time_zone,
            reader: &reader,
            now,
            past: now < today,
            today,
            newest,
        };
        let story = books.gather(&remembered).map_err(|error| match error {
            StoryError::BeforeHistory(text) => WrongUsage(text).into(),
            StoryError::Ledger(error) => anyhow::Error::from(error),
        })?;
        match self.format {
            Form::Text => output::page(&page::page(&story, &config))?,
            Form::Json => output::json(&story_document::document(&story))?,
        }
        Ok(Outcome::Done)
    }

    /// The time that is asked about: of a day its end, of today now.
    fn moment(&self, today: Timestamp, config: &Config) -> Result<Timestamp, WrongUsage> {
        let Some(when) = self.at else { return Ok(today) };
        let (start, end) = (
            when.moment(today, &config.time_zone, false),
            when.moment(today, &config.time_zone, true),
        );
        if start > today {
            return Err(WrongUsage(
                "--at is about what was known at an earlier time, and this one is yet to come"
                    .to_owned(),
            ));
        }
        // The end of a day is the first instant of the next one.
        let last = if end > start {
            end.checked_sub(SignedDuration::from_secs(1)).unwrap_or(end)
        } else {
            end
        };
        Ok(last.min(today))
    }
}

fn ambiguous(wanted: &str, meant: &[CustomerState]) -> WrongUsage {
    let names: Vec<String> = meant
        .iter()
        .map(|seen| {
            format!(
                "  {}  {}",
                text::clean(seen.customer.as_str()),
                text::clean(seen.label.as_deref().unwrap_or(&seen.name))
            )
        })
        .collect();
    let wanted = text::clean(wanted);
    WrongUsage(format!(
        "{} customers are called something like \"{wanted}\"; say which, by its id:\n{}",
        meant.len(),
        names.join("\n")
    ))
}
