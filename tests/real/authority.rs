//! A certificate authority of our own, and the certificate it gave to the loopback names of this
//! machine, and to the name that the documents show.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

/// The authority and one certificate for all these names, as PEM files that every user may read.
pub(crate) struct Authority {
    folder: TempDir,
}

impl Authority {
    /// Makes both, with new keys.
    pub(crate) fn new() -> Self {
        let mut root = CertificateParams::new(Vec::new()).unwrap();
        root.distinguished_name.push(DnType::CommonName, "Authority of these tests");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = ["localhost", "127.0.0.1", "alerts.partner.example"].map(ToOwned::to_owned);
        let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &root).unwrap();

        let folder =
            tempfile::Builder::new().permissions(super::process::traversable()).tempdir().unwrap();
        for (name, text) in
            [("ca.pem", root.pem()), ("cert.pem", leaf.pem()), ("key.pem", key.serialize_pem())]
        {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self { folder }
    }

    /// The authority's own certificate: what a client must trust (`SSL_CERT_FILE`).
    pub(crate) fn trust(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The server's certificate.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// The server's private key.
    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }
}
