//! Debian's dovecot as a submission server that takes tokens only (AUTH XOAUTH2): it asks who a
//! token belongs to, and hands every mail on.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{MailOptions, MailReceiver};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::authority::Authority;
use super::process::{Server, budget_alertd, eventually, free_port, said, succeed, traversable};

const MAILBOX: &str = "alerts@partner.example";

/// A service that gives tokens and vouches for them.
struct Tokens {
    url: String,
    /// Whether it vouches for what it gives.
    vouches: Arc<AtomicBool>,
    /// What tokens were asked with.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Tokens {
    async fn start() -> Self {
        let (vouches, asked) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(Vec::new())));
        let (vouching, asking) = (Arc::clone(&vouches), Arc::clone(&asked));
        let give = async move |form: String| {
            asking.lock().unwrap().push(form);
            json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": "eyJ.token-of-the-application" }).to_string()
        };
        let vouch = async move |form: String| {
            let known =
                form.contains("eyJ.token-of-the-application") && vouching.load(Ordering::SeqCst);
            json!({ "active": known, "username": MAILBOX }).to_string()
        };
        let app = Router::new()
            .route("/partner.example/oauth2/v2.0/token", post(give))
            .route("/introspect", post(vouch));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, vouches, asked }
    }
}

/// Dovecot, what is behind it, and what the daemon sends with.
struct World {
    folder: TempDir,
    authority: Authority,
    tokens: Tokens,
    relay: MailReceiver,
    /// Ends before the runtime that it asks.
    _dovecot: Server,
    _runtime: Runtime,
}

impl World {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let inside = runtime.enter();
        let tokens = runtime.block_on(Tokens::start());
        let relay = MailReceiver::start(SystemClock::shared(), MailOptions::default()).unwrap();
        let folder = tempfile::Builder::new().permissions(traversable()).tempdir().unwrap();
        let (authority, port) = (Authority::new(), free_port());
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("home")).unwrap();
        succeed(std::process::Command::new("chown").arg("nobody").arg(path("home")));
        for (name, text) in [
            ("dovecot.conf", include_str!("dovecot/dovecot.conf")),
            ("oauth2.conf", include_str!("dovecot/oauth2.conf")),
            ("alert-rules.toml", include_str!("dovecot/alert-rules.toml")),
        ] {
            let text = text
                .replace("@FOLDER@", &folder.path().display().to_string())
                .replace("@CERTIFICATE@", &authority.certificate().display().to_string())
                .replace("@KEY@", &authority.key().display().to_string())
                .replace("@PORT@", &port.to_string())
                .replace("@SMTP_PORT@", &port.to_string())
                .replace("@RELAY@", &relay.port().to_string())
                .replace("@INTROSPECTION@", &format!("{}/introspect", tokens.url))
                .replace("@LOGIN@", &tokens.url);
            std::fs::write(path(name), text).unwrap();
        }
        let configuration = path("dovecot.conf").display().to_string();
        let mut dovecot = Server::start("dovecot", &["-F", "-c", &configuration], &path("out"));
        eventually(Duration::from_secs(20), "dovecot to listen", || {
            dovecot.assert_alive();
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        drop(inside);
        Self { folder, authority, tokens, relay, _dovecot: dovecot, _runtime: runtime }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command that trusts the authority and has the secret.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = std::process::Command::new(budget_alertd());
        command.arg("--config").arg(self.path("alert-rules.toml")).args(arguments);
        let output = command
            .env("SSL_CERT_FILE", self.authority.trust())
            .env("CLIENT_SECRET", "of the application")
            .output()
            .unwrap();
        assert!(
            !said(&output).contains("eyJ.") && !said(&output).contains("of the application"),
            "{}",
            said(&output)
        );
        output
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

#[test]
fn dovecot_takes_mail_by_a_token_and_refuses_one_that_nobody_vouches_for() {
    let world = World::new();
    let output = world.run(&["notify-test", "ops"]);
    assert_eq!(output.status.code(), Some(0), "{}\n{}", said(&output), world.log());
    let mails = world.relay.received();
    assert_eq!(
        (mails.len(), mails[0].to.as_slice()),
        (1, ["ops@partner.example".to_owned()].as_slice())
    );
    assert!(mails[0].subject.contains("[TEST]"), "{}", mails[0].subject);
    assert!(
        world.log().contains(&format!("user=<{MAILBOX}>, method=XOAUTH2"))
            && world.log().contains("TLS"),
        "{}",
        world.log()
    );
    let asked = world.tokens.asked.lock().unwrap().remove(0);
    assert!(
        asked.contains("grant_type=client_credentials")
            && asked.contains("client_secret=of+the+application"),
        "{asked}"
    );

    world.tokens.vouches.store(false, Ordering::SeqCst);
    let output = world.run(&["notify-test", "ops"]);
    assert_eq!(output.status.code(), Some(1), "{}\n{}", said(&output), world.log());
    assert!(
        said(&output).contains("the mail server refused the sign-in: 535 5.7.8"),
        "{}",
        said(&output)
    );
    assert!(said(&output).contains("(the server's reason: "), "{}", said(&output));
    assert_eq!(
        (world.relay.received().len(), world.tokens.asked.lock().unwrap().len()),
        (1, 2),
        "renewed once"
    );
    assert_eq!(world.run(&["check", "--live"]).status.code(), Some(1));
}
