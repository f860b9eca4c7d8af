//! Clients that are slow, rude or never done: more of them than there are places, all at once, while
//! polls and deliveries go on and health is answered. What they get is left to the tests of `web`.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::HttpReceiver;
use rcgen::{CertificateParams, KeyPair};

use super::{configuration, over_budget, within_budget};
use crate::support::client;
use crate::support::process::{House, Process, SOON, eventually};

/// How many of each kind: together more than may be open.
const EACH: usize = 10;
/// How long one waits for an answer before it says more.
const BREATH: Duration = Duration::from_millis(20);
/// How many customers reach their budget in each poll.
const ALERTS: usize = 20;

/// What a client does with its connection, until that ends.
type Habit = fn(&mut TcpStream) -> io::Result<()>;

const HABITS: [Habit; 9] = [
    |stream| each_byte(stream, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"x"),
    |stream| {
        each_byte(
            stream,
            b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n",
            b"x",
        )
    },
    |stream| {
        each_byte(
            stream,
            b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1\r\nx\r\n",
        )
    },
    |stream| each_byte(stream, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00"),
    |stream| {
        each_byte(
            stream,
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
            b"\0\0\x08\x06\0\0\0\0\0pingping",
        )
    },
    unread,
    garbage,
    half_closed,
    |_| Ok(()),
];

/// Says the beginning byte by byte, then `more` again and again.
fn each_byte(stream: &mut TcpStream, beginning: &[u8], more: &[u8]) -> io::Result<()> {
    for byte in beginning {
        stream.write_all(&[*byte])?;
    }
    loop {
        stream.write_all(more)?;
        listen(stream)?;
    }
}

/// Asks for pages, and reads none of them.
fn unread(stream: &mut TcpStream) -> io::Result<()> {
    loop {
        match stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n") {
            Err(error) if is_waiting(&error) => {}
            said => said?,
        }
    }
}

fn garbage(stream: &mut TcpStream) -> io::Result<()> {
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n\xff\0 / HTTP/9\r\n:\r\n\r\n")
}

fn half_closed(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /al")?;
    stream.shutdown(Shutdown::Write)
}

/// Takes what has come; fails once the connection is over.
fn listen(stream: &mut TcpStream) -> io::Result<()> {
    match stream.read(&mut [0; 4096]) {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Err(error) if is_waiting(&error) => Ok(()),
        heard => heard.map(drop),
    }
}

fn is_waiting(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// All of them, until dropped.
struct Crowd {
    is_over: Arc<AtomicBool>,
    /// How often each kind has connected.
    came: Arc<[AtomicUsize; HABITS.len()]>,
    clients: Vec<JoinHandle<()>>,
}

impl Crowd {
    fn around(address: SocketAddr) -> Self {
        let mut crowd = Self {
            is_over: Arc::default(),
            came: Arc::new(Default::default()),
            clients: Vec::new(),
        };
        for kind in 0..HABITS.len() * EACH {
            let (is_over, came) = (Arc::clone(&crowd.is_over), Arc::clone(&crowd.came));
            let kind = kind % HABITS.len();
            crowd.clients.push(std::thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    came[kind].fetch_add(1, Ordering::Relaxed);
                    // However it ends, another one comes.
                    let _ended = stay(address, HABITS[kind], &is_over);
                }
            }));
        }
        crowd
    }

    /// Waits until all are there, and as many have come again since.
    fn wait_for_others(&self) {
        let came = || self.came.iter().map(|came| came.load(Ordering::Relaxed));
        let then: usize = came().sum();
        eventually(SOON, "others of them", || {
            let all_are_there = came().all(|came| came >= EACH);
            (all_are_there && came().sum::<usize>() >= then + HABITS.len() * EACH).then_some(())
        });
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.clients.drain(..).for_each(|client| drop(client.join()));
    }
}

/// One connection, from beginning to end.
fn stay(address: SocketAddr, habit: Habit, is_over: &AtomicBool) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(BREATH))?;
    stream.set_write_timeout(Some(BREATH))?;
    habit(&mut stream)?;
    while !is_over.load(Ordering::Relaxed) {
        listen(&mut stream)?;
    }
    Ok(())
}

/// While they hold every place: each alert of three polls is told, and health is answered.
async fn all_is_told(process: Process, house: &House, receiver: &HttpReceiver, scheme: &str) {
    let log = process.wait_for_log(&format!("served on {scheme}://"));
    let served = log.split(&format!("served on {scheme}://")).nth(1).unwrap();
    let address: SocketAddr = served.lines().next().unwrap().trim().parse().unwrap();
    process.wait_for_log("poll good");
    let crowd = Crowd::around(address);
    crowd.wait_for_others();
    // Nobody vouches for the certificate.
    let client = client().no_proxy().danger_accept_invalid_certs(true).build().unwrap();
    for poll in 1..=3 {
        house.save_usage(over_budget(0..poll * ALERTS));
        let output = house.run(&["poll", "--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}\n{}", process.log());
        assert_eq!(receiver.received().len(), poll * ALERTS, "{}", process.log());
        let asked = client.get(format!("{scheme}://{address}/healthz")).send().await.unwrap();
        assert_eq!(asked.status().as_u16(), 200);
    }
    crowd.wait_for_others();
    // Nor do they keep it from ending.
    let (code, log) = process.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("broke"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_are_never_done_delay_no_poll_and_no_delivery() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(within_budget());
    all_is_told(house.start(), &house, &receiver, "http").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_do_those_that_never_agree_on_tls() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let files = "[http]\ncertificate = \"{dir}/tls.pem\"\nkey = { file = \"{dir}/tls.key\" }\n";
    let house = House::new(&configuration(&receiver, "1h").replace("[http]\n", files));
    let key = KeyPair::generate().unwrap();
    let made = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key);
    std::fs::write(house.path("tls.pem"), made.unwrap().pem()).unwrap();
    std::fs::write(house.path("tls.key"), key.serialize_pem()).unwrap();
    house.save_usage(within_budget());
    all_is_told(house.start(), &house, &receiver, "https").await;
}
