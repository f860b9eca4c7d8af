//! A webhook receiver that takes everything at once and remembers when. Both sides send to the
//! same.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
pub(crate) struct Receipt {
    /// When it was read whole.
    pub at: Instant,
    /// Its headers and its body.
    pub text: Vec<u8>,
}

/// What was received.
pub(crate) struct Receiver {
    pub url: String,
    receipts: Arc<Mutex<Vec<Receipt>>>,
}

impl Receiver {
    /// Starts it in a thread of its own, which ends with the process.
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receipts = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&receipts);
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, Arc::clone(&shared)));
                }
            });
        });
        Self { url, receipts }
    }

    /// How many requests came so far.
    pub(crate) fn count(&self) -> usize {
        self.receipts.lock().unwrap().len()
    }

    /// Takes what was received.
    pub(crate) fn take(&self) -> Vec<Receipt> {
        std::mem::take(&mut *self.receipts.lock().unwrap())
    }
}

async fn serve(mut stream: TcpStream, receipts: Arc<Mutex<Vec<Receipt>>>) {
    stream.set_nodelay(true).unwrap();
    let mut read = Vec::with_capacity(16 * 1024);
    loop {
        let Some(length) = whole(&read) else {
            match stream.read_buf(&mut read).await {
                Ok(more) if more > 0 => continue,
                _ => return,
            }
        };
        let rest = read.split_off(length);
        let text = std::mem::replace(&mut read, rest);
        receipts.lock().unwrap().push(Receipt { at: Instant::now(), text });
        if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.is_err() {
            return;
        }
    }
}

/// The length of the first request, once it was read whole.
fn whole(read: &[u8]) -> Option<usize> {
    let head = memchr::memmem::find(read, b"\r\n\r\n")? + 4;
    let headers = std::str::from_utf8(&read[..head]).unwrap().to_ascii_lowercase();
    let length: usize = headers
        .split_once("content-length: ")
        .expect("a length")
        .1
        .split("\r\n")
        .next()?
        .parse()
        .unwrap();
    (read.len() >= head + length).then_some(head + length)
}
