//! What connections may take of a server: places, and time; and what it shows, to whom.

mod access;
mod acting;
mod answering;
mod api;
mod customer;
pub(crate) mod described;
mod held;
mod links;
mod ordering;
mod overview;
mod reading;
mod sign_in;
mod silencing;
mod site;
mod spikes;
mod tls;
mod trying;

use std::sync::Arc;
use std::time::Duration;

use budget_alertd::clock::SystemClock;
use budget_alertd::ledger::{self, Ledger};
use budget_alertd::metrics::Metrics;
use budget_alertd::web::{self, Limits, Listening, Shown};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::process::SOON;

/// Longer than any test takes.
const NEVER: Duration = Duration::from_hours(1);
/// Over before it can be noticed.
const SHORT: Duration = Duration::from_millis(50);

/// Metrics and health, served within limits.
struct Server {
    listener: std::net::SocketAddr,
    task: JoinHandle<()>,
    _dir: TempDir,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        Self::listening(limits, Listening::from).await
    }

    /// The same with what stands before the socket.
    async fn listening(limits: Limits, before: impl FnOnce(TcpListener) -> Listening) -> Self {
        let dir = TempDir::new().unwrap();
        let config =
            ledger::Config { path: dir.path().join("ledger.db"), server: None, retention: NEVER };
        let (metrics, clock) = (Metrics::new(), SystemClock::shared());
        let ledger = Ledger::open(&config, metrics.clone(), Arc::clone(&clock)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_sender, customer_metrics) = watch::channel(false);
        let (_sender, known) = watch::channel(Arc::default());
        let shown = Shown {
            metrics,
            ledger,
            ledger_file: config,
            customer_metrics,
            sessions: Arc::clone(&clock),
            clock,
            known,
            actions: None,
        };
        let listener = before(listener);
        let task = tokio::spawn(async move { match web::run(listener, limits, shown).await {} });
        Self { listener: address, task, _dir: dir }
    }

    /// A connection on which this was said.
    async fn say(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.listener).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// All that comes until the server ends the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    // A connection that is cut is ended too.
    let _cut_or_not = stream.read_to_end(&mut all).await;
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn a_request_that_does_not_come_whole_is_not_waited_for() {
    let server = Server::start(Limits { open: 64, coming: SHORT, idle: NEVER }).await;
    for half in [
        "G",
        "GET /healthz HTTP/1.1\r\nHost: loc",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: y\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let said = rest(&mut server.say(half).await).await;
        assert!(!said.contains("200"), "{half}: {said}");
    }
}

#[tokio::test]
async fn a_connection_on_which_nothing_is_asked_ends() {
    let server = Server::start(Limits { open: 64, coming: NEVER, idle: SHORT }).await;
    assert_eq!(rest(&mut server.say("").await).await, "");
    assert_eq!(rest(&mut server.say("GET /heal").await).await, "");
}

#[tokio::test]
async fn where_all_places_are_taken_the_longest_without_a_whole_request_gives_way() {
    let server = Server::start(Limits { open: 2, coming: NEVER, idle: NEVER }).await;
    let half = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let mut first = server.say(half).await;
    let mut second = server.say(half).await;
    let mut third = server.say(&format!("{half}\r\n")).await;
    assert!(rest(&mut third).await.starts_with("HTTP/1.1 200"));
    assert_eq!(rest(&mut first).await, "");
    second.write_all(b"\r\n").await.unwrap();
    assert!(rest(&mut second).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let server = Server::start(Limits { open: 64, coming: NEVER, idle: NEVER }).await;
    let mut stream = server.say("GET /healthz HTTP/1.1\r\n").await;
    let line = format!("X-Filler: {}\r\n", "x".repeat(1000));
    while stream.write_all(line.as_bytes()).await.is_ok() {}
    assert!(!rest(&mut stream).await.contains("200"));
}

#[tokio::test]
async fn who_asks_on_and_reads_no_answer_gives_way_too() {
    let server = Server::start(Limits { open: 1, coming: NEVER, idle: NEVER }).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut unread = socket.connect(server.listener).await.unwrap();
    // Until the answers fill everything between the two.
    let many = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
    while timeout(SHORT, unread.write_all(many.as_bytes())).await.is_ok() {}
    let question = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut other = server.say(question).await;
    let answer = timeout(SOON, rest(&mut other)).await.expect("it gets a place");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
