//! `poll`: one cycle, then deliveries until none is owed or the wait is over; says what happened.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::cli::exit::Outcome;
use crate::cli::open::{self, Bench};
use crate::cli::output::{self, Tone};
use crate::cli::{Format, alerts, text};
use crate::config::parse_duration;
use crate::daemon::{Assembly, Drained, assemble, drain};
use crate::notify::render::clean;
use crate::pipeline::{self, CycleReport, Suppressed};

#[derive(Debug, Args)]
pub(super) struct Poll {
    /// Send and record nothing; say what would be raised
    #[arg(long)]
    dry_run: bool,
    /// How long to wait for deliveries
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse_wait)]
    wait: Duration,
    /// Take an answer without any item for the truth
    #[arg(long)]
    accept_empty: bool,
    /// How to print what happened
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Poll {
    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let config = open::load(path)?;
        let bench = if self.dry_run { Bench::preview(config)? } else { Bench::open(config)? };
        let Assembly { cycle, couriers, .. } = assemble(&bench.config, &bench.ledger, &bench.clock, &bench.metrics)?;
        let report = text::while_waiting("reading usage", cycle.run(self.accept_empty)).await?;
        let mut drained = Drained::default();
        if !self.dry_run {
            let known = bench.config.notifiers.iter().map(|notifier| notifier.name.clone()).collect();
            drained.dead += pipeline::bury_orphans(known, &bench.ledger, &*bench.clock, &bench.metrics).await?;
            let rest = text::while_waiting("delivering", drain(couriers, &bench.clock, self.wait)).await?;
            drained = Drained { sent: rest.sent, dead: drained.dead + rest.dead };
        }
        let pending = if self.dry_run { 0 } else { bench.ledger.owed().await?.iter().map(|owed| owed.pending).sum() };
        drop(cycle);
        bench.ledger.close().await?;
        self.print(&report, drained, pending)?;
        Ok(if report.good && pending == 0 && drained.dead == 0 { Outcome::Done } else { Outcome::Failed })
    }

    fn print(&self, report: &CycleReport, drained: Drained, pending: u64) -> anyhow::Result<()> {
        match self.format {
            Format::Json => output::document(&format!("{}\n", as_json(report, drained, pending))),
            Format::Csv => alerts::print_csv(&report.alerts),
            Format::Text => output::page(&self.page(report, drained, pending)),
        }
    }

    fn page(&self, report: &CycleReport, drained: Drained, pending: u64) -> String {
        let source = if report.good { Tone::Good.paint("read whole") } else { Tone::Bad.paint("FAILED") };
        let mut lines = vec![format!("{}, {} skipped; source {source}.", text::count(report.records, "record"), report.skipped)];
        lines.extend(report.errors.iter().map(|error| format!("  ! {}", clean(error, 1000))));
        let would = if self.dry_run { "would be raised" } else { "raised" };
        lines.push(format!("{} {would}.", text::count(report.alerts.len(), "new alert")));
        lines.extend(report.alerts.iter().map(|snapshot| format!("  {}", text::alert_line(snapshot))));
        let Suppressed { duplicate, passed, silenced } = report.suppressed;
        lines.push(format!("Kept silent: {duplicate} alerted before, {passed} passed by a higher step, {silenced} silenced."));
        lines.push(if self.dry_run {
            "Nothing was recorded and nothing was sent.".to_owned()
        } else {
            format!("Deliveries: {} sent, {pending} still owed, {} given up.", drained.sent, drained.dead)
        });
        lines.join("\n") + "\n"
    }
}

fn as_json(report: &CycleReport, drained: Drained, pending: u64) -> serde_json::Value {
    let alerts: Vec<_> = report.alerts.iter().map(|snapshot| &snapshot.alert).collect();
    json!({
        "records": report.records,
        "skipped": report.skipped,
        "alerts": alerts,
        "suppressed": {
            "duplicate": report.suppressed.duplicate,
            "passed": report.suppressed.passed,
            "silenced": report.suppressed.silenced,
        },
        "deliveries": { "sent": drained.sent, "pending": pending, "dead": drained.dead },
        "source": if report.good { "ok" } else { "failed" },
        "errors": report.errors,
    })
}

/// A duration, or none at all: with `0s` each notifier is tried once and nothing is waited for.
fn parse_wait(text: &str) -> Result<Duration, String> {
    if matches!(text, "0" | "0s") { Ok(Duration::ZERO) } else { parse_duration(text) }
}
