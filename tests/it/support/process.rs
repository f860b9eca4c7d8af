//! The daemon as a process of its own: started, told things by signals, watched by what it logs,
//! serves and notifies, ended with the test. What it is to do is left to the tests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long anything may take that must happen.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Asks `condition` again and again until it answers; fails the test after `deadline`, naming what
/// was waited for.
#[track_caller]
pub(crate) fn eventually<T>(
    deadline: Duration,
    what: &str,
    condition: impl FnMut() -> Option<T>,
) -> T {
    within(deadline, condition).unwrap_or_else(|| panic!("waited {deadline:?} in vain for {what}"))
}

/// Asks `condition` again and again until it answers or the time is over.
pub(crate) fn within<T>(deadline: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let answer = condition();
        if answer.is_some() || start.elapsed() >= deadline {
            return answer;
        }
        pause();
    }
}

/// The breath between two looks at another process.
#[expect(
    clippy::disallowed_methods,
    reason = "the one pause of these tests, between two questions to another process"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}

/// What systemd, sudo or a network may have told the process of these tests, and not those that it
/// starts.
const INHERITED: [&str; 16] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "JOURNAL_STREAM",
    "STATE_DIRECTORY",
    "RUNTIME_DIRECTORY",
    "CREDENTIALS_DIRECTORY",
    "SUDO_UID",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// A folder with a configuration, usage records and a state folder.
pub(crate) struct House {
    dir: TempDir,
}

impl House {
    /// A house whose configuration is this and a state folder; `{dir}` stands for the folder.
    pub(crate) fn new(configuration: &str) -> Self {
        let house = Self { dir: TempDir::new().unwrap() };
        house.configure(configuration);
        house
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes the configuration.
    pub(crate) fn configure(&self, configuration: &str) {
        let dir = self.dir.path().display().to_string();
        let text = format!(
            "[daemon]\nstate_dir = \"{dir}/state\"\n{}",
            configuration.replace("{dir}", &dir)
        );
        std::fs::write(self.path("alert-rules.toml"), text).unwrap();
    }

    /// Changes the configuration as it stands in the file.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let path = self.path("alert-rules.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Replaces the saved collection, in one move so that nobody reads half of it.
    pub(crate) fn save_usage(&self, customers: impl IntoIterator<Item = (String, u32)>) {
        let items: Vec<String> =
            customers.into_iter().map(|(id, cost)| record(&id, cost)).collect();
        std::fs::write(
            self.path("usage.new"),
            format!("{{\"totalCount\": {}, \"items\": [{}]}}", items.len(), items.join(",")),
        )
        .unwrap();
        std::fs::rename(self.path("usage.new"), self.path("usage.json")).unwrap();
    }

    /// The ledger's configuration.
    pub(crate) fn ledger(&self) -> budget_alertd::ledger::Config {
        budget_alertd::ledger::Config {
            path: self.path("state/ledger.db"),
            server: None,
            retention: Duration::from_hours(24),
        }
    }

    /// A connection to the ledger's file, to hold its lock or to look into it.
    pub(crate) fn sqlite(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.path("state/ledger.db")).unwrap();
        connection.busy_timeout(SOON).unwrap();
        connection
    }

    /// A number out of the ledger.
    pub(crate) fn number(&self, query: &str) -> i64 {
        self.sqlite().query_row(query, [], |row| row.get(0)).unwrap()
    }

    /// A command line on the house's configuration.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_as(Command::new(env!("CARGO_BIN_EXE_budget-alertd")), arguments)
    }

    /// The same where the program is started by something else.
    pub(crate) fn command_as(&self, mut command: Command, arguments: &[&str]) -> Command {
        command.arg("--config").arg(self.path("alert-rules.toml")).args(arguments);
        for inherited in INHERITED {
            command.env_remove(inherited);
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// Starts a command whose output is wanted later.
    pub(crate) fn begin(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Starts the daemon.
    pub(crate) fn start(&self) -> Process {
        Process::start(&mut self.command(&["run"]))
    }

    /// Starts the daemon and waits until it says that it is ready.
    pub(crate) fn start_ready(&self, systemd: &Systemd) -> Process {
        let process = Process::start(self.command(&["run"]).env("NOTIFY_SOCKET", &systemd.path));
        systemd.wait_for("READY=1");
        process
    }

    /// A stand-in for systemd's end of the notification socket.
    pub(crate) fn systemd(&self) -> Systemd {
        let path = self.path("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        Systemd { socket, path }
    }
}

/// A customer with a budget of 100 SEK and this cost; the id is its name too.
fn record(id: &str, cost: u32) -> String {
    format!(
        "{{\"resourceId\": \"{id}\", \"resourceName\": \"{id}\", \"isUpgraded\": true, \"totalCost\": {cost}, \"percentUsed\": {cost},
          \"budget\": {{\"amount\": 100}}, \"currencyCode\": \"SEK\", \"lastModifiedDate\": \"2019-09-17T17:08:11Z\"}}"
    )
}

/// The receiving end of `NOTIFY_SOCKET`.
pub(crate) struct Systemd {
    socket: UnixDatagram,
    pub(crate) path: PathBuf,
}

impl Systemd {
    /// Waits for a notification with this line and gives all that came up to it, each with its
    /// lines.
    #[track_caller]
    pub(crate) fn wait_for(&self, line: &str) -> Vec<String> {
        let mut seen = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let Ok(length) = self.socket.recv(&mut buffer) else {
                panic!("no {line} came, only {seen:?}")
            };
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let found = text.lines().any(|found| found == line);
            seen.push(text);
            if found {
                return seen;
            }
        }
    }
}

/// A running daemon; killed when dropped.
pub(crate) struct Process {
    child: Child,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts a command whose log is kept.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::fed(command, Stdio::null())
    }

    /// The same with an input of its own.
    pub(crate) fn fed(command: &mut Command, stdin: impl Into<Stdio>) -> Self {
        let mut child =
            command.stdin(stdin).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (stderr, kept) = (child.stderr.take().unwrap(), Arc::clone(&log));
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = kept.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        Self { child, log, reader: Some(reader) }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it logged.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits for a piece of the log, and gives the log.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, piece: &str) -> String {
        let found = within(SOON, || Some(self.log()).filter(|log| log.contains(piece)));
        found
            .unwrap_or_else(|| panic!("waited in vain for \"{piece}\" in the log:\n{}", self.log()))
    }

    /// Where it serves HTTP.
    #[track_caller]
    pub(crate) fn address(&self) -> SocketAddr {
        let log = self.wait_for_log("served on http://");
        log.split("served on http://")
            .nth(1)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    }

    /// A metric's value, by its name and labels as the scrape writes them.
    pub(crate) fn metric(&self, series: &str) -> Option<String> {
        let (_, text) = get(self.address(), "/metrics")?;
        text.lines().find_map(|line| {
            Some(line.strip_prefix(&format!("budget_alertd_{series} "))?.to_owned())
        })
    }

    /// Waits until a metric has this value.
    #[track_caller]
    pub(crate) fn wait_for_metric(&self, series: &str, value: &str) {
        let found = within(SOON, || self.metric(series).filter(|found| found == value));
        found.unwrap_or_else(|| {
            panic!(
                "{series} is {:?} instead of {value}; the log:\n{}",
                self.metric(series),
                self.log()
            )
        });
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Asks it to reload.
    pub(crate) fn hang_up(&self) {
        self.signal(rustix::process::Signal::HUP);
    }

    /// Kills it on the spot (SIGKILL).
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, waits for that, and gives its exit code and log.
    #[track_caller]
    pub(crate) fn terminate(mut self) -> (Option<i32>, String) {
        self.signal(rustix::process::Signal::TERM);
        let code = self.wait().code();
        self.reader.take().map(JoinHandle::join);
        (code, self.log())
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let log = Arc::clone(&self.log);
        within(SOON, || self.child.try_wait().unwrap())
            .unwrap_or_else(|| panic!("it does not end:\n{}", log.lock().unwrap()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("the daemon's log:\n{}", self.log());
        }
    }
}

/// A GET without a token; the status and the body, or none where nobody answers within a second.
pub(crate) fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    ask(address, "GET", path, &[("Host", "localhost")])
}

/// A request with just these headers.
pub(crate) fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let headers = headers
        .iter()
        .fold(String::new(), |text, (name, value)| text + name + ": " + value + "\r\n");
    stream
        .write_all(
            format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n").as_bytes(),
        )
        .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
}

/// A request over a Unix socket; the status and the body.
pub(crate) fn ask_socket(socket: &Path, method: &str, path: &str, body: &[u8]) -> (u16, String) {
    let answer = answer_of(socket, method, path, body, SOON);
    parted(&answer).unwrap_or_else(|| panic!("{answer:?}"))
}

/// The same, or none where nobody answers within a second.
pub(crate) fn try_socket(
    socket: &Path,
    method: &str,
    path: &str,
    body: &[u8],
) -> Option<(u16, String)> {
    parted(&answer_of(socket, method, path, body, Duration::from_secs(1)))
}

fn answer_of(socket: &Path, method: &str, path: &str, body: &[u8], within: Duration) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(within)).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: \
        close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .unwrap();
    // Who refuses a body that is too large need not read it.
    let _refused_or_not = stream.write_all(body);
    let mut answer = Vec::new();
    // Nor close in order.
    let _reset_or_not = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

/// The status and the body of an answer.
fn parted(answer: &str) -> Option<(u16, String)> {
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
}

/// Whether a path exists and holds anything.
pub(crate) fn is_there(path: &Path) -> bool {
    path.metadata().is_ok_and(|data| data.len() > 0)
}
