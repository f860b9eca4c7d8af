//! Mail by the daemon and by the Python script a partner would write, which composes each mail and sends them with smtplib over
//! one connection that it keeps: side by side on this machine, to postfix's `smtp-sink`, in turns. The daemon renders each mail
//! and keeps a durable row for it. Fails unless it sends twice as many a second, each once.
//!
//! `BUDGET_ALERTD` names another binary than the one built here.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a benchmark fails by panicking and prints what it measured"
)]

#[path = "../shared/overspend.rs"]
#[allow(dead_code, reason = "shared with another benchmark")]
mod overspend;
#[path = "../../tests/real/process.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod process;

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use overspend::House;
use process::{Server, eventually, free_port};

const MAILS: usize = 3_000;
const ROUNDS: usize = 3;
/// The daemon sends so many times as many as the script.
const TIMES: f64 = 2.0;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start(folder.path(), &[]);
    let mail = sample(folder.path());
    let (mut ours, mut theirs) = (0.0_f64, 0.0_f64);
    let mut peak_kib = 0;
    for _ in 0..ROUNDS {
        let (rate, peak) = daemon(&sink);
        (ours, peak_kib) = (ours.max(rate), peak_kib.max(peak));
        theirs = theirs.max(script(&sink, &mail));
    }
    println!("{MAILS} mails of {} bytes to smtp-sink", std::fs::metadata(mail).unwrap().len());
    println!("  daemon   {ours:7.0} mails/s  {peak_kib:7} KiB");
    println!("  smtplib  {theirs:7.0} mails/s");
    println!("  ratio    {:7.2}", ours / theirs);
    assert!(ours >= TIMES * theirs, "less than {TIMES} times smtplib");
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
        let user: &[&str] = if rustix::process::geteuid().is_root() { &["-u", "root"] } else { &[] };
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
            "type = \"email\"\nfrom = \"Budget alerts <alerts@partner.example>\"\nto = [\"oncall@partner.example\"]\n\
             smtp = {{ host = \"127.0.0.1\", port = {}, tls = \"none\" }}\n",
            self.port
        ))
    }
}

/// One of the daemon's mails, as the server got it.
fn sample(folder: &Path) -> PathBuf {
    let mails = folder.join("mails");
    std::fs::create_dir(&mails).unwrap();
    let sink = Sink::start(folder, &["-d", &format!("{}/%M.", mails.display())]);
    sink.house().alert(1);
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

fn script(sink: &Sink, mail: &Path) -> f64 {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/python/smtplib_mail.py");
    let mut command = Command::new("/usr/bin/python3");
    command.arg(script).args([sink.port.to_string(), MAILS.to_string()]).arg(mail);
    process::succeed(&mut command).trim().parse().unwrap()
}
