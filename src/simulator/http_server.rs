//! As much of HTTP/1.1 as the simulated servers need, down to the bytes: an answer can be cut,
//! withheld or reset, which a web framework would not let us do. What is answered is the servers'
//! part.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::clock::Clock;
use crate::simulator::port::Serve;
use crate::simulator::{Answer, Fault, Request};

/// A request line and its headers may be this long.
const HEAD_CAP: u64 = 64 * 1024;
/// A request's body may be this long.
const BODY_CAP: u64 = 32 * 1024 * 1024;

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
