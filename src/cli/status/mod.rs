//! `status`: whether alerts would come, what the operator should do, how the notifiers and the
//! worst customers stand; read beside a running daemon.

mod data;
mod page;

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use crate::alerting::CustomerState;
use crate::cli::exit::Outcome;
use crate::cli::open::CommandContext;
use crate::cli::status::data::{Data, named_in};
use crate::cli::{Format, control, output, spreadsheet, text};
use crate::clock::SystemClock;
use crate::domain::{FindingCode, MetricValue, SecuritySummary};
use crate::ledger::{
    DeferredRecipient, LedgerError, NotifierState, OpenFinding, Owed, PollStatus, Reader,
};
use crate::listings::health::{self, Health, HealthState, Signs};
use crate::listings::notifiers::{NotifierAccount, accounts};
use crate::listings::status_document::{Stated, document};
use crate::poll::Namesakes;
use crate::web::control::About;

/// Customers that are listed without `--all`.
const LISTED: usize = 20;

#[derive(Debug, Args)]
pub(super) struct Status {
    /// List every customer, not only the 20 worst
    #[arg(long)]
    all: bool,
    /// How to print it; as CSV, the customers
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Everything that `status` speaks of.
struct State {
    now: Timestamp,
    /// What the daemon says of itself.
    daemon: Option<About>,
    /// Why there is no daemon that answers, if so.
    no_daemon: Option<String>,
    /// How many silences are in force.
    silences: usize,
    polls: PollStatus,
    findings: Vec<OpenFinding>,
    /// Whether findings are sent to anybody, as far as is known.
    operator: bool,
    /// Whether they are sent as messages; else they are shown where the operator looks.
    by_message: bool,
    notifiers: Vec<NotifierAccount>,
    /// The worst first.
    customers: Vec<CustomerState>,
    /// Which of them read like others.
    namesakes: Namesakes,
    data: Data,
    /// How security alerts of Microsoft stand; none where they were never read.
    security: Option<SecuritySummary>,
    /// Whether there are more.
    more_customers: bool,
}

impl Status {
    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let context = CommandContext::look(path)?;
        let found = control::find(&context.paths).await;
        let no_daemon = found.why_none();
        let state = match context.reader() {
            Ok(reader) => self.gather(&context, &reader)?,
            Err(error) if is_before_the_first_start(&error) => {
                State::before_the_first_start(&context)
            }
            Err(error) => return Err(error),
        };
        let daemon = found.daemon.map(|daemon| About {
            // A file with mistakes is to be mended first, and cannot be reloaded.
            changed: if context.is_mistaken() { Vec::new() } else { daemon.about.changed },
            ..daemon.about
        });
        let state = State { daemon, no_daemon, ..state };
        let health = judge(&state, &context);
        match self.format {
            Format::Text => output::page(&page::page(&state, &health, &context.paths.time_zone))?,
            Format::Json => output::json(&document(&stated(&state, &health)))?,
            Format::Csv => print_csv(&state.customers)?,
        }
        Ok(if health.state == HealthState::Failing { Outcome::Failed } else { Outcome::Done })
    }

    fn gather(&self, context: &CommandContext, reader: &Reader) -> anyhow::Result<State> {
        let listed = if self.all { usize::MAX } else { LISTED };
        let mut customers = reader.customers_worst_first(listed.saturating_add(1))?;
        let more_customers = customers.len() > listed;
        customers.truncate(listed);
        let now = SystemClock::shared().now();
        let events = reader.events_since(now.saturating_sub(data::RECENT).unwrap_or(now))?;
        Ok(State {
            now,
            daemon: None,
            no_daemon: None,
            silences: reader.silences()?.iter().filter(|silence| silence.is_in_force(now)).count(),
            polls: reader.polls()?,
            findings: reader.findings()?,
            operator: tells_operator(context),
            by_message: context.config().is_none_or(|config| {
                let owed = config.owed_notifiers();
                config.operator.notify.iter().any(|name| owed.contains(name))
            }),
            notifiers: notifiers(
                context,
                reader.owed()?,
                &reader.notifier_states()?,
                reader.deferred_recipients()?,
            ),
            namesakes: Namesakes::find(
                customers.iter().map(text::named).chain(named_in(&events)),
                Some(reader),
            )?,
            data: Data { missing: reader.missing()?, events },
            security: reader.security_summary(now)?,
            customers,
            more_customers,
        })
    }
}

/// The notifiers of the file and of the ledger.
fn notifiers(
    context: &CommandContext,
    owed: Vec<Owed>,
    states: &[(String, NotifierState)],
    deferred: Vec<DeferredRecipient>,
) -> Vec<NotifierAccount> {
    let routes = context.config().map(|config| {
        config.notifiers.iter().map(crate::notify::Config::route).collect::<Vec<_>>()
    });
    accounts(&context.paths.notifiers, routes.as_deref(), owed, states, deferred)
}

/// How well it is, by what is known.
fn judge(state: &State, context: &CommandContext) -> Health {
    let unwritable = state.daemon.as_ref().and_then(|daemon| daemon.unwritable.as_ref());
    let mistaken = context.is_mistaken().then_some(context.paths.file.as_path());
    health::judge(&Signs {
        now: state.now,
        no_daemon: state.no_daemon.as_deref(),
        unwritable: unwritable.map(|unwritable| (unwritable.since, unwritable.why.as_str())),
        is_not_reloaded: !state.changed().is_empty(),
        mistaken,
        polls: &state.polls,
        findings: &state.findings,
        notifiers: &state.notifiers,
        source_failing_after: context.paths.source_failing_after,
        poll_interval: context.paths.poll_interval,
        duties: context.config().map(|config| (&config.rules, config.notifiers.as_slice())),
    })
}

/// What is printed for programs.
fn stated<'a>(state: &'a State, health: &'a Health) -> Stated<'a> {
    let daemon = state.daemon.as_ref();
    Stated {
        health,
        pid: daemon.map(|daemon| daemon.pid),
        leads: daemon.is_some_and(|daemon| daemon.leads),
        leader: daemon.and_then(|daemon| daemon.leader.clone()),
        silences: state.silences,
        changed: state.changed(),
        polls: &state.polls,
        findings: &state.findings,
        notifiers: &state.notifiers,
        missing: state.data.missing,
        events: &state.data.events,
        security: state.security.as_ref(),
        customers: &state.customers,
    }
}

/// Whether findings are sent to anybody, as far as is known.
fn tells_operator(context: &CommandContext) -> bool {
    context.config().is_none_or(|config| !config.operator.notify.is_empty())
}

/// There is no ledger where there will be one.
fn is_before_the_first_start(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(LedgerError::Missing { .. }))
}

impl State {
    /// Files that the daemon goes by, changed since it read them; none where a reload of them was
    /// refused, which is said instead.
    fn changed(&self) -> &[PathBuf] {
        let refused = |open: &OpenFinding| open.finding.code == FindingCode::ReloadRefused;
        match &self.daemon {
            Some(daemon) if !self.findings.iter().any(refused) => &daemon.changed,
            Some(_) | None => &[],
        }
    }

    fn before_the_first_start(context: &CommandContext) -> Self {
        Self {
            now: SystemClock::shared().now(),
            daemon: None,
            no_daemon: None,
            silences: 0,
            polls: PollStatus::default(),
            findings: Vec::new(),
            operator: tells_operator(context),
            by_message: false,
            notifiers: notifiers(context, Vec::new(), &[], Vec::new()),
            customers: Vec::new(),
            namesakes: Namesakes::default(),
            data: Data { missing: 0, events: Vec::new() },
            security: None,
            more_customers: false,
        }
    }

    fn pending(&self) -> u64 {
        self.notifiers.iter().map(|notifier| notifier.owed.pending).sum()
    }

    fn held(&self) -> u64 {
        self.notifiers.iter().map(|notifier| notifier.owed.held).sum()
    }

    fn dead(&self) -> u64 {
        self.notifiers.iter().map(|notifier| notifier.owed.dead).sum()
    }
}

fn print_csv(customers: &[CustomerState]) -> anyhow::Result<()> {
    let heading = [
        "customer_id",
        "customer",
        "plan",
        "percent_used",
        "over_zero",
        "cost",
        "currency",
        "usd_cost",
        "budget",
        "usage_as_of",
        "period_start",
        "period_end",
    ];
    let cells = |seen: &CustomerState| {
        let percent = seen.percent_used();
        vec![
            seen.customer.to_string(),
            text::bare_called(seen),
            seen.plan.as_str().to_owned(),
            text::or_nothing(percent.and_then(MetricValue::number)),
            (percent == Some(MetricValue::OverZero)).to_string(),
            seen.cost.to_string(),
            text::or_nothing(seen.currency),
            text::or_nothing(seen.usd_cost),
            text::or_nothing(seen.budget),
            seen.usage_as_of.to_string(),
            seen.period.start.to_string(),
            seen.period.end.to_string(),
        ]
    };
    spreadsheet::print(&heading, customers.iter().map(cells))
}
