//! `deliveries`: what is owed, sent and given up; `deliveries show` shows one, `deliveries retry`
//! owes again what was given up, `deliveries release` lets go what is held.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::choice::Choice;
use crate::cli::exit::Outcome;
use crate::cli::open::CommandContext;
use crate::cli::release::Release;
use crate::cli::retry::Retry;
use crate::cli::show::Show;
use crate::cli::table::{Column, Listing};
use crate::cli::{Format, output, spreadsheet, text};
use crate::clock::SystemClock;
use crate::domain::DeliveryState;
use crate::ledger::{DeliveryFilter, DeliveryRow};
use crate::listings::deliveries::{addressee, document, message, short_id, state_word};
use crate::text::{bare, clean};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Deliveries {
    #[command(subcommand)]
    order: Option<Order>,
    #[command(flatten)]
    choice: Choice,
    /// Only those in this state
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Only those to this notifier
    #[arg(long, value_name = "NAME")]
    notifier: Option<String>,
    /// How to print them
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Order {
    /// Show the message of a delivery as it was sent, and every attempt with its answer
    #[command(
        after_help = "Exits with 2 when no delivery, or more than one, is meant.\n\nExample: \
            budget-alertd deliveries show 5f0c1c3e --format json | jq -r .message.text"
    )]
    Show(Show),
    /// Owe again what was given up; the daemon, or the next poll, delivers it
    #[command(
        after_help = "Example: budget-alertd deliveries retry --notifier ops-slack --to oncall"
    )]
    Retry(Retry),
    /// Let held messages to customers go, or discard them
    #[command(
        after_help = "Example: budget-alertd deliveries release --discard --reason \"prices were \
            wrong\""
    )]
    Release(Release),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    /// Owed, what is held included
    Pending,
    /// Held until somebody releases it
    Held,
    /// Accepted by the receiver
    Sent,
    /// Given up
    Dead,
}

impl Deliveries {
    /// Whether it lists, and changes nothing.
    pub(super) fn only_lists(&self) -> bool {
        matches!(self.order, None | Some(Order::Show(_)))
    }

    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        match &self.order {
            Some(Order::Show(show)) => show.run(path),
            Some(Order::Retry(retry)) => retry.run(path).await,
            Some(Order::Release(release)) => release.run(path).await,
            None => self.list(path),
        }
    }

    fn list(&self, path: &Path) -> anyhow::Result<Outcome> {
        let context = CommandContext::look(path)?;
        let reader = context.reader()?;
        let now = SystemClock::shared().now();
        let chosen = self.choice.settle(&context, &reader, now)?;
        let mut rows: Vec<DeliveryRow> = Vec::new();
        for customer in chosen.customers {
            let filter = DeliveryFilter {
                since: chosen.since,
                until: chosen.until,
                customer,
                state: self.state.map(Into::into),
                notifier: self.notifier.clone(),
                ..DeliveryFilter::default()
            };
            rows.extend(reader.deliveries(&filter)?);
        }
        // A digest may be about several of the customers asked for. Those of one poll stand in the
        // order of sending.
        let mut listed = HashSet::new();
        let is_meant = |row: &DeliveryRow| row.held || !matches!(self.state, Some(State::Held));
        rows.retain(|row| is_meant(row) && listed.insert(row.id));
        rows.reverse();
        rows.sort_by_key(|row| Reverse(row.created_at));
        match self.format {
            Format::Text => output::page(&page(&rows, now, &context.paths.time_zone))?,
            Format::Json => output::json(&rows.iter().map(document).collect::<Vec<_>>())?,
            Format::Csv => print_csv(&rows)?,
        }
        Ok(Outcome::Done)
    }
}

impl From<State> for DeliveryState {
    fn from(state: State) -> Self {
        match state {
            State::Pending | State::Held => Self::Pending,
            State::Sent => Self::Sent,
            State::Dead => Self::Dead,
        }
    }
}

fn page(rows: &[DeliveryRow], now: Timestamp, zone: &TimeZone) -> String {
    if rows.is_empty() {
        return "No deliveries.\n".to_owned();
    }
    let mut listing = Listing::new(&[
        Column::Whole("STATE"),
        Column::Whole("RECORDED"),
        Column::Left("NOTIFIER"),
        Column::Whole("MESSAGE"),
        Column::Whole("ID"),
        Column::Right("TRIED"),
        Column::Left("LAST ANSWER"),
    ]);
    for row in rows {
        listing.add(vec![
            state_word(row).to_owned(),
            text::short_moment(row.created_at, now, zone),
            addressee(row),
            row.fallback_for.as_deref().map_or_else(
                || message(row),
                |failed| format!("{} for {}", message(row), text::clean(failed)),
            ),
            short_id(row.id),
            row.attempts.to_string(),
            clean(row.last_detail.as_deref().unwrap_or_default(), 160),
        ]);
    }
    let of = |state| rows.iter().filter(|row| row.state == state).count();
    let held = rows.iter().filter(|row| row.held && row.state == DeliveryState::Pending).count();
    let held = text::held(u64::try_from(held).unwrap_or(u64::MAX));
    let (sent, owed, dead) =
        (of(DeliveryState::Sent), of(DeliveryState::Pending), of(DeliveryState::Dead));
    let counts = format!("{sent} sent, {owed} owed{held}, {dead} given up");
    format!(
        "{}\n\n{}: {counts}. {}\n",
        listing.lines(0).join("\n"),
        text::count(rows.len(), "delivery"),
        text::zone_note(zone)
    )
}

fn print_csv(rows: &[DeliveryRow]) -> anyhow::Result<()> {
    let heading = [
        "id",
        "identity",
        "state",
        "notifier",
        "recipient",
        "kind",
        "alerts",
        "created_at",
        "ended_at",
        "attempts",
        "last_detail",
        "fallback_for",
    ];
    let cells = |row: &DeliveryRow| {
        let alerts: Vec<String> = row.alerts.iter().map(ToString::to_string).collect();
        vec![
            row.id.to_string(),
            row.identity.to_string(),
            row.state.as_str().to_owned(),
            row.notifier.clone(),
            bare(row.recipient.as_deref().unwrap_or_default(), 320),
            row.kind.as_str().to_owned(),
            alerts.join(" "),
            row.created_at.to_string(),
            text::or_nothing(row.ended_at),
            row.attempts.to_string(),
            bare(row.last_detail.as_deref().unwrap_or_default(), 500),
            row.fallback_for.clone().unwrap_or_default(),
        ]
    };
    spreadsheet::print(&heading, rows.iter().map(cells))
}
