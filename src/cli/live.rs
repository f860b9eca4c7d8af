//! `check --live`: whether what the configuration names is there and lets us in. The source is
//! signed in to, and each notifier reached; no message is sent.

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::output::{Tone, tick};
use crate::cli::text::count;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::metrics::Metrics;
use crate::source::{SecurityAlerts, SecurityWanted, Source};
use crate::text::clean;
use crate::{notify, source};

/// One thing that was tried.
pub(super) struct Probe {
    name: String,
    /// What was found, or what is wrong and how to fix it.
    pub(super) outcome: Result<String, String>,
}

impl Probe {
    fn line(&self) -> String {
        let (tone, text) = match &self.outcome {
            Ok(text) => (Tone::Good, text),
            Err(text) => (Tone::Bad, text),
        };
        tick(tone, &self.name, &clean(text, 1000))
    }

    /// The same for programs.
    pub(super) fn document(&self) -> Value {
        let (Ok(detail) | Err(detail)) = &self.outcome;
        json!({ "name": self.name, "ok": self.outcome.is_ok(), "detail": clean(detail, 1000) })
    }
}

/// Tries the source, what is read by its sign-in, and every notifier, all at once; in the order of
/// the file.
pub(super) async fn probe(config: &Config) -> Vec<Probe> {
    let clock = SystemClock::shared();
    let notifiers = config.notifiers.iter().map(|notifier| async {
        let outcome = reach(notifier, &clock).await;
        Probe { name: clean(&notifier.name, 60), outcome }
    });
    let (read, notifiers) = tokio::join!(read(config, &clock), join_all(notifiers));
    read.into_iter().chain(notifiers).collect()
}

/// The source of usage and, by the same sign-in, security alerts.
async fn read(config: &Config, clock: &Arc<dyn Clock>) -> Vec<Probe> {
    let of_source = |outcome| Probe { name: "source".to_owned(), outcome };
    let source = match config.source.build(Arc::clone(clock), Metrics::new()) {
        Ok(source) => source,
        Err(error) => return vec![of_source(Err(error.to_string()))],
    };
    let mut probes = vec![of_source(usage(&config.source, &source).await)];
    if let Some(alerts) = config.security.as_ref().and_then(|plan| source.security(&plan.alerts)) {
        let outcome = security(&alerts).await;
        probes.push(Probe { name: "security_alerts".to_owned(), outcome });
    }
    probes
}

async fn usage(config: &source::Config, source: &Source) -> Result<String, String> {
    source.probe().await.map_err(|error| error.in_full())?;
    match (config, source.unsaved_sign_in().await) {
        (_, Some(unsaved)) => Err(unsaved),
        (source::Config::PartnerCenter(_), None) => {
            Ok("signed in, and Partner Center answers with usage records".to_owned())
        }
        (source::Config::File { .. }, None) => Ok("the file is there".to_owned()),
    }
}

async fn security(alerts: &SecurityAlerts) -> Result<String, String> {
    let only_open = SecurityWanted { answered_since: Timestamp::MAX, ..SecurityWanted::default() };
    let list = alerts.list(&only_open).await;
    match list.failure {
        Some(error) => Err(error.in_full()),
        None => Ok(format!("{} not answered", count(list.alerts.len(), "alert"))),
    }
}

async fn reach(config: &notify::Config, clock: &Arc<dyn Clock>) -> Result<String, String> {
    let channel =
        config.build(Arc::clone(clock), Metrics::new()).map_err(|error| error.to_string())?;
    channel.probe().await.map_err(|error| error.to_string())
}

/// A line for each.
pub(super) fn page(probes: &[Probe]) -> String {
    let lines: Vec<String> = probes.iter().map(Probe::line).collect();
    format!("\n{}\n{}\n", Tone::Strong.paint("Live"), lines.join("\n"))
}
