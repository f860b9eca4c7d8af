//! An HTTP server, a proxy, and a mail server in one, which refuse everything and say why: with
//! what they were sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How it comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    Json,
    Percent,
    Base64,
}

impl Form {
    fn of(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Json => text
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('/', "\\/")
                .replace('&', "\\u0026"),
            Self::Percent => text
                .bytes()
                .map(|byte| {
                    if byte.is_ascii_alphanumeric() {
                        char::from(byte).into()
                    } else {
                        format!("%{byte:02X}")
                    }
                })
                .collect(),
            Self::Base64 if !text.contains("hush") => text.to_owned(),
            Self::Base64 => STANDARD.encode(text),
        }
    }
}

/// A server that is there until the tests end.
pub(super) struct Echo {
    pub(super) http: String,
    pub(super) smtp_port: u16,
    echoed: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    pub(super) fn start(form: Form) -> Self {
        let echoed = Arc::new(Mutex::new(Vec::new()));
        let (http, smtp) =
            (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let (url, smtp_port) =
            (format!("http://{}", http.local_addr().unwrap()), smtp.local_addr().unwrap().port());
        for (listener, serve) in
            [(http, serve_http as fn(TcpStream, &Said) -> Option<()>), (smtp, serve_smtp)]
        {
            let echoed = Arc::clone(&echoed);
            std::thread::spawn(move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    let said = Said { form, echoed: Arc::clone(&echoed) };
                    std::thread::spawn(move || serve(stream, &said));
                }
            });
        }
        Self { http: url, smtp_port, echoed }
    }

    /// Every piece that was sent back.
    pub(super) fn echoed(&self) -> Vec<String> {
        self.echoed.lock().unwrap().clone()
    }
}

struct Said {
    form: Form,
    echoed: Arc<Mutex<Vec<String>>>,
}

impl Said {
    /// Each secret in the form, in words; kept, so that the test can look for them.
    fn back(&self, secrets: &[String]) -> String {
        let pieces: Vec<String> = secrets
            .iter()
            .filter(|sent| is_secret(sent))
            .map(|secret| self.form.of(secret))
            .collect();
        self.echoed.lock().unwrap().extend(pieces.clone());
        pieces.join(" and ")
    }
}

/// Whether a text holds a secret of the test, as it is or in base64.
fn is_secret(text: &str) -> bool {
    let decoded = STANDARD.decode(text.rsplit(' ').next().unwrap_or_default()).unwrap_or_default();
    text.contains("hush") || String::from_utf8_lossy(&decoded).contains("hush")
}

fn serve_http(stream: TcpStream, said: &Said) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let header = |name: &str| {
        lines.iter().find_map(|line| {
            line.split_once(": ")
                .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_owned())
        })
    };
    let mut body = vec![0; header("content-length").map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let path = lines.first()?.split(' ').nth(1)?.to_owned();
    let path = path
        .strip_prefix("http://")
        .and_then(|rest| rest.find('/').map(|at| rest[at..].to_owned()))
        .unwrap_or(path);
    if path.starts_with("/gives/") {
        let token = r#"{"access_token":"eyJhush.Acc3ssTokenOfGraph","refresh_token":"0.AZhushRotated","expires_in":3600}"#;
        return answer(stream, "200 OK", "", token);
    }
    let field = |name: &str| {
        body.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")).map(str::to_owned))
    };
    if path.starts_with("/refuses/") {
        let secrets: Vec<String> =
            [field("client_secret"), field("refresh_token")].into_iter().flatten().collect();
        let error = format!(
            r#"{{"error":"invalid_client","error_description":"no {}"}}"#,
            said.back(&secrets).replace('\\', "\\\\").replace('"', "\\\"")
        );
        return answer(stream, "401 Unauthorized", "", &error);
    }
    let key = body
        .split("\"routing_key\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .map(str::to_owned);
    let secrets: Vec<String> = [
        header("proxy-authorization"),
        header("authorization"),
        header("x-api-key"),
        key,
        Some(path),
    ]
    .into_iter()
    .flatten()
    .collect();
    let ids = header("authorization")
        .map(|value| format!("MS-CV: {value}\r\nMS-RequestId: {value}\r\nrequest-id: {value}\r\n"))
        .unwrap_or_default();
    answer(stream, "400 Bad Request", &ids, &said.back(&secrets))
}

fn answer(mut stream: TcpStream, status: &str, headers: &str, body: &str) -> Option<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).ok()
}

fn serve_smtp(mut stream: TcpStream, said: &Said) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    stream.write_all(b"220 echo\r\n").ok()?;
    let decoded = |text: &str| {
        String::from_utf8_lossy(&STANDARD.decode(text.trim()).unwrap_or_default()).into_owned()
    };
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["EHLO", ..] => stream.write_all(b"250-echo\r\n250 AUTH PLAIN LOGIN\r\n").ok()?,
            ["AUTH", "LOGIN"] => {
                stream
                    .write_all(format!("334 {}\r\n", STANDARD.encode("Username:")).as_bytes())
                    .ok()?;
                reader.read_line(&mut String::new()).ok()?;
                stream
                    .write_all(format!("334 {}\r\n", STANDARD.encode("Password:")).as_bytes())
                    .ok()?;
                let mut password = String::new();
                reader.read_line(&mut password).ok()?;
                let back = said.back(&[decoded(&password), password.trim().to_owned()]);
                stream.write_all(format!("535 5.7.8 no {back}\r\n").as_bytes()).ok()?;
            }
            ["AUTH", "PLAIN", given] => {
                let password = decoded(given).rsplit('\0').next().unwrap_or_default().to_owned();
                let back = said.back(&[password, (*given).to_owned()]);
                stream.write_all(format!("535 5.7.8 no {back}\r\n").as_bytes()).ok()?;
            }
            _ => stream.write_all(b"500 5.5.2 no\r\n").ok()?,
        }
    }
}
