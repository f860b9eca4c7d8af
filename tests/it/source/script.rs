//! A server that answers by a script, one connection an answer, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What one connection gets.
#[derive(Clone)]
pub(crate) enum Answer {
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// The end of the connection.
    HangUp,
    /// These bytes, then nothing, for as long as the client stays.
    Stall(Vec<u8>),
}

/// A whole answer.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Answer {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n",
        body.len()
    );
    Answer::Bytes([head.as_bytes(), body].concat())
}

/// 200 with a body.
pub(crate) fn ok(body: &str) -> Answer {
    answer("200 OK", "", body.as_bytes())
}

/// 200 with a body of which only the first `kept` bytes come.
pub(crate) fn cut(body: &str, kept: usize) -> Answer {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    Answer::Bytes([head.as_bytes(), &body.as_bytes()[..kept]].concat())
}

/// 200 with a body in chunks of `size` bytes.
pub(crate) fn chunked(body: &[u8], size: usize) -> Answer {
    let mut bytes =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".to_vec();
    for chunk in body.chunks(size) {
        bytes.extend([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
    }
    bytes.extend(b"0\r\n\r\n");
    Answer::Bytes(bytes)
}

/// The server: the last answer is repeated for ever.
pub(crate) struct Script {
    pub(crate) url: String,
    heads: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Script {
    pub(crate) async fn serve(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let remembered = Arc::clone(&heads);
        let task = tokio::spawn(async move {
            let mut stalled = Vec::new();
            for turn in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let head = head(&mut stream).await;
                remembered.lock().unwrap().push(head);
                // A client that has heard enough may be gone already.
                match answers[turn.min(answers.len() - 1)].clone() {
                    Answer::Bytes(bytes) => drop(stream.write_all(&bytes).await),
                    Answer::HangUp => {}
                    Answer::Stall(bytes) => {
                        drop(stream.write_all(&bytes).await);
                        stalled.push(stream);
                    }
                }
            }
        });
        Self { url, heads, task }
    }

    /// The first lines of the requests, without the version.
    pub(crate) fn asked(&self) -> Vec<String> {
        let heads = self.heads.lock().unwrap();
        heads
            .iter()
            .map(|head| head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned())
            .collect()
    }

    /// The values of one header, one for each request; empty where a request had none.
    pub(crate) fn header(&self, name: &str) -> Vec<String> {
        let heads = self.heads.lock().unwrap();
        let value = |head: &String| {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            let values: Vec<_> = lines
                .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
                .collect();
            values.join("|")
        };
        heads.iter().map(value).collect()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}
