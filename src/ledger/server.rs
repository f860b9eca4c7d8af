//! Where the ledger of several hosts is: the URL of a PostgreSQL database, taken apart once. How it
//! is spoken to is the engine's.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// A PostgreSQL database. Its `Debug` shows no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    parts: Arc<Parts>,
    /// The folder in which it is noted that there is a ledger on it.
    folder: Option<Arc<Path>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Parts {
    config: Config,
    trust: Trust,
}

/// Whom the connection trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ledger) enum Trust {
    /// This machine: no TLS.
    Machine,
    /// The authorities of the system.
    System,
    /// The authorities in a PEM file.
    File(PathBuf),
}

/// Why a URL does not say where a ledger is. No part of the URL is in it: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// It is no such URL.
    #[error(
        "expected \"postgres://USER:PASSWORD@HOST/DATABASE\", with special characters in the user and \
            the password as %XX"
    )]
    NoUrl,
    /// It names no database.
    #[error("the URL names no database: postgres://USER@HOST/DATABASE")]
    NoDatabase,
    /// The connection would not be verified.
    #[error(
        "only sslmode=verify-full is for a server on another machine; its authority is one of this \
            system, or the file of sslrootcert=FILE"
    )]
    Unverified,
}

impl Server {
    /// Reads a URL such as `postgres://user:password@host/database?sslrootcert=/etc/ca.pem`.
    /// Several hosts are tried in turn, and the one that takes writes is used.
    pub fn parse(url: &str) -> Result<Self, ServerError> {
        let (address, options) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut roots, mut others) = (None, None, Vec::new());
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(path(value)),
                _ => others.push(option),
            }
        }
        let mut config: Config =
            format!("{address}?{}", others.join("&")).parse().map_err(|_| ServerError::NoUrl)?;
        if config.get_dbname().is_none() {
            return Err(ServerError::NoDatabase);
        }
        let local = !config.get_hosts().is_empty() && config.get_hosts().iter().all(is_local);
        let trust = match (mode, roots) {
            (Some("verify-full") | None, Some(file)) => Trust::File(file),
            (None | Some("disable" | "allow" | "prefer"), None) if local => Trust::Machine,
            (Some("verify-full") | None, None) => Trust::System,
            _ => return Err(ServerError::Unverified),
        };
        let tls = trust != Trust::Machine;
        config.ssl_mode(if tls { SslMode::Require } else { SslMode::Disable });
        settle(&mut config);
        Ok(Self { parts: Arc::new(Parts { config, trust }), folder: None })
    }

    /// The same, and that there is a ledger on it is noted in this folder: a database that was lost
    /// is then not taken for a new one.
    #[must_use]
    pub fn noted_in(self, folder: &Path) -> Self {
        Self { folder: Some(folder.into()), ..self }
    }

    /// What is noted stands beside a file of this name.
    pub(in crate::ledger) fn note(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join("server"))
    }

    /// How it is connected to.
    pub(in crate::ledger) fn config(&self) -> &Config {
        &self.parts.config
    }

    /// Whom the connection trusts.
    pub(in crate::ledger) fn trust(&self) -> &Trust {
        &self.parts.trust
    }

    /// Whether its password is known by the URL.
    pub fn has_password(&self) -> bool {
        self.parts.config.get_password().is_some()
    }

    /// What it is called: the URL without the password and the options.
    pub fn name(&self) -> PathBuf {
        let config = &self.parts.config;
        let hosts = config.get_hosts().iter().enumerate().map(|(index, host)| {
            let ports = config.get_ports();
            let port = ports.get(index).or(ports.first()).filter(|port| **port != 5432);
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            match host {
                Host::Tcp(host) => format!("{host}{port}"),
                Host::Unix(folder) => format!("{}{port}", folder.display()),
            }
        });
        let hosts: Vec<String> = hosts.collect();
        let user = config.get_user().map(|user| format!("{user}@")).unwrap_or_default();
        let database = config.get_dbname().unwrap_or_default();
        format!("postgres://{user}{}/{database}", hosts.join(",")).into()
    }
}

/// What a URL may leave open: a connection that is cut must be noticed, and a standby server is
/// none that a ledger can be on.
fn settle(config: &mut Config) {
    config.application_name("budget-alertd");
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(4));
    }
    config.keepalives_idle(Duration::from_secs(10));
    config.keepalives_interval(Duration::from_secs(5));
    config.keepalives_retries(3);
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(15));
    }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
        }
    }
}

/// A path in a URL, with `%XX` read.
fn path(written: &str) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = written.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let byte = byte.filter(|_| *first == b'%');
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    Path::new(&*String::from_utf8_lossy(&bytes)).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust(url: &str) -> Result<Trust, ServerError> {
        Server::parse(url).map(|server| server.trust().clone())
    }

    #[test]
    fn a_server_on_another_machine_is_verified() {
        assert_eq!(trust("postgres://a:b@db.example/alerts"), Ok(Trust::System));
        assert_eq!(
            trust("postgres://a@db.example/alerts?sslrootcert=/etc/my%20ca.pem"),
            Ok(Trust::File("/etc/my ca.pem".into()))
        );
        for mode in ["disable", "allow", "prefer", "require", "verify-ca", "no"] {
            let url = format!("postgres://a@db.example/alerts?sslmode={mode}");
            assert_eq!(trust(&url), Err(ServerError::Unverified), "{mode}");
        }
        assert_eq!(
            trust("postgres://a@127.0.0.1,db.example/alerts?sslmode=disable"),
            Err(ServerError::Unverified)
        );
    }

    #[test]
    fn a_server_on_this_machine_need_not_be() {
        for url in [
            "postgres://a@localhost/alerts",
            "postgres://a@127.0.0.1:5433/alerts?sslmode=disable",
            "postgres://a@[::1]/alerts",
            "postgres://a@/alerts?host=/run/postgresql",
        ] {
            assert_eq!(trust(url), Ok(Trust::Machine), "{url}");
        }
        assert_eq!(trust("postgres://a@localhost/alerts?sslmode=verify-full"), Ok(Trust::System));
    }

    #[test]
    fn its_name_has_no_password() {
        let name = |url: &str| Server::parse(url).map(|server| server.name().display().to_string());
        assert_eq!(
            name("postgresql://budget:s3cr%20et@db1.example,db2.example:5433/alerts"),
            Ok("postgres://budget@db1.example,db2.example:5433/alerts".into())
        );
        assert_eq!(name("postgres://budget@db.example"), Err(ServerError::NoDatabase));
        assert_eq!(name("postgres://budget:a@b@c/d?what=x"), Err(ServerError::NoUrl));
        let shown = format!("{:?}", Server::parse("postgres://budget:s3cret@db.example/alerts"));
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
