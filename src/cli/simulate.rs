//! `simulate`: which alerts other rules would have raised on recorded history, or on saved
//! collections. Nothing is sent or written.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::analysis::{Comparison, Judge, Simulation};
use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::explain::Form;
use crate::cli::output::{self, Tone};
use crate::cli::{open, text};
use crate::clock::SystemClock;
use crate::config::{self, Config, Criteria, SecretsFor, parse_duration};
use crate::domain::{AlertSnapshot, Metric, UsageRecord};
use crate::ledger::{LedgerError, Reader};
use crate::metrics::Metrics;
use crate::poll::Namesakes;
use crate::source::{self, Read};
use crate::text::span;

/// How many alerts of a kind are named.
const NAMED: usize = 30;

#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// A configuration with the other rules; of it only rules, customers and budgets count
    #[arg(long, value_name = "FILE")]
    rules: PathBuf,
    /// How far back
    #[arg(long, value_name = "DURATION", default_value = "90d", value_parser = parse_duration)]
    since: std::time::Duration,
    /// Replay these saved collections, oldest first, in place of recorded history
    #[arg(long, value_name = "FILE", num_args = 1..)]
    collections: Vec<PathBuf>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

impl Simulate {
    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let other = config::load_criteria(&self.rules)?;
        let (comparison, zone) = if self.collections.is_empty() {
            let config = open::look(path, SecretsFor::Nothing)?;
            (self.on_history(&config, &other)?, config.time_zone)
        } else {
            // Saved collections need no secrets either.
            let present = config::load_criteria(path)?;
            (self.on_collections(&present, &other).await?, TimeZone::UTC)
        };
        let silent = other.rules.facts().any(|rule| rule.metric == Metric::StaleHours)
            && self.collections.is_empty();
        match self.format {
            Form::Text => {
                output::page(&self.page(&comparison, &namesakes(&comparison)?, &zone, silent))?;
            }
            Form::Json => output::json(&document(&comparison))?,
        }
        Ok(Outcome::Done)
    }

    fn on_history(&self, config: &Config, other: &Criteria) -> anyhow::Result<Comparison> {
        let reader = Reader::open(&config.ledger)?;
        let now = SystemClock::shared().now();
        let since = now
            .saturating_sub(SignedDuration::try_from(self.since).unwrap_or(SignedDuration::MAX))
            .unwrap_or(Timestamp::MIN);
        let present = Judge { budgets: &config.budgets, rules: &config.rules };
        let mut simulation =
            Simulation::new(present, Judge { budgets: &other.budgets, rules: &other.rules }, since);
        let mut progress = text::Counting::new("readings replayed");
        let polls = simulation.replay_history(&reader, &mut || progress.tick())?;
        Ok(Comparison { polls, ..simulation.compare() })
    }

    async fn on_collections(
        &self,
        present: &Criteria,
        other: &Criteria,
    ) -> anyhow::Result<Comparison> {
        let present = Judge { budgets: &present.budgets, rules: &present.rules };
        let mut simulation = Simulation::new(
            present,
            Judge { budgets: &other.budgets, rules: &other.rules },
            Timestamp::MIN,
        );
        for file in &self.collections {
            let clock = SystemClock::shared();
            let now = clock.now();
            let source =
                source::Config::File { path: file.clone() }.build(clock, Metrics::new())?;
            let mut records: Vec<UsageRecord> = Vec::new();
            let report = source.read(now, &mut |read: Read| records.push(read.record)).await;
            if let Some(failure) = report.failure {
                return Err(WrongUsage(failure.to_string()).into());
            }
            // It was saved when its newest data was there, or later; what it says is the same.
            simulation.poll(report.newest.unwrap_or(now), &records);
        }
        let polls = u64::try_from(self.collections.len())?;
        Ok(Comparison { polls, ..simulation.compare() })
    }

    fn page(
        &self,
        comparison: &Comparison,
        namesakes: &Namesakes,
        zone: &TimeZone,
        silent: bool,
    ) -> String {
        let Comparison { same, appear, disappear, move_, polls } = comparison;
        let what = if self.collections.is_empty() { "reading" } else { "collection" };
        if *polls == 0 && self.collections.is_empty() {
            let since = span(i64::try_from(self.since.as_secs()).unwrap_or(i64::MAX));
            return format!(
                "There is no recorded history yet of the last {since}: nothing to replay. See \
                    --since, --collections.\n"
            );
        }
        let mut lines = vec![format!(
            "With {}: {} appear, {} disappear, {} move, {same} stay as they are ({} replayed).",
            self.rules.display(),
            appear.len(),
            disappear.len(),
            move_.len(),
            text::count(*polls, what)
        )];
        let mut list = |heading: &str, tone: Tone, items: Vec<String>| {
            if !items.is_empty() {
                lines.push(format!("\n{}", tone.paint(heading)));
                let more = items.len().saturating_sub(NAMED);
                lines.extend(items.into_iter().take(NAMED));
                lines.extend(
                    (more > 0).then(|| format!("  and {more} more; --format json names all")),
                );
            }
        };
        let line = |alert: &AlertSnapshot| line(alert, namesakes, zone);
        list("Appear", Tone::Uneasy, appear.iter().map(line).collect());
        list("Disappear", Tone::Good, disappear.iter().map(line).collect());
        let moved = |(before, after): &(AlertSnapshot, AlertSnapshot)| {
            format!("{}\n  → {}", line(before), line(after).trim_start())
        };
        list("Move", Tone::Strong, move_.iter().map(moved).collect());
        if silent {
            lines.push(
                "\nRules on stale_hours are not simulated: history keeps what was read, not \
                how long nothing came."
                    .to_owned(),
            );
        }
        if self.collections.is_empty() {
            lines.push(
                "\nBeyond 8 days history has one reading a day: alerts may have been raised \
                earlier in it."
                    .to_owned(),
            );
        }
        lines.push(text::zone_note(zone));
        lines.join("\n") + "\n"
    }
}

/// When, and what.
fn line(snapshot: &AlertSnapshot, namesakes: &Namesakes, zone: &TimeZone) -> String {
    let at = snapshot.alert.raised_at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M");
    format!("  {at}  {}", text::unraised_line(&snapshot.alert, namesakes))
}

/// Those that it tells of and that read the same.
fn namesakes(comparison: &Comparison) -> Result<Namesakes, LedgerError> {
    let Comparison { appear, disappear, move_, .. } = comparison;
    let all = appear.iter().chain(disappear).chain(move_.iter().map(|(before, _)| before));
    Namesakes::find(text::named_in(all.map(|snapshot| &snapshot.alert)), None)
}

fn document(comparison: &Comparison) -> Value {
    let alerts = |list: &[AlertSnapshot]| {
        list.iter().map(|snapshot| json!(snapshot.alert)).collect::<Vec<_>>()
    };
    let moved = comparison
        .move_
        .iter()
        .map(|(before, after)| json!({ "before": before.alert, "after": after.alert }));
    json!({
        "polls": comparison.polls,
        "same": comparison.same,
        "appear": alerts(&comparison.appear),
        "disappear": alerts(&comparison.disappear),
        "move": moved.collect::<Vec<_>>(),
    })
}
