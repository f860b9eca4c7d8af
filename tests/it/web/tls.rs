//! TLS by the daemon itself: who connects sees its certificate, and the new one after it was
//! renewed; who does not agree holds up nobody.

use std::sync::Arc;

use budget_alertd::web::{Certificate, CertificateFiles, Limits, Listening};
use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{NEVER, SHORT, Server, rest};

const QUESTION: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// A certificate for this machine, and how others know it.
fn certificate() -> (Certificate, CertificateDer<'static>) {
    let folder = tempfile::tempdir().unwrap();
    let files = CertificateFiles {
        certificate: folder.path().join("tls.pem"),
        key: folder.path().join("tls.key"),
    };
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let made = parameters.self_signed(&key).unwrap();
    std::fs::write(&files.certificate, made.pem()).unwrap();
    std::fs::write(&files.key, key.serialize_pem()).unwrap();
    (Certificate::read(&files).unwrap(), made.der().clone())
}

/// What is answered to somebody who trusts this certificate alone.
async fn asked(server: &Server, trusted: &CertificateDer<'static>) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.listener).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    stream.write_all(QUESTION).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8(answer).unwrap())
}

#[tokio::test]
async fn new_connections_get_the_certificate_in_force() {
    let ((first, known), (second, next)) = (certificate(), certificate());
    let in_force = watch::Sender::new(Some(first));
    let limits = Limits { open: 64, coming: NEVER, idle: NEVER };
    let server = Server::listening(limits, |socket| {
        Listening::from(socket).with_certificate(in_force.subscribe())
    });
    let server = server.await;
    assert!(asked(&server, &known).await.unwrap().starts_with("HTTP/1.1 200"));
    assert!(asked(&server, &next).await.is_err(), "nobody vouches for it");
    in_force.send_replace(Some(second));
    assert!(asked(&server, &next).await.unwrap().starts_with("HTTP/1.1 200"));
    assert!(asked(&server, &known).await.is_err());
}

#[tokio::test]
async fn who_does_not_agree_on_tls_gets_nothing_and_holds_up_nobody() {
    let (certificate, known) = certificate();
    let in_force = watch::Sender::new(Some(certificate));
    let limits = Limits { open: 64, coming: NEVER, idle: NEVER };
    let server = Server::listening(limits, |socket| {
        let listening = Listening::from(socket).with_certificate(in_force.subscribe());
        listening.with_patience(SHORT)
    });
    let server = server.await;
    let mut silent = server.say("").await;
    let mut half = server.say("\x16\x03\x01").await;
    let mut plain = server.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    for stream in [&mut silent, &mut half, &mut plain] {
        let said = rest(stream).await;
        assert!(!said.contains("200"), "{said}");
    }
    let patient = Server::listening(limits, |socket| {
        Listening::from(socket).with_certificate(in_force.subscribe())
    });
    let patient = patient.await;
    let _silent = patient.say("").await;
    assert!(asked(&patient, &known).await.unwrap().starts_with("HTTP/1.1 200"));
}
