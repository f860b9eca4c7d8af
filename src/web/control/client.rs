//! One request over the control socket, and its answer. What is asked and what it means is left to
//! the command.

use std::io;
use std::path::Path;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderValue, Request, StatusCode, header};
use futures_util::future;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

/// The most that is read of an answer: a poll may have raised an alert for each of very many
/// customers.
const ANSWER_CAP: usize = 1 << 30;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody can be reached there.
    #[error("cannot connect")]
    Connect(#[source] io::Error),
    /// The connection broke.
    #[error("the daemon ended before it answered")]
    Broken(#[source] hyper::Error),
    /// The answer broke off.
    #[error("the daemon ended before it had answered all")]
    Answer(#[source] axum::Error),
}

impl CallError {
    /// Whether the rights of the socket or of its folder forbid it.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Connect(error) if error.kind() == io::ErrorKind::PermissionDenied)
    }
}

/// Asks once, on a connection of its own.
pub async fn call(
    path: &Path,
    mut request: Request<Body>,
) -> Result<(StatusCode, Bytes), CallError> {
    let stream = UnixStream::connect(path).await.map_err(CallError::Connect)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(CallError::Broken)?;
    request.headers_mut().insert(header::HOST, HeaderValue::from_static("localhost"));
    let exchange = async move {
        let answer = sender.send_request(request).await.map_err(CallError::Broken)?;
        let status = answer.status();
        let body =
            to_bytes(Body::new(answer.into_body()), ANSWER_CAP).await.map_err(CallError::Answer)?;
        // Only now may the connection end.
        drop(sender);
        Ok((status, body))
    };
    // What went wrong with the connection, the exchange says.
    let (answer, _ended) = future::join(exchange, connection).await;
    answer
}
