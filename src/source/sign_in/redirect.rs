//! Where the browser is sent back to: as much of an HTTP server on the loopback as takes one code.
//! Requests that do not know the secret of this sign-in are turned away, and it goes on waiting.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use reqwest::Url;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::secret::Secret;

/// A request may be this long, in bytes; codes have about 1 kB.
const REQUEST_CAP: usize = 64 * 1024;
/// Browsers open connections that they then do not use; these are given up after this.
const PATIENCE: Duration = Duration::from_secs(30);

/// A port on 127.0.0.1 that waits for the browser.
pub(crate) struct Landing {
    listener: TcpListener,
    port: u16,
}

/// What the browser brought.
pub(crate) enum Returned {
    /// The code to exchange.
    Code(Secret),
    /// The sign-in service's refusal.
    Refused { error: String, description: String },
}

impl Landing {
    /// Opens a free port.
    pub(crate) async fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the browser that knows `state`. Several connections are served side by side, as an
    /// idle one may come first.
    pub(crate) async fn returned(&self, state: &str) -> io::Result<Returned> {
        let mut visits = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => visits.push(visit(accepted?.0, state)),
                Some(Some(returned)) = visits.next() => return Ok(returned),
            }
        }
    }
}

/// One connection with one request; none where it brings nothing.
async fn visit(mut stream: TcpStream, state: &str) -> Option<Returned> {
    let target = tokio::time::timeout(PATIENCE, target(&mut stream)).await.ok()??;
    let returned = read(&target, state);
    let (status, heading, text) = match &returned {
        Some(Returned::Code(_)) => (
            "200 OK",
            "Almost done",
            "The rest is said in the terminal. This window can be closed.",
        ),
        Some(Returned::Refused { .. }) => {
            ("200 OK", "Not signed in", "Why is said in the terminal. This window can be closed.")
        }
        None => (
            "404 Not Found",
            "Not here",
            "This page belongs to a sign-in that waits for another answer.",
        ),
    };
    let page = format!(
        "<!doctype html><meta charset=utf-8><title>budget-alertd</title><h1>{heading}</h1><p>{text}"
    );
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: \
            {}\r\nCache-Control: no-store\r\nContent-Security-Policy: default-src \
            'none'\r\nConnection: close\r\n\r\n",
        page.len()
    );
    // The code is here already; whether the browser shows the page does not matter.
    let _shown_or_not = stream.write_all(format!("{head}{page}").as_bytes()).await;
    let _ended_or_not = stream.shutdown().await;
    returned
}

/// The target of the request on a connection.
async fn target(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() > REQUEST_CAP || stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
    let line = String::from_utf8(request).ok()?.lines().next()?.to_owned();
    let mut words = line.split(' ');
    (words.next()? == "GET").then(|| words.next().map(str::to_owned))?
}

/// What a target such as `/?code=…&state=…` brings; none without the state of this sign-in.
fn read(target: &str, state: &str) -> Option<Returned> {
    let url = Url::parse("http://localhost/").ok()?.join(target).ok()?;
    let given = |name: &str| {
        url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    };
    if url.path() != "/" || given("state")? != state {
        return None;
    }
    match (given("code"), given("error")) {
        (Some(code), None) if !code.is_empty() => Some(Returned::Code(Secret::new(code))),
        (_, Some(error)) => Some(Returned::Refused {
            error,
            description: given("error_description").unwrap_or_default(),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_browser_that_knows_the_state_brings_a_code() {
        let brought = |target: &str| match read(target, "s1") {
            Some(Returned::Code(code)) => code.expose().to_owned(),
            Some(Returned::Refused { error, description }) => format!("{error}: {description}"),
            None => "nothing".to_owned(),
        };
        assert_eq!(brought("/?code=c%2F1&state=s1"), "c/1");
        assert_eq!(
            brought("/?error=access_denied&error_description=AADSTS65004%3A+no&state=s1"),
            "access_denied: AADSTS65004: no"
        );
        for target in [
            "/?code=c&state=s2",
            "/?code=c",
            "/favicon.ico",
            "/x?code=c&state=s1",
            "/?state=s1",
            "/?code=&state=s1",
            "//",
        ] {
            assert_eq!(brought(target), "nothing", "{target}");
        }
    }
}
