//! The daemon's own certificate: read from its files, and read again when they have changed. What
//! cannot be used changes nothing.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::fs::{self, SeenFiles};

/// The most bytes that a file may have.
const MOST: u64 = 1 << 20;

/// Where a certificate and its key are, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, and behind it those of the authorities between.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no certificate in it.
    #[error("{} holds no certificate (BEGIN CERTIFICATE)", .0.display())]
    NoCertificate(PathBuf),
    /// There is no key in it.
    #[error("{} holds no private key (BEGIN PRIVATE KEY)", .0.display())]
    NoKey(PathBuf),
    /// They do not belong together, or are of a kind that is not known.
    #[error("certificate and key cannot be used: {0}")]
    Unfit(#[from] rustls::Error),
}

/// What connections are encrypted with; shared and never changed.
#[derive(Debug, Clone)]
pub struct Certificate(Arc<ServerConfig>);

impl Certificate {
    /// Reads it.
    pub fn read(files: &CertificateFiles) -> Result<Self, CertificateError> {
        let read = |path: &PathBuf| {
            fs::read(path, MOST)
                .map_err(|source| CertificateError::Read { path: path.clone(), source })
        };
        let chain = read(&files.certificate)?;
        let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&chain).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain =
            chain.ok_or_else(|| CertificateError::NoCertificate(files.certificate.clone()))?;
        let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?)
            .map_err(|_| CertificateError::NoKey(files.key.clone()))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    /// As the connections take it.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0)
    }
}

impl CertificateFiles {
    /// They as they are now, to notice later that they have changed.
    pub fn seen(&self) -> SeenFiles {
        let mut seen = SeenFiles::default();
        seen.note(&self.certificate);
        seen.note(&self.key);
        seen
    }
}

/// A certificate with the files that it was read from, as they were.
#[derive(Debug, Clone)]
pub struct OwnCertificate {
    /// Where it is.
    pub files: CertificateFiles,
    /// The files when they were read.
    pub seen: SeenFiles,
    /// The certificate.
    pub certificate: Certificate,
}

impl OwnCertificate {
    /// Reads it.
    pub fn read(files: CertificateFiles) -> Result<Self, CertificateError> {
        let seen = files.seen();
        let certificate = Certificate::read(&files)?;
        Ok(Self { files, seen, certificate })
    }
}
