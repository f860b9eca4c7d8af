//! The socket with TLS before it, where there is a certificate: a connection agrees on it when it is
//! first read, in its own time, so that none waits for another.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Timeout, timeout};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

use crate::web::certificate::Certificate;

/// A socket, and what its connections are encrypted with.
pub struct Listening {
    socket: TcpListener,
    /// The one in force; none: they are not encrypted.
    certificate: Option<watch::Receiver<Option<Certificate>>>,
    /// How long agreeing may take.
    patience: Duration,
}

impl From<TcpListener> for Listening {
    fn from(socket: TcpListener) -> Self {
        Self { socket, certificate: None, patience: Duration::from_secs(10) }
    }
}

impl Listening {
    /// Connections are encrypted with the certificate in force when they come.
    #[must_use]
    pub fn with_certificate(self, certificate: watch::Receiver<Option<Certificate>>) -> Self {
        Self { certificate: Some(certificate), ..self }
    }

    /// Agreeing on TLS may take so long.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

impl Listener for Listening {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.socket).await;
        let certificate = self.certificate.as_ref().and_then(|known| known.borrow().clone());
        let stream = match certificate {
            None => Stream::Plain(stream),
            Some(certificate) => {
                let agreed = TlsAcceptor::from(certificate.config()).accept(stream);
                Stream::Agreeing(Box::pin(timeout(self.patience, agreed)))
            }
        };
        (Connection { peer: address, stream }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// A connection.
pub struct Connection {
    peer: SocketAddr,
    stream: Stream,
}

enum Stream {
    Plain(TcpStream),
    Agreeing(Pin<Box<Timeout<Accept<TcpStream>>>>),
    Encrypted(Box<TlsStream<TcpStream>>),
    /// They did not agree.
    Over,
}

/// What is read from and written to.
trait Both: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Both for S {}

impl Connection {
    /// Who is at the other end.
    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The stream, once both have agreed.
    fn ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Pin<&mut dyn Both>>> {
        if let Stream::Agreeing(agreeing) = &mut self.stream {
            let agreed = ready!(agreeing.as_mut().poll(context));
            let agreed = agreed.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            self.stream = Stream::Over;
            self.stream = Stream::Encrypted(Box::new(agreed?));
        }
        Poll::Ready(match &mut self.stream {
            Stream::Plain(stream) => Ok(Pin::new(stream)),
            Stream::Encrypted(stream) => Ok(Pin::new(&mut **stream)),
            Stream::Agreeing(_) | Stream::Over => Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = ready!(self.get_mut().ready(context))?;
        stream.poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let stream = ready!(self.get_mut().ready(context))?;
        stream.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = ready!(self.get_mut().ready(context))?;
        stream.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = ready!(self.get_mut().ready(context))?;
        stream.poll_shutdown(context)
    }
}
