//! TLS of mail and webhooks against certificates of a private authority, which `SSL_CERT_FILE`
//! names.

use std::process::Command;
use std::sync::Arc;

use budget_alertd::notify::{Accepted, Channel, DeliveryError, FailureReason, SmtpTls, Verdict};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::receivers::{Answer, Http, Script, Smtp, Tls};
use super::samples::{alert_delivery, attacked, channel, email_config, webhook_config};

/// The authority that is trusted.
const KNOWN: &str = "Authority of these tests";
/// Names the folder of the authority in the process that trusts it.
const TRUSTING: &str = "BUDGET_ALERTD_TEST_AUTHORITY";

#[test]
fn certificates_are_checked_against_the_systems_and_a_private_authority() {
    in_a_process_that_trusts(
        "notify::tls::certificates_are_checked_against_the_systems_and_a_private_authority",
        check,
    );
}

/// The environment of a process cannot be changed safely, so a test runs itself again in one that
/// trusts an authority, and there does what it is about.
pub(super) fn in_a_process_that_trusts(
    test: &str,
    inner: impl AsyncFnOnce(Issuer<'static, KeyPair>),
) {
    if let Some(folder) = std::env::var_os(TRUSTING) {
        let key = KeyPair::from_pem(
            &std::fs::read_to_string(std::path::Path::new(&folder).join("ca.key")).unwrap(),
        )
        .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(inner(Issuer::new(authority_parameters(KNOWN), key)));
    }
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    std::fs::write(
        folder.path().join("ca.pem"),
        authority_parameters(KNOWN).self_signed(&key).unwrap().pem(),
    )
    .unwrap();
    std::fs::write(folder.path().join("ca.key"), key.serialize_pem()).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("SSL_CERT_FILE", folder.path().join("ca.pem"))
        .env(TRUSTING, folder.path())
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

async fn check(known: Issuer<'static, KeyPair>) {
    let unknown = Issuer::new(authority_parameters("Somebody else"), KeyPair::generate().unwrap());
    posted(acceptor(&known, "localhost", false)).await.unwrap();
    for (when, tls) in PROTECTIONS {
        let accepted = attempt(acceptor(&known, "localhost", false), when, tls).await.unwrap();
        assert_eq!(accepted.detail, "250 2.0.0 Ok: queued as 4F2A");
    }
    for (what, acceptor, why, advice) in [
        (
            "another name",
            acceptor(&known, "mail.example", false),
            "not valid for name",
            "use the host name that its certificate is for",
        ),
        (
            "expired",
            acceptor(&known, "localhost", true),
            "expired",
            "its certificate has expired and must be renewed there",
        ),
        (
            "self-signed",
            self_signed(),
            "UnknownIssuer",
            "for a private authority set SSL_CERT_FILE",
        ),
        (
            "an unknown authority",
            acceptor(&unknown, "localhost", false),
            "UnknownIssuer",
            "for a private authority set SSL_CERT_FILE",
        ),
    ] {
        let mut results = vec![posted(acceptor.clone()).await];
        for (when, tls) in PROTECTIONS {
            results.push(attempt(acceptor.clone(), when, tls).await);
        }
        for error in results.into_iter().map(Result::unwrap_err) {
            assert_eq!(
                (error.verdict, error.reason),
                (Verdict::Destination { retry_after: None }, FailureReason::TlsFailed),
                "{what}: {error}"
            );
            assert!(
                error.detail.contains(why) && error.detail.ends_with(advice),
                "{what}: {error}"
            );
        }
    }
}

const PROTECTIONS: [(Tls, SmtpTls); 2] =
    [(Tls::AfterStarttls, SmtpTls::Starttls), (Tls::FromTheFirstByte, SmtpTls::Implicit)];

#[test]
fn there_is_no_key_that_switches_the_check_off() {
    let schema = budget_alertd::config::schema().to_string().to_lowercase();
    for word in ["insecure", "verify", "skip", "trust", "accept_invalid", "self_signed"] {
        assert!(!schema.contains(word), "{word}");
    }
}

async fn posted(acceptor: TlsAcceptor) -> Result<Accepted, DeliveryError> {
    let receiver = Http::over(Some(acceptor), Answer::with(200, "", "")).await;
    probed_alike(&channel(&webhook_config(&receiver.url))).await
}

/// An attempt, after a probe that comes to the same.
async fn probed_alike(channel: &Channel) -> Result<Accepted, DeliveryError> {
    let probed = channel.probe().await;
    let result = channel.attempt(&alert_delivery(attacked())).await;
    // An expired certificate's error names the second.
    let timeless = |text: &str| text.replace(|letter: char| letter.is_ascii_digit(), "0");
    let reason = |error: &DeliveryError| (error.verdict, error.reason, timeless(&error.detail));
    assert_eq!(
        probed.as_ref().map(|_| ()).map_err(reason),
        result.as_ref().map(|_| ()).map_err(reason)
    );
    result
}

async fn attempt(
    acceptor: TlsAcceptor,
    when: Tls,
    tls: SmtpTls,
) -> Result<Accepted, DeliveryError> {
    let extensions = if when == Tls::AfterStarttls { vec!["STARTTLS"] } else { Vec::new() };
    let server =
        Smtp::playing(Script { extensions, tls: Some((acceptor, when)), ..Script::default() })
            .await;
    let result = probed_alike(&channel(&email_config(server.port, tls))).await;
    assert_eq!(server.seen().messages.len(), usize::from(result.is_ok()));
    result
}

fn authority_parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
}

pub(super) fn acceptor(issuer: &Issuer<'_, KeyPair>, name: &str, expired: bool) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if expired {
        parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2020, 2, 1);
    }
    showing(&parameters.signed_by(&key, issuer).unwrap(), &key)
}

/// A certificate for `localhost` that nobody but itself vouches for.
fn self_signed() -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, "Nobody but itself");
    showing(&parameters.self_signed(&key).unwrap(), &key)
}

fn showing(certificate: &rcgen::Certificate, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
