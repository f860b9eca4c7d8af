//! `ack`: says that somebody knows of an alert, so that nobody is reminded of it until its next
//! higher step.

use std::path::Path;

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::actions::{AckRequest, Acknowledged, Acknowledgement};
use crate::cli::control::Control;
use crate::cli::exit::Outcome;
use crate::cli::explain::Scale;
use crate::cli::open::CommandContext;
use crate::cli::{output, text};
use crate::clock::SystemClock;
use crate::domain::AlertState;
use crate::text::moment;

#[derive(Debug, Args)]
pub(super) struct Ack {
    /// Alerts by the reference that their messages show, or by id
    #[arg(value_name = "ALERT_ID", required = true)]
    alerts: Vec<String>,
    /// Take it back: reminders go on
    #[arg(long)]
    undo: bool,
}

impl Ack {
    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let context = CommandContext::look(path)?;
        let zone = context.paths.time_zone.clone();
        let order = AckRequest { alerts: self.alerts.clone(), undo: self.undo };
        let answers = Control::open(context).await?.ask(order).await?;
        let now = SystemClock::shared().now();
        let lines: Vec<String> = answers.iter().map(|answer| line(answer, now, &zone)).collect();
        output::page(&(lines.join("\n") + "\n"))?;
        Ok(Outcome::Done)
    }
}

/// `5F0C1C3E, Contoso Nord, spend at step 100 %: acknowledged; …`
fn line(answer: &Acknowledged, now: Timestamp, zone: &TimeZone) -> String {
    let alert = &answer.alert;
    let scale = Scale { metric: alert.metric, currency: alert.cost.currency };
    let (who, rule) = (text::clean(alert.customer.called()), text::clean(&alert.rule));
    let said = match (&answer.before, &answer.now) {
        (Some(before), Some(_)) => format!("acknowledged already, by {}", by(before, now, zone)),
        (None, Some(_)) => format!("acknowledged; {}", what_follows(alert.state)),
        (Some(before), None) => {
            format!("no longer acknowledged by {}; reminders go on", by(before, now, zone))
        }
        (None, None) => "nobody had acknowledged it".to_owned(),
    };
    format!("{} {who}, {rule}, step {}: {said}.", alert.reference, scale.step(alert.threshold))
}

/// `alice (uid 1000), Sat 14 Nov 18:08 CET`.
pub(super) fn by(acknowledged: &Acknowledgement, now: Timestamp, zone: &TimeZone) -> String {
    format!("{}, {}", text::clean(&acknowledged.by), moment(acknowledged.at, now, zone))
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
