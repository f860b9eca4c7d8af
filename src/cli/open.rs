//! What several commands do first: load the configuration, open the ledger.

use std::path::Path;
use std::sync::Arc;

use crate::cli::exit::WrongUsage;
use crate::cli::text::clean;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Config, Environment, Mistakes};
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::notify;

/// Loads the configuration for a command that only looks; its warnings are told by those that act, and by `check`.
pub(super) fn look(path: &Path) -> Result<Config, Mistakes> {
    config::load(path, &Environment::of_process())
}

/// Loads the configuration; its warnings go to the log.
pub(super) fn load(path: &Path) -> Result<Config, Mistakes> {
    let config = look(path)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    Ok(config)
}

/// The notifier of this name.
pub(super) fn notifier<'a>(config: &'a Config, name: &str) -> Result<&'a notify::Config, WrongUsage> {
    config.notifiers.iter().find(|notifier| *notifier.name == *name).ok_or_else(|| {
        let names: Vec<&str> = config.notifiers.iter().map(|notifier| &*notifier.name).collect();
        WrongUsage(format!("there is no notifier \"{}\" in {}; there are: {}", clean(name), config.file.display(), names.join(", ")))
    })
}

/// What a command works with.
pub(super) struct Bench {
    pub(super) config: Config,
    pub(super) ledger: Ledger,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Metrics,
}

impl Bench {
    /// Opens the ledger for writing; exit code 3 when another instance holds it.
    pub(super) fn open(config: Config) -> anyhow::Result<Self> {
        Self::with(config, |config, metrics, clock| Ledger::open(&config.ledger, metrics, clock))
    }

    /// Opens the ledger so that nothing is ever written.
    pub(super) fn preview(config: Config) -> anyhow::Result<Self> {
        Self::with(config, |config, metrics, clock| Ledger::preview(&config.ledger, metrics, clock))
    }

    fn with(
        config: Config,
        open: impl FnOnce(&Config, Metrics, Arc<dyn Clock>) -> Result<Ledger, crate::ledger::LedgerError>,
    ) -> anyhow::Result<Self> {
        let clock = SystemClock::shared();
        let metrics = Metrics::new();
        let ledger = open(&config, metrics.clone(), Arc::clone(&clock))?;
        Ok(Self { config, ledger, clock, metrics })
    }
}
