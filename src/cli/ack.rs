//! `ack`: says that somebody knows of an alert, so that nobody is reminded of it until its next
//! higher step, and of a spike what it was.

use std::path::Path;

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::actions::{AckRequest, Acknowledged, SpikeMarking};
use crate::cli::control::Control;
use crate::cli::exit::Outcome;
use crate::cli::open::CommandContext;
use crate::cli::{Format, output, spreadsheet, text};
use crate::clock::SystemClock;
use crate::domain::AlertState;
use crate::domain::spike::SpikeMark;
use crate::listings::Scale;
use crate::listings::alerts::{by, written};

#[derive(Debug, Args)]
pub(super) struct Ack {
    /// Alerts by the reference that their messages show, or by id; each stands for all alerts of
    /// its message
    #[arg(value_name = "ALERT_ID", required = true)]
    alerts: Vec<String>,
    /// The spike was to be expected: its days count as usual from now on
    #[arg(long, conflicts_with_all = ["fraud", "undo"])]
    expected: bool,
    /// With --expected: further spikes of the customer are expected too, up to this day of the data
    /// (UTC, included)
    #[arg(long, value_name = "DATE", requires = "expected", value_parser = day)]
    until: Option<Date>,
    /// The spike is fraud: its days, and those that follow without a break, never count as usual
    #[arg(long, conflicts_with = "undo")]
    fraud: bool,
    /// Why, for those who wonder later
    #[arg(long, value_name = "TEXT", conflicts_with = "undo")]
    reason: Option<String>,
    /// Take it back: reminders go on, and the spike is neither expected nor fraud
    #[arg(long)]
    undo: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A day as people write it.
fn day(text: &str) -> Result<Date, String> {
    let text = text.trim();
    text.parse()
        .ok()
        .filter(|_| text.len() == 10)
        .ok_or_else(|| "write a day, such as 2026-12-05".to_owned())
}

impl Ack {
    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let context = CommandContext::look(path)?;
        let zone = context.paths.time_zone.clone();
        let answers = Control::open(context).await?.ask(self.request()).await?;
        match self.format {
            Format::Text => {
                let now = SystemClock::shared().now();
                let line = |answer| line(answer, now, &zone);
                let lines: Vec<String> = answers.iter().map(line).collect();
                output::page(&(lines.join("\n") + "\n"))?;
            }
            Format::Json => output::json(&answers)?,
            Format::Csv => spreadsheet::print(&HEADING, answers.iter().map(cells))?,
        }
        Ok(Outcome::Done)
    }

    fn request(&self) -> AckRequest {
        let fraud = self.fraud.then_some(SpikeMark::Fraud);
        AckRequest {
            alerts: self.alerts.clone(),
            undo: self.undo,
            spikes: if self.expected { Some(SpikeMark::Expected) } else { fraud },
            until: self.until,
            reason: self.reason.clone(),
        }
    }
}

const HEADING: [&str; 12] = [
    "id",
    "ref",
    "customer",
    "rule",
    "acknowledged_at",
    "acknowledged_by",
    "note",
    "marked",
    "marked_at",
    "marked_by",
    "reason",
    "until",
];

fn cells(answer: &Acknowledged) -> Vec<String> {
    let Acknowledged { alert, now, marked, .. } = answer;
    let known = now.as_ref();
    let marked = marked.as_ref();
    let bare = |text: Option<&String>| text.map(|text| text::bare(text)).unwrap_or_default();
    vec![
        alert.id.to_string(),
        alert.reference.clone(),
        text::bare(alert.customer.called()),
        alert.rule.clone(),
        text::or_nothing(known.map(|known| known.at)),
        bare(known.map(|known| &known.by)),
        bare(known.and_then(|known| known.note.as_ref())),
        marked.map(|marked| marked.mark.as_str().to_owned()).unwrap_or_default(),
        text::or_nothing(marked.map(|marked| marked.at)),
        bare(marked.map(|marked| &marked.by)),
        bare(marked.and_then(|marked| marked.reason.as_ref())),
        text::or_nothing(marked.and_then(|marked| marked.until)),
    ]
}

/// `5F0C1C3E, Contoso Nord, spend at step 100 %: acknowledged; …`
fn line(answer: &Acknowledged, now: Timestamp, zone: &TimeZone) -> String {
    let alert = &answer.alert;
    let scale = Scale { metric: alert.metric, currency: alert.cost.currency };
    let (who, rule) = (text::clean(alert.customer.called()), text::clean(&alert.rule));
    let known = match (&answer.before, &answer.now) {
        (Some(before), Some(_)) if answer.marked == answer.marked_before => {
            format!("acknowledged already, by {}", by(before, now, zone))
        }
        (_, Some(_)) if answer.marked.is_some() => String::new(),
        (Some(before), Some(_)) => format!("acknowledged already, by {}", by(before, now, zone)),
        (None, Some(_)) => format!("acknowledged; {}", what_follows(alert.state)),
        (Some(before), None) => {
            format!("no longer acknowledged by {}; reminders go on", by(before, now, zone))
        }
        (None, None) => "nobody had acknowledged it".to_owned(),
    };
    let said = [known, spike(answer)].into_iter().filter(|part| !part.is_empty());
    let said: Vec<String> = said.collect();
    let step = scale.step(alert.threshold);
    format!("{} {who}, {rule}, step {step}: {}.", alert.reference, said.join("; "))
}

/// What was said of its spike.
fn spike(answer: &Acknowledged) -> String {
    match (&answer.marked_before, &answer.marked) {
        (before, now) if before == now => String::new(),
        (Some(before), None) => {
            format!("the spike is no longer marked as {}", before.mark.as_str())
        }
        (_, Some(SpikeMarking { mark: SpikeMark::Expected, until, .. })) => {
            let until = until.map(|day| {
                format!("; further spikes are expected too, up to the data of {}", written(day))
            });
            format!(
                "expected: the days of the spike count as usual from now on, and it is over{}",
                until.unwrap_or_default()
            )
        }
        (_, Some(SpikeMarking { mark: SpikeMark::Fraud, .. })) => format!(
            "fraud: the days of the spike, and those that follow without a break, never count as \
                usual; a claim must be filed with Microsoft within 60 days of the first: \
                budget-alertd evidence --incident {}",
            answer.alert.reference
        ),
        (None, None) => String::new(),
    }
}

fn what_follows(state: AlertState) -> &'static str {
    match state {
        AlertState::Raised => "nobody is reminded of it until the next higher step",
        AlertState::Silenced => "it is silenced, and still told when nothing silences it any more",
        AlertState::Resolved | AlertState::Closed => {
            "it is over, so that nobody would have been reminded of it anyway"
        }
    }
}
