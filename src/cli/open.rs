//! What several commands do first: load the configuration, open the ledger.

use std::path::Path;
use std::sync::{Arc, Once};

use anyhow::Context as _;

use crate::cli::exit::WrongUsage;
use crate::cli::text::{clean, count};
use crate::cli::{doubts, output, tend};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Config, Environment, Mistakes, Paths, SecretsFor};
use crate::daemon;
use crate::fs;
use crate::ledger::{Leadership, Ledger, LedgerError, Reader};
use crate::metrics::Metrics;
use crate::notify;

/// Whether the person knows of warnings.
static TOLD: Once = Once::new();

/// Loads the configuration with these secrets, and says in one line that it has warnings.
pub(super) fn look(path: &Path, secrets: SecretsFor) -> Result<Config, Mistakes> {
    let config = look_quietly(path, secrets)?;
    let warnings = doubts::warnings(&config).len();
    if warnings > 0 {
        // A command may load it again.
        TOLD.call_once(|| {
            let warnings = count(warnings, "warning");
            output::aside(&format!("{warnings}: budget-alertd check\n"));
        });
    }
    Ok(config)
}

/// The same for what shows its warnings whole, or is told of them elsewhere.
pub(super) fn look_quietly(path: &Path, secrets: SecretsFor) -> Result<Config, Mistakes> {
    let config = config::load(path, &Environment::of_process().with_secrets_for(secrets))?;
    tend::give_back(&config.paths());
    Ok(config)
}

/// The same for the daemon, which needs all secrets: its warnings go to the log.
pub(super) fn load(path: &Path) -> Result<Config, Mistakes> {
    let config = look_quietly(path, SecretsFor::Everything)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    Ok(config)
}

/// What a command goes by that needs a daemon or the ledger more than the configuration: where they
/// are, and the whole configuration where it loads. A typo in a file that nobody has reloaded yet
/// must not keep anybody from acting.
pub(super) struct CommandContext {
    pub(super) paths: Paths,
    loaded: Result<Config, Mistakes>,
    is_mistaken: bool,
}

impl CommandContext {
    /// Reads no secret. Fails where there is no file to go by.
    pub(super) fn look(path: &Path) -> Result<Self, Mistakes> {
        Self::look_for(path, SecretsFor::Nothing)
    }

    /// The same with these secrets; a missing one is no mistake of the file.
    pub(super) fn look_for(path: &Path, secrets: SecretsFor) -> Result<Self, Mistakes> {
        let needs_any = secrets != SecretsFor::Nothing;
        match look(path, secrets) {
            Ok(config) => {
                Ok(Self { paths: config.paths(), loaded: Ok(config), is_mistaken: false })
            }
            Err(mistakes) => match config::load_paths(path, &Environment::of_process()) {
                Some(paths) => {
                    tend::give_back(&paths);
                    let is_mistaken =
                        !needs_any || look_quietly(path, SecretsFor::Nothing).is_err();
                    Ok(Self { paths, loaded: Err(mistakes), is_mistaken })
                }
                None => Err(mistakes),
            },
        }
    }

    /// The configuration, where it loads.
    pub(super) fn config(&self) -> Option<&Config> {
        self.loaded.as_ref().ok()
    }

    /// The configuration, for what cannot be done without it.
    pub(super) fn whole(self) -> Result<Config, Mistakes> {
        self.loaded
    }

    /// Opens the ledger for reading; where there is none, what is wrong with the file comes first.
    pub(super) fn reader(&self) -> anyhow::Result<Reader> {
        match (Reader::open(&self.paths.ledger), &self.loaded) {
            (Err(_), Err(mistakes)) => Err(mistakes.clone().into()),
            (opened, _) => {
                self.warn();
                Ok(opened?)
            }
        }
    }

    /// Whether something is wrong with the file.
    pub(super) fn is_mistaken(&self) -> bool {
        self.is_mistaken
    }

    /// Says to the person that the file is not what the daemon goes by.
    pub(super) fn warn(&self) {
        if self.is_mistaken() {
            let file = self.paths.file.display();
            output::aside(&format!(
                "budget-alertd: {file} has mistakes, and a running daemon goes on with the \
                    configuration before; `budget-alertd check` shows them\n"
            ));
        }
    }
}

/// The notifier of this name.
pub(super) fn notifier<'a>(
    config: &'a Config,
    name: &str,
) -> Result<&'a notify::Config, WrongUsage> {
    config.notifiers.iter().find(|notifier| *notifier.name == *name).ok_or_else(|| {
        let names: Vec<&str> = config.notifiers.iter().map(|notifier| &*notifier.name).collect();
        WrongUsage(format!(
            "there is no notifier \"{}\" in {}; there are: {}",
            clean(name),
            config.file.display(),
            names.join(", ")
        ))
    })
}

/// What a command works with.
pub(super) struct OpenLedger {
    pub(super) config: Config,
    pub(super) ledger: Ledger,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Metrics,
}

impl OpenLedger {
    /// Opens the ledger for writing; exit code 3 when another instance holds it.
    pub(super) fn open(config: Config) -> anyhow::Result<Self> {
        tend::tighten(&config.paths());
        // Whoever makes a ledger here makes it too; where the ledger is elsewhere, the sign-in
        // needs it.
        fs::make_folder(&config.state_dir, 0o700)
            .with_context(|| format!("{} cannot be made", config.state_dir.display()))?;
        Self::with(config, |config, metrics, clock| Ledger::open(&config.ledger, metrics, clock))
    }

    /// The same, to poll and deliver; exit code 3 when another host leads.
    pub(super) fn open_to_lead(config: Config) -> anyhow::Result<Self> {
        let opened = Self::open(config)?;
        opened.ledger.stand(&daemon::host())?;
        match &*opened.ledger.leadership().borrow() {
            Leadership::Leading => {}
            Leadership::Standby { leader } => {
                return Err(LedgerError::NotLeading { leader: leader.clone() }.into());
            }
        }
        Ok(opened)
    }

    /// Opens the ledger so that nothing is ever written.
    pub(super) fn preview(config: Config) -> anyhow::Result<Self> {
        Self::with(config, |config, metrics, clock| Ledger::preview(&config.ledger, metrics, clock))
    }

    fn with(
        config: Config,
        open: impl FnOnce(
            &Config,
            Metrics,
            Arc<dyn Clock>,
        ) -> Result<Ledger, crate::ledger::LedgerError>,
    ) -> anyhow::Result<Self> {
        let clock = SystemClock::shared();
        let metrics = Metrics::new();
        let ledger = open(&config, metrics.clone(), Arc::clone(&clock))?;
        Ok(Self { config, ledger, clock, metrics })
    }
}
