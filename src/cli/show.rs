//! `deliveries show`: one delivery, its message as it was sent, and every attempt with the
//! receiver's answer. Only reads.

use std::path::Path;

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::explain::Form;
use crate::cli::open::CommandContext;
use crate::cli::{output, text};
use crate::clock::SystemClock;
use crate::domain::{DeliveryState, SentMessage};
use crate::ledger::{AttemptRow, DeliveryRow, Reader};
use crate::listings::deliveries;
use crate::listings::shown_delivery::document;
use crate::text::{clean, moment};

/// So many deliveries are named where several may be meant.
const MOST_NAMED: usize = 5;

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The delivery: its id or the first characters of it, or the webhook-id or Message-ID of what
    /// was sent
    #[arg(value_name = "ID")]
    id: String,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

impl Show {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let context = CommandContext::look(path)?;
        let reader = context.reader()?;
        let row = meant(&reader, &self.id)?;
        let attempts = reader.attempts(row.id)?;
        let sent = reader.sent_message(row.id)?;
        match self.format {
            Form::Json => output::json(&document(&row, sent.as_ref(), &attempts))?,
            Form::Text => {
                let now = SystemClock::shared().now();
                output::page(&page(
                    &row,
                    sent.as_ref(),
                    &attempts,
                    (now, &context.paths.time_zone),
                ))?;
            }
        }
        Ok(Outcome::Done)
    }
}

/// The one delivery that somebody means.
fn meant(reader: &Reader, id: &str) -> anyhow::Result<DeliveryRow> {
    let most = u32::try_from(MOST_NAMED).unwrap_or(u32::MAX).saturating_add(1);
    let mut found = reader.find_deliveries(id, most)?;
    match found.len() {
        0 => Err(WrongUsage(format!(
            "no delivery is meant by \"{}\"; budget-alertd deliveries lists them with their ids",
            clean(id, 60)
        ))
        .into()),
        1 => Ok(found.swap_remove(0)),
        number => {
            let name =
                |row: &DeliveryRow| format!("{} (to {})", row.id, deliveries::addressee(row));
            let named: Vec<_> = found.iter().take(MOST_NAMED).map(name).collect();
            let more = if number > MOST_NAMED { ", …" } else { "" };
            Err(WrongUsage(format!(
                "several deliveries are meant by \"{}\": {}{more}",
                clean(id, 60),
                named.join(", ")
            ))
            .into())
        }
    }
}

fn page(
    row: &DeliveryRow,
    sent: Option<&(Timestamp, SentMessage)>,
    attempts: &[AttemptRow],
    (now, zone): (Timestamp, &TimeZone),
) -> String {
    let at = |at: Timestamp| moment(at, now, zone);
    let ended = row.ended_at.map(|ended| format!(", {}", at(ended))).unwrap_or_default();
    let mut page = format!(
        "{} to {}: {}{ended}\n\nDelivery {}\nMessage {}\nRecorded {}\n",
        deliveries::message(row),
        deliveries::addressee(row),
        deliveries::state_word(row),
        row.id,
        row.identity.simple(),
        at(row.created_at)
    );
    if let Some(failed) = &row.fallback_for {
        page.extend([format!("In place of {}\n", text::clean(failed))]);
    }
    page.push_str(&attempted(row, attempts, at));
    match sent {
        Some((when, message)) => page.push_str(&handed_over(message, &at(*when))),
        None if attempts.is_empty() => page.push_str("\nNothing was sent yet.\n"),
        None => page.push_str("\nIts message was not kept.\n"),
    }
    page
}

fn attempted(
    row: &DeliveryRow,
    attempts: &[AttemptRow],
    at: impl Fn(Timestamp) -> String,
) -> String {
    let mut lines = format!("\n{}", text::count(attempts.len(), "attempt"));
    lines.push_str(if attempts.is_empty() { "\n" } else { ":\n" });
    for attempt in attempts {
        let answer = clean(&attempt.detail, 500);
        lines.extend([format!("  {}  {}  {answer}\n", at(attempt.at), attempt.outcome)]);
    }
    // What ends a delivery without an attempt says why, too.
    let last = attempts.last().map(|attempt| &attempt.detail);
    if let Some(why) = row
        .last_detail
        .as_ref()
        .filter(|why| row.state == DeliveryState::Dead && Some(*why) != last)
    {
        lines.extend([format!("  given up: {}\n", clean(why, 500))]);
    }
    lines
}

fn handed_over(message: &SentMessage, at: &str) -> String {
    let mut lines = format!("\nMessage of the last attempt, {at}:\n");
    for (name, value) in &message.headers {
        lines.extend([format!("  {name}: {}\n", clean(value, 500))]);
    }
    if let Some(subject) = &message.subject {
        lines.extend([format!("\n  {}\n", clean(subject, 500))]);
    }
    for text in [&message.text, &message.body].into_iter().flatten() {
        lines.push('\n');
        lines.extend(text.lines().map(|line| format!("  {line}").trim_end().to_owned() + "\n"));
    }
    if message.html.is_some() {
        lines.push_str("\nIts HTML is in --format json.\n");
    }
    lines.extend([format!("\nSHA-256 of the whole: {}\n", message.sha256)]);
    lines
}
