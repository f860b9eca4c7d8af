//! `report`: the regular report as it would come now; read beside a running daemon, and sent when
//! asked to.

use std::path::Path;

use clap::Args;

use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::explain::Form;
use crate::cli::notify_test::tell;
use crate::cli::{open, output};
use crate::clock::SystemClock;
use crate::config::{Config, Mistakes, ReportPlan, SecretsFor};
use crate::domain::{Every, Message, Report as Told};
use crate::ledger::Reader;
use crate::notify::message::MailText;
use crate::reports::report;
use crate::reports::{ReportSchedule, Scope};

#[derive(Debug, Args)]
pub(super) struct Report {
    /// Send it too, to whom [report] names; the next regular one comes all the same
    #[arg(long)]
    send: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

impl Report {
    /// Whether it sends the report, too.
    pub(super) fn sends(&self) -> bool {
        self.send
    }

    /// The configuration, with the secrets of those who are sent it.
    fn config(&self, path: &Path) -> Result<Config, Mistakes> {
        let config = open::look(path, SecretsFor::Nothing)?;
        match &config.report {
            Some(plan) if self.send => open::look(
                path,
                SecretsFor::Notifiers(plan.notify.iter().map(ToString::to_string).collect()),
            ),
            Some(_) | None => Ok(config),
        }
    }

    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let config = self.config(path)?;
        if self.send && config.report.is_none() {
            return Err(WrongUsage(format!(
                "there is no [report] in {}, which says to whom it is sent",
                config.file.display()
            ))
            .into());
        }
        let told = gather(&config)?;
        match self.format {
            Form::Text => output::page(&page(&told, &config)?)?,
            Form::Json => output::json(&serde_json::to_value(&told)?)?,
        }
        let mut outcome = Outcome::Done;
        for name in config.report.iter().flat_map(|plan| &plan.notify).filter(|_| self.send) {
            let notifier = open::notifier(&config, name)?;
            if !tell(
                notifier,
                &notifier.route().recipients,
                &Message::Report(Box::new(told.clone())),
            )
            .await?
            {
                outcome = Outcome::Failed;
            }
        }
        Ok(outcome)
    }
}

/// The report of the time since the last regular one; of a day where none is configured.
fn gather(config: &Config) -> anyhow::Result<Told> {
    let reader = Reader::open(&config.ledger)?;
    let now = SystemClock::shared().now();
    let plan = config.report.clone().unwrap_or(ReportPlan {
        every: Every::Day,
        at: jiff::civil::Time::midnight(),
        notify: Vec::new(),
    });
    let timetable =
        ReportSchedule { every: plan.every, at: plan.at, zone: config.time_zone.clone() };
    let scope = Scope { every: plan.every, since: timetable.before(timetable.last(now)), now };
    Ok(report(&reader, &config.budgets, &config.rules, scope)?)
}

/// As a mail says it to readers of plain text.
fn page(told: &Told, config: &Config) -> anyhow::Result<String> {
    let text = MailText::of(&Message::Report(Box::new(told.clone())), &config.time_zone, told.at)?;
    Ok(format!("{}\n\n{}", text.subject, text.plain))
}
