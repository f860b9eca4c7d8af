//! `explain CUSTOMER`: everything that bears on one customer, in order: its usage, budgets and billing period, what each
//! rule makes of it and why, and what became of its alerts.

mod document;
mod page;
mod rule;
mod scale;

use std::path::Path;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::{choice, open, output, text};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::domain::{Alert, BillingPeriod};
use crate::ledger::{AlertFilter, AlertRow, AttemptRow, DeliveryFilter, DeliveryRow, NotifierState, Reader, Recollection, Seen};
use crate::pipeline::{self, Explanation};

pub(super) use scale::Scale;

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The customer: its id, its name or its label, in any case; a part of a name will do
    customer: String,
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

/// Everything that is told.
struct Story {
    now: Timestamp,
    seen: Seen,
    explanation: Explanation,
    /// The alerts of the billing period, newest first.
    alerts: Vec<AlertStory>,
    /// How many alerts it had in other periods.
    other_alerts: usize,
}

/// An alert with what became of it.
struct AlertStory {
    row: AlertRow,
    deliveries: Vec<DeliveryStory>,
}

/// A delivery with its attempts.
struct DeliveryStory {
    row: DeliveryRow,
    attempts: Vec<AttemptRow>,
    notifier: NotifierState,
}

impl Explain {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let config = open::look(path)?;
        let reader = Reader::open(&config.ledger)?;
        let meant = choice::customers(&config, &reader, &self.customer)?;
        let [only] = meant.as_slice() else { return Err(ambiguous(&self.customer, &meant).into()) };
        let unknown = || WrongUsage(format!("no usage of {} is remembered any more", only.customer));
        let remembered = reader.recollection(&only.customer.key())?.ok_or_else(unknown)?;
        let story = gather(&config, &reader, &remembered)?;
        match self.format {
            Form::Text => output::page(&page::page(&story, &config))?,
            Form::Json => output::json(&document::document(&story))?,
        }
        Ok(Outcome::Done)
    }
}

fn ambiguous(wanted: &str, meant: &[Seen]) -> WrongUsage {
    let names: Vec<String> = meant
        .iter()
        .map(|seen| format!("  {}  {}", text::clean(seen.customer.as_str()), text::clean(seen.label.as_deref().unwrap_or(&seen.name))))
        .collect();
    let wanted = text::clean(wanted);
    WrongUsage(format!("{} customers are called something like \"{wanted}\"; say which, by its id:\n{}", meant.len(), names.join("\n")))
}

fn gather(config: &Config, reader: &Reader, remembered: &Recollection) -> anyhow::Result<Story> {
    let now = SystemClock::shared().now();
    let explanation = pipeline::explain(&config.budgets, &config.rules, remembered, now);
    let key = remembered.seen.customer.key();
    let all = reader.alerts(&AlertFilter { customer: Some(key.clone()), ..AlertFilter::default() })?;
    let period = explanation.assessed.period;
    let (own, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|row| belongs(&row.snapshot.alert, &period, remembered));
    let deliveries = reader.deliveries(&DeliveryFilter { customer: Some(key), ..DeliveryFilter::default() })?;
    let states = reader.notifier_states()?;
    let mut alerts = Vec::with_capacity(own.len());
    for row in own {
        let mut stories = Vec::new();
        for delivery in deliveries.iter().rev().filter(|delivery| delivery.alerts.contains(&row.snapshot.alert.id)) {
            let notifier = states.iter().find(|(name, _)| *name == delivery.notifier).map(|(_, state)| state.clone());
            stories.push(DeliveryStory {
                row: delivery.clone(),
                attempts: reader.attempts(delivery.id)?,
                notifier: notifier.unwrap_or_default(),
            });
        }
        alerts.push(AlertStory { row, deliveries: stories });
    }
    let seen = remembered.seen.clone();
    Ok(Story { now, seen, explanation, alerts, other_alerts: others.len() })
}

/// Whether an alert belongs to the period by what is known of it today.
fn belongs(alert: &Alert, period: &BillingPeriod, remembered: &Recollection) -> bool {
    let spends = |step: &crate::ledger::SpentStep| step.alert == alert.id && period.holds(step.belongs_at);
    alert.billing_period.same_span(period) || remembered.steps.iter().any(spends)
}
