//! Reads `certificate` and `key` of `[http]`: TLS by the daemon itself.

use std::path::PathBuf;

use crate::config::reader::{Placed, Table};
use crate::secret::credential_file;
use crate::web::{CertificateFiles, OwnCertificate};

/// The daemon's own certificate; none where it has none, or where no secrets are read.
pub(crate) fn read(http: &Table<'_>) -> Option<OwnCertificate> {
    let certificate = match (http.entry("certificate"), http.entry("key")) {
        (None, None) => return None,
        (Some(_), Some(_)) => http.text("certificate")?,
        (Some(entry), None) | (None, Some(entry)) => {
            let text = "TLS needs both \"certificate\" and \"key\"";
            http.reader.mistake(entry.key, text);
            return None;
        }
    };
    let files = CertificateFiles { certificate: http.reader.path(&certificate), key: key(http)? };
    if !http.reader.environment().reads_secrets_of("http") {
        return None;
    }
    http.reader.accept(&certificate.span, OwnCertificate::read(files))
}

/// The file of the key: its path, or where a secret lies.
fn key(http: &Table<'_>) -> Option<PathBuf> {
    let reader = http.reader;
    if let Some(path) = http.text("key") {
        return Some(reader.path(&path));
    }
    let place = http.table("key")?;
    if let Some(path) = place.text("file") {
        return Some(reader.path(&path));
    }
    if let Some(Placed { value, span }) = place.text("credential") {
        return reader.accept(&span, credential_file(value, reader.environment()));
    }
    reader.mistake(place.span, "a key is read again when it changes: write its file or credential");
    None
}
