//! The shipped unit with the daemon in it, under a real systemd, delivering to a real HTTP server
//! outside.

use std::os::unix::fs::MetadataExt;
use std::process::{Command, Output};
use std::time::Duration;

use super::authority::Authority;
use super::nginx::Nginx;
use super::process::{budget_alertd, eventually, free_port, said};
use super::systemd::Machine;

const UNIT: &str = "budget-alertd";
const CONFIGURATION: &str = "/etc/budget-alertd/alert-rules.toml";
/// Longer than any of this takes, the unit's pause before a restart included.
const SOON: Duration = Duration::from_secs(20);

/// A machine with the daemon installed as the unit's comments say, and its receiver.
struct Installed {
    machine: Machine,
    nginx: Nginx,
    /// Whose certificate the receiver reads whenever it starts.
    _authority: Authority,
    http: u16,
}

impl Installed {
    fn new() -> Self {
        let authority = Authority::new();
        let nginx = Nginx::start(&authority);
        let installed =
            Self { machine: Machine::boot(), nginx, _authority: authority, http: free_port() };
        let machine = &installed.machine;
        machine.install(&budget_alertd(), "/usr/bin/budget-alertd");
        machine.write(
            "/etc/systemd/system/budget-alertd.service",
            include_str!("../../systemd/budget-alertd.service"),
        );
        machine.write(
            "/usr/lib/sysusers.d/budget-alertd.conf",
            include_str!("../../packaging/sysusers.d/budget-alertd.conf"),
        );
        machine.succeed("systemd-sysusers", &["budget-alertd.conf"]);
        installed.drop_in("LoadCredential=itsm:/etc/budget-alertd/credentials/itsm");
        machine.write(
            "/etc/budget-alertd/credentials/itsm",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
        );
        machine.write(
            "/etc/budget-alertd/usage.json",
            include_str!("../fixtures/customers_usagerecords.json"),
        );
        machine.write(CONFIGURATION, &installed.configuration());
        installed
    }

    /// Adds a line to the unit.
    fn drop_in(&self, line: &str) {
        let name: String = line.chars().take_while(char::is_ascii_alphanumeric).collect();
        self.machine.write(
            &format!("/etc/systemd/system/{UNIT}.service.d/{name}.conf"),
            &format!("[Service]\n{line}\n"),
        );
        self.machine.systemctl(&["daemon-reload"]);
    }

    fn configuration(&self) -> String {
        include_str!("alert-rules.toml")
            .replace("@HTTP@", &self.http.to_string())
            .replace("@HOOK@", &self.nginx.url("/hooks/itsm"))
    }

    fn property(&self, name: &str) -> String {
        self.machine.property(UNIT, name)
    }

    /// One answer of the daemon; none while it does not listen or says that it is not well.
    fn get(&self, path: &str) -> Option<String> {
        let output = Command::new("curl")
            .args(["-sf", &format!("http://127.0.0.1:{}{path}", self.http)])
            .output()
            .unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    /// Starts it and waits until the one alert of its data has arrived.
    fn start(&self) {
        self.machine.systemctl(&["start", UNIT]);
        eventually(SOON, "the alert", || (!self.nginx.taken().is_empty()).then_some(()));
    }

    /// Waits for a line of its metrics.
    #[track_caller]
    fn wait_for_metric(&self, line: &str) {
        let line = format!("budget_alertd_{line}");
        let there = || {
            self.get("/metrics")
                .filter(|metrics| metrics.lines().any(|found| found == line))
                .map(|_| ())
        };
        eventually(SOON, &line, there);
    }

    /// Starts it while its receiver is down, and waits until it has tried.
    fn start_in_vain(&mut self) {
        self.nginx.down();
        self.machine.systemctl(&["start", UNIT]);
        self.wait_for_metric("notifier_in_backoff{notifier=\"itsm\"} 1");
    }

    /// Stops it, and says how long that took by systemd's clock.
    fn stop(&self) -> Duration {
        self.machine.systemctl(&["stop", UNIT]);
        let at = |name: &str| self.property(name).parse::<u64>().unwrap();
        assert_eq!(
            (self.property("Result").as_str(), self.property("ExecMainStatus").as_str()),
            ("success", "0")
        );
        Duration::from_micros(
            at("InactiveEnterTimestampMonotonic") - at("ActiveExitTimestampMonotonic"),
        )
    }

    /// Runs a command of the program as root in the machine, outside the unit.
    fn run(&self, arguments: &[&str]) -> Output {
        self.machine
            .output("/usr/bin/budget-alertd", &[&["--config", CONFIGURATION], arguments].concat())
    }

    /// Waits until systemd has started it so many times again, and it is ready.
    fn wait_for_restart(&self, times: &str) {
        eventually(SOON, "the restart", || (self.property("NRestarts") == times).then_some(()));
        eventually(SOON, "it to be up again", || {
            (self.property("ActiveState") == "active").then_some(())
        });
        assert!(self.get("/readyz").is_some(), "active before it is ready");
    }
}

#[test]
fn start_returns_when_the_daemon_is_ready_and_it_delivers_from_within_its_walls() {
    let installed = Installed::new();
    installed.machine.systemctl(&["start", UNIT]);
    assert!(installed.get("/readyz").is_some(), "start returned before it was ready");
    assert!(!installed.property("StatusText").is_empty());
    let status = || said(&installed.machine.output("systemctl", &["status", "--no-pager", UNIT]));
    let line = |line: &str| {
        line.trim().starts_with("Status: \"4 customers read, 1 new alert")
            && line.contains("; 0 owed; next poll ")
    };
    let tells = |status: &String| status.lines().any(line);
    eventually(SOON, "the poll in `systemctl status`", || Some(status()).filter(tells));

    let taken = eventually(SOON, "the alert", || {
        Some(installed.nginx.taken()).filter(|taken| !taken.is_empty())
    });
    assert_eq!(taken.len(), 1);
    assert!(taken[0].body.contains("120.5682999999995904716"), "{}", taken[0].body);
    assert!(taken[0].webhook_signature.starts_with("v1,"), "signed with the credential");

    let state = std::fs::metadata(installed.machine.path("/var/lib/budget-alertd")).unwrap();
    assert_eq!(state.mode() & 0o777, 0o700);
    assert_ne!(state.uid(), 0);
    let journal = installed.machine.journal(&format!("--unit={UNIT}"));
    assert!(!journal.contains("whsec_") && !journal.contains("MfKQ9r8GKY"), "{journal}");
}

#[test]
fn reload_takes_a_new_configuration_and_refuses_a_broken_one_without_a_pause() {
    let installed = Installed::new();
    installed.start();
    let process = installed.property("MainPID");
    let second =
        "\n[rules.second]\nmetric = \"percent_used\"\nnotify = [\"itsm\"]\nsteps = [{ at = 90 }]\n";
    installed.machine.write(CONFIGURATION, &(installed.configuration() + second));
    installed.machine.systemctl(&["reload", UNIT]);
    let knows_it = || {
        installed.get("/metrics").filter(|metrics| metrics.contains("rule=\"second\"")).map(|_| ())
    };
    eventually(SOON, "the new rule in force", knows_it);

    installed.machine.write(CONFIGURATION, "[rules.broken");
    let refused = installed.machine.output("systemctl", &["reload", UNIT]);
    assert!(!refused.status.success(), "{}", said(&refused));
    installed.machine.systemctl(&["kill", "--signal=HUP", UNIT]);
    installed.wait_for_metric("config_last_reload_successful 0");
    assert!(knows_it().is_some(), "the old configuration stays in force");
    assert_eq!(
        (installed.property("MainPID"), installed.property("ActiveState").as_str()),
        (process, "active")
    );
}

#[test]
fn a_killed_daemon_is_started_again_and_loses_nothing_and_tells_nobody_twice() {
    let mut installed = Installed::new();
    installed.start_in_vain();
    installed.machine.systemctl(&["kill", "--signal=KILL", UNIT]);
    installed.wait_for_restart("1");
    installed.nginx.up();
    // The receiver's second probe in vain puts the third off by up to 36 s.
    eventually(SOON * 3, "the alert that was owed", || {
        (!installed.nginx.taken().is_empty()).then_some(())
    });
    installed.wait_for_metric("deliveries_pending{notifier=\"itsm\"} 0");

    installed.machine.systemctl(&["kill", "--signal=KILL", UNIT]);
    installed.wait_for_restart("2");
    installed.wait_for_metric("polls_total{result=\"ok\"} 1");
    installed.wait_for_metric("deliveries_pending{notifier=\"itsm\"} 0");
    assert_eq!(installed.nginx.taken().len(), 1);
}

#[test]
fn a_frozen_daemon_is_started_again_by_the_watchdog() {
    let installed = Installed::new();
    installed.drop_in("WatchdogSec=2");
    installed.start();
    installed.machine.systemctl(&["kill", "--signal=STOP", UNIT]);
    installed.wait_for_restart("1");
    assert!(installed.machine.journal(&format!("--unit={UNIT}")).contains("Watchdog timeout"));
}

#[test]
fn stop_takes_less_than_a_second_also_while_a_delivery_waits_for_its_receiver() {
    let mut installed = Installed::new();
    // A unit that something loaded refers to is not forgotten when it ends, nor are its times.
    installed.machine.systemctl(&["add-wants", "basic.target", UNIT]);
    installed.start_in_vain();
    let took = installed.stop();
    assert!(took > Duration::ZERO && took < Duration::from_secs(1), "{took:?}");
    installed.nginx.up();
    installed.start();
    let took = installed.stop();
    assert!(took > Duration::ZERO && took < Duration::from_secs(1), "{took:?}");
    assert_eq!(installed.nginx.taken().len(), 1);
}

#[test]
fn commands_of_root_leave_files_that_the_daemon_can_use() {
    let installed = Installed::new();
    let polled = installed.run(&["poll"]);
    assert_eq!(polled.status.code(), Some(0), "{}", said(&polled));
    installed.start();
    let listings: [&[&str]; 5] = [
        &["status"],
        &["alerts"],
        &["deliveries"],
        &["explain", "Modern Azure Customer SE"],
        &["check"],
    ];
    let list = |runs: bool| {
        for listing in listings {
            let output = installed.run(listing);
            // Where no daemon runs, `status` fails: nobody would be told.
            let code = i32::from(!runs && listing == ["status"]);
            assert_eq!(output.status.code(), Some(code), "{listing:?}: {}", said(&output));
        }
    };
    list(true);
    let polled = installed.run(&["poll"]);
    assert_eq!(polled.status.code(), Some(0), "{}", said(&polled));
    installed.wait_for_metric("polls_total{result=\"ok\"} 2");
    let journal = installed.machine.journal(&format!("--unit={UNIT}"));
    assert!(
        journal.lines().any(|line| line.contains("asked to poll") && line.contains("root (uid 0)")),
        "{journal}"
    );
    let socket = installed.machine.path("/run/budget-alertd/control.sock");
    assert_eq!(std::fs::metadata(&socket).unwrap().mode() & 0o777, 0o660);
    installed.stop();
    assert!(!socket.exists());
    list(false);
    let polled = installed.run(&["poll"]);
    assert_eq!(polled.status.code(), Some(0), "{}", said(&polled));
    list(false);

    installed.machine.systemctl(&["start", UNIT]);
    installed.wait_for_metric("polls_total{result=\"ok\"} 1");
    list(true);
    let folder = installed.machine.path("/var/lib/budget-alertd");
    let owner = std::fs::metadata(&folder).unwrap().uid();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        let data = entry.metadata().unwrap();
        assert_eq!((data.uid(), data.mode() & 0o077), (owner, 0), "{}", entry.path().display());
    }
    assert_eq!(installed.nginx.taken().len(), 1, "told once, whoever polled");
}

#[test]
fn an_invalid_configuration_fails_the_start_once_and_for_all() {
    let installed = Installed::new();
    installed.machine.write(CONFIGURATION, "[rules.broken");
    let start = installed.machine.output("systemctl", &["start", UNIT]);
    assert!(!start.status.success(), "{}", said(&start));
    assert_eq!(
        (installed.property("ActiveState").as_str(), installed.property("ExecMainStatus").as_str()),
        ("failed", "2")
    );
    assert_eq!(installed.property("NRestarts"), "0");
}
