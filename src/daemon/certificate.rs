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

/// The certificate in force.
pub(super) struct CertificateWatch {
    in_force: watch::Sender<Option<Certificate>>,
    own: Option<OwnCertificate>,
    looked: Duration,
    /// Why what is in the files cannot be used; none where it is in force.
    unfit: Option<CertificateError>,
    /// Whether the operator's findings say so.
    is_told: bool,
}

impl CertificateWatch {
    /// The one of a configuration; none where connections are not encrypted.
    pub(super) fn new(own: Option<OwnCertificate>) -> Self {
        let in_force = watch::Sender::new(own.as_ref().map(|own| own.certificate.clone()));
        Self { in_force, own, looked: Duration::ZERO, unfit: None, is_told: false }
    }

    /// For those who encrypt with it.
    pub(super) fn subscribe(&self) -> watch::Receiver<Option<Certificate>> {
        self.in_force.subscribe()
    }

    /// Takes over the one of another configuration.
    pub(super) fn change(&mut self, own: Option<OwnCertificate>) {
        self.in_force.send_replace(own.as_ref().map(|own| own.certificate.clone()));
        (self.own, self.unfit, self.is_told) = (own, None, false);
    }

    /// Says again what is known: another process has told the operator until now.
    pub(super) fn tell_again(&mut self) {
        self.is_told = false;
    }

    /// Looks at the files, unless that was done within the last minute.
    pub(super) fn look(&mut self, now: Duration) {
        let Some(own) = self.own.as_mut() else { return };
        if now.saturating_sub(self.looked) < PAUSE {
            return;
        }
        self.looked = now;
        if own.seen.changed().is_empty() {
            return;
        }
        // Before it is read: what changes meanwhile is seen by the next look.
        own.seen = own.files.seen();
        self.unfit = match Certificate::read(&own.files) {
            Ok(certificate) => {
                self.in_force.send_replace(Some(certificate));
                let text = "the certificate of [http] has changed: new connections get the new one";
                tracing::info!("{text}");
                None
            }
            Err(error) => {
                tracing::warn!("the new certificate of [http] is not used: {error}");
                Some(error)
            }
        };
        self.is_told = false;
    }
}

impl Daemon {
    /// Tells the operator what is known of the certificate, until that is recorded.
    pub(super) async fn tell_of_certificate(&mut self) -> Result<(), LedgerError> {
        if self.certificate.is_told {
            return Ok(());
        }
        match &self.certificate.unfit {
            None => {
                let closure = FindingClosure::of("the certificate in the files is in force");
                self.findings.clear(FindingCode::ReloadRefused, SUBJECT, closure).await?;
            }
            Some(error) => {
                self.findings.record(unfit(error)).await?;
            }
        }
        self.certificate.is_told = true;
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
        let look = |watch: &mut CertificateWatch, seconds: u64| {
            watch.is_told = true;
            watch.look(Duration::from_secs(seconds));
            let unfit = watch.unfit.as_ref().map(ToString::to_string).unwrap_or_default();
            (!watch.is_told, unfit)
        };
        assert_eq!(look(&mut watch, 60), (false, String::new()), "nothing has changed");

        put(folder, &second, &first_key);
        assert_eq!(look(&mut watch, 119), (false, String::new()), "not yet");
        let (is_new, bad) = look(&mut watch, 120);
        assert!(is_new && bad.starts_with("certificate and key cannot be used"), "{bad}");
        assert!(!seen.has_changed().unwrap(), "the one before stays");
        assert_eq!(look(&mut watch, 180), (false, bad), "it is told once, and goes on");

        put(folder, "no certificate", &second_key);
        let (_, bad) = look(&mut watch, 240);
        assert!(bad.ends_with("holds no certificate (BEGIN CERTIFICATE)"), "{bad}");
        std::fs::remove_file(folder.join("tls.key")).unwrap();
        assert!(look(&mut watch, 300).0);
        assert!(!seen.has_changed().unwrap());

        put(folder, &second, &second_key);
        assert_eq!(look(&mut watch, 360), (true, String::new()));
        assert!(seen.has_changed().unwrap() && seen.borrow_and_update().is_some());
    }
}
