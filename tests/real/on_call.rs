//! People on call without root: what members of the daemon's group may do, what strangers may, and
//! what each is told. Real users by their numbers, a real socket.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::HttpReceiver;
use tempfile::TempDir;

use crate::process::{Server, budget_alertd, eventually, said, traversable};

const MEMBER: u32 = 64001;
const STRANGER: u32 = 64002;
const GROUP: u32 = 64100;

const USAGE: &str = include_str!("../fixtures/customers_usagerecords.json");

/// A daemon of root whose socket is for a group, and its receiver.
struct OnCall {
    folder: TempDir,
    _receiver: HttpReceiver,
    _daemon: Server,
}

impl OnCall {
    fn start() -> Self {
        let rule = "metric = \"percent_used\"\nsteps = [{ at = 80, notify = [\"hook\"] }]\n";
        Self::start_with(USAGE, rule, |alerts| alerts.contains("spend"))
    }

    /// A daemon with one rule that has read this usage, once its alerts are as they should be.
    fn start_with(usage: &str, rule: &str, is_good: fn(&str) -> bool) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::set_permissions(folder.path(), traversable()).unwrap();
        let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("usage.json"), usage).unwrap();
        std::fs::write(
            path("alert-rules.toml"),
            format!(
                "[source]\ntype = \"file\"\npath = \"usage.json\"\n[daemon]\nstate_dir = \"{}\"\n[rules.spend]\n\
                {rule}[notifiers.hook]\ntype = \
                \"webhook\"\nurl = \"{}\"\n",
                path("state").display(),
                receiver.url("/hook")
            ),
        )
        .unwrap();
        std::fs::create_dir(path("run")).unwrap();
        std::fs::set_permissions(path("run"), std::fs::Permissions::from_mode(0o2750)).unwrap();
        chown(path("run"), Some(0), Some(GROUP)).unwrap();
        let runtime = format!("RUNTIME_DIRECTORY={}", path("run").display());
        let program = budget_alertd().display().to_string();
        let configuration = path("alert-rules.toml").display().to_string();
        let daemon = Server::start(
            "/usr/bin/env",
            &[&runtime, &program, "--config", &configuration, "run"],
            &path("log"),
        );
        let on_call = Self { folder, _receiver: receiver, _daemon: daemon };
        eventually(Duration::from_mins(1), "the first poll with its delivery", || {
            let alerts = said(&on_call.run(0, &["alerts", "--format", "csv"]));
            let status = said(&on_call.run(0, &["status"]));
            (is_good(&alerts) && status.contains("; 0 owed, ")).then_some(())
        });
        on_call
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command of the user with this number, who is in the group where it is the member.
    fn run(&self, user: u32, arguments: &[&str]) -> Output {
        let groups = if user == STRANGER { STRANGER } else { GROUP };
        Command::new("setpriv")
            .args([
                format!("--reuid={user}"),
                format!("--regid={user}"),
                format!("--groups={groups}"),
            ])
            .arg(budget_alertd())
            .arg("--config")
            .arg(self.path("alert-rules.toml"))
            .args(arguments)
            .env("RUNTIME_DIRECTORY", self.path("run"))
            .output()
            .unwrap()
    }

    fn reference(&self) -> String {
        let alerts = self.run(MEMBER, &["alerts", "--format", "json"]);
        let alerts: serde_json::Value = serde_json::from_slice(&alerts.stdout).unwrap();
        alerts[0]["ref"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_the_group_asks_everything_and_acts_under_its_own_name() {
    let on_call = OnCall::start();
    for listing in [
        &["status"][..],
        &["alerts"],
        &["deliveries"],
        &["silence", "list"],
        &["coverage"],
        &["report"],
        &["explain", "Modern Azure Customer SE"],
        &["status", "--format", "json"],
    ] {
        let (own, root) = (on_call.run(MEMBER, listing), on_call.run(0, listing));
        assert_eq!(own.status.code(), root.status.code(), "{listing:?}: {}", said(&own));
        let first = |output: &Output| said(output).lines().next().map(str::to_owned);
        assert_eq!(first(&own), first(&root), "{listing:?}");
    }
    let reference = on_call.reference();
    let acknowledged = on_call.run(MEMBER, &["ack", &reference]);
    assert_eq!(acknowledged.status.code(), Some(0), "{}", said(&acknowledged));
    let silence = ["silence", "add", "--customer", "Modern*", "--for", "1h", "--reason", "agreed"];
    let silenced = on_call.run(MEMBER, &silence);
    assert_eq!(silenced.status.code(), Some(0), "{}", said(&silenced));
    let polled = on_call.run(MEMBER, &["poll"]);
    assert_eq!(polled.status.code(), Some(0), "{}", said(&polled));
    let explained = said(&on_call.run(MEMBER, &["explain", "Modern Azure Customer SE"]));
    assert!(explained.contains(&format!("acknowledged by uid {MEMBER}")), "{explained}");
    assert!(explained.contains(&format!("silenced by uid {MEMBER}")), "{explained}");

    // A folder of evidence is written by the member, of what the daemon has read.
    let place = tempfile::tempdir().unwrap();
    chown(place.path(), Some(MEMBER), None).unwrap();
    let folder = place.path().join("evidence").display().to_string();
    let evidence = ["evidence", "--customer", "Modern Azure Customer SE", "--output", &folder];
    let written = on_call.run(MEMBER, &evidence);
    assert_eq!(said(&written).lines().next(), Some(&*folder), "{}", said(&written));
    let page = std::fs::read_to_string(format!("{folder}/index.html")).unwrap();
    assert!(page.contains(&reference) && page.contains(&format!("uid {MEMBER}")));
    assert_eq!(std::fs::metadata(&folder).unwrap().uid(), MEMBER);

    // That it is of an incident is recorded by the daemon.
    let folder = place.path().join("claim").display().to_string();
    let claim = on_call.run(MEMBER, &["evidence", "--incident", &reference, "--output", &folder]);
    assert!(said(&claim).contains("It is not marked as fraud"), "{}", said(&claim));
    assert_eq!(std::fs::metadata(&folder).unwrap().uid(), MEMBER);
    let folder = place.path().join("again").display().to_string();
    on_call.run(MEMBER, &["evidence", "--incident", &reference, "--output", &folder]);
    let whole = std::fs::read_to_string(format!("{folder}/evidence.json")).unwrap();
    let whole: serde_json::Value = serde_json::from_str(&whole).unwrap();
    let deed = whole["done"].as_array().unwrap().last().unwrap();
    let by = format!("uid {MEMBER}");
    assert_eq!(
        (deed["what"].as_str(), deed["by"].as_str()),
        (Some("gathered evidence of an incident"), Some(&*by))
    );

    // What changes the daemon is not for it.
    let reload = on_call.run(MEMBER, &["reload"]);
    assert_eq!(reload.status.code(), Some(1), "{}", said(&reload));
    assert!(
        said(&reload)
            .contains(&format!("uid {MEMBER} may not reload the configuration: root may (sudo)")),
        "{}",
        said(&reload)
    );
    let push = on_call.run(MEMBER, &["budgets", "push", "--yes"]);
    assert_eq!(push.status.code(), Some(1), "{}", said(&push));
    assert!(
        said(&push).contains(&format!(
            "uid {MEMBER} may not push budgets to Partner Center: root may (sudo)"
        )),
        "{}",
        said(&push)
    );
    assert_eq!(on_call.run(0, &["reload"]).status.code(), Some(0));
}

/// What a daemon with one rule has seen: a customer that spends 40 a day, and 400 on the last one.
fn attacked() -> OnCall {
    let rule =
        "metric = \"spike\"\nfloor = { SEK = 100 }\nsteps = [{ at = 3, notify = [\"hook\"] }]\n";
    let on_call = OnCall::start_with(&usage_of(1, 40), rule, |_| true);
    for day in 2..=11 {
        let cost = if day == 11 { 800 } else { 40 * day };
        std::fs::write(on_call.path("usage.json"), usage_of(day, cost)).unwrap();
        let polled = on_call.run(MEMBER, &["poll"]);
        assert_eq!(polled.status.code(), Some(0), "{}", said(&polled));
    }
    on_call
}

/// The cost of a customer up to a day.
fn usage_of(day: u32, cost: u32) -> String {
    format!(
        "{{\"totalCount\": 1, \"items\": [{{\"resourceId\": \"A\", \"resourceName\": \"Contoso\", \"isUpgraded\": true, \
            \"totalCost\": {cost}, \"budget\": {{\"amount\": 1000}}, \"currencyCode\": \"SEK\", \
            \"lastModifiedDate\": \"2026-10-{day:02}T17:00:00Z\"}}]}}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_the_group_says_under_its_own_name_what_a_spike_was() {
    let on_call = attacked();
    let reference = on_call.reference();
    let explained = || said(&on_call.run(MEMBER, &["explain", "Contoso"]));
    for mark in ["fraud", "expected"] {
        let word = format!("--{mark}");
        let refused = said(&on_call.run(STRANGER, &["ack", &reference, &word]));
        assert!(refused.contains(&format!("not by uid {STRANGER}: root may (sudo)")), "{refused}");
        assert!(!explained().contains(&format!("marked as {mark}")), "by a stranger");
        let marked = on_call.run(MEMBER, &["ack", &reference, &word, "--reason", "asked them"]);
        assert_eq!(marked.status.code(), Some(0), "{}", said(&marked));
        let told = explained();
        assert!(told.contains(&format!("marked as {mark} by uid {MEMBER}")), "{told}");
        assert!(told.contains("asked them"), "{told}");
    }
    let undone = on_call.run(MEMBER, &["ack", &reference, "--undo"]);
    assert_eq!(undone.status.code(), Some(0), "{}", said(&undone));
    assert!(!explained().contains("marked as"), "{}", explained());
    let log = std::fs::read_to_string(on_call.path("log")).unwrap();
    assert!(log.contains(&format!("a spike is marked as fraud author=uid {MEMBER}")), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_told_who_may() {
    let on_call = OnCall::start();
    for command in [
        &["status"][..],
        &["alerts"],
        &["deliveries"],
        &["silence", "list"],
        &["coverage"],
        &["explain", "Modern Azure Customer SE"],
        &["ack", "12345678"],
        &["ack", "12345678", "--expected"],
        &["ack", "12345678", "--fraud"],
        &["ack", "12345678", "--undo"],
        &["silence", "add", "--customer", "*", "--for", "1h", "--reason", "x"],
        &["poll"],
        &["budgets", "push", "--dry-run"],
        &["reload"],
    ] {
        let refused = on_call.run(STRANGER, command);
        let said = said(&refused);
        assert_eq!(refused.status.code(), Some(1), "{command:?}: {said}");
        assert!(
            said.contains(&format!(
                "not by uid {STRANGER}: root may (sudo), so may members of group"
            )) && said.contains("usermod -aG"),
            "{command:?}: {said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_root_is_believed_who_called_sudo() {
    let on_call = OnCall::start();
    let reference = on_call.reference();
    let acknowledge = |user: u32| {
        let mut command = Command::new("setpriv");
        let output = command
            .args([
                format!("--reuid={user}"),
                format!("--regid={user}"),
                format!("--groups={GROUP}"),
            ])
            .arg(budget_alertd())
            .arg("--config")
            .arg(on_call.path("alert-rules.toml"))
            .args(["ack", &reference])
            .env("RUNTIME_DIRECTORY", on_call.path("run"))
            .env("SUDO_UID", "64077")
            .output()
            .unwrap();
        said(&output)
    };
    acknowledge(0);
    let explained = said(&on_call.run(0, &["explain", "Modern Azure Customer SE"]));
    assert!(explained.contains("acknowledged by uid 64077 as root"), "{explained}");
    let journal = std::fs::read_to_string(on_call.path("log")).unwrap();
    acknowledge(MEMBER);
    assert!(!journal.contains(&format!("uid {MEMBER} as root")), "{journal}");
}
