//! Arguments, one file for each command, logging, and the exit code. Results go to stdout,
//! everything else to stderr.
#![expect(clippy::print_stderr, reason = "the command line is where what is wrong is said")]

mod ack;
mod alerts;
mod budgets;
mod calibrate;
mod check;
mod choice;
mod control;
mod coverage;
mod deliveries;
mod demo;
mod doubts;
mod evidence;
mod exit;
mod explain;
mod generate;
mod harmless;
mod impact;
mod init;
mod ledger;
mod live;
mod log;
mod login;
mod notify_test;
mod open;
mod output;
mod poll;
mod raised;
mod readable;
mod release;
mod reload;
mod remote;
mod report;
mod retry;
mod run;
mod schema;
mod security;
mod show;
mod silence;
mod simulate;
mod spreadsheet;
mod status;
mod table;
mod tend;
mod test;
mod text;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

/// Where the configuration is looked for when `--config` is not given.
const DEFAULT_CONFIGS: [&str; 2] = [crate::config::SYSTEM_FILE, "alert-rules.toml"];

/// How long work on other threads may go on at the end.
const LAST_WORK: Duration = Duration::from_secs(5);

/// What every command takes, in the help after its own options.
const GLOBAL: &str = "Options of every command";

/// Budget alerts for Microsoft cloud resellers: reads Partner Center usage, tells the right people
/// once.
#[derive(Debug, Parser)]
#[command(name = "budget-alertd", version, max_term_width = 100)]
struct Arguments {
    /// The configuration [default: /etc/budget-alertd/alert-rules.toml, else ./alert-rules.toml]
    #[arg(long, global = true, value_name = "FILE", help_heading = GLOBAL, display_order = 900)]
    config: Option<PathBuf>,
    /// What to log to stderr: error, warn, info, debug, trace
    /// [default: info for run, none for demo, warn otherwise]
    #[arg(long, global = true, value_name = "LEVEL", help_heading = GLOBAL, display_order = 901)]
    log: Option<log::Level>,
    /// How to log: text, or json with an object a line
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        value_enum,
        default_value_t,
        hide_possible_values = true,
        help_heading = GLOBAL,
        display_order = 902
    )]
    log_format: log::LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon
    #[command(after_help = "Example: budget-alertd --config alert-rules.toml run")]
    Run,
    /// Poll once, deliver what is owed, say what happened
    #[command(after_help = "Beside a running daemon, the daemon polls.\n\nExits with 1 when the \
        source could not be read whole, or a delivery is still owed or was given up.\n\nExample: \
        budget-alertd poll --dry-run")]
    Poll(poll::Poll),
    /// Check the configuration and say what each rule means
    #[command(
        after_help = "Exits with 2 when it cannot run; every mistake is named with its line. With \
            --live, exits with 1 when something cannot be reached.\n\nExample: budget-alertd check \
            --live"
    )]
    Check(check::Check),
    /// Run rule tests: records over time in, expected alerts out
    #[command(
        after_help = "Exits with 1 when a test fails, with 2 when a file cannot be read. Needs no \
            secrets and no network.\n\nExample: budget-alertd test tests/*.toml"
    )]
    Test(test::Test),
    /// Say which alerts other rules would have raised on recorded history, or on saved collections
    #[command(after_help = "Example: budget-alertd simulate --rules new-rules.toml --since 30d")]
    Simulate(simulate::Simulate),
    /// Propose a rule about spikes, and budgets, from recorded history
    #[command(
        after_help = "Nothing is changed. Exits with 1 when there is too little history.\n\n\
            Example: budget-alertd calibrate --alarms-per-week 5 --budgets budgets.csv"
    )]
    Calibrate(calibrate::Calibrate),
    /// Say how the daemon does, what to do about it, and which customers are worst
    #[command(
        after_help = "Exits with 1 when it is failing: an overspend would not be told. Degraded is \
            no failure.\n\nExample: budget-alertd status --format json | jq .health"
    )]
    Status(status::Status),
    /// Say why a customer alerts or not, and what became of its alerts
    #[command(after_help = "Example: budget-alertd explain \"Contoso Nord\"")]
    Explain(explain::Explain),
    /// List the customers that can never alert, and what to do about it
    #[command(after_help = "Example: budget-alertd coverage --format csv > coverage.csv")]
    Coverage(coverage::Coverage),
    /// Print the regular report as it would come now
    #[command(after_help = "Example: budget-alertd report --format json | jq .over_budget.total")]
    Report(report::Report),
    /// List what was raised, newest first
    #[command(after_help = "Example: budget-alertd alerts --since 7d --customer contoso")]
    Alerts(alerts::Alerts),
    /// Say that you know of an alert: nobody is reminded of it until its next higher step
    #[command(after_help = "Example: budget-alertd ack 5F0C1C3E")]
    Ack(ack::Ack),
    /// Keep alerts of some customers and rules from being told for a time
    #[command(
        after_help = "Example: budget-alertd silence add --customer \"Contoso*\" --for 2h --reason \
            \"migration, agreed\""
    )]
    Silence(silence::Silence),
    /// List what is owed, sent and given up; owe again what was given up
    #[command(after_help = "Example: budget-alertd deliveries --state dead")]
    Deliveries(deliveries::Deliveries),
    /// Microsoft's security alerts: list them, show one, answer one
    Security(security::Security),
    /// Write a folder that proves what was seen of a customer, decided about it, and told to whom;
    /// of an incident what a claim for fraud needs
    #[command(
        after_help = "Of an incident: budget-alertd evidence --incident 5F0C1C3E\n\nExample: \
            budget-alertd evidence --customer \"Contoso Nord\" --since 2026-11-01"
    )]
    Evidence(evidence::EvidenceOf),
    /// A spreadsheet of customers with their budgets: prefilled out, checked and explained in; and
    /// what of them is written to Partner Center
    #[command(after_help = "Example: budget-alertd budgets export --output customers.csv")]
    Budgets(budgets::Budgets),
    /// Show it all against simulated servers, a month in about a minute; needs nothing
    #[command(after_help = "Example: budget-alertd demo --fast")]
    Demo(demo::Demo),
    /// Back up, verify and restore the ledger; begin a new one in place of one that is lost
    Ledger(ledger::Ledger),
    /// Send a message marked as a test through one notifier
    #[command(after_help = "Example: budget-alertd notify-test ops-slack")]
    NotifyTest(notify_test::NotifyTest),
    /// Print a JSON Schema: of the configuration, for editors; of what webhooks get, for their
    /// receivers
    #[command(after_help = "Example: budget-alertd schema config > alert-rules.schema.json")]
    Schema(schema::Schema),
    /// Ask a few questions, write or change the configuration, sign in, send a test message, start
    #[command(
        after_help = "Answers come from the terminal, from stdin (a line each), or from the \
            options. Over a configuration that exists, what it says is proposed, what is not asked \
            for stays, and a copy is kept.\n\nExample: budget-alertd init --destinations \
            graph-mail,teams"
    )]
    Init(Box<init::Init>),
    /// Sign in to Partner Center, and keep the sign-in where the daemon reads it
    #[command(after_help = "Exits with 1 when it is refused; then nothing is kept.\n\nExample: \
            budget-alertd login --browser")]
    Login(login::Login),
    /// Let the daemon reload its configuration, and say whether it did
    #[command(
        after_help = "Exits with 0 when the file is in force, with 2 when it was refused (the \
            mistakes are shown, and the configuration before stays in force), with 1 when no \
            daemon answers.\n\nExample: budget-alertd reload"
    )]
    Reload(reload::Reload),
    /// Write man pages or completions of the shells, for packages
    #[command(hide = true, after_help = "Example: budget-alertd generate man man1")]
    Generate(generate::Generate),
}

impl Command {
    /// What it logs unless told otherwise; none for a show, which tells everything itself.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what ends tells its outcome itself")]
    fn usual_log(&self) -> Option<log::Level> {
        match self {
            Self::Demo(_) => None,
            Self::Run => Some(log::Level::Info),
            _ => Some(log::Level::Warn),
        }
    }
}

/// How listings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
}

impl Arguments {
    /// The configuration to use: as given, else the first default that exists.
    fn config_path(&self) -> Result<PathBuf, exit::WrongUsage> {
        let default = || DEFAULT_CONFIGS.iter().map(PathBuf::from).find(|path| path.exists());
        self.config.clone().or_else(default).ok_or_else(|| {
            exit::WrongUsage(format!(
                "there is no configuration: neither {} exists; `budget-alertd init` makes one, \
                    --config FILE names another",
                DEFAULT_CONFIGS.join(" nor ./")
            ))
        })
    }
}

/// Parses the arguments, runs the command, and turns its outcome into an exit code.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(level) = arguments.log.or(arguments.command.usual_log()) {
        log::start(level, arguments.log_format);
    }
    let runtime = match runtime(&arguments.command).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("budget-alertd: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = match runtime.block_on(ended(&arguments)) {
        Ok(code) => code,
        // Whoever reads the results has seen enough: that is no failure.
        Err(error) if exit::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            exit::print(&error);
            exit::code_of(&error)
        }
    };
    // A copy of a large ledger that is under way would keep a daemon from stopping in time: it is
    // whole or not there.
    runtime.shutdown_timeout(LAST_WORK);
    code
}

/// One thread is enough for a command. The daemon has two, so that whoever asks for pages all the
/// time keeps no poll and no delivery waiting for its turn.
fn runtime(command: &Command) -> tokio::runtime::Builder {
    if !matches!(command, Command::Run) {
        return tokio::runtime::Builder::new_current_thread();
    }
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2);
    runtime
}

/// Runs the command, here or in the daemon, to its exit code.
async fn ended(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if let Ok(path) = arguments.config_path()
        && let Some(read) = remote::read(arguments, &path).await
    {
        return read.map(ExitCode::from);
    }
    execute(arguments).await.map(ExitCode::from)
}

async fn execute(arguments: &Arguments) -> anyhow::Result<exit::Outcome> {
    // At the limit of a file's size, writing is to fail as on a full disk: by itself the signal
    // ends the process.
    let _caught = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()));
    let config = || arguments.config_path();
    match &arguments.command {
        Command::Run => Box::pin(run::run(&config()?)).await,
        Command::Poll(poll) => Box::pin(poll.run(&config()?)).await,
        Command::Check(check) => Box::pin(check.run(&config()?)).await,
        Command::Test(test) => test.run(|| Ok(config()?)),
        Command::Simulate(simulate) => simulate.run(&config()?).await,
        Command::Calibrate(calibrate) => calibrate.run(&config()?),
        Command::Status(status) => status.run(&config()?).await,
        Command::Explain(explain) => explain.run(&config()?),
        Command::Coverage(coverage) => coverage.run(&config()?),
        Command::Report(report) => Box::pin(report.run(&config()?)).await,
        Command::Alerts(alerts) => alerts.run(&config()?),
        Command::Ack(ack) => ack.run(&config()?).await,
        Command::Silence(silence) => silence.run(&config()?).await,
        Command::Deliveries(deliveries) => deliveries.run(&config()?).await,
        Command::Security(security) => Box::pin(security.run(&config()?)).await,
        Command::Evidence(evidence) => Box::pin(evidence.run(&config()?)).await,
        Command::Budgets(budgets) => Box::pin(budgets.run(&config()?)).await,
        Command::Demo(demo) => Box::pin(demo.run()).await,
        Command::Ledger(ledger) => ledger.run(&config()?),
        Command::NotifyTest(test) => test.run(&config()?).await,
        Command::Schema(schema) => schema.run(),
        Command::Init(init) => Box::pin(init.run(arguments.config.as_deref())).await,
        Command::Login(login) => Box::pin(login.run(&config()?)).await,
        Command::Reload(reload) => reload.run(&config()?).await,
        Command::Generate(generate) => generate.run(),
    }
}
