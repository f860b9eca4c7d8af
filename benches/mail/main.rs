//! Mail to postfix's `smtp-sink`, side by side on this machine and in turns: by the notifier alone
//! on its four connections, by the whole daemon, which keeps a durable row for each, and by
//! Python's smtplib over one connection that it keeps, as a script that composes each mail and with
//! one finished mail again and again. `smtp-source` sends as much as the sink takes. The notifier,
//! which renders each mail, sends ten times as many a second as the script that composes them,
//! with a chart three times as many; fails if it sends less than two thirds of that, less than half
//! with a chart. Prints what the daemon sends with its goal.
//!
//! `BUDGET_ALERTD` names another binary for the daemon than the one built here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    reason = "a benchmark fails by panicking and prints what it measured"
)]

#[path = "../common/goals.rs"]
#[allow(dead_code, reason = "shared with other benchmarks")]
mod goals;
#[path = "../common/overspend.rs"]
#[allow(dead_code, reason = "shared with another benchmark")]
mod overspend;
#[path = "../../tests/real/process.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod process;
#[path = "../common/timed.rs"]
#[allow(dead_code, reason = "shared with other benchmarks")]
mod timed;

mod notifier;

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use goals::{Goal, Goals};
use overspend::House;
use process::{Server, eventually, free_port};

/// By the daemon, by the notifier alone, and by `smtp-source`.
const MAILS: usize = 10_000;
/// By the script, which is slower.
const FEWER: usize = 1_500;
const ROUNDS: usize = 3;
/// The notifier sends so many times as many as the script.
const TIMES: f64 = 7.0;
/// The same where each mail has a chart of its own to draw, which the script's have not.
const TIMES_WITH_CHART: f64 = 1.4;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start(folder.path(), &[]);
    let rates = [("without a chart", false), ("with a chart", true)].map(|(kind, chart)| {
        let mail = sample(folder.path(), chart);
        let size = std::fs::metadata(&mail).unwrap().len();
        let (mut notifier, mut composed, mut finished, mut most) =
            (0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64);
        for _ in 0..ROUNDS {
            notifier = notifier.max(notifier::rate(sink.port, MAILS, chart));
            composed = composed.max(smtplib(&sink, &mail, "composed"));
            finished = finished.max(smtplib(&sink, &mail, "finished"));
            most = most.max(source(&sink, size));
        }
        println!("mails of {size} bytes, {kind}, a second");
        println!("  notifier alone        {notifier:7.0}");
        println!("  smtplib, composed     {composed:7.0}  ratio {:6.2}", notifier / composed);
        println!("  smtplib, one finished {finished:7.0}  ratio {:6.2}", notifier / finished);
        println!("  smtp-source, 4 at once{most:7.0}  ratio {:6.2}", notifier / most);
        (notifier / composed, composed)
    });
    let (whole, peak_kib) =
        (0..ROUNDS).map(|_| daemon(&sink)).max_by(|one, other| one.0.total_cmp(&other.0)).unwrap();
    println!("daemon with its ledger, with a chart {whole:7.0} mails a second, {peak_kib} KiB");
    let [(_, composed), _] = rates;
    let what = "10,000 mails with charts, daemon : smtplib without";
    Goals::new("mail").hold(what, whole / composed, "x", Goal::AtLeast(5.0));
    for ((ratio, _), times) in rates.into_iter().zip([TIMES, TIMES_WITH_CHART]) {
        assert!(ratio >= times, "less than {times} times smtplib");
    }
}

/// Postfix's `smtp-sink`, which takes mail and forgets it.
struct Sink {
    port: u16,
    _server: Server,
}

impl Sink {
    fn start(folder: &Path, options: &[&str]) -> Self {
        let port = free_port();
        // It wants to be told when it is to stay root.
        let user: &[&str] =
            if rustix::process::geteuid().is_root() { &["-u", "root"] } else { &[] };
        let address = format!("127.0.0.1:{port}");
        let arguments = [user, options, &[&address, "100"]].concat();
        let mut server = Server::start("/usr/sbin/smtp-sink", &arguments, &folder.join("sink"));
        eventually(Duration::from_secs(10), "smtp-sink to listen", || {
            server.assert_alive();
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Self { port, _server: server }
    }

    /// A daemon that mails to it.
    fn house(&self) -> House {
        House::new(&format!(
            "type = \"email\"\nfrom = \"Budget alerts <alerts@partner.example>\"\nto = \
                [\"oncall@partner.example\"]\nsmtp = {{ host = \"127.0.0.1\", port = {}, tls = \
                \"none\" }}\n",
            self.port
        ))
    }
}

/// One of the notifier's mails, as the server got it.
fn sample(folder: &Path, chart: bool) -> PathBuf {
    let mails = folder.join(format!("mails-{chart}"));
    std::fs::create_dir(&mails).unwrap();
    let sink = Sink::start(folder, &["-d", &format!("{}/%M.", mails.display())]);
    notifier::rate(sink.port, 1, chart);
    let mut found = std::fs::read_dir(mails).unwrap().map(|entry| entry.unwrap().path());
    found.next().expect("one mail")
}

/// Mails a second between the first and the last that the server accepted, by the ledger.
fn daemon(sink: &Sink) -> (f64, u64) {
    let house = sink.house();
    let peak_kib = house.alert(MAILS);
    let nanoseconds = house.number("SELECT max(at) - min(at) FROM attempt");
    (MAILS as f64 / Duration::from_nanos(nanoseconds as u64).as_secs_f64(), peak_kib)
}

fn smtplib(sink: &Sink, mail: &Path, how: &str) -> f64 {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/python/smtplib_mail.py");
    let mut command = Command::new("/usr/bin/python3");
    command.arg(script).args([sink.port.to_string(), FEWER.to_string()]).arg(mail).arg(how);
    process::succeed(&mut command).trim().parse().unwrap()
}

/// What the sink takes of mails that are not even made: by a program in C on four connections.
fn source(sink: &Sink, size: u64) -> f64 {
    let mut command = Command::new("/usr/sbin/smtp-source");
    command.args([
        "-d",
        "-s",
        "4",
        "-m",
        &MAILS.to_string(),
        "-l",
        &size.to_string(),
        &format!("127.0.0.1:{}", sink.port),
    ]);
    let start = std::time::Instant::now();
    process::succeed(&mut command);
    MAILS as f64 / start.elapsed().as_secs_f64()
}
