//! Receivers that do as they are told, on real sockets.

use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as an HTTP receiver read it.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} came twice");
        value
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What an HTTP receiver does with a request it has read.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// These bytes, then the connection is closed.
    Bytes(String),
    /// The next status with each request, and the body `no`.
    NextStatus(Arc<AtomicU16>),
    /// Nothing, for ever.
    Silence,
    /// The connection is closed.
    Close,
    /// A body without end after a status line.
    Endless(u16),
}

impl Answer {
    /// A whole answer.
    pub(super) fn with(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::Bytes(format!(
            "HTTP/1.1 {status} Whatever\r\n{headers}Content-Length: {length}\r\nConnection: \
                close\r\n\r\n{body}"
        ))
    }
}

/// An HTTP receiver that answers all requests alike.
pub(super) struct Http {
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    accepting: JoinHandle<()>,
}

impl Http {
    pub(super) async fn answering(answer: Answer) -> Self {
        Self::over(None, answer).await
    }

    /// The same with TLS, at `localhost`.
    pub(super) async fn over(tls: Option<tokio_rustls::TlsAcceptor>, answer: Answer) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let place = if tls.is_some() {
            format!("https://localhost:{}", address.port())
        } else {
            format!("http://{address}")
        };
        let url = format!("{place}/hook?token=sesame");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, seen, tls) = (answer.clone(), Arc::clone(&seen), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve_http(stream, answer, seen).await,
                        Some(acceptor) => {
                            let Ok(stream) = acceptor.accept(stream).await else { return };
                            serve_http(stream, answer, seen).await;
                        }
                    }
                });
            }
        });
        Self { url, requests, accepting }
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve_http<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    mut answer: Answer,
    seen: Arc<Mutex<Vec<Request>>>,
) {
    let mut stream = BufReader::new(stream);
    let Some(request) = read_request(&mut stream).await else { return };
    seen.lock().unwrap().push(request);
    if let Answer::NextStatus(status) = &answer {
        answer = Answer::with(status.fetch_add(1, Ordering::SeqCst), "", "no");
    }
    match answer {
        Answer::Bytes(bytes) => {
            drop(stream.write_all(bytes.as_bytes()).await);
            drop(stream.shutdown().await);
        }
        Answer::Silence => std::future::pending::<()>().await,
        Answer::Close | Answer::NextStatus(_) => {}
        Answer::Endless(status) => {
            let head = format!("HTTP/1.1 {status} Whatever\r\nTransfer-Encoding: chunked\r\n\r\n");
            let mut more = stream.write_all(head.as_bytes()).await;
            while more.is_ok() {
                more = stream
                    .write_all(format!("1000\r\n{}\r\n", "x".repeat(0x1000)).as_bytes())
                    .await;
            }
        }
    }
}

async fn read_request<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request { method, path, headers, body })
}

/// A stage of an SMTP conversation, by the command that a server reads; `""` is its banner, `"."`
/// the end of a message.
pub(super) type Stage = &'static str;

/// What an SMTP server does at a stage.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// It says so.
    Say(&'static str),
    /// It says exactly that in place of the usual, and goes on as usual.
    Instead(&'static [u8]),
    /// It says the usual with letters that are not UTF-8.
    InLatin1,
    /// It says the usual, and behind it in the same packet what nobody asked for.
    WithMore,
    /// It says the first, and then the second without end.
    Endless(&'static str, &'static str),
    /// It says nothing, for ever.
    Silence,
    /// It closes the connection.
    Close,
    /// It resets the connection.
    Reset,
}

/// Whether it takes, for this user, this token.
pub(super) type Bearer = dyn Fn(&str, &str) -> bool + Send + Sync;

/// How an SMTP server differs from one that accepts everything.
#[derive(Clone, Default)]
pub(super) struct Script {
    /// What it does at a stage, instead of the usual.
    pub acts: Vec<(Stage, Act)>,
    /// Shared by all connections: once it is set, it accepts everything; an act sets it.
    pub healed: Option<Arc<AtomicBool>>,
    /// What it says it can.
    pub extensions: Vec<&'static str>,
    /// Where it closes the connection after a message.
    pub one_message_only: bool,
    /// Where it signs in by XOAUTH2: whom it takes.
    pub bearer: Option<Arc<Bearer>>,
    /// For TLS, and when it starts.
    pub tls: Option<(tokio_rustls::TlsAcceptor, Tls)>,
}

/// When TLS starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    FromTheFirstByte,
    AfterStarttls,
}

/// An SMTP server.
pub(super) struct Smtp {
    pub port: u16,
    seen: Arc<Mutex<Seen>>,
    accepting: JoinHandle<()>,
}

/// What an SMTP server has seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Every command, over all connections; a new connection is `(connected)`.
    pub commands: Vec<String>,
    /// Every message that it read to the final dot.
    pub messages: Vec<String>,
}

impl Smtp {
    pub(super) async fn playing(script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::clone(&seen);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().unwrap().commands.push("(connected)".into());
                tokio::spawn(serve_smtp(stream, script.clone(), Arc::clone(&shared)));
            }
        });
        Self { port, seen, accepting }
    }

    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve_smtp(stream: TcpStream, script: Script, seen: Arc<Mutex<Seen>>) {
    if script.acts.iter().any(|(_, act)| matches!(act, Act::Reset)) {
        // Whoever closes it now resets it.
        stream.set_zero_linger().unwrap();
    }
    match script.tls.clone() {
        Some((acceptor, Tls::FromTheFirstByte)) => {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            drop(converse(stream, &script, &seen, true).await);
        }
        Some((acceptor, Tls::AfterStarttls)) => {
            let Ok(Some(stream)) = converse(stream, &script, &seen, true).await else { return };
            let Ok(stream) = acceptor.accept(stream).await else { return };
            drop(converse(stream, &script, &seen, false).await);
        }
        None => drop(converse(stream, &script, &seen, true).await),
    }
}

/// Holds a conversation; gives the stream back when TLS is to start on it.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    script: &Script,
    seen: &Mutex<Seen>,
    greets: bool,
) -> std::io::Result<Option<S>> {
    let mut stream = BufReader::new(stream);
    if greets && act(&mut stream, script, "", "220 mail.example ESMTP").await? == Acted::Ended {
        return Ok(None);
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        seen.lock().unwrap().commands.push(line.to_owned());
        let command = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let mut hello: Vec<_> =
            script.extensions.iter().map(|extension| format!("250-{extension}")).collect();
        hello.push("250 8BITMIME".into());
        let hello = format!("250-mail.example\r\n{}", hello.join("\r\n"));
        if let (Some(takes), Some(given)) = (&script.bearer, line.strip_prefix("AUTH XOAUTH2 ")) {
            bearer(&mut stream, given, &**takes).await?;
            continue;
        }
        let (stage, usual): (Stage, &str) = match command.as_str() {
            "EHLO" => ("EHLO", &hello),
            "STARTTLS" => ("STARTTLS", "220 2.0.0 ready"),
            "AUTH" => ("AUTH", "235 2.7.0 welcome"),
            "MAIL" => ("MAIL", "250 2.1.0 Ok"),
            "RCPT" => ("RCPT", "250 2.1.5 Ok"),
            "DATA" => ("DATA", "354 go on"),
            "RSET" => ("RSET", "250 2.0.0 Ok"),
            "QUIT" => ("QUIT", "221 2.0.0 Bye"),
            _ => ("?", "500 what?"),
        };
        match act(&mut stream, script, stage, usual).await? {
            Acted::Ended => return Ok(None),
            Acted::Usual if stage == "QUIT" => return Ok(None),
            Acted::Usual if stage == "STARTTLS" => return Ok(Some(stream.into_inner())),
            Acted::Usual if stage == "DATA" => {
                let message = read_message(&mut stream).await?;
                seen.lock().unwrap().messages.push(message);
                let acted = act(&mut stream, script, ".", "250 2.0.0 Ok: queued as 4F2A").await?;
                if acted == Acted::Ended || script.one_message_only {
                    return Ok(None);
                }
            }
            Acted::Usual | Acted::Scripted => {}
        }
    }
}

/// Takes or refuses a token, as Exchange Online, Gmail and dovecot do it: why it refuses comes
/// first, and is answered by nothing.
async fn bearer<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    given: &str,
    takes: &Bearer,
) -> std::io::Result<()> {
    let given = String::from_utf8(STANDARD.decode(given).unwrap()).unwrap();
    let parts: Vec<_> = given.split('\x01').collect();
    let [user, token, "", ""] = parts[..] else { panic!("{given:?}") };
    if takes(user.strip_prefix("user=").unwrap(), token.strip_prefix("auth=Bearer ").unwrap()) {
        return stream.write_all(b"235 2.7.0 Authentication successful\r\n").await;
    }
    let why = STANDARD.encode(r#"{"status":"invalid_token","schemes":"bearer"}"#);
    stream.write_all(format!("334 {why}\r\n").as_bytes()).await?;
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    assert_eq!(line, "\r\n");
    stream.write_all(b"535 5.7.3 Authentication unsuccessful\r\n").await
}

/// What became of a stage.
#[derive(Debug, PartialEq, Eq)]
enum Acted {
    Usual,
    Scripted,
    Ended,
}

/// Does what the script says at `stage`.
async fn act<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    script: &Script,
    stage: Stage,
    usual: &str,
) -> std::io::Result<Acted> {
    let planned = script.acts.iter().find(|(at, _)| *at == stage).map(|(_, act)| act);
    let healed = |script: &Script| {
        script.healed.as_ref().is_some_and(|healed| healed.swap(true, Ordering::SeqCst))
    };
    let planned = planned.filter(|_| !healed(script));
    match planned {
        Some(Act::Silence) => std::future::pending().await,
        Some(Act::Close | Act::Reset) => return Ok(Acted::Ended),
        Some(Act::Say(text)) => stream.write_all(format!("{text}\r\n").as_bytes()).await?,
        Some(Act::Endless(start, more)) => {
            let more = more.repeat(0x4000);
            let mut written = stream.write_all(start.as_bytes()).await;
            while written.is_ok() {
                written = stream.write_all(more.as_bytes()).await;
            }
            return Ok(Acted::Ended);
        }
        Some(Act::Instead(bytes)) => stream.write_all(bytes).await?,
        Some(Act::InLatin1) => {
            stream.write_all(&[usual.as_bytes(), b" f\xfcr alle\r\n"].concat()).await?;
        }
        Some(Act::WithMore) => {
            stream.write_all(format!("{usual}\r\n250 2.0.0 slipped in\r\n").as_bytes()).await?;
        }
        None => stream.write_all(format!("{usual}\r\n").as_bytes()).await?,
    }
    stream.flush().await?;
    let is_usual = matches!(planned, None | Some(Act::Instead(_) | Act::InLatin1 | Act::WithMore));
    Ok(if is_usual { Acted::Usual } else { Acted::Scripted })
}

async fn read_message<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
) -> std::io::Result<String> {
    let mut message = String::new();
    loop {
        let start = message.len();
        if stream.read_line(&mut message).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if message[start..] == *".\r\n" {
            message.truncate(start);
            return Ok(message);
        }
        if message[start..].starts_with("..") {
            message.remove(start);
        }
    }
}
