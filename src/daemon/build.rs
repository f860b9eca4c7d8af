//! Puts the rooms together as a configuration says: what polls, and what delivers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::clock::Clock;
use crate::config::{Config, ReportPlan};
use crate::daemon::Heartbeat;
use crate::daemon::ledger_failure::causes;
use crate::daemon::writes::WriteWatch;
use crate::delivery::{
    DeliveryWorker, Emergency, Fallback, Mirror, OperatorFindings, Stopped, Voice,
};
use crate::domain::Origin;
use crate::ledger::{Ledger, LedgerError};
use crate::metrics::{Metrics, WriteFailure};
use crate::notify::MirrorChannel;
use crate::poll::{Cycle, SecurityReading};
use crate::reports::{ClaimReminders, ReportSchedule, ReportScheduler};

/// What one configuration runs.
pub struct Assembly {
    /// Polls.
    pub cycle: Arc<Cycle>,
    /// Deliver, one for each notifier that is owed messages.
    pub workers: Vec<DeliveryWorker>,
    /// Show what is open, one for each of the others.
    pub mirrors: Vec<Mirror>,
    /// Pinged after good cycles.
    pub heartbeat: Option<Heartbeat>,
    /// Reports at its times.
    pub scheduler: Option<Arc<ReportScheduler>>,
    /// Reminds the operator of claims.
    pub claims: Arc<ClaimReminders>,
    /// Watches whether all of them can write.
    pub writes: WriteWatch,
    /// Where all of them tell what the operator should know.
    pub findings: OperatorFindings,
}

impl Assembly {
    /// What tells the operator that nothing can be recorded.
    pub fn emergency(self) -> Emergency {
        self.writes.emergency
    }
}

/// Something a configuration names cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    /// The source.
    #[error("cannot set up the source: {0}")]
    Source(#[from] crate::source::BuildError),
    /// The client of the heartbeat.
    #[error("cannot set up the heartbeat")]
    Heartbeat(#[from] reqwest::Error),
    /// A notifier.
    #[error("cannot set up a notifier: {0}")]
    Notifier(#[from] crate::notify::BuildError),
}

/// What this host is called.
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Which daemon, or command, it is that tells.
fn origin(config: &Config) -> Origin {
    let file = std::path::absolute(&config.file).unwrap_or_else(|_| config.file.clone());
    Origin { host: host(), config: file.display().to_string() }
}

/// The findings that tells the operator whom a configuration names.
pub(super) fn findings(
    config: &Config,
    ledger: &Ledger,
    clock: &Arc<dyn Clock>,
) -> OperatorFindings {
    let told =
        config.notifiers.iter().filter(|notifier| config.operator.notify.contains(&notifier.name));
    let routes = told.map(crate::notify::Config::route).collect();
    OperatorFindings::new(
        ledger.clone(),
        Arc::clone(clock),
        routes,
        config.operator.source_failing_after,
    )
    .at(origin(config))
}

/// Tells the operator that a command, or a daemon that starts, cannot record anything, without a
/// ledger; whoever cannot be told is tried again until `patience` is over. Returns whether anybody
/// has accepted it.
pub async fn tell_unrecorded(
    config: &Config,
    stopped: Stopped,
    error: &LedgerError,
    clock: &Arc<dyn Clock>,
    patience: Duration,
) -> Result<bool, AssemblyError> {
    let told =
        config.notifiers.iter().filter(|notifier| config.operator.notify.contains(&notifier.name));
    let channels = told
        .map(|notifier| notifier.build(Arc::clone(clock), Metrics::new()).map(Arc::new))
        .collect::<Result<_, _>>()?;
    // As long as what a poll shows: three polls.
    let voice = Voice {
        channels,
        clock: Arc::clone(clock),
        origin: Some(origin(config)),
        shown_for: config.poll_interval.saturating_mul(3),
    };
    let failure = WriteFailure { since: clock.now(), began: clock.monotonic(), why: causes(error) };
    Ok(voice.tell_once(stopped, &failure, patience).await)
}

/// Builds what a configuration says. Nothing is sent and nothing is written.
pub fn assemble(
    config: &Config,
    ledger: &Ledger,
    clock: &Arc<dyn Clock>,
    metrics: &Metrics,
) -> Result<Assembly, AssemblyError> {
    assemble_around(findings(config, ledger, clock), config, ledger, clock, metrics)
}

/// The same around a findings.
pub(super) fn assemble_around(
    findings: OperatorFindings,
    config: &Config,
    ledger: &Ledger,
    clock: &Arc<dyn Clock>,
    metrics: &Metrics,
) -> Result<Assembly, AssemblyError> {
    let (mut workers, mut mirrors, mut operators) = (Vec::new(), Vec::new(), Vec::new());
    for notifier in &config.notifiers {
        let channel = Arc::new(notifier.build(Arc::clone(clock), metrics.clone())?);
        if config.operator.notify.contains(&notifier.name) {
            operators.push(Arc::clone(&channel));
        }
        metrics.know_notifier(channel.name());
        if let Some(mirror) = MirrorChannel::of(&channel) {
            mirrors.push(Mirror::new(
                mirror,
                findings.clone(),
                metrics.clone(),
                config.poll_interval,
            ));
            continue;
        }
        let stands_in =
            config.notifiers.iter().filter(|other| notifier.fallback.contains(&other.name));
        let fallback = Fallback {
            routes: stands_in.map(crate::notify::Config::route).collect(),
            after: notifier.fallback_after,
        };
        let worker =
            DeliveryWorker::new(channel, findings.clone(), metrics.clone()).with_fallback(fallback);
        workers.push(match config.http.as_ref().and_then(|http| http.public_url.as_ref()) {
            Some(url) => worker.with_links(url.as_str()),
            None => worker,
        });
    }
    for rule in config.rules.facts() {
        metrics.know_rule(&rule.name);
    }
    let source = config.source.build(Arc::clone(clock), metrics.clone())?;
    let security = config.security.as_ref().and_then(|plan| source.security(&plan.alerts));
    let security =
        security.map(|alerts| SecurityReading { alerts, turn: tokio::sync::Mutex::default() });
    let cycle = Cycle {
        security,
        ask_first: std::sync::Mutex::default(),
        slice: crate::poll::SLICE,
        source,
        budgets: config.budgets.clone(),
        rules: config.rules.clone(),
        routes: config.notifiers.iter().map(crate::notify::Config::route).collect(),
        findings: findings.clone(),
        ledger: ledger.clone(),
        clock: Arc::clone(clock),
        metrics: metrics.clone(),
    };
    let shown = || mirrors.iter().map(|mirror| mirror.name().into()).collect();
    let heartbeat = config
        .operator
        .heartbeat_url
        .clone()
        .map(|url| Heartbeat::new(url, shown()))
        .transpose()?;
    let cycle = Arc::new(cycle);
    let emergency = Emergency::new(operators, findings.clone());
    let writes = WriteWatch { path: config.ledger.path.clone(), ledger: ledger.clone(), emergency };
    Ok(Assembly {
        scheduler: scheduler(config, &cycle),
        claims: Arc::new(ClaimReminders {
            findings: findings.clone(),
            at: config.report.as_ref().map_or(ReportPlan::AT, |plan| plan.at),
            zone: config.time_zone.clone(),
        }),
        cycle,
        workers,
        mirrors,
        heartbeat,
        writes,
        findings,
    })
}

fn scheduler(config: &Config, cycle: &Arc<Cycle>) -> Option<Arc<ReportScheduler>> {
    let plan = config.report.as_ref()?;
    let told = config.notifiers.iter().filter(|notifier| plan.notify.contains(&notifier.name));
    let schedule =
        ReportSchedule { every: plan.every, at: plan.at, zone: config.time_zone.clone() };
    let routes = told.map(crate::notify::Config::route).collect();
    Some(Arc::new(ReportScheduler {
        schedule,
        routes,
        ledger: config.ledger.clone(),
        cycle: Arc::clone(cycle),
        watched: Mutex::default(),
    }))
}
