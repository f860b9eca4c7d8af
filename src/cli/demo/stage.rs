//! The stage: the simulated servers, a folder of its own, the real pipeline between them, and what
//! the pages show of it. What is played on it is the story's, what is told of it is the show's.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::alerting::{CustomerState, Depth};
use crate::cli::demo::pages::Pages;
use crate::clock::{Clock, SimulatedClock};
use crate::config::{self, Config, Environment};
use crate::daemon::{Assembly, assemble};
use crate::domain::{AlertSnapshot, CustomerKey, Delivery, SecuritySummary};
use crate::fs;
use crate::ledger::{AlertFilter, Ledger, LedgerError, Reader};
use crate::metrics::Metrics;
use crate::poll::{CycleReport, SecurityReport};
use crate::simulator::{HttpReceiver, MailOptions, MailReceiver, PartnerCenter, SignIn, Story};
use crate::web::Shown;

/// The configuration, with ports that are replaced by the true ones.
pub(super) const CONFIGURATION: &str = include_str!("alert-rules.toml");

/// The notifier that is a Slack channel.
pub(super) const SLACK: &str = "ops";
/// The notifier that is a webhook.
pub(super) const WEBHOOK: &str = "itsm";

/// Everything that runs.
pub(super) struct Stage {
    pub(super) clock: Arc<SimulatedClock>,
    pub(super) center: PartnerCenter,
    pub(super) mail: MailReceiver,
    pub(super) slack: HttpReceiver,
    pub(super) webhook: HttpReceiver,
    pub(super) pages: Pages,
    story: Story,
    config: Config,
    ledger: Ledger,
    assembly: Assembly,
    metrics: Metrics,
    /// Last, so that it goes after everything that has files in it.
    folder: Folder,
}

impl Stage {
    /// Opens every port, the ledger and the pipeline; the pages are at `address`.
    pub(super) fn open(story: Story, address: SocketAddr) -> anyhow::Result<Self> {
        let clock = SimulatedClock::starting_at(story.start());
        let folder = Folder::new()?;
        let center = PartnerCenter::start(shared(&clock), SignIn::default())?;
        let mail = MailReceiver::start(shared(&clock), MailOptions::default())?;
        let (slack, webhook) =
            (HttpReceiver::start(shared(&clock))?, HttpReceiver::start(shared(&clock))?);
        let text = CONFIGURATION
            .replace("http://127.0.0.1:10001", &center.api_url())
            .replace("10002", &mail.port().to_string())
            .replace("http://127.0.0.1:10003", &slack.url(""))
            .replace("http://127.0.0.1:10004", &webhook.url(""))
            .replace("127.0.0.1:10005", &address.to_string());
        let state = folder.0.display().to_string().replace('\\', "\\\\").replace('"', "\\\"");
        let text = text.replace("[daemon]", &format!("[daemon]\nstate_dir = \"{state}\""));
        let config =
            config::parse(&text, &folder.0.join("alert-rules.toml"), &Environment::default())?;
        let metrics = Metrics::new();
        let ledger = Ledger::open(&config.ledger, metrics.clone(), shared(&clock))?;
        let assembly = assemble(&config, &ledger, &shared(&clock), &metrics)?;
        let pages = Pages::new(address, &config, &assembly.cycle);
        Ok(Self {
            clock,
            center,
            mail,
            slack,
            webhook,
            pages,
            story,
            config,
            ledger,
            assembly,
            metrics,
            folder,
        })
    }

    /// Simulated time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What the pages show.
    pub(super) fn shown(&self) -> Shown {
        self.pages.shown(&self.config, &self.ledger, &self.assembly.cycle, &self.metrics)
    }

    /// Moves the clock on and puts the moment on stage.
    pub(super) async fn advance_to(&self, at: Timestamp) -> anyhow::Result<()> {
        self.clock.advance_to(at);
        Ok(self.story.play(at, &self.center, &self.slack).await?)
    }

    /// Ends the pipeline and starts it again from what is on disk.
    pub(super) async fn reboot(&mut self) -> anyhow::Result<()> {
        self.pages.act_on(None);
        self.ledger.close().await?;
        let clock = shared(&self.clock);
        self.ledger = Ledger::open(&self.config.ledger, self.metrics.clone(), Arc::clone(&clock))?;
        self.assembly = assemble(&self.config, &self.ledger, &clock, &self.metrics)?;
        self.pages.act_on(Some(&self.assembly.cycle));
        Ok(())
    }

    /// One poll.
    pub(super) async fn poll(&self) -> Result<CycleReport, LedgerError> {
        self.assembly.cycle.run(false).await
    }

    /// Reads Microsoft's security alerts once.
    pub(super) async fn read_security(&self) -> Result<Option<SecurityReport>, LedgerError> {
        self.assembly.cycle.read_security().await
    }

    /// How Microsoft's security alerts stand; none before the first.
    pub(super) async fn security(&self) -> Result<Option<SecuritySummary>, LedgerError> {
        let now = self.now();
        self.ledger.read(move |reader| reader.security_summary(now)).await
    }

    /// Delivers all that is due now; says when a destination may be probed again.
    pub(super) async fn deliver(&mut self) -> Result<Option<Timestamp>, LedgerError> {
        let mut next: Option<Duration> = None;
        for worker in &mut self.assembly.workers {
            let wait = loop {
                let progress = worker.step(&|| false).await?;
                if progress.wait.is_none_or(|wait| !wait.is_zero()) {
                    break progress.wait;
                }
            };
            next = next.into_iter().chain(wait).min();
        }
        let wait = next.map(|wait| SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX));
        Ok(wait.and_then(|wait| self.now().checked_add(wait).ok()))
    }

    /// Every delivery that the ledger says is owed.
    pub(super) async fn owed(&self) -> Result<Vec<Delivery>, LedgerError> {
        let mut owed = Vec::new();
        for notifier in &self.config.notifiers {
            owed.extend(self.ledger.due(&notifier.name, Vec::new(), u32::MAX).await?);
        }
        Ok(owed)
    }

    /// Every alert that the ledger has, the oldest first.
    pub(super) async fn raised(&self) -> Result<Vec<AlertSnapshot>, LedgerError> {
        let all = AlertFilter::default();
        let newest_first = self.ledger.read(move |reader| reader.alerts(&all)).await?;
        Ok(newest_first.into_iter().rev().map(|row| row.snapshot).collect())
    }

    /// How many deliveries the ledger says were given up.
    pub(super) async fn given_up(&self) -> Result<u64, LedgerError> {
        Ok(self.ledger.read(Reader::owed).await?.iter().map(|owed| owed.dead).sum())
    }

    /// What the ledger remembers of each customer, in the order of Partner Center.
    pub(super) async fn remembered(&self) -> Result<Vec<CustomerState>, LedgerError> {
        let keys: Vec<_> = self
            .story
            .customers_at(self.now())
            .iter()
            .map(|customer| CustomerKey::of(&customer.id))
            .collect();
        let mut recollections = self
            .ledger
            .recall(keys.iter().map(|key| (key.clone(), self.now())).collect(), Depth::default())
            .await?;
        Ok(keys
            .iter()
            .filter_map(|key| recollections.remove(key))
            .map(|recollection| recollection.seen)
            .collect())
    }

    /// Ends everything in order; the folder goes with it.
    pub(super) async fn close(self) -> Result<(), LedgerError> {
        self.ledger.close().await?;
        drop(self.folder);
        Ok(())
    }
}

/// The clock as those take it who only read it.
fn shared(clock: &Arc<SimulatedClock>) -> Arc<dyn Clock> {
    Arc::<SimulatedClock>::clone(clock)
}

/// A folder that is gone when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let folder =
            std::env::temp_dir().join(format!("budget-alertd-demo-{}", Uuid::new_v4().simple()));
        fs::make_private_folder(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nobody is left to tell; temporary folders are cleaned by the system, too.
        let _ = fs::remove_folder(&self.0);
    }
}
