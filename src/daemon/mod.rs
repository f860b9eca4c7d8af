//! Lives long: starts the loops, reloads, watches them, stops. What they do is the jobs': `poll`,
//! `delivery`, `reports`.

mod backups;
mod build;
mod certificate;
mod channels;
mod claims;
mod clock_watch;
mod control;
mod disk;
mod drain;
mod generation;
mod heartbeat;
mod housekeeping;
mod ledger_failure;
mod loops;
mod poll_requests;
mod pulse;
mod reload;
mod reload_requests;
mod reports;
mod security;
mod signals;
mod standby;
mod systemd;
mod writes;

use std::future::Future;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::actions::{Reloaded, RunRead};
use crate::clock::Clock;
use crate::config::Config;
use crate::daemon::backups::DailyBackups;
use crate::daemon::build::assemble_around;
use crate::daemon::certificate::CertificateWatch;
use crate::daemon::channels::Lines;
use crate::daemon::clock_watch::ClockWatch;
use crate::daemon::control::Control;
use crate::daemon::generation::{Generation, Intervals};
use crate::daemon::reload_requests::Reloads;
use crate::daemon::signals::PollStatus;
use crate::daemon::writes::Writer;
use crate::delivery::{Occurrence, OperatorFindings, UnconfirmedDeliveries};
use crate::ledger::{Leadership, Ledger, LedgerError};
use crate::metrics::Metrics;
use crate::web::{self, Limits, Listening};

pub use build::{Assembly, AssemblyError, assemble, host, tell_unrecorded};
pub use disk::look_at_disk;
pub use drain::{Drained, drain};
pub use heartbeat::Heartbeat;
pub use writes::WriteWatch;

/// How long deliveries in flight may take to finish at the end.
const GRACE: Duration = Duration::from_secs(20);
/// How often the status line and the watchdog are looked after, where systemd asks for nothing
/// quicker.
const TICK: Duration = Duration::from_secs(10);

/// Why the daemon cannot run.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The configuration cannot be put to work.
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    /// The address of `[http] listen` cannot be had.
    #[error("cannot listen on {address}: {source}; change [http] listen or end what uses it")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The ledger failed at the end, or is gone.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Loads a configuration; the error is what `check` would print. It may take long, and has a thread
/// of its own for that.
pub type Load = Arc<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// What the daemon is told from outside.
pub struct Orders {
    /// Reload the configuration (SIGHUP).
    pub reload: mpsc::Receiver<()>,
    /// Loads the configuration.
    pub load: Load,
    /// Where the control socket may be, the first choice first.
    pub control: Vec<PathBuf>,
    /// Runs commands that only read, for those who may not open the ledger.
    pub read: Option<RunRead>,
    /// Stop (SIGTERM, SIGINT).
    pub stop: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// The daemon.
pub struct Daemon {
    config: Config,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    /// The findings of the configuration in force.
    findings: OperatorFindings,
    /// What no configuration's workers may send again.
    unmarked: UnconfirmedDeliveries,
    /// Who was told that nothing can be recorded.
    occurrence: Occurrence,
    /// Notices when the wall clock jumps.
    clock_watch: ClockWatch,
    /// The daily copies of the ledger.
    backups: DailyBackups,
    /// What connections to `[http]` are encrypted with.
    certificate: CertificateWatch,
    /// What is written beside the loops.
    writer: Writer,
    /// Whether `[http]` in force serves metrics of customers.
    customer_metrics: watch::Sender<bool>,
    /// What the pages know of the configuration in force.
    known: watch::Sender<Arc<web::Known>>,
    /// Between the control socket and the loops.
    lines: Lines,
    /// Who asks for a reload.
    reloads: Reloads,
    /// How often to look after the loops.
    tick: Duration,
    /// How often loops have broken since the last reload.
    breaks: u32,
}

impl Daemon {
    /// A daemon on an open ledger.
    pub fn new(config: Config, ledger: Ledger, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        let customer_metrics = watch::Sender::new(customer_metrics(&config));
        let known = watch::Sender::new(Arc::new(pages_know(&config)));
        let tick = systemd::watchdog_interval().map_or(TICK, |interval| interval.min(TICK));
        let (lines, reloads) = Lines::new();
        let findings = build::findings(&config, &ledger, &clock).calling(lines.owed.clone());
        let writer = Writer::new(&metrics, "news for the operator");
        let own = config.http.as_ref().and_then(|http| http.certificate.clone());
        let certificate = CertificateWatch::new(own);
        let clock_watch = ClockWatch::new(clock.now(), clock.monotonic());
        Self {
            clock_watch,
            backups: DailyBackups::default(),
            certificate,
            config,
            ledger,
            clock,
            metrics,
            findings,
            writer,
            unmarked: UnconfirmedDeliveries::default(),
            occurrence: Occurrence::default(),
            customer_metrics,
            known,
            lines,
            reloads,
            tick,
            breaks: 0,
        }
    }

    /// Runs until told to stop.
    pub async fn run(mut self, mut orders: Orders) -> Result<(), DaemonError> {
        self.stand().await?;
        let mut leadership = self.ledger.leadership();
        let assembly = self.assemble(&self.config)?;
        // The first scrape may come before anything else has begun.
        self.metrics.leader.set(self.leads().into());
        let server = self.serve().await?;
        self.take_up().await;
        let mut generation = self.start(assembly, PollStatus::default());
        let mut control = self.open_control(&orders.control, orders.read.as_ref());
        systemd::ready(if generation.leads() { "first poll under way" } else { "standing by" });
        let clock = Arc::clone(&self.clock);
        let mut tick = pin!(clock.sleep(self.tick));
        loop {
            tokio::select! {
                biased;
                () = &mut orders.stop => break,
                why = generation.broken() => {
                    generation = Box::pin(self.restart(generation, &why)).await?;
                }
                _ = leadership.changed() => {
                    generation = Box::pin(self.change_sides(generation)).await?;
                }
                () = &mut tick => {
                    tick.set(clock.sleep(self.tick));
                    self.look_after(&generation).await?;
                }
                loaded = self.reloads.loaded(&mut orders.reload, &orders.load) => {
                    let refused;
                    (generation, refused) = self.reload(generation, loaded).await;
                    self.reloads.answer(&Reloaded { refused });
                }
            }
        }
        control.iter_mut().for_each(Control::close);
        self.end(generation).await?;
        // Open connections are worth no waiting for.
        server.iter().for_each(JoinHandle::abort);
        Ok(())
    }

    async fn end(self, generation: Generation) -> Result<(), DaemonError> {
        systemd::stopping();
        tracing::info!("stopping: deliveries in flight may finish");
        if !generation.stop(GRACE).await.finished {
            tracing::warn!("cut off what did not finish in {} s; it stays owed", GRACE.as_secs());
        }
        self.say_what_is_left().await;
        self.ledger.close().await?;
        Ok(())
    }

    /// Asks for the lease, on a thread that may block.
    async fn stand(&self) -> Result<(), LedgerError> {
        let ledger = self.ledger.clone();
        let stood = tokio::task::spawn_blocking(move || ledger.stand(&build::host())).await;
        stood.unwrap_or(Err(LedgerError::Gone))
    }

    fn assemble(&self, config: &Config) -> Result<Assembly, AssemblyError> {
        let findings =
            build::findings(config, &self.ledger, &self.clock).calling(self.lines.owed.clone());
        let assembly = assemble_around(findings, config, &self.ledger, &self.clock, &self.metrics)?;
        let workers = assembly
            .workers
            .into_iter()
            .map(|worker| worker.with_unmarked(self.unmarked.clone()))
            .collect();
        let emergency = assembly.writes.emergency.with_occurrence(self.occurrence.clone());
        Ok(Assembly { workers, writes: WriteWatch { emergency, ..assembly.writes }, ..assembly })
    }

    fn start(&self, assembly: Assembly, before: PollStatus) -> Generation {
        self.lines.files.send_replace(self.config.files.clone());
        self.lines.notifiers.send_replace(self.config.notifiers.as_slice().into());
        let (interval, lines, metrics) = (self.config.poll_interval, &self.lines, &self.metrics);
        let leads = self.leads();
        self.metrics.leader.set(leads.into());
        if let Leadership::Standby { leader } = &*self.ledger.leadership().borrow() {
            let leader = leader.as_deref().unwrap_or("no other host");
            tracing::info!("standing by: {leader} leads");
        }
        if leads {
            let security = self.config.security.as_ref().map(|plan| plan.poll_interval);
            let intervals = Intervals { usage: interval, security };
            Generation::start(assembly, intervals, before, lines, &self.clock, metrics)
        } else {
            Generation::stand_by(assembly, interval, before, lines, metrics)
        }
    }

    async fn serve(&self) -> Result<Option<JoinHandle<()>>, DaemonError> {
        let Some(config) = &self.config.http else { return Ok(None) };
        let failed = |source| DaemonError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shown = self.shown(None);
        let scheme = if config.certificate.is_some() { "https" } else { "http" };
        let listener = Listening::from(listener).with_certificate(self.certificate.subscribe());
        let task =
            tokio::spawn(async move { match web::run(listener, Limits::http(), shown).await {} });
        tracing::info!("metrics and health are served on {scheme}://{address}");
        Ok(Some(task))
    }

    /// What the pages and the API are made from; `read` runs commands that only read.
    fn shown(&self, read: Option<RunRead>) -> web::Shown {
        web::Shown {
            metrics: self.metrics.clone(),
            ledger: self.ledger.clone(),
            ledger_file: self.config.ledger.clone(),
            customer_metrics: self.customer_metrics.subscribe(),
            clock: Arc::clone(&self.clock),
            sessions: Arc::clone(&self.clock),
            known: self.known.subscribe(),
            actions: Some(self.lines.context(&self.config.ledger, &self.config.file, read)),
        }
    }
}

/// Whether a configuration serves metrics of customers.
fn customer_metrics(config: &Config) -> bool {
    config.http.as_ref().is_some_and(|http| http.customer_metrics)
}

/// What the pages know of a configuration.
pub fn pages_know(config: &Config) -> web::Known {
    web::Known {
        zone: config.time_zone.clone(),
        budgets: config.budgets.clone(),
        rules: config.rules.clone(),
        notifiers: config.notifiers.clone(),
        token: config.http.as_ref().and_then(|http| http.token.clone()),
        local_actions: config.http.as_ref().is_some_and(|http| http.local_actions),
        public_url: config.http.as_ref().and_then(|http| http.public_url.clone()),
        sign_in: config.http.as_ref().and_then(web::SignIn::of),
        tells_operator: !config.operator.notify.is_empty(),
        poll_interval: config.poll_interval,
        source_failing_after: config.operator.source_failing_after,
        refresh: web::REFRESH,
        file: config.file.clone(),
        files: config.files.clone(),
    }
}
