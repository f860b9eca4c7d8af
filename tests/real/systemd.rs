//! A real systemd, booted in a container over the files of this machine. What runs in it is left to
//! the tests.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;

use super::process::{Server, eventually, said, succeed};

/// Lays a writable layer over `/`, in a mount namespace that ends with the machine, and boots it.
///
/// The capability and the system call filter let the inner systemd enforce what its units ask for.
/// It goes to `basic.target`, so that no service of this machine is started twice.
const BOOT: &str = r#"set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
rm -f "$1/root/etc/machine-id"
: > "$1/root/etc/machine-id"
exec systemd-nspawn -q -D "$1/root" --boot --register=no --keep-unit --console=pipe --machine=budget-alertd-test \
  --capability=all --system-call-filter=bpf -- systemd.unit=basic.target"#;

/// A booted systemd that shares the network of this machine. Powered off when dropped.
pub(crate) struct Machine {
    nspawn: Server,
    /// The inner process 1, by the outer number.
    init: u32,
    folder: TempDir,
    /// One machine at a time: they would share a control group.
    _turn: File,
}

impl Machine {
    /// Boots it; returns when its systemd is up.
    pub(crate) fn boot() -> Self {
        let turn = File::create(std::env::temp_dir().join("budget-alertd-machine.lock")).unwrap();
        turn.lock().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("machine");
        std::fs::create_dir(&below).unwrap();
        let below = below.display().to_string();
        let boot = ["--mount", "--propagation", "private", "--", "sh", "-c", BOOT, "sh", &below];
        let mut nspawn = Server::start("unshare", &boot, &folder.path().join("console"));
        let init = eventually(Duration::from_secs(30), "process 1 of the machine", || {
            nspawn.assert_alive();
            inner_init(nspawn.id())
        });
        let machine = Self { nspawn, init, folder, _turn: turn };
        eventually(Duration::from_secs(30), "the machine to be up", || {
            let state = machine.output("systemctl", &["is-system-running"]);
            ["running", "degraded"].contains(&said(&state).trim()).then_some(())
        });
        machine
    }

    /// Where a path of the machine is reached from outside.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        Path::new(&format!("/proc/{}/root", self.init)).join(inside.trim_start_matches('/'))
    }

    /// Writes a file into the machine, readable by all, with its folders.
    pub(crate) fn write(&self, inside: &str, text: &str) {
        let path = self.path(inside);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Copies a program of this machine into it.
    pub(crate) fn install(&self, program: &Path, inside: &str) {
        succeed(
            Command::new("install").args(["-D", "-m", "755"]).arg(program).arg(self.path(inside)),
        );
    }

    /// Runs a command in the machine and gives what came of it.
    pub(crate) fn output(&self, program: &str, arguments: &[&str]) -> Output {
        self.enter(program, arguments).output().unwrap()
    }

    /// Runs a command in the machine; fails the test, with the journal, unless it succeeds.
    #[track_caller]
    pub(crate) fn succeed(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.output(program, arguments);
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {}\n{}",
            said(&output),
            self.journal("-b")
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs `systemctl`; fails the test, with the journal, unless it succeeds.
    #[track_caller]
    pub(crate) fn systemctl(&self, arguments: &[&str]) -> String {
        self.succeed("systemctl", arguments)
    }

    /// One property of a unit, as `systemctl show` prints it.
    #[track_caller]
    pub(crate) fn property(&self, unit: &str, name: &str) -> String {
        self.systemctl(&["show", "--value", "--property", name, unit]).trim().to_owned()
    }

    /// The journal: of a unit (`--unit=NAME`), or of everything (`-b`).
    pub(crate) fn journal(&self, selection: &str) -> String {
        said(&self.output("journalctl", &["--no-pager", "--output=cat", selection]))
    }

    fn enter(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.init.to_string(), "--all", "--", program]).args(arguments);
        command
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-s", "RTMIN+4", "--", &self.init.to_string()]).status();
        self.nspawn.ended(Duration::from_secs(20));
        if std::thread::panicking() {
            eprintln!(
                "console: {}",
                std::fs::read_to_string(self.folder.path().join("console")).unwrap_or_default()
            );
        }
    }
}

/// The child of nspawn that is number 1 in its own process namespace.
fn inner_init(nspawn: u32) -> Option<u32> {
    let children =
        std::fs::read_to_string(format!("/proc/{nspawn}/task/{nspawn}/children")).ok()?;
    children.split_whitespace().filter_map(|child| child.parse().ok()).find(|child: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{child}/status")).unwrap_or_default();
        status.lines().any(|line| {
            line.starts_with("NSpid:") && line.split_whitespace().next_back() == Some("1")
        })
    })
}

/// Tells systemd when it is ready, takes a moment for a reload, and pings the watchdog.
#[cfg(test)]
const STAND_IN: &str = r#"#!/bin/sh
reload() { systemd-notify --reloading; echo reloaded; systemd-notify --ready; }
trap reload HUP
trap 'systemd-notify --stopping; exit 0' TERM
touch /run/open
systemd-notify --ready --status="standing in"
while :; do systemd-notify WATCHDOG=1; sleep 0.2 & wait $!; done
"#;

#[cfg(test)]
const STAND_IN_UNIT: &str = "[Service]
Type=notify
NotifyAccess=all
ExecStart=/usr/local/bin/stand-in
ExecReload=kill -HUP $MAINPID
WatchdogSec=2
Restart=always
RestartSec=0
";

#[test]
fn a_machine_boots_runs_a_notifying_service_and_powers_off() {
    let machine = Machine::boot();
    let init = machine.path("/");
    machine.write("/usr/local/bin/stand-in", STAND_IN);
    succeed(Command::new("chmod").arg("755").arg(machine.path("/usr/local/bin/stand-in")));
    machine.write("/etc/systemd/system/stand-in.service", STAND_IN_UNIT);
    machine.systemctl(&["daemon-reload"]);

    machine.systemctl(&["start", "stand-in"]);
    assert!(machine.path("/run/open").exists(), "start returned before the service was ready");
    assert_eq!(machine.property("stand-in", "StatusText"), "standing in");
    machine.systemctl(&["reload", "stand-in"]);
    let ten = Duration::from_secs(10);
    eventually(ten, "the reload", || {
        machine.journal("--unit=stand-in").contains("reloaded").then_some(())
    });

    machine.systemctl(&["kill", "--kill-whom=main", "--signal=KILL", "stand-in"]);
    eventually(ten, "the restart", || {
        (machine.property("stand-in", "NRestarts") == "1").then_some(())
    });
    eventually(ten, "it to be up again", || {
        (machine.property("stand-in", "ActiveState") == "active").then_some(())
    });
    machine.systemctl(&["kill", "--kill-whom=main", "--signal=STOP", "stand-in"]);
    eventually(ten, "the watchdog", || {
        (machine.property("stand-in", "NRestarts") == "2").then_some(())
    });
    assert!(machine.journal("--unit=stand-in").contains("Watchdog timeout"));
    machine.systemctl(&["stop", "stand-in"]);

    drop(machine);
    assert!(!init.exists());
}
