//! What Debian's Alertmanager makes of what it is shown: through its API, its own `amtool`, and
//! what it tells its receiver.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use budget_alertd::clock::SystemClock;
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use super::authority::Authority;
use super::nginx::Nginx;
use super::process::{Server, budget_alertd, eventually, free_port, said, succeed};

const SOON: Duration = Duration::from_secs(30);

/// An Alertmanager of its own that tells a web server, and a daemon that shows it what is open.
struct World {
    folder: TempDir,
    port: u16,
    receiver: Nginx,
    server: Option<Server>,
}

impl World {
    fn new(poll_interval: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let receiver = Nginx::start(&Authority::new());
        let mut world = Self { folder, port: free_port(), receiver, server: None };
        let told = format!(
            "route: {{ receiver: hook, group_by: [customer_id, rule], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }}\n\
             receivers: [{{ name: hook, webhook_configs: [{{ url: \"{}\", send_resolved: true }}] }}]\n",
            world.receiver.url("/hooks/alertmanager")
        );
        std::fs::write(world.path("alertmanager.yml"), told).unwrap();
        let configuration = format!(
            "[source]\ntype = \"file\"\npath = \"usage.json\"\npoll_interval = \
                \"{poll_interval}\"\n[daemon]\nstate_dir = \"{}\"\n[rules.spend]\nmetric = \
                \"percent_used\"\nnotify = [\"board\"]\nsteps = [{{ at = 80 }}, \
                {{ at = 100, severity = \"critical\" }}]\n[notifiers.board]\ntype = \
                \"alertmanager\"\nurl = \"{}\"\n",
            world.path("state").display(),
            world.url()
        );
        std::fs::write(world.path("alert-rules.toml"), configuration).unwrap();
        world.up();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn up(&mut self) {
        let arguments = [
            format!("--config.file={}", self.path("alertmanager.yml").display()),
            format!("--storage.path={}", self.path("storage").display()),
            format!("--web.listen-address=127.0.0.1:{}", self.port),
            "--cluster.listen-address=".to_owned(),
        ];
        let arguments = arguments.each_ref().map(String::as_str);
        let mut server =
            Server::start("prometheus-alertmanager", &arguments, &self.path("alertmanager.log"));
        eventually(SOON, "the Alertmanager to be ready", || {
            server.assert_alive();
            self.get("/-/ready").status.success().then_some(())
        });
        self.server = Some(server);
    }

    fn get(&self, path: &str) -> Output {
        Command::new("curl")
            .args(["--silent", "--fail", &format!("{}{path}", self.url())])
            .output()
            .unwrap()
    }

    /// Customers with their costs under a budget.
    fn save_usage(&self, budget: u32, customers: &[(&str, u32)]) {
        let record = |(id, cost): &(&str, u32)| {
            format!(
                "{{\"resourceId\": \"{id}\", \"resourceName\": \"Customer {id}\", \"isUpgraded\": true, \"totalCost\": {cost},
                  \"budget\": {{\"amount\": {budget}}}, \"currencyCode\": \"SEK\", \"lastModifiedDate\": \"2019-09-17T17:08:11Z\"}}"
            )
        };
        let items: Vec<String> = customers.iter().map(record).collect();
        let collection =
            format!("{{\"totalCount\": {}, \"items\": [{}]}}", items.len(), items.join(","));
        std::fs::write(self.path("usage.new"), collection).unwrap();
        std::fs::rename(self.path("usage.new"), self.path("usage.json")).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(budget_alertd());
        command.arg("--config").arg(self.path("alert-rules.toml")).args(arguments).output().unwrap()
    }

    #[track_caller]
    fn poll(&self) {
        let output = self.command(&["poll", "--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            report["deliveries"],
            serde_json::json!({"sent": 0, "pending": 0, "dead": 0}),
            "{}",
            said(&output)
        );
    }

    /// The active alerts, as `amtool` lists them.
    fn alerts(&self) -> Vec<Value> {
        let url = format!("--alertmanager.url={}", self.url());
        let mut amtool = Command::new("amtool");
        let text = succeed(amtool.env("HOME", self.folder.path()).args([
            &url,
            "alert",
            "query",
            "--output=json",
        ]));
        let mut alerts: Vec<Value> = serde_json::from_str(&text).unwrap();
        alerts.sort_by_key(about);
        alerts
    }

    /// What its receiver was told: the state of each group, with what the group is about.
    fn told(&self) -> Vec<String> {
        let told = self.receiver.taken().into_iter().map(|taken| {
            let body: Value = serde_json::from_str(&taken.body).unwrap();
            let alerts: Vec<String> =
                body["alerts"].as_array().unwrap().iter().map(about).collect();
            format!("{} {}", body["status"].as_str().unwrap(), alerts.join(", "))
        });
        let mut told: Vec<String> = told.collect();
        told.sort();
        told
    }
}

/// The customer and the step.
fn about(alert: &Value) -> String {
    let label = |name: &str| alert["labels"][name].as_str().unwrap_or_default().to_owned();
    format!("{} {}", label("customer_id"), label("threshold"))
}

#[test]
fn what_is_open_is_received_grouped_and_shown_once_and_goes_when_it_is_over() {
    let world = World::new("1h");
    world.save_usage(100, &[("A", 85), ("B", 120), ("C", 10)]);
    world.poll();
    let first = world.alerts();
    assert_eq!(first.iter().map(about).collect::<Vec<_>>(), ["A 80", "B 100"]);
    assert_eq!(first[0]["annotations"]["percent"], "85");
    assert_eq!(first[1]["labels"]["severity"], "critical");
    eventually(SOON, "the receiver to be told", || {
        (world.told() == ["firing A 80", "firing B 100"]).then_some(())
    });

    world.save_usage(100, &[("A", 105), ("B", 130), ("C", 10)]);
    world.poll();
    let second = world.alerts();
    assert_eq!(second.iter().map(about).collect::<Vec<_>>(), ["A 100", "A 80", "B 100"]);
    let same = |alert: &Value| (alert["fingerprint"].clone(), alert["startsAt"].clone());
    assert_eq!(
        (same(&first[0]), same(&first[1])),
        (same(&second[1]), same(&second[2])),
        "they are the same alerts"
    );
    let groups: Vec<Value> =
        serde_json::from_slice(&world.get("/api/v2/alerts/groups").stdout).unwrap();
    let mut groups: Vec<_> =
        groups.iter().map(|group| group["alerts"].as_array().unwrap().len()).collect();
    groups.sort_unstable();
    assert_eq!(groups, [1, 2], "the steps of one customer are one group");
    eventually(SOON, "the receiver to be told of the higher step", || {
        world
            .told()
            .iter()
            .any(|told| told.starts_with("firing A") && told.contains("A 100"))
            .then_some(())
    });

    world.save_usage(1000, &[("A", 105), ("B", 130), ("C", 10)]);
    world.poll();
    eventually(SOON, "them to go", || world.alerts().is_empty().then_some(()));
    eventually(SOON, "the receiver to be told that they are over", || {
        let told = world.told();
        let over = |name: &str| {
            told.iter().any(|told| told.starts_with("resolved") && told.contains(name))
        };
        (over("A 80") && over("A 100") && over("B 100")).then_some(())
    });
    assert_eq!(
        world.told().iter().filter(|told| *told == "firing B 100").count(),
        1,
        "{:?}",
        world.told()
    );
}

#[test]
fn a_daemon_keeps_it_shown_and_when_the_daemon_is_gone_nothing_ends_before_its_time() {
    let world = World::new("2s");
    world.save_usage(100, &[("A", 85)]);
    let log = world.path("daemon.log");
    let configuration = world.path("alert-rules.toml").display().to_string();
    let program = budget_alertd().display().to_string();
    let daemon = Server::start(&program, &["--config", &configuration, "run"], &log);
    let ends_at = |alert: &Value| alert["endsAt"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let shown = || world.alerts().first().map(&ends_at);
    let first = eventually(SOON, "the alert", shown);
    eventually(SOON, "it to be shown again", || shown().filter(|again| *again > first));
    drop(daemon);
    let last = shown().unwrap_or_else(|| {
        panic!("it went with the daemon: {}", std::fs::read_to_string(&log).unwrap())
    });
    eventually(SOON, "it to end", || world.alerts().is_empty().then_some(()));
    assert!(SystemClock::shared().now() >= last, "it ended before its time");
    eventually(SOON, "the receiver to be told", || {
        (world.told() == ["firing A 80", "resolved A 80"]).then_some(())
    });
}

#[test]
fn it_is_probed_and_tried_and_a_poll_fails_without_it() {
    let mut world = World::new("1h");
    world.save_usage(100, &[("A", 85)]);
    let live = world.command(&["check", "--live"]);
    assert_eq!(live.status.code(), Some(0), "{}", said(&live));
    assert!(said(&live).contains("Alertmanager 0."), "{}", said(&live));
    let tried = world.command(&["notify-test", "board"]);
    assert_eq!(tried.status.code(), Some(0), "{}", said(&tried));
    assert_eq!(world.alerts()[0]["labels"]["test"], "true");
    world.server = None;
    let failed = world.command(&["poll"]);
    assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
    assert!(
        said(&failed).contains("notifier \"board\" cannot be shown what is open"),
        "{}",
        said(&failed)
    );
    world.up();
    world.poll();
    assert!(world.alerts().iter().any(|alert| about(alert) == "A 80"));
}
