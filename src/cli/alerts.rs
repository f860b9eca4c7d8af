//! `alerts`: what was raised, newest first, read beside a running daemon.

use std::path::Path;

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::actions::{Acknowledgement, SpikeMarking};
use crate::cli::choice::Choice;
use crate::cli::exit::Outcome;
use crate::cli::open::CommandContext;
use crate::cli::table::{Column, Listing};
use crate::cli::{Format, output, spreadsheet, text};
use crate::clock::SystemClock;
use crate::domain::{Alert, AlertSnapshot};
use crate::ledger::{AlertFilter, AlertRow};
use crate::listings::alerts::{document, told, usage};
use crate::notify::message::AlertWording;
use crate::poll::Namesakes;

/// From this width on, an alert is one line.
const SPACIOUS: u16 = 150;

#[derive(Debug, Args)]
pub(super) struct Alerts {
    #[command(flatten)]
    choice: Choice,
    /// How to print them
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Alerts {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let context = CommandContext::look(path)?;
        let reader = context.reader()?;
        let now = SystemClock::shared().now();
        let chosen = self.choice.settle(&context, &reader, now)?;
        let mut rows = Vec::new();
        for customer in chosen.customers {
            rows.extend(reader.alerts(&AlertFilter {
                since: chosen.since,
                until: chosen.until,
                customer,
                ..AlertFilter::default()
            })?);
        }
        rows.sort_by(|a, b| {
            let (a, b) = (&a.snapshot.alert, &b.snapshot.alert);
            b.raised_at.cmp(&a.raised_at).then_with(|| a.worst_first(b))
        });
        match self.format {
            Format::Text => {
                let namesakes = Namesakes::find(
                    text::named_in(rows.iter().map(|row| &row.snapshot.alert)),
                    Some(&reader),
                )?;
                for AlertSnapshot { alert, context } in rows.iter_mut().map(|row| &mut row.snapshot)
                {
                    context.has_namesake |= namesakes.has_view(&alert.customer);
                }
                output::page(&page(&rows, now, &context.paths.time_zone))?;
            }
            Format::Json => output::json(&rows.iter().map(document).collect::<Vec<_>>())?,
            Format::Csv => spreadsheet::print(
                &HEADING,
                rows.iter().map(|row| cells(&row.snapshot.alert, Some(row))),
            )?,
        }
        Ok(Outcome::Done)
    }
}

fn page(rows: &[AlertRow], now: Timestamp, zone: &TimeZone) -> String {
    if rows.is_empty() {
        return "No alerts.\n".to_owned();
    }
    let mut listing = Listing::new(&[
        Column::Whole("SEVERITY"),
        Column::Whole("RAISED"),
        Column::Left("CUSTOMER"),
        Column::Whole("USAGE"),
        Column::Left("RULE, STEP"),
        Column::Whole("REF"),
        Column::Left("TOLD"),
    ]);
    let glue = if output::width() < SPACIOUS { "\n" } else { ", " };
    for row in rows {
        let snapshot = &row.snapshot;
        let (alert, telling) = (&snapshot.alert, AlertWording::new(snapshot, zone));
        listing.add(vec![
            alert.severity.as_str().to_uppercase(),
            text::short_moment(alert.raised_at, now, zone),
            telling.who.clone(),
            usage(&telling).join(glue),
            format!("{}{glue}{}", text::clean(&alert.rule), telling.on_scale(alert.threshold)),
            alert.reference.clone(),
            told(row).join(glue),
        ]);
    }
    format!(
        "{}\n\n{}. {}\n",
        listing.lines(0).join("\n"),
        text::count(rows.len(), "alert"),
        text::zone_note(zone)
    )
}

/// What the columns of alerts are called.
pub(super) const HEADING: [&str; 25] = [
    "id",
    "ref",
    "raised_at",
    "state",
    "severity",
    "customer_id",
    "customer",
    "rule",
    "metric",
    "threshold",
    "value",
    "cost",
    "currency",
    "usd_cost",
    "budget",
    "budget_source",
    "usage_as_of",
    "period_start",
    "period_end",
    "acknowledged_at",
    "acknowledged_by",
    "note",
    "marked",
    "marked_by",
    "expected_until",
];

/// An alert as a row, with what people have said of it where the ledger has it in a `row`.
pub(super) fn cells(alert: &Alert, row: Option<&AlertRow>) -> Vec<String> {
    let known = row.and_then(Acknowledgement::of);
    let marked = row.and_then(SpikeMarking::of);
    let budget = alert.budget.as_ref();
    let source = budget.map(|budget| match budget.source {
        crate::domain::BudgetSource::PartnerCenter => "partner-center",
        crate::domain::BudgetSource::Local => "local",
    });
    let used = alert.has_usage();
    let of_usage = |text: String| if used { text } else { String::new() };
    vec![
        alert.id.to_string(),
        alert.reference.clone(),
        alert.raised_at.to_string(),
        alert.state.as_str().to_owned(),
        alert.severity.as_str().to_owned(),
        alert.customer.id.to_string(),
        text::bare(alert.customer.called()),
        alert.rule.clone(),
        alert.metric.as_str().to_owned(),
        alert.threshold.to_string(),
        text::or_nothing(alert.number()),
        of_usage(alert.cost.amount.to_string()),
        text::or_nothing(alert.cost.currency),
        text::or_nothing(alert.cost.usd),
        text::or_nothing(budget.map(|budget| budget.amount)),
        source.unwrap_or_default().to_owned(),
        of_usage(alert.usage_as_of.to_string()),
        of_usage(alert.billing_period.start.to_string()),
        of_usage(alert.billing_period.end.to_string()),
        text::or_nothing(known.as_ref().map(|known| known.at)),
        known.as_ref().map(|known| text::bare(&known.by)).unwrap_or_default(),
        known.and_then(|known| known.note).map(|note| text::bare(&note)).unwrap_or_default(),
        marked.as_ref().map(|marked| marked.mark.as_str().to_owned()).unwrap_or_default(),
        marked.as_ref().map(|marked| text::bare(&marked.by)).unwrap_or_default(),
        text::or_nothing(marked.and_then(|marked| marked.until)),
    ]
}
