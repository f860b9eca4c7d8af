//! The stream below an SMTP conversation: TCP, or TLS around it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::notify::smtp::TlsError;

/// Agrees on TLS with one server.
pub(crate) struct Connector {
    tls: TlsConnector,
    name: ServerName<'static>,
}

impl Connector {
    /// The certificate must be valid for `host` by the system's authorities.
    pub(crate) fn to(host: &str) -> Result<Self, TlsError> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_platform_verifier()?
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            name: ServerName::try_from(host.to_owned())?,
        })
    }

    pub(crate) async fn agree(&self, tcp: TcpStream) -> io::Result<Stream> {
        Ok(Stream::Tls(Box::new(self.tls.connect(self.name.clone(), tcp).await?)))
    }
}

/// A stream.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    pub(crate) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(buffer).await,
            Self::Tls(tls) => tls.read(buffer).await,
        }
    }

    pub(crate) async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.write_all(bytes).await,
            Self::Tls(tls) => {
                tls.write_all(bytes).await?;
                tls.flush().await
            }
        }
    }

    /// The address it speaks from, as a name (RFC 5321 section 4.1.3).
    pub(crate) fn own_address(&self) -> io::Result<String> {
        let address = match self {
            Self::Plain(tcp) => tcp.local_addr()?,
            Self::Tls(tls) => tls.get_ref().0.local_addr()?,
        };
        Ok(literal(address))
    }
}

fn literal(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => format!("[{}]", address.ip()),
        SocketAddr::V6(address) => address
            .ip()
            .to_ipv4_mapped()
            .map_or_else(|| format!("[IPv6:{}]", address.ip()), |ip| format!("[{ip}]")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_name_in_brackets() {
        let name = |address: &str| literal(address.parse().unwrap());
        assert_eq!(name("192.0.2.7:25"), "[192.0.2.7]");
        assert_eq!(name("[2001:db8::7]:25"), "[IPv6:2001:db8::7]");
        assert_eq!(name("[::ffff:192.0.2.7]:25"), "[192.0.2.7]");
    }
}
