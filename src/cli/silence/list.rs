//! `silence list`: who, why, until when, and how many alerts each has hidden; read beside a running
//! daemon.

use std::path::Path;

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::actions::Until;
use crate::cli::exit::Outcome;
use crate::cli::open::CommandContext;
use crate::cli::silence::now;
use crate::cli::table::{Column, Listing};
use crate::cli::{Format, output, spreadsheet, text};
use crate::domain::AlertState;
use crate::ledger::AlertFilter;
use crate::listings::silences::{SilenceRow as Row, scope, until};
use crate::text::clean;

#[derive(Debug, Args)]
pub(super) struct List {
    /// Those that are over too
    #[arg(long)]
    all: bool,
    /// How to print them
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl List {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let context = CommandContext::look(path)?;
        let reader = context.reader()?;
        let now = now();
        let hidden = reader
            .alerts(&AlertFilter { state: Some(AlertState::Silenced), ..AlertFilter::default() })?;
        let rows = reader.silences()?.into_iter().map(|silence| Row::of(&silence, &hidden, now));
        let rows: Vec<Row> = rows.filter(|row| self.all || row.in_force).collect();
        match self.format {
            Format::Text => output::page(&page(&rows, now, &context.paths.time_zone, self.all))?,
            Format::Json => output::json(&rows)?,
            Format::Csv => print_csv(&rows)?,
        }
        Ok(Outcome::Done)
    }
}

fn page(rows: &[Row], now: Timestamp, zone: &TimeZone, all: bool) -> String {
    if rows.is_empty() {
        return if all { "No silences.\n" } else { "No silences are in force.\n" }.to_owned();
    }
    let mut listing = Listing::new(&[
        Column::Right("ID"),
        Column::Left("OF"),
        Column::Left("UNTIL"),
        Column::Right("HIDES"),
        Column::Left("BY"),
        Column::Left("WHY"),
    ]);
    for row in rows {
        let over = if row.in_force { "" } else { ": over" };
        listing.add(vec![
            row.silence.id.to_string(),
            scope(&row.silence),
            format!("{}{over}", until(&row.silence, now, zone)),
            row.silenced.to_string(),
            format!(
                "{}, {}",
                text::clean(&row.silence.author),
                text::short_moment(row.silence.created_at, now, zone)
            ),
            clean(&row.silence.reason, 200),
        ]);
    }
    format!(
        "{}\n\n{}. {}\n",
        listing.lines(0).join("\n"),
        text::count(rows.len(), "silence"),
        text::zone_note(zone)
    )
}

fn print_csv(rows: &[Row]) -> anyhow::Result<()> {
    let heading = [
        "id",
        "customers",
        "rules",
        "unless_above",
        "created_at",
        "until",
        "author",
        "reason",
        "expired_at",
        "in_force",
        "silenced",
    ];
    let cells = |row: &Row| {
        let silence = &row.silence;
        vec![
            silence.id.to_string(),
            clean(&silence.customers.join(" "), 500),
            clean(&silence.rules.join(" "), 500),
            text::or_nothing(silence.unless_above),
            silence.created_at.to_string(),
            if let Until::At(end) = silence.until {
                end.to_string()
            } else {
                "period-end".to_owned()
            },
            text::clean(&silence.author),
            clean(&silence.reason, 500),
            text::or_nothing(silence.expired_at),
            row.in_force.to_string(),
            row.silenced.to_string(),
        ]
    };
    spreadsheet::print(&heading, rows.iter().map(cells))
}
