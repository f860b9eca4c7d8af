//! Debian's postfix with a configuration of its own: STARTTLS, AUTH before anything is taken,
//! mailboxes in a folder.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::authority::Authority;
use super::process::{Server, eventually, free_port, succeed, traversable};

/// Who may send.
pub(crate) const USER: &str = "alerts";
/// The password of [`USER`].
pub(crate) const PASSWORD: &str = "correct horse";
/// The domain it takes mail for.
pub(crate) const DOMAIN: &str = "partner.example";
/// The daemons of Debian's postfix.
const DAEMONS: &str = "/usr/lib/postfix/sbin";

/// A running postfix that takes mail for the given mailboxes of [`DOMAIN`] and answers any other
/// recipient with 550.
pub(crate) struct Postfix {
    folder: TempDir,
    port: u16,
    server: Option<Server>,
}

impl Postfix {
    /// Starts it on a free port of 127.0.0.1 (its certificate names `localhost`) and waits until it
    /// greets.
    pub(crate) fn start(authority: &Authority, mailboxes: &[&str]) -> Self {
        let folder = tempfile::Builder::new().permissions(traversable()).tempdir().unwrap();
        let mut postfix = Self { folder, port: free_port(), server: None };
        postfix.configure(authority, mailboxes);
        postfix.up();
        postfix
    }

    /// Starts it again after [`Postfix::down`], on the same port.
    pub(crate) fn up(&mut self) {
        let configuration = self.path("etc").display().to_string();
        let master = format!("{DAEMONS}/master");
        let mut server =
            Server::start(&master, &["-c", &configuration, "-d"], &self.path("master.out"));
        eventually(Duration::from_secs(20), "postfix to listen", || {
            server.assert_alive();
            std::net::TcpStream::connect(("127.0.0.1", self.port)).ok()
        });
        self.server = Some(server);
    }

    /// Ends it; its port refuses connections until [`Postfix::up`].
    pub(crate) fn down(&mut self) {
        self.server = None;
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The messages, as text, that lie in a mailbox of [`DOMAIN`].
    pub(crate) fn messages(&self, mailbox: &str) -> Vec<String> {
        let Ok(folder) = std::fs::read_dir(self.path("mail").join(mailbox).join("new")) else {
            return Vec::new();
        };
        folder
            .map(|entry| {
                String::from_utf8_lossy(&std::fs::read(entry.unwrap().path()).unwrap()).into_owned()
            })
            .collect()
    }

    /// What it logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self, authority: &Authority, mailboxes: &[&str]) {
        for name in ["etc", "etc/sasl", "queue", "data", "mail"] {
            std::fs::create_dir(self.path(name)).unwrap();
        }
        let fill = |text: &str| {
            text.replace("@FOLDER@", &self.folder.path().display().to_string())
                .replace("@PORT@", &self.port.to_string())
                .replace("@DOMAIN@", DOMAIN)
                .replace("@CERTIFICATE@", &authority.certificate().display().to_string())
                .replace("@KEY@", &authority.key().display().to_string())
        };
        std::fs::write(self.path("etc/main.cf"), fill(include_str!("postfix/main.cf"))).unwrap();
        std::fs::write(self.path("etc/master.cf"), fill(include_str!("postfix/master.cf")))
            .unwrap();
        std::fs::write(self.path("etc/sasl/smtpd.conf"), fill(include_str!("postfix/smtpd.conf")))
            .unwrap();
        let mailboxes: Vec<_> =
            mailboxes.iter().map(|name| format!("{name}@{DOMAIN} {name}/")).collect();
        std::fs::write(self.path("etc/mailboxes"), mailboxes.join("\n") + "\n").unwrap();
        add_user(&self.path("sasldb"));
        succeed(
            Command::new("chown").arg("postfix").arg(self.path("data")).arg(self.path("sasldb")),
        );
        succeed(Command::new("chown").arg("nobody").arg(self.path("mail")));
        succeed(Command::new("postfix").arg("-c").arg(self.path("etc")).arg("check"));
    }
}

/// Writes [`USER`] with [`PASSWORD`] into a SASL database.
fn add_user(database: &Path) {
    let mut command = Command::new("saslpasswd2");
    command.args(["-c", "-p", "-u", DOMAIN, "-f"]).arg(database).arg(USER).stdin(Stdio::piped());
    let mut child = command.spawn().expect("saslpasswd2 comes with sasl2-bin");
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    std::fs::set_permissions(database, PermissionsExt::from_mode(0o600)).unwrap();
}

#[cfg(test)]
mod tests {
    use lettre::transport::smtp::authentication::Credentials;
    use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
    use lettre::transport::smtp::{Error, response::Response};
    use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

    use super::*;

    /// Sends one mail as a client would that trusts the authority, or does not, and has this
    /// password, or none.
    fn send(
        postfix: &Postfix,
        trusted: Option<&Authority>,
        password: Option<&str>,
        to: &str,
    ) -> Result<Response, Error> {
        let mut tls = TlsParameters::builder("localhost".to_owned());
        if let Some(authority) = trusted {
            tls = tls.add_root_certificate(
                Certificate::from_pem(&std::fs::read(authority.trust()).unwrap()).unwrap(),
            );
        }
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("localhost")
            .port(postfix.port())
            .tls(Tls::Required(tls.build().unwrap()));
        if let Some(password) = password {
            transport =
                transport.credentials(Credentials::new(USER.to_owned(), password.to_owned()));
        }
        let message = Message::builder()
            .from("alerts@partner.example".parse().unwrap())
            .to(to.parse().unwrap());
        let message = message.subject("Budget").body("80 %".to_owned()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { transport.build().send(message).await })
    }

    #[test]
    fn postfix_takes_mail_after_starttls_and_auth_and_refuses_everything_else() {
        let authority = Authority::new();
        let mut postfix = Postfix::start(&authority, &["ops"]);

        send(&postfix, Some(&authority), Some(PASSWORD), "ops@partner.example")
            .unwrap_or_else(|error| panic!("{error}: {}", postfix.log()));
        let messages = eventually(Duration::from_secs(10), "the mail in its mailbox", || {
            Some(postfix.messages("ops")).filter(|messages| !messages.is_empty())
        });
        assert_eq!(messages.len(), 1);
        assert!(
            messages[0].contains("Subject: Budget") && messages[0].contains("80 %"),
            "{}",
            messages[0]
        );
        assert!(
            messages[0].contains("using TLSv1.3") && postfix.log().contains("sasl_username=alerts"),
            "{}",
            postfix.log()
        );

        let unknown = send(&postfix, Some(&authority), Some(PASSWORD), "refused@partner.example")
            .unwrap_err();
        assert_eq!(unknown.status().unwrap().to_string(), "550", "{unknown}");
        let password =
            send(&postfix, Some(&authority), Some("wrong"), "ops@partner.example").unwrap_err();
        assert_eq!(password.status().unwrap().to_string(), "535", "{password}");
        let nobody = send(&postfix, Some(&authority), None, "ops@partner.example").unwrap_err();
        assert_eq!(nobody.status().unwrap().to_string(), "554", "{nobody}");
        let untrusted = send(&postfix, None, Some(PASSWORD), "ops@partner.example").unwrap_err();
        assert!(untrusted.status().is_none(), "{untrusted}");

        postfix.down();
        assert!(send(&postfix, Some(&authority), Some(PASSWORD), "ops@partner.example").is_err());
        postfix.up();
        send(&postfix, Some(&authority), Some(PASSWORD), "ops@partner.example").unwrap();
    }
}
