//! The ledger as the daemon uses it: every call is one job of the ledger's thread.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;
use uuid::Uuid;

use crate::alerting::planning;
use crate::alerting::{Depth, NewMessage, NewStep, Recording, RememberedCustomer, Slices};
use crate::clock::Clock;
use crate::domain::{CustomerKey, FindingCode, Route};
use crate::fs;
use crate::ledger::Config;
use crate::ledger::database;
use crate::ledger::error::LedgerError;
use crate::ledger::file;
use crate::ledger::leadership::{Leadership, Seat};
use crate::ledger::lease::Lease;
use crate::ledger::lock::{Lock, folder_of};
use crate::ledger::reader::Reader;
use crate::ledger::server::Server;
use crate::ledger::sql::{self, Connection};
use crate::ledger::table::chain::{self, Chain, EventKind};
use crate::ledger::table::customers::Steps;
use crate::ledger::table::{
    alerts, collection, customers, deliveries, findings, gathered, history, holds, incidents, life,
    polls, silences, spikes,
};
use crate::ledger::thread::Thread;
use crate::metrics::Metrics;

/// The leadership of who has a ledger alone.
static ALONE: LazyLock<watch::Sender<Leadership>> =
    LazyLock::new(|| watch::Sender::new(Leadership::Leading));

/// The open ledger. Cloning shares it; see [`Ledger::close`] for its end.
#[derive(Clone)]
pub struct Ledger {
    pub(super) thread: Thread,
    pub(super) metrics: Metrics,
    pub(super) retention: Duration,
    /// What identities are derived from.
    pub(super) identity: Uuid,
    /// The server, and what this process knows of who leads, where several hosts share the ledger.
    pub(super) shared: Option<(Server, Arc<Seat>)>,
    lease: Arc<Mutex<Option<Lease>>>,
    /// Who orders what is done through this handle.
    pub(super) author: Option<String>,
}

impl Ledger {
    /// Opens the ledger, and makes it where there is none. It is held by this process until it is
    /// closed.
    ///
    /// Fails when another process holds it, when the file is not a sound ledger, or of a newer
    /// version.
    pub fn open(
        config: &Config,
        metrics: Metrics,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LedgerError> {
        Self::open_within(config, u32::MAX, metrics, clock)
    }

    /// A private copy of the ledger, or an empty one where there is none: reads and writes like the
    /// original, which it leaves alone; nothing of it stays.
    #[expect(clippy::needless_pass_by_value, reason = "rooms are built with a clock of their own")]
    pub fn preview(
        config: &Config,
        metrics: Metrics,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LedgerError> {
        let connection = file::copy(config, clock.now())?;
        Self::over(connection, Occupation::Copy, config, metrics)
    }

    /// Like [`Self::open`], for a ledger that may not grow beyond so many pages: what a full disk
    /// does can so be tried out.
    #[expect(clippy::needless_pass_by_value, reason = "rooms are built with a clock of their own")]
    pub fn open_within(
        config: &Config,
        pages: u32,
        metrics: Metrics,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LedgerError> {
        if let Some(server) = &config.server {
            let seat = Arc::new(Seat::vacant());
            let connection = database::open(server, &config.path, Arc::clone(&seat), clock.now())?;
            return Self::over(
                connection,
                Occupation::Shared(server.clone(), seat),
                config,
                metrics,
            );
        }
        file::make_folder(&config.path)?;
        let lock = Lock::take(&config.path)?;
        fs::sweep(folder_of(&config.path));
        let connection = file::open(&config.path, clock.now())?;
        let limit = connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()));
        limit.map_err(|error| LedgerError::of(&config.path, error))?;
        Self::over(Connection::Sqlite(connection), Occupation::Held(lock), config, metrics)
    }

    fn over(
        connection: Connection,
        occupation: Occupation,
        config: &Config,
        metrics: Metrics,
    ) -> Result<Self, LedgerError> {
        let (lock, shared) = match occupation {
            Occupation::Held(lock) => (Some(lock), None),
            Occupation::Shared(server, seat) => (None, Some((server, seat))),
            Occupation::Copy => (None, None),
        };
        for &code in FindingCode::ALL {
            let open = findings::count(&connection, code)
                .map_err(|error| LedgerError::of(&config.path, error))?;
            metrics.operator_findings.with_label_values(&[code.as_str()]).set(open);
        }
        let identity =
            file::identity(&connection).map_err(|error| LedgerError::of(&config.path, error))?;
        Ok(Self {
            thread: Thread::start(connection, lock, &config.path)?,
            metrics,
            retention: config.retention,
            identity,
            shared,
            lease: Arc::default(),
            author: None,
        })
    }

    /// The same ledger, for what somebody orders.
    #[must_use]
    pub fn ordered_by(&self, author: &str) -> Self {
        Self { author: Some(author.to_owned()), ..self.clone() }
    }

    /// Records that another configuration has come into force.
    pub async fn note_reload(&self, file: &Path, now: Timestamp) -> Result<(), LedgerError> {
        let file = file.display().to_string();
        let content = json!({ "version": env!("CARGO_PKG_VERSION") });
        self.thread
            .order(move |connection| {
                chain::add(connection, EventKind::Reload, &file, now, &content)
            })
            .await
    }

    /// Finishes what is queued, closes the file in order and lets it go; gives back the lease.
    /// Other handles find the ledger gone.
    pub async fn close(&self) -> Result<(), LedgerError> {
        let closed = self.thread.close().await;
        let lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(lease) = lease {
            let given_back = tokio::task::spawn_blocking(move || drop(lease)).await;
            given_back.map_err(|_| LedgerError::Gone)?;
        }
        closed
    }

    /// Stands for leadership as `host`, until the ledger is closed: this process leads when no
    /// other one does, now or later. Who has the only ledger leads anyway.
    pub fn stand(&self, host: &str) -> Result<(), LedgerError> {
        if let Some((server, seat)) = &self.shared {
            let lease = Lease::stand(server, seat, host, self.thread.path())?;
            *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = Some(lease);
        }
        Ok(())
    }

    /// Who leads, as it changes.
    pub fn leadership(&self) -> watch::Receiver<Leadership> {
        match &self.shared {
            Some((_, seat)) => seat.state().subscribe(),
            None => ALONE.subscribe(),
        }
    }

    /// Moves the write-ahead log into the file once nothing more is to be written for now. What
    /// stays in the log is as good.
    pub async fn checkpoint(&self) {
        if let Err(error) = self.thread.run(Connection::checkpoint).await {
            tracing::debug!(%error, "the ledger's log stays as it is for now");
        }
    }

    /// Makes a new ledger where one is lost, by order of a person: what is over its steps is told
    /// again.
    ///
    /// Fails when there is a ledger, or when another process holds its place.
    pub fn make_new(config: &Config, now: Timestamp) -> Result<(), LedgerError> {
        if let Some(server) = &config.server {
            return database::make_new(server, &config.path, now);
        }
        file::make_folder(&config.path)?;
        let _lock = Lock::take(&config.path)?;
        file::make_new(&config.path, now)
    }

    /// Reads the ledger as it is between two jobs of its thread. What does not have to wait for the
    /// writer is read beside it, by [`crate::ledger::read`].
    pub async fn read<T, W>(&self, work: W) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        W: FnOnce(&Reader) -> Result<T, LedgerError> + Send + 'static,
    {
        self.thread.read(work).await
    }

    /// Answers when the ledger's thread makes progress.
    pub async fn alive(&self) -> Result<(), LedgerError> {
        self.thread.run(|_| Ok(())).await
    }

    /// Writes what is there already, to see whether the file can be written.
    pub async fn try_to_write(&self) -> Result<(), LedgerError> {
        self.thread
            .order(|connection| connection.execute("UPDATE file SET clean = clean", ()).map(drop))
            .await
    }

    /// What is remembered of these customers that bears on data of these dates, with so much of
    /// their history; those never seen are missing. It is as much for an old ledger as for a
    /// young one.
    pub async fn recall(
        &self,
        customers: Vec<(CustomerKey, Timestamp)>,
        depth: Depth,
    ) -> Result<HashMap<CustomerKey, RememberedCustomer>, LedgerError> {
        let recall = move |connection: &Connection| {
            let mut found = HashMap::with_capacity(customers.len());
            for (key, at) in customers {
                let remembered = customers::recall(connection, &key, Steps::Near(at), depth)?;
                found.extend(remembered.map(|remembered| (key, remembered)));
            }
            Ok(found)
        };
        // In one transaction, so that the file is locked once and not for each statement.
        self.thread.run(move |connection| connection.snapshot(recall)).await
    }

    /// What identities are derived from: copies of a ledger have the same.
    pub fn identity(&self) -> Uuid {
        self.identity
    }

    /// The identities of new alerts, by the steps that they are raised at.
    pub async fn alert_ids(&self, raised_at: Vec<NewStep>) -> Result<Vec<Uuid>, LedgerError> {
        if raised_at.is_empty() {
            return Ok(Vec::new());
        }
        let ledger = self.identity;
        self.thread
            .run(move |connection| {
                raised_at.iter().map(|step| alerts::free_id(connection, ledger, step)).collect()
            })
            .await
    }

    /// Records all of it, durably, or nothing of it.
    ///
    /// Fails with [`LedgerError::Conflict`] when a step, an alert or a message is there already.
    ///
    /// Returns whether it opened a finding.
    pub async fn record(&self, recording: impl Into<Arc<Recording>>) -> Result<bool, LedgerError> {
        let recording = recording.into();
        let code = recording.finding.as_ref().map(|new| new.finding.code);
        let opened = self.thread.write(move |connection| record(connection, &recording)).await?;
        code.iter().filter(|_| opened).for_each(|code| {
            self.metrics.operator_findings.with_label_values(&[code.as_str()]).inc();
        });
        Ok(opened)
    }

    /// Gives up what is owed to notifiers that are not among the `known`; returns how many. News
    /// for the operator that nobody else had counts as untold again. Writes nothing when nothing is
    /// owed to such a notifier.
    pub async fn drop_undeliverable(
        &self,
        known: Vec<Box<str>>,
        now: Timestamp,
    ) -> Result<u64, LedgerError> {
        let orphans = self.thread.run(deliveries::notifiers_that_owe).await?;
        let orphans = without(orphans, &known);
        self.for_each(orphans, move |connection, notifier| {
            let dropped = deliveries::drop_undeliverable(connection, notifier, now)?;
            findings::untell(connection, notifier, now)?;
            Ok(dropped)
        })
        .await
    }

    /// Gives what rules did under former names to the names they have now, (before, now) each, so
    /// that a name may change again or the former one be forgotten. Writes nothing when there is
    /// nothing of that name.
    pub async fn rename_rules(
        &self,
        renames: Vec<(Box<str>, Box<str>)>,
    ) -> Result<(), LedgerError> {
        if renames.is_empty() {
            return Ok(());
        }
        let asked = renames.clone();
        let known: Vec<bool> = self
            .thread
            .run(move |connection| {
                asked.iter().map(|(before, _)| alerts::knows_rule(connection, before)).collect()
            })
            .await?;
        if known.contains(&true) {
            let all = move |connection: &Connection| {
                renames.iter().try_for_each(|(before, now)| {
                    alerts::rename_rule(connection, before, now)?;
                    silences::rename_rule(connection, before, now)
                })
            };
            self.thread.write(all).await?;
        }
        Ok(())
    }

    /// Closes open alerts of rules that are not among the `known`, former names included; returns
    /// how many. Their incidents end where `routes` keep any. What those rules did is forgotten, so
    /// that they are new when they come back. Writes nothing when there are none.
    pub async fn close_rules(
        &self,
        known: Vec<Box<str>>,
        routes: &[Route],
        now: Timestamp,
    ) -> Result<u64, LedgerError> {
        let gone = without(self.thread.run(alerts::rules_in_force).await?, &known);
        let routes: Vec<Route> = routes
            .iter()
            .filter(|route| route.has_incidents() && route.send_resolved)
            .cloned()
            .collect();
        let ledger = self.identity;
        let close = move |connection: &Connection, rule: &str| {
            for route in &routes {
                for (alert, severity) in incidents::ending(connection, rule, &route.notifier)? {
                    let end = planning::end_of_incident(route, alert, severity, ledger);
                    // A security alert that was over and is not any more ends for a second time.
                    let identity = alerts::free_message_id(connection, end.identity)?;
                    deliveries::owe(connection, &NewMessage { identity, ..end }, now)?;
                }
            }
            alerts::forget_rule(connection, rule)?;
            alerts::close_rule(connection, rule, now)
        };
        self.for_each(gone, close).await
    }

    async fn for_each<W>(&self, names: Vec<String>, work: W) -> Result<u64, LedgerError>
    where
        W: Fn(&Connection, &str) -> sql::Result<usize> + Send + 'static,
    {
        if names.is_empty() {
            return Ok(0);
        }
        let all = move |connection: &Connection| {
            names.iter().map(|name| work(connection, name)).sum::<sql::Result<usize>>()
        };
        self.thread.write(all).await.map(count)
    }
}

/// How this process has the ledger.
enum Occupation {
    /// Alone.
    Held(Lock),
    /// With other hosts.
    Shared(Server, Arc<Seat>),
    /// It is a copy that nobody will read again.
    Copy,
}

fn record(connection: &Connection, recording: &Recording) -> sql::Result<bool> {
    if !recording.seen.is_empty() {
        collection::invalidate(connection)?;
    }
    let mut rows = HashMap::with_capacity(recording.seen.len());
    for seen in &recording.seen {
        let key = seen.key();
        let row = customers::replace_seen(connection, &key, seen)?;
        rows.insert(key, row);
    }
    for sample in &recording.samples {
        let row = rows.get(&sample.customer).copied();
        history::add(connection, row, sample)?;
    }
    recording
        .events
        .iter()
        .try_for_each(|(customer, event)| history::add_event(connection, customer, event))?;
    let mut chain = Chain::open(connection)?;
    recording
        .alerts
        .iter()
        .try_for_each(|alert| alerts::add(connection, alert, &mut chain, recording.now))?;
    recording
        .steps
        .iter()
        .filter(|step| !step.raised)
        .try_for_each(|step| note_passed(&mut chain, step, recording.now))?;
    recording
        .changes
        .iter()
        .try_for_each(|change| life::change(connection, change, recording.now))?;
    recording.steps.iter().try_for_each(|step| customers::add_step(connection, step))?;
    recording
        .spikes
        .iter()
        .try_for_each(|(customer, spike)| spikes::keep(connection, customer, spike))?;
    recording
        .seen_below
        .iter()
        .try_for_each(|(step, amount)| customers::mark_seen_below(connection, *step, *amount))?;
    recording
        .messages
        .iter()
        .try_for_each(|message| deliveries::owe(connection, message, recording.now))?;
    recording.gathered.iter().try_for_each(|gathered| gathered::add(connection, gathered))?;
    match &recording.slices {
        None => {}
        Some(Slices::GoOn(interim)) => polls::keep_interim(connection, Some(interim))?,
        Some(Slices::Hold) => polls::keep_interim(connection, None)?,
        Some(Slices::LetGo(after)) => {
            holds::let_go(connection, *after, recording.now)?;
            polls::keep_interim(connection, None)?;
        }
    }
    recording
        .finding
        .as_ref()
        .map_or(Ok(false), |new| findings::note(connection, new, recording.now))
}

/// A passed step as the chain has it.
#[derive(Serialize)]
struct PassedEvent<'a> {
    customer: &'a str,
    rule: &'a str,
    metric: &'a str,
    at: Decimal,
    period: Timestamp,
}

/// Notes a step that a higher one passed.
fn note_passed(chain: &mut Chain<'_>, step: &NewStep, now: Timestamp) -> sql::Result<()> {
    let content = PassedEvent {
        customer: step.customer.as_str(),
        rule: &step.rule,
        metric: step.metric.as_str(),
        at: step.at,
        period: step.period.start,
    };
    chain.add(EventKind::Passed, &step.alert.to_string(), now, &content)
}

fn without(mut names: Vec<String>, known: &[Box<str>]) -> Vec<String> {
    let known: HashSet<&str> = known.iter().map(AsRef::as_ref).collect();
    names.retain(|name| !known.contains(name.as_str()));
    names
}

pub(super) fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
