//! As much of HTTP/1.1 as the simulated servers need, down to the bytes: an answer can be cut,
//! withheld or reset, which a web framework would not let us do. What is answered is the servers'
//! part.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::clock::Clock;
use crate::simulator::Fault;
use crate::simulator::port::Serve;

/// A request line and its headers may be this long.
const HEAD_CAP: u64 = 64 * 1024;
/// A request's body may be this long.
const BODY_CAP: u64 = 32 * 1024 * 1024;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST` …
    pub method: String,
    /// Path and query as sent.
    pub path: String,
    /// Names as sent, values trimmed.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// When it came, by the simulator's clock.
    pub at: Timestamp,
}

impl Request {
    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// An answer to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The words after it.
    pub reason: String,
    /// Besides `Content-Length`, which is always sent.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Answer {
    /// An empty answer.
    pub fn new(status: u16) -> Self {
        Self { status, reason: reason(status).to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    /// An answer of JSON.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status)
            .with_header("Content-Type", "application/json; charset=utf-8")
            .with_body(body)
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with this body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// How Partner Center throttles: 429, `Retry-After`, and a body of another shape than its other
    /// errors ("API throttling guidance").
    pub fn throttled(seconds: u32) -> Self {
        let body = format!(
            r#"{{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in {seconds} seconds." }}"#
        );
        Self::json(429, body).with_header("Retry-After", &seconds.to_string())
    }

    /// How Partner Center refuses a sign-in without multi-factor authentication ("Mandating MFA"):
    /// the reason in the status line, no body.
    pub fn mfa_required() -> Self {
        let reason = "Unauthorized - MFA required".to_owned();
        Self {
            reason,
            ..Self::new(401).with_header("WWW-Authenticate", r#"Bearer error="invalid_token""#)
        }
    }

    /// An error as Partner Center words it: `code`, `description`, `data`, `source`.
    pub fn error(status: u16, code: &str, description: &str) -> Self {
        let body = serde_json::json!({ "code": code, "description": description, "data": [], "source": "PartnerApiServicesCommon" });
        Self::json(status, body.to_string())
    }

    fn head(&self) -> Vec<u8> {
        let lines: Vec<String> =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let (status, reason, length) = (self.status, &self.reason, self.body.len());
        let head = format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Length: {length}\r\n{}\r\n",
            lines.concat()
        );
        head.into_bytes()
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        410 => "Gone",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Unknown",
    }
}

/// The true answer to a request, and what goes wrong with it.
pub(crate) struct Reply {
    pub(crate) answer: Answer,
    pub(crate) fault: Option<Fault>,
}

/// Answers requests.
pub(crate) type Respond = Arc<dyn Fn(Request) -> Reply + Send + Sync>;

/// Serves connections by answering each of their requests in turn.
pub(crate) fn serve(clock: Arc<dyn Clock>, respond: Respond) -> Serve {
    Arc::new(move |stream| -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let (clock, respond) = (Arc::clone(&clock), Arc::clone(&respond));
        Box::pin(async move {
            // A broken connection is the peer's to notice.
            let _ = converse(stream, &*clock, &respond).await;
        })
    })
}

async fn converse(stream: TcpStream, clock: &dyn Clock, respond: &Respond) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream, clock).await? {
        let close =
            request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let Reply { answer, fault } = respond(request);
        match fault {
            None => write(&mut stream, &answer, answer.body.len()).await?,
            Some(Fault::Answer(instead)) => {
                write(&mut stream, &instead, instead.body.len()).await?;
            }
            Some(Fault::Slow(wait)) => {
                clock.sleep(wait).await;
                write(&mut stream, &answer, answer.body.len()).await?;
            }
            Some(Fault::Cut { after }) => {
                write(&mut stream, &answer, after).await?;
                return stream.shutdown().await;
            }
            Some(Fault::Reset) => return stream.get_ref().set_zero_linger(),
            Some(Fault::Hang) => std::future::pending().await,
        }
        if close {
            return stream.shutdown().await;
        }
    }
    Ok(())
}

async fn write(stream: &mut BufReader<TcpStream>, answer: &Answer, body: usize) -> io::Result<()> {
    let mut bytes = answer.head();
    bytes.extend(answer.body.iter().take(body));
    stream.write_all(&bytes).await?;
    stream.flush().await
}

/// Reads the next request; none when the peer is done.
async fn read(stream: &mut BufReader<TcpStream>, clock: &dyn Clock) -> io::Result<Option<Request>> {
    let mut head = stream.take(HEAD_CAP);
    let mut line = String::new();
    if head.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let mut request = Request {
        method: method.into(),
        path: path.into(),
        headers: Vec::new(),
        body: Vec::new(),
        at: clock.now(),
    };
    loop {
        let mut line = String::new();
        head.read_line(&mut line).await?;
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
        request.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let length: u64 =
        request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    stream.take(length.min(BODY_CAP)).read_to_end(&mut request.body).await?;
    Ok(Some(request))
}
