//! The certificate in force: looks once a minute whether its files have changed, and takes over what
//! can be used. What cannot leaves the one before in force, and is news for the operator.

use std::time::Duration;

use tokio::sync::watch;

use crate::daemon::Daemon;
use crate::delivery::FindingClosure;
use crate::domain::{FindingCode, OperatorFinding};
use crate::ledger::LedgerError;
use crate::web::{Certificate, CertificateError, OwnCertificate};

/// How often the files are looked at.
const PAUSE: Duration = Duration::from_mins(1);
/// What the finding is about.
const SUBJECT: &str = "certificate";

/// What a look found: nothing new, a new certificate, or one that cannot be used.
pub(super) type Look = Option<Result<(), CertificateError>>;

/// The certificate in force.
pub(super) struct CertificateWatch {
    in_force: watch::Sender<Option<Certificate>>,
    own: Option<OwnCertificate>,
    looked: Duration,
}

impl CertificateWatch {
    /// The one of a configuration; none where connections are not encrypted.
    pub(super) fn new(own: Option<OwnCertificate>) -> Self {
        let in_force = watch::Sender::new(own.as_ref().map(|own| own.certificate.clone()));
        Self { in_force, own, looked: Duration::ZERO }
    }

    /// For those who encrypt with it.
    pub(super) fn subscribe(&self) -> watch::Receiver<Option<Certificate>> {
        self.in_force.subscribe()
    }

    /// Takes over the one of another configuration.
    pub(super) fn change(&mut self, own: Option<OwnCertificate>) {
        self.in_force.send_replace(own.as_ref().map(|own| own.certificate.clone()));
        self.own = own;
    }

    /// Looks at the files, unless that was done within the last minute.
    pub(super) fn look(&mut self, now: Duration) -> Look {
        let own = self.own.as_mut().filter(|_| now.saturating_sub(self.looked) >= PAUSE)?;
        self.looked = now;
        if own.seen.changed().is_empty() {
            return None;
        }
        // Before it is read: what changes meanwhile is seen by the next look.
        own.seen = own.files.seen();
        let read = Certificate::read(&own.files);
        Some(read.map(|certificate| {
            self.in_force.send_replace(Some(certificate));
            tracing::info!(
                "the certificate of [http] has changed: new connections get the new one"
            );
        }))
    }
}

impl Daemon {
    /// Tells the operator what a look at the certificate found.
    pub(super) async fn tell_of_certificate(&self, look: Look) -> Result<(), LedgerError> {
        match look {
            None => Ok(()),
            Some(Ok(())) => self.clear_certificate("the new certificate is in force").await,
            Some(Err(error)) => {
                self.findings.record(unfit(&error)).await?;
                Ok(())
            }
        }
    }

    /// The certificate in force is the one in the files.
    pub(super) async fn clear_certificate(&self, what: &str) -> Result<(), LedgerError> {
        let closure = FindingClosure::of(what);
        self.findings.clear(FindingCode::ReloadRefused, SUBJECT, closure).await?;
        Ok(())
    }
}

fn unfit(error: &CertificateError) -> OperatorFinding {
    OperatorFinding {
        code: FindingCode::ReloadRefused,
        subject: SUBJECT.to_owned(),
        summary: format!(
            "the new certificate of [http] is not used, the one before stays in force: {error}"
        ),
        action: "put a certificate and its key there that belong together".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rcgen::{CertificateParams, KeyPair};

    use super::*;
    use crate::web::CertificateFiles;

    /// A certificate for a name, and its key.
    fn pair(name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (certificate.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    /// Writes both as renewals do: a new file in place of the old one.
    fn put(folder: &Path, certificate: &str, key: &str) {
        for (name, text) in [("tls.pem", certificate), ("tls.key", key)] {
            std::fs::write(folder.join("new"), text).unwrap();
            std::fs::rename(folder.join("new"), folder.join(name)).unwrap();
        }
    }

    #[test]
    fn a_renewed_pair_is_taken_within_a_minute_and_a_bad_one_never() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let files =
            CertificateFiles { certificate: folder.join("tls.pem"), key: folder.join("tls.key") };
        let ((first, first_key), (second, second_key)) = (pair("one"), pair("two"));
        put(folder, &first, &first_key);
        let mut watch = CertificateWatch::new(Some(OwnCertificate::read(files).unwrap()));
        let mut seen = watch.subscribe();
        assert!(watch.look(Duration::from_mins(1)).is_none(), "nothing has changed");

        put(folder, &second, &first_key);
        assert!(watch.look(Duration::from_secs(119)).is_none(), "not yet");
        let bad = watch.look(Duration::from_mins(2)).unwrap().unwrap_err();
        assert!(bad.to_string().starts_with("certificate and key cannot be used"), "{bad}");
        assert!(!seen.has_changed().unwrap(), "the one before stays");
        assert!(watch.look(Duration::from_mins(3)).is_none(), "it is told once");

        put(folder, "no certificate", &second_key);
        let bad = watch.look(Duration::from_mins(4)).unwrap().unwrap_err();
        assert!(bad.to_string().ends_with("holds no certificate (BEGIN CERTIFICATE)"), "{bad}");
        std::fs::remove_file(folder.join("tls.key")).unwrap();
        assert!(watch.look(Duration::from_mins(5)).unwrap().is_err());
        assert!(!seen.has_changed().unwrap());

        put(folder, &second, &second_key);
        watch.look(Duration::from_mins(6)).unwrap().unwrap();
        assert!(seen.has_changed().unwrap() && seen.borrow_and_update().is_some());
    }
}
