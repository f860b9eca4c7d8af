//! Requests and answers of the simulated HTTP servers. Reading and writing them is left to
//! `http_server`.

use jiff::Timestamp;

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

    pub(crate) fn head(&self) -> Vec<u8> {
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
