//! Everything that a webhook's receiver can do to a request, and what must follow from it: whether
//! and when it is tried again, always under the same identity with the same bytes.

use std::time::Duration;

use budget_alertd::notify::{FailureReason, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::samples::{alert_delivery, attacked, channel, webhook_config};

/// What a receiver does with a connection.
#[derive(Debug, Clone, Copy)]
enum Does {
    /// Reads the request, says this, and closes.
    Says(&'static str),
    /// The same, and keeps the connection open without another word.
    SaysAndWaits(&'static str),
    /// Says this, and then a letter every moment without end.
    Drips(&'static str),
    /// Resets the connection when the request arrives, without reading it.
    ResetsUnread,
    /// Reads the request and resets the connection.
    Resets,
    /// Reads the request and says nothing more, but would go on listening.
    ClosesItsHalf,
    /// Reads the request and says nothing.
    IsSilent,
}

/// What must come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comes {
    Accepted,
    /// Not taken, and never will be.
    Message(FailureReason),
    /// Not taken, and to be tried again, after so many seconds where the receiver says so.
    Destination(FailureReason, Option<u64>),
    /// Nobody knows: to be repeated.
    Ambiguous(FailureReason),
}

use Comes::{Accepted, Ambiguous, Destination, Message};
use Does::{ClosesItsHalf, Drips, IsSilent, Resets, ResetsUnread, Says, SaysAndWaits};
use FailureReason::{
    ConnectionLost, MessageRefused, NotFound, Redirected, ServerError, SignInRefused, Throttled,
    TimedOut, UnexpectedAnswer,
};

const CELLS: &[(Does, Comes)] = &[
    // 2xx, with or without a body, however it is cut.
    (Says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), Accepted),
    (Says("HTTP/1.0 200 OK\r\n\r\nok"), Accepted),
    (Says("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"), Accepted),
    (Says("HTTP/1.1 204 No Content\r\n\r\n"), Accepted),
    (Says("HTTP/1.1 299 Whatever\r\nContent-Length: 0\r\n\r\n"), Accepted),
    (Says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut"), Accepted),
    (Says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a length\r\n"), Accepted),
    (SaysAndWaits("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nmore to come"), Accepted),
    (Drips("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"), Accepted),
    // 1xx is no answer yet.
    (Says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), Accepted),
    (
        Says(
            "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: \
                0\r\n\r\n",
        ),
        Destination(ServerError, None),
    ),
    (Says("HTTP/1.1 102 Processing\r\n\r\n"), Ambiguous(ConnectionLost)),
    (
        Says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
        Destination(UnexpectedAnswer, None),
    ),
    // 3xx is not followed.
    (
        Says("HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"),
        Destination(Redirected, None),
    ),
    (Says("HTTP/1.1 304 Not Modified\r\n\r\n"), Destination(Redirected, None)),
    (
        Says("HTTP/1.1 307 Temporary\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
        Destination(Redirected, None),
    ),
    // 4xx: about this message, about us, or about the moment.
    (Says("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"), Message(MessageRefused)),
    (Says("HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n"), Message(MessageRefused)),
    (Says("HTTP/1.1 415 Type\r\nContent-Length: 0\r\n\r\n"), Message(MessageRefused)),
    (Says("HTTP/1.1 422 Content\r\nContent-Length: 0\r\n\r\n"), Message(MessageRefused)),
    (Says("HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n"), Destination(SignInRefused, None)),
    (Says("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"), Destination(SignInRefused, None)),
    (Says("HTTP/1.1 407 Proxy\r\nContent-Length: 0\r\n\r\n"), Destination(SignInRefused, None)),
    (Says("HTTP/1.1 404 Where\r\nContent-Length: 0\r\n\r\n"), Destination(NotFound, None)),
    (Says("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"), Destination(NotFound, None)),
    (Says("HTTP/1.1 408 Slow\r\nContent-Length: 0\r\n\r\n"), Destination(TimedOut, None)),
    (
        Says("HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n"),
        Destination(UnexpectedAnswer, None),
    ),
    (Says("HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n"), Destination(UnexpectedAnswer, None)),
    // 429 with everything that can stand in Retry-After; the time is 21:45 GMT.
    (Says("HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n"), Destination(Throttled, None)),
    (
        Says("HTTP/1.1 429 Slow\r\nRetry-After: 57\r\nContent-Length: 0\r\n\r\n"),
        Destination(Throttled, Some(57)),
    ),
    (
        Says("HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"),
        Destination(Throttled, Some(0)),
    ),
    (
        Says("HTTP/1.1 429 Slow\r\nRetry-After: -5\r\nContent-Length: 0\r\n\r\n"),
        Destination(Throttled, None),
    ),
    (
        Says("HTTP/1.1 429 Slow\r\nRetry-After: 1.5\r\nContent-Length: 0\r\n\r\n"),
        Destination(Throttled, None),
    ),
    (
        Says("HTTP/1.1 429 Slow\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n"),
        Destination(Throttled, None),
    ),
    (
        Says("HTTP/1.1 429 Slow\r\nRetry-After: \r\nContent-Length: 0\r\n\r\n"),
        Destination(Throttled, None),
    ),
    (
        Says("HTTP/1.1 429 Slow\r\nRetry-After: 31536000\r\nContent-Length: 0\r\n\r\n"),
        Destination(Throttled, Some(3600)),
    ),
    (
        Says(
            "HTTP/1.1 429 Slow\r\nRetry-After: 99999999999999999999999\r\nContent-Length: \
                0\r\n\r\n",
        ),
        Destination(Throttled, None),
    ),
    (
        Says(
            "HTTP/1.1 429 Slow\r\nRetry-After: Sat, 14 Nov 2026 21:46:00 GMT\r\nContent-Length: \
                0\r\n\r\n",
        ),
        Destination(Throttled, Some(60)),
    ),
    (
        Says(
            "HTTP/1.1 429 Slow\r\nRetry-After: Sat, 14 Nov 2026 21:44:00 GMT\r\nContent-Length: \
                0\r\n\r\n",
        ),
        Destination(Throttled, Some(0)),
    ),
    (
        Says(
            "HTTP/1.1 429 Slow\r\nRetry-After: Sun, 14 Nov 2027 21:45:00 GMT\r\nContent-Length: \
                0\r\n\r\n",
        ),
        Destination(Throttled, Some(3600)),
    ),
    // 5xx, with a wait or without, with a body that never ends.
    (Says("HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"), Destination(ServerError, None)),
    (Says("HTTP/1.1 502 Gateway\r\nContent-Length: 0\r\n\r\n"), Destination(ServerError, None)),
    (
        Says("HTTP/1.1 503 Away\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"),
        Destination(ServerError, Some(120)),
    ),
    (Says("HTTP/1.1 504 Slow\r\nContent-Length: 0\r\n\r\n"), Destination(ServerError, None)),
    (
        Drips("HTTP/1.1 500 Broken\r\nContent-Length: 1000000\r\n\r\n"),
        Destination(ServerError, None),
    ),
    (Drips("HTTP/1.1 422 Content\r\nContent-Length: 1000000\r\n\r\n"), Message(MessageRefused)),
    // Beyond what HTTP knows.
    (Says("HTTP/1.1 600 What\r\nContent-Length: 0\r\n\r\n"), Destination(UnexpectedAnswer, None)),
    (Says("HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"), Destination(UnexpectedAnswer, None)),
    (Says("220 mail.example ESMTP\r\n"), Ambiguous(ConnectionLost)),
    (Says("<html>ok</html>"), Ambiguous(ConnectionLost)),
    (Says("HTTP/1.1 20 OK\r\n\r\n"), Ambiguous(ConnectionLost)),
    (Says("HTTP/9.9 200 OK\r\n\r\n"), Ambiguous(ConnectionLost)),
    (Says("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"), Ambiguous(ConnectionLost)),
    (Says("HTTP/1.1 200 OK\r\nno header\r\n\r\n"), Ambiguous(ConnectionLost)),
    (Says("\0\0\0\0"), Ambiguous(ConnectionLost)),
    (Says("HTTP/1.1 200 O"), Ambiguous(ConnectionLost)),
    (Drips("HTTP/1.1 200 OK\r\nX-Drip: "), Ambiguous(TimedOut)),
    // No answer at all.
    (ResetsUnread, Ambiguous(ConnectionLost)),
    (Resets, Ambiguous(ConnectionLost)),
    (Says(""), Ambiguous(ConnectionLost)),
    (ClosesItsHalf, Ambiguous(ConnectionLost)),
    (IsSilent, Ambiguous(TimedOut)),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_has_its_verdict_and_the_next_attempt_is_the_same_to_the_byte() {
    let cells = CELLS.iter().map(|(does, comes)| async move {
        let (found, requests) = attempt_twice(*does, *comes == Ambiguous(TimedOut)).await;
        assert_eq!(found, [*comes; 2], "{does:?}");
        if !matches!(does, ResetsUnread) {
            assert_eq!(requests.len(), 2, "{does:?}");
            assert_eq!(requests[0], requests[1], "{does:?}");
            assert!(requests[0].contains("webhook-id: msg_00c0ffee"), "{}", requests[0]);
        }
    });
    futures_util::future::join_all(cells).await;
}

/// What two attempts came to, and what the receiver read. Where the time-out does not decide, it is
/// far away.
async fn attempt_twice(does: Does, is_soon_over: bool) -> ([Comes; 2], Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = webhook_config(&format!("http://{}/hook", listener.local_addr().unwrap()));
    config.timeout = Duration::from_secs(if is_soon_over { 4 } else { 120 });
    let receiving = tokio::spawn(async move {
        let mut requests = Vec::new();
        let mut connections = Vec::new();
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            if !matches!(does, ResetsUnread) {
                requests.push(read(&mut stream).await);
            }
            connections.push(tokio::spawn(play(stream, does)));
        }
        (requests, connections)
    });
    let mut found = Vec::new();
    for _ in 0..2 {
        // As after a restart: with a connection of its own.
        found.push(match channel(&config).attempt(&alert_delivery(attacked())).await {
            Ok(_) => Accepted,
            Err(error) => match error.verdict {
                Verdict::Message => Message(error.reason),
                Verdict::Destination { retry_after } => {
                    Destination(error.reason, retry_after.map(|after| after.as_secs()))
                }
                Verdict::Ambiguous => Ambiguous(error.reason),
                Verdict::Recipient => panic!("it has one recipient: {error}"),
            },
        });
    }
    let (requests, connections) = receiving.await.unwrap();
    connections.iter().for_each(tokio::task::JoinHandle::abort);
    ([found[0], found[1]], requests)
}

/// One request, to the end of its body.
async fn read(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    loop {
        assert!(stream.read_buf(&mut read).await.unwrap() > 0, "a whole request");
        let text = String::from_utf8_lossy(&read);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let (_, length) = head.split_once("content-length: ").expect("a length");
        if body.len() >= length.split("\r\n").next().unwrap().parse::<usize>().unwrap() {
            return text.into_owned();
        }
    }
}

async fn play(mut stream: TcpStream, does: Does) {
    match does {
        Says(text) => {
            drop(stream.write_all(text.as_bytes()).await);
            drop(stream.shutdown().await);
        }
        SaysAndWaits(text) => {
            drop(stream.write_all(text.as_bytes()).await);
            std::future::pending::<()>().await;
        }
        Drips(text) => {
            let mut alive = stream.write_all(text.as_bytes()).await;
            let mut moments = tokio::time::interval(Duration::from_millis(50));
            while alive.is_ok() {
                moments.tick().await;
                alive = stream.write_all(b"x").await;
            }
        }
        ResetsUnread => {
            assert!(stream.peek(&mut [0; 1]).await.is_ok());
            stream.set_zero_linger().unwrap();
        }
        Resets => stream.set_zero_linger().unwrap(),
        ClosesItsHalf => {
            drop(stream.shutdown().await);
            std::future::pending::<()>().await;
        }
        IsSilent => std::future::pending::<()>().await,
    }
}
