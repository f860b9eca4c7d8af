//! Puts the rooms together as a configuration says: what polls, and what delivers.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Config;
use crate::daemon::Heartbeat;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::pipeline::{Courier, Cycle};

/// What one configuration runs.
pub struct Assembly {
    /// Polls.
    pub cycle: Arc<Cycle>,
    /// Deliver, one for each notifier.
    pub couriers: Vec<Courier>,
    /// Pinged after good cycles.
    pub heartbeat: Option<Heartbeat>,
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

/// Builds what a configuration says. Nothing is sent and nothing is written.
pub fn assemble(config: &Config, ledger: &Ledger, clock: &Arc<dyn Clock>, metrics: &Metrics) -> Result<Assembly, AssemblyError> {
    let mut couriers = Vec::with_capacity(config.notifiers.len());
    for notifier in &config.notifiers {
        let channel = notifier.build(Arc::clone(clock), metrics.clone())?;
        metrics.know_notifier(channel.name());
        couriers.push(Courier::new(channel, ledger.clone(), Arc::clone(clock), metrics.clone()));
    }
    for rule in config.rules.facts() {
        metrics.know_rule(&rule.name);
    }
    let cycle = Cycle {
        source: config.source.build(Arc::clone(clock), metrics.clone())?,
        budgets: config.budgets.clone(),
        rules: config.rules.clone(),
        routes: config.notifiers.iter().map(crate::notify::Config::route).collect(),
        ledger: ledger.clone(),
        clock: Arc::clone(clock),
        metrics: metrics.clone(),
    };
    let heartbeat = config.operator.heartbeat_url.clone().map(Heartbeat::new).transpose()?;
    Ok(Assembly { cycle: Arc::new(cycle), couriers, heartbeat })
}
