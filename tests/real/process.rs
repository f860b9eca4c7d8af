//! Processes that end with the test that started them, and waiting for what they do. What they are
//! is left to the servers.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// Asks `condition` again and again until it answers; fails the test after `deadline`, naming what
/// was waited for.
#[track_caller]
pub(crate) fn eventually<T>(
    deadline: Duration,
    what: &str,
    mut condition: impl FnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = condition() {
            return answer;
        }
        assert!(start.elapsed() < deadline, "waited {deadline:?} in vain for {what}");
        pause();
    }
}

/// The breath between two questions of [`eventually`].
#[expect(
    clippy::disallowed_methods,
    reason = "the one pause of these tests, between two looks at another process"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

/// A port of 127.0.0.1 that nobody listened on a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs a command to its end; fails the test, with all that it said, unless it succeeds.
#[track_caller]
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Everything a command wrote.
pub(crate) fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The daemon under test: `$BUDGET_ALERTD`, else the one built beside these tests.
pub(crate) fn budget_alertd() -> PathBuf {
    std::env::var_os("BUDGET_ALERTD")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_budget-alertd")), PathBuf::from)
}

/// A server of ours: in a process group of its own, ended when dropped, and when the test's thread
/// dies in any other way.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts `program` with its output in `log`.
    pub(crate) fn start(program: &str, arguments: &[&str], log: &Path) -> Self {
        let out = File::options().create(true).append(true).open(log).unwrap();
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", program])
            .args(arguments)
            .env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1")
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        Self { child, log: log.to_owned() }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails the test, with its output, if it has ended by itself.
    #[track_caller]
    pub(crate) fn assert_alive(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("ended with {status}: {}", self.said());
        }
    }

    /// What it has said so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks it to end; how it did.
    #[track_caller]
    pub(crate) fn end(&mut self) -> ExitStatus {
        succeed(Command::new("kill").args(["-s", "TERM", "--", &self.id().to_string()]));
        eventually(Duration::from_secs(10), "its end", || self.child.try_wait().unwrap())
    }

    /// Whether it has ended, by itself or by a signal, within this time.
    pub(crate) fn ended(&mut self, within: Duration) -> bool {
        let start = Instant::now();
        loop {
            let running = matches!(self.child.try_wait(), Ok(None));
            if !running || start.elapsed() >= within {
                return !running;
            }
            pause();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.ended(Duration::ZERO) {
            let _ =
                Command::new("kill").args(["-s", "TERM", "--", &self.id().to_string()]).status();
            self.ended(Duration::from_secs(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Rights of a folder that servers running as other users may enter.
pub(crate) fn traversable() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o755)
}
