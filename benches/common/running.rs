//! The daemon while it runs: how soon it is ready, what it takes then, and how often it wakes up.

use std::fs::read_to_string;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::{self, Server};

/// `run` in a process of its own.
pub(crate) struct Running {
    /// From its start until it told systemd that it is ready; here this is what it tells.
    pub(crate) ready_after: Duration,
    server: Server,
    notices: UnixDatagram,
    _folder: TempDir,
}

impl Running {
    /// Starts it with this configuration, and waits until it is ready.
    pub(crate) fn start(configuration: &Path) -> Self {
        // Where its path is short enough for a socket.
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("notify");
        let notices = UnixDatagram::bind(&socket).unwrap();
        notices.set_read_timeout(Some(Duration::from_mins(10))).unwrap();
        let (binary, socket) =
            (process::budget_alertd(), format!("NOTIFY_SOCKET={}", socket.display()));
        let arguments = [&socket, binary.to_str().unwrap(), "--config"];
        let arguments = [&arguments, [configuration.to_str().unwrap(), "run"].as_slice()].concat();
        let start = Instant::now();
        let server = Server::start("env", &arguments, &folder.path().join("log"));
        let mut running = Self { ready_after: Duration::ZERO, server, notices, _folder: folder };
        running.wait_for("READY=1");
        running.ready_after = start.elapsed();
        running
    }

    /// Waits until it tells systemd something with this text in it.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let mut notice = [0; 4096];
        loop {
            self.server.assert_alive();
            let length = self.notices.recv(&mut notice).expect("a notice of the daemon in time");
            if String::from_utf8_lossy(&notice[..length]).contains(text) {
                return;
            }
        }
    }

    /// What it takes now, and what it took at most, in KiB: `VmRSS`, `VmHWM`.
    pub(crate) fn memory_kib(&self, key: &str) -> u64 {
        number(&format!("/proc/{}/status", self.server.id()), key)
    }

    /// Of what it takes, its share of what it shares with others, in KiB.
    pub(crate) fn proportional_kib(&self) -> u64 {
        number(&format!("/proc/{}/smaps_rollup", self.server.id()), "Pss")
    }

    /// How much of the processor it takes within this time, in ticks, which are hundredths of a
    /// second.
    pub(crate) fn processor_ticks_within(&self, time: Duration) -> u64 {
        let ticks = || {
            let text = read_to_string(format!("/proc/{}/stat", self.server.id())).unwrap();
            // Behind the name, which may hold anything: of the program, and of the kernel for it.
            let fields = text.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
            fields.map(|field| field.parse::<u64>().unwrap()).sum::<u64>()
        };
        let before = ticks();
        std::thread::sleep(time);
        ticks() - before
    }

    /// How often its threads went to sleep and woke up so far.
    pub(crate) fn wakes(&self) -> u64 {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.server.id())).unwrap();
        threads
            .map(|thread| {
                let status = thread.unwrap().path().join("status");
                number(&status.display().to_string(), "voluntary_ctxt_switches")
            })
            .sum()
    }
}

/// A number of a file of `/proc`, behind its key.
fn number(path: &str, key: &str) -> u64 {
    let text = read_to_string(path).unwrap();
    let mut values = text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let value = values.next().unwrap_or_else(|| panic!("no {key} in {path}"));
    value.split_whitespace().next().unwrap().parse().unwrap()
}
