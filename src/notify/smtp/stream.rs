//! The stream below an SMTP conversation: TCP without Nagle's delay, for TLS from the first byte with TLS around it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::notify::http::{is_about_tls, tls_advice};
use crate::notify::smtp::TlsError;
use crate::notify::{DeliveryError, FailureReason, Verdict};
use crate::outbound::one_line;

/// Opens streams to one server.
pub(crate) struct Connector {
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Connector {
    /// Streams that start without TLS.
    pub(crate) fn plain() -> Self {
        Self { tls: None }
    }

    /// Streams with TLS from the first byte; the certificate must be valid for `host` by the system's authorities.
    pub(crate) fn tls(host: &str) -> Result<Self, TlsError> {
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_platform_verifier()?
            .with_no_client_auth();
        Ok(Self { tls: Some((TlsConnector::from(Arc::new(config)), ServerName::try_from(host.to_owned())?)) })
    }

    pub(crate) async fn connect(&self, host: &str, port: u16) -> Result<Box<dyn AsyncTokioStream>, DeliveryError> {
        let tcp = TcpStream::connect((host, port)).await.map_err(cannot_connect)?;
        // The message and its final dot are written apart: with Nagle's algorithm each mail would wait for a delayed
        // acknowledgement.
        tcp.set_nodelay(true).map_err(cannot_connect)?;
        match &self.tls {
            None => Ok(Box::new(tcp)),
            Some((connector, name)) => {
                let stream = connector.connect(name.clone(), tcp).await.map_err(cannot_connect)?;
                Ok(Box::new(Protected(stream)))
            }
        }
    }
}

fn cannot_connect(error: io::Error) -> DeliveryError {
    let text = one_line(&error.to_string());
    if is_about_tls(&text) {
        let detail = format!("no TLS with the mail server: {text}{}", tls_advice(&text));
        return DeliveryError::new(Verdict::DESTINATION, FailureReason::TlsFailed, detail).caused_by(error);
    }
    let detail = format!("cannot connect to the mail server: {text}; check host and port");
    DeliveryError::new(Verdict::DESTINATION, FailureReason::CannotConnect, detail).caused_by(error)
}

/// A TLS stream in the form that the SMTP client takes.
#[derive(Debug)]
struct Protected(TlsStream<TcpStream>);

impl AsyncTokioStream for Protected {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().0.peer_addr()
    }
}

impl AsyncRead for Protected {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Protected {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(context)
    }
}
