//! Daemons of several hosts on one ledger, with one receiver: what each of them says, and what all
//! of them told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::HttpReceiver;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::process::{Server, budget_alertd, eventually, said};

/// How long anything may take that must happen.
pub(crate) const SOON: Duration = Duration::from_mins(1);
/// How many messages a daemon has under way to one webhook.
pub(crate) const IN_FLIGHT: usize = 32;

/// The hosts.
pub(crate) struct Fleet {
    folder: TempDir,
    pub(crate) receiver: HttpReceiver,
    daemons: Vec<Option<Server>>,
    /// What the receiver runs on.
    _runtime: Runtime,
}

impl Fleet {
    /// As many hosts as there are URLs of the ledger; none of them runs yet.
    pub(crate) fn of(urls: &[String]) -> Self {
        let runtime = Runtime::new().unwrap();
        let receiver =
            runtime.block_on(async { HttpReceiver::start(SystemClock::shared()).unwrap() });
        let fleet = Self {
            folder: TempDir::new().unwrap(),
            receiver,
            _runtime: runtime,
            daemons: urls.iter().map(|_| None).collect(),
        };
        for (host, url) in urls.iter().enumerate() {
            fleet.configure(host, url);
        }
        fleet
    }

    /// Writes the configuration of a host.
    pub(crate) fn configure(&self, host: usize, url: &str) {
        self.configure_secret(host, &format!("\"{url}\""));
    }

    /// The same with a URL as it is written in the file.
    pub(crate) fn configure_secret(&self, host: usize, url: &str) {
        std::fs::create_dir_all(self.path(&format!("{host}"))).unwrap();
        let text = format!(
            "[source]\ntype = \"file\"\npath = \"{}\"\npoll_interval = \"1s\"\n
            [daemon]\nstate_dir = \"{}\"\n[ledger]\nurl = {url}\nbackups = \"\"\n
            [rules.spend]\nmetric = \"percent_used\"\nnotify = [\"hook\"]\nsteps = [{{ at = 100 }}]\n
            [notifiers.hook]\ntype = \"webhook\"\nurl = \"{}\"\n",
            self.path("usage.json").display(),
            self.path(&format!("{host}/state")).display(),
            self.receiver.url("/hook"),
        );
        std::fs::write(self.path(&format!("{host}/alert-rules.toml")), text).unwrap();
    }

    /// So many customers are over their budgets; one is not.
    pub(crate) fn customers_over(&self, customers: usize) {
        let record = |number: usize| {
            let cost = if number == customers { 1 } else { 150 };
            let name = if number == customers { "quiet".into() } else { format!("c{number}") };
            format!(
                "{{\"resourceId\": \"{name}\", \"resourceName\": \"{name}\", \"isUpgraded\": true, \"totalCost\": {cost},
                  \"budget\": {{\"amount\": 100}}, \"currencyCode\": \"SEK\", \"lastModifiedDate\": \"2026-09-17T17:08:11Z\"}}"
            )
        };
        let items: Vec<String> = (0..=customers).map(record).collect();
        let count = items.len();
        let text = format!("{{\"totalCount\": {count}, \"items\": [{}]}}", items.join(","));
        std::fs::write(self.path("usage.new"), text).unwrap();
        std::fs::rename(self.path("usage.new"), self.path("usage.json")).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn start(&mut self, host: usize) {
        let (program, log) = (budget_alertd(), self.path(&format!("{host}/log")));
        let config = self.path(&format!("{host}/alert-rules.toml"));
        let arguments = ["--config", config.to_str().unwrap(), "run"];
        self.daemons[host] = Some(Server::start(program.to_str().unwrap(), &arguments, &log));
    }

    pub(crate) fn start_all(&mut self) {
        (0..self.daemons.len()).for_each(|host| self.start(host));
    }

    /// Sends a signal to the daemon of a host.
    pub(crate) fn signal(&self, host: usize, signal: &str) {
        let pid = self.daemons[host].as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    }

    /// Kills the daemon of a host.
    pub(crate) fn kill(&mut self, host: usize) {
        self.signal(host, "KILL");
        self.daemons[host] = None;
    }

    pub(crate) fn assert_alive(&mut self) {
        self.daemons.iter_mut().flatten().for_each(Server::assert_alive);
    }

    /// A command on a host.
    pub(crate) fn command(&self, host: usize, arguments: &[&str]) -> Output {
        let config = self.path(&format!("{host}/alert-rules.toml"));
        Command::new(budget_alertd()).arg("--config").arg(config).args(arguments).output().unwrap()
    }

    /// Whether the daemon of a host leads; none while it does not say.
    pub(crate) fn leads(&self, host: usize) -> Option<bool> {
        let output = self.command(host, &["status", "--format", "json"]);
        let status: Value = serde_json::from_slice(&output.stdout).ok()?;
        status["daemon"]["running"].as_bool().filter(|running| *running)?;
        status["daemon"]["leader"].as_bool()
    }

    /// The host that leads, among these; waits until one does.
    pub(crate) fn leader(&self, hosts: &[usize], within: Duration) -> usize {
        eventually(within, "a leader", || {
            hosts.iter().copied().find(|host| self.leads(*host) == Some(true))
        })
    }

    /// Waits until the daemon of a host stands by.
    pub(crate) fn stands_by(&self, host: usize) {
        eventually(
            Duration::from_secs(90),
            &format!("host {host} to stand by; {}", self.logs()),
            || (self.leads(host) == Some(false)).then_some(()),
        );
    }

    /// Waits until so many messages came.
    pub(crate) fn receiver_has(&self, messages: usize) {
        eventually(SOON, "messages", || (self.receiver.received().len() >= messages).then_some(()));
    }

    /// Ends the daemon of a host in order.
    pub(crate) fn end(&mut self, host: usize) {
        self.signal(host, "TERM");
        let daemon = self.daemons[host].as_mut().unwrap();
        assert!(daemon.ended(SOON), "it goes on");
        self.daemons[host] = None;
    }

    /// Waits until so many customers were told of, by whichever host.
    pub(crate) fn told(&self, customers: usize, within: Duration) {
        eventually(within, &format!("news of {customers} customers; {}", self.logs()), || {
            (self.identities().len() == customers).then_some(())
        });
    }

    /// Fails when a customer was told under two identities, or more was repeated than `most`.
    pub(crate) fn assert_told_once(&self, most: usize) {
        let identities = self.identities();
        for (customer, identities) in &identities {
            assert_eq!(identities.len(), 1, "{customer}: {identities:?}\n{}", self.logs());
        }
        let repeated = self.receiver.received().len() - identities.len();
        assert!(repeated <= most, "{repeated} messages came again\n{}", self.logs());
    }

    /// The identities under which each customer was told.
    fn identities(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for request in self.receiver.received() {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let customer = body["data"]["alerts"][0]["customer"]["id"].as_str().unwrap().to_owned();
            let identity = request.header("webhook-id").unwrap().to_owned();
            told.entry(customer).or_default().insert(identity);
        }
        told
    }

    pub(crate) fn logs(&self) -> String {
        let log = |host: usize| {
            let text = std::fs::read_to_string(self.path(&format!("{host}/log")));
            let text = text.unwrap_or_default();
            let lines: Vec<&str> = text.lines().rev().take(25).collect();
            format!("host {host}:\n{}\n", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
        };
        (0..self.daemons.len()).map(log).collect()
    }

    /// A command that must succeed.
    #[track_caller]
    pub(crate) fn succeed(&self, host: usize, arguments: &[&str]) -> String {
        let output = self.command(host, arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        said(&output)
    }
}
