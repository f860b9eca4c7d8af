//! A small world for cycles: rules as TOML and records go in, what was raised comes out as text.
//! The ledger is a real file, closed and opened again for every poll, so that nothing is remembered
//! anywhere else.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

use budget_alertd::actions::{Action, ActionContext, Author};
use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::config::{self, Environment};
use budget_alertd::daemon::assemble;
use budget_alertd::domain::{AlertSnapshot, Delivery, Message, PeriodSource};
use budget_alertd::ledger::Ledger;
use budget_alertd::metrics::Metrics;
use budget_alertd::poll::{CycleReport, SecurityReport};
use tempfile::TempDir;

use crate::support::{server, writes};

/// The rule most tests are about.
pub(crate) const SPEND: &str = r#"
[rules.spend]
metric = "percent_used"
notify = ["hook"]
steps = [{ at = 80 }, { at = 100, severity = "critical" }]
"#;

/// One usage record; the rest of it is made up.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) cost: String,
    pub(crate) budget: Option<String>,
    pub(crate) date: String,
    pub(crate) legacy: bool,
    pub(crate) more: String,
}

/// An Azure plan customer in SEK.
pub(crate) fn plan(id: &str, cost: &str, budget: &str, date: &str) -> Record {
    let budget = (!budget.is_empty()).then(|| budget.to_owned());
    Record {
        id: id.into(),
        cost: cost.into(),
        budget,
        date: date.into(),
        legacy: false,
        more: String::new(),
    }
}

/// A legacy customer.
pub(crate) fn legacy(id: &str, cost: &str, budget: &str, date: &str) -> Record {
    Record { legacy: true, ..plan(id, cost, budget, date) }
}

impl Record {
    fn json(&self) -> String {
        let Self { id, cost, date, more, .. } = self;
        let budget =
            self.budget.as_ref().map_or(String::new(), |budget| format!("\"amount\": {budget}"));
        let currency =
            if self.legacy { "\"currencyLocale\": \"fr-FR\"" } else { "\"currencyCode\": \"SEK\"" };
        let upgraded = !self.legacy;
        format!(
            "{{\"resourceId\": \"{id}\", \"resourceName\": \"Customer {id}\", \"isUpgraded\": {upgraded}, \"totalCost\": {cost},
              \"budget\": {{{budget}}}, {currency}, \"lastModifiedDate\": \"{date}\"{more}}}"
        )
    }
}

/// The world.
pub(crate) struct World {
    dir: TempDir,
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) metrics: Metrics,
    rules: String,
    source: String,
    /// The time zone of the messages.
    zone: &'static str,
    /// How many customers are recorded together in a mass crossing; `None`: as many as a daemon
    /// records.
    slice: Option<usize>,
}

impl World {
    /// A world with these rules, and a webhook called `hook` that nothing is sent to.
    pub(crate) fn new(rules: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let source = format!(
            "[source]\ntype = \"file\"\npath = \"{}\"\n",
            dir.path().join("usage.json").display()
        );
        let clock = SimulatedClock::starting_at("2019-01-01T00:00:00Z".parse().unwrap());
        Self {
            dir,
            clock,
            metrics: Metrics::new(),
            rules: rules.to_owned(),
            source,
            zone: "UTC",
            slice: None,
        }
    }

    /// Reads from this `[source]` instead of a file.
    pub(crate) fn with_source(mut self, source: String) -> Self {
        self.source = source;
        self
    }

    /// One more key of `[source]`.
    pub(crate) fn with_source_key(self, line: &str) -> Self {
        let source = format!("{}{line}\n", self.source);
        self.with_source(source)
    }

    /// Records what a poll raises in slices of so many customers, once there are twice as many.
    pub(crate) fn in_slices_of(self, slice: usize) -> Self {
        Self { slice: Some(slice), ..self }
    }

    /// The same world with messages in this time zone.
    pub(crate) fn in_zone(self, zone: &'static str) -> Self {
        Self { zone, ..self }
    }

    /// The same world under a clock that shows `now`, whatever it showed before.
    pub(crate) fn with_clock_at(self, now: &str) -> Self {
        Self { clock: SimulatedClock::starting_at(now.parse().unwrap()), ..self }
    }

    /// The rules of the next poll.
    pub(crate) fn rules(&self) -> &str {
        &self.rules
    }

    /// Other rules from the next poll on.
    pub(crate) fn change_rules(&mut self, rules: &str) {
        rules.clone_into(&mut self.rules);
    }

    /// The configuration of the next poll.
    pub(crate) fn config(&self) -> config::Config {
        config::parse(&self.configuration(), &PathBuf::from("rules.toml"), &Environment::default())
            .unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// The same as it is written.
    fn configuration(&self) -> String {
        let hook = if self.rules.contains("[notifiers.") {
            ""
        } else {
            "[notifiers.hook]\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n"
        };
        let state = self.dir.path().join("state");
        let mut text = format!(
            "{}\n[daemon]\nstate_dir = \"{}\"\ntime_zone = \"{}\"\n{}\n{hook}",
            self.source,
            state.display(),
            self.zone,
            self.rules
        );
        if let Some(url) = server::url_for(&state) {
            let rest = text.replace("[ledger]\n", "");
            text = text.replace("[ledger]\n", &format!("[ledger]\nurl = \"{url}\"\n"));
            if rest == text {
                text.extend(["[ledger]\nurl = \"", &url, "\"\n"]);
            }
        }
        text
    }

    /// Runs a command on what this world has recorded.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let file = self.write_beside("alert-rules.toml", &self.configuration());
        Command::new(env!("CARGO_BIN_EXE_budget-alertd"))
            .args(["--config", &file])
            .args(arguments)
            .output()
            .unwrap()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }

    /// The ledger, to look into between polls.
    pub(crate) fn ledger(&self) -> Ledger {
        let ledger = Ledger::open(&self.config().ledger, Metrics::new(), self.clock()).unwrap();
        ledger.stand("this host").unwrap();
        ledger
    }

    /// Polls what the source has at `now`.
    pub(crate) async fn poll_source(&self, now: &str) -> CycleReport {
        self.clock.advance_to(now.parse().unwrap());
        let ledger = self.ledger();
        let report = {
            let mut assembly =
                assemble(&self.config(), &ledger, &self.clock(), &self.metrics).unwrap();
            if let Some(slice) = self.slice {
                Arc::get_mut(&mut assembly.cycle).unwrap().slice = slice;
            }
            assembly.cycle.run(false).await.unwrap()
        };
        ledger.close().await.unwrap();
        report
    }

    /// Reads security alerts at `now`.
    pub(crate) async fn read_security(&self, now: &str) -> SecurityReport {
        self.clock.advance_to(now.parse().unwrap());
        let ledger = self.ledger();
        let report = {
            let assembly = assemble(&self.config(), &ledger, &self.clock(), &self.metrics).unwrap();
            assembly.cycle.read_security().await.unwrap().unwrap()
        };
        ledger.close().await.unwrap();
        report
    }

    /// Looks at `now` which claims are due.
    pub(crate) async fn remind(&self, now: &str) {
        self.clock.advance_to(now.parse().unwrap());
        let ledger = self.ledger();
        let assembly = assemble(&self.config(), &ledger, &self.clock(), &self.metrics).unwrap();
        assembly.claims.step().await.unwrap();
        drop(assembly);
        ledger.close().await.unwrap();
    }

    /// Lets root order something, with no daemon beside it.
    pub(crate) async fn order<A: Action>(&self, request: A) -> Result<A::Answer, String> {
        let (ledger, config) = (self.ledger(), self.config());
        let cycle = assemble(&config, &ledger, &self.clock(), &self.metrics).unwrap().cycle;
        let context = ActionContext::in_process(cycle, config.ledger.clone(), config.file);
        let answer = request.run(&context, &Author::of(0)).await;
        drop(context);
        ledger.close().await.unwrap();
        answer.map_err(|error| error.to_string())
    }

    /// What the operator was told through a notifier, a line each, and has not been sent yet.
    pub(crate) async fn operator_news(&self, notifier: &str) -> Vec<String> {
        let news = |delivery: Delivery| match delivery.message {
            Message::Operator(news) if news.over => Some(format!("over: {}", news.summary)),
            Message::Operator(news) => {
                Some(format!("{}: {}\n{}", news.code, news.summary, news.action))
            }
            _ => None,
        };
        self.owed(notifier).await.into_iter().filter_map(news).collect()
    }

    /// Polls a collection of these records at `now`.
    pub(crate) async fn report(&self, now: &str, records: &[Record]) -> CycleReport {
        self.put(records);
        self.poll_source(now).await
    }

    /// Makes these records what the source has.
    pub(crate) fn put(&self, records: &[Record]) {
        let items: Vec<String> = records.iter().map(Record::json).collect();
        self.write(&format!(
            "{{\"totalCount\": {}, \"items\": [{}]}}",
            records.len(),
            items.join(", ")
        ));
    }

    /// Polls what the source has at `now`; returns of which tables this wrote how many rows.
    pub(crate) async fn writes_of_a_poll(&self, now: &str) -> Vec<String> {
        self.clock.advance_to(now.parse().unwrap());
        let ledger = self.ledger();
        let file = rusqlite::Connection::open(self.config().ledger.path).unwrap();
        writes::watch(&file);
        {
            let assembly = assemble(&self.config(), &ledger, &self.clock(), &self.metrics).unwrap();
            assembly.cycle.run(false).await.unwrap();
        }
        let written = writes::seen(&file);
        ledger.close().await.unwrap();
        written
    }

    /// Puts a file beside the ledger; returns its path.
    pub(crate) fn write_beside(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Puts this into the file that is read.
    pub(crate) fn write(&self, collection: &str) {
        std::fs::write(self.dir.path().join("usage.json"), collection).unwrap();
    }

    /// Polls and tells what was raised and what was kept silent, a line each.
    pub(crate) async fn poll(&self, now: &str, records: &[Record]) -> String {
        told(&self.report(now, records).await)
    }

    /// The value of one series, as a scrape shows it.
    pub(crate) fn metric(&self, series: &str) -> String {
        let text = self.metrics.render().unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with(series))
            .unwrap_or_else(|| panic!("no {series} in\n{text}"));
        line.rsplit(' ').next().unwrap().to_owned()
    }

    /// What is owed to a notifier.
    pub(crate) async fn owed(&self, notifier: &str) -> Vec<Delivery> {
        let ledger = self.ledger();
        let due = ledger.due(notifier, Vec::new(), 10_000).await.unwrap();
        ledger.close().await.unwrap();
        due
    }
}

/// What a poll raised and kept silent, a line each.
pub(crate) fn told(report: &CycleReport) -> String {
    let mut alerts = report.alerts.clone();
    alerts.sort_by(|a, b| {
        (a.alert.customer.id.as_str(), &a.alert.rule)
            .cmp(&(b.alert.customer.id.as_str(), &b.alert.rule))
    });
    let mut text = String::new();
    for alert in &alerts {
        writeln!(text, "{}", line(alert)).unwrap();
    }
    let suppressed = report.suppressed;
    for (number, what) in [(suppressed.duplicate, "duplicate"), (suppressed.passed, "passed")] {
        if number > 0 {
            writeln!(text, "{number} {what}").unwrap();
        }
    }
    if !report.good {
        writeln!(text, "failed: {}", report.errors.join("; ")).unwrap();
    }
    text.trim_end().to_owned()
}

fn line(snapshot: &AlertSnapshot) -> String {
    let alert = &snapshot.alert;
    let passed: Vec<String> = alert.passed.iter().map(ToString::to_string).collect();
    let passed =
        if passed.is_empty() { String::new() } else { format!(" passed {}", passed.join(" ")) };
    let value = alert.number().map_or("over zero".to_owned(), |value| value.to_string());
    let budget = alert.budget.as_ref().map_or(String::new(), |budget| {
        let before = budget.previous_amount.map_or(String::new(), |before| format!("{before} → "));
        format!(" of {before}{}", budget.amount)
    });
    let period = alert.billing_period;
    let day = |at: jiff::Timestamp| at.to_string()[..10].to_owned();
    let source = match period.source {
        PeriodSource::SubscriptionSummary => "known",
        PeriodSource::CalendarMonth => "month",
        PeriodSource::Assumed => "assumed",
    };
    let carried = if snapshot.context.carried_over { " carried over" } else { "" };
    let baseline = if alert.baseline { " baseline" } else { "" };
    let subscription = alert.subscription.as_ref().map_or(String::new(), |id| format!("/{id}"));
    format!(
        "{}{subscription} {} {}{passed}: {value}{budget}, {} .. {} {source}{carried}{baseline}",
        alert.customer.id,
        alert.rule,
        alert.threshold,
        day(period.start),
        day(period.end)
    )
}
