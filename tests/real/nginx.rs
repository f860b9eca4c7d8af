//! nginx with a configuration of its own: serves files, takes requests with a body and remembers
//! them. What a client makes of the answers is left to the tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;

use super::authority::Authority;
use super::process::{Server, eventually, free_port, traversable};

/// One request that was taken, as nginx logged it after its answer.
#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "each test reads the fields it is about")]
pub(crate) struct Taken {
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) webhook_id: String,
    pub(crate) webhook_timestamp: String,
    pub(crate) webhook_signature: String,
    pub(crate) body: String,
}

/// A running nginx. `/hooks/…` answers 200 `ok`, `/refused/…` 400 and `/failing/…` 503, all
/// remembered; `/TENANT/oauth2/v2.0/token` signs in, and gives another refresh token; everything
/// else is a file put there with [`Nginx::serve`], below `/v1/` for who has signed in.
pub(crate) struct Nginx {
    folder: TempDir,
    http: u16,
    https: u16,
    server: Option<Server>,
}

impl Nginx {
    /// Starts it on two free ports of 127.0.0.1 and waits until it answers.
    pub(crate) fn start(authority: &Authority) -> Self {
        Self::start_in(&std::env::temp_dir(), authority)
    }

    /// The same, with its files in a folder of their own below this one, which all of its users may
    /// enter.
    pub(crate) fn start_in(parent: &Path, authority: &Authority) -> Self {
        let folder =
            tempfile::Builder::new().permissions(traversable()).tempdir_in(parent).unwrap();
        std::fs::create_dir(folder.path().join("files")).unwrap();
        let mut nginx = Self { folder, http: free_port(), https: free_port(), server: None };
        std::fs::write(nginx.path("nginx.conf"), nginx.configuration(authority)).unwrap();
        nginx.up();
        nginx
    }

    /// Starts it again after [`Nginx::down`], on the same ports.
    pub(crate) fn up(&mut self) {
        let configuration = self.path("nginx.conf").display().to_string();
        let prefix = self.folder.path().display().to_string();
        let log = self.path("error.log");
        let mut server = Server::start(
            "/usr/sbin/nginx",
            &["-p", &prefix, "-e", "error.log", "-c", &configuration],
            &log,
        );
        let address = ("127.0.0.1", self.http);
        eventually(Duration::from_secs(10), "nginx to listen", || {
            server.assert_alive();
            std::net::TcpStream::connect(address).ok()
        });
        self.server = Some(server);
    }

    /// Ends it; its ports refuse connections until [`Nginx::up`].
    pub(crate) fn down(&mut self) {
        self.server = None;
    }

    /// The address of a path by plain HTTP.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.http)
    }

    /// The address of a path by HTTPS, with the authority's certificate.
    pub(crate) fn https_url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.https)
    }

    /// Where the file that answers `path` lies; it may be written at any time.
    pub(crate) fn serve(&self, path: &str) -> PathBuf {
        let file = self.path("files").join(path.trim_start_matches('/'));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        file
    }

    /// The requests taken so far, in the order of their answers.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.logged("taken.log")
    }

    /// The sign-ins so far.
    pub(crate) fn signed_in(&self) -> Vec<Taken> {
        self.logged("signed-in.log")
    }

    fn logged(&self, name: &str) -> Vec<Taken> {
        let log = std::fs::read_to_string(self.path(name)).unwrap_or_default();
        log.split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configuration(&self, authority: &Authority) -> String {
        include_str!("nginx.conf")
            .replace("@HTTP@", &self.http.to_string())
            .replace("@HTTPS@", &self.https.to_string())
            .replace("@FOLDER@", &self.folder.path().display().to_string())
            .replace("@CERTIFICATE@", &authority.certificate().display().to_string())
            .replace("@KEY@", &authority.key().display().to_string())
    }
}

#[test]
fn nginx_serves_files_and_remembers_what_it_is_sent_by_http_and_https() {
    let authority = Authority::new();
    let mut nginx = Nginx::start(&authority);
    std::fs::write(nginx.serve("/v1/customers/usagerecords"), r#"{"items":[]}"#).unwrap();
    assert!(
        curl(&authority, &["-d", "a=b", &nginx.url("/any-tenant/oauth2/v2.0/token")])
            .contains("access_token")
    );
    // It writes its log only after it has answered.
    let signed_in = eventually(Duration::from_secs(5), "the sign-in in the log", || {
        Some(nginx.signed_in()).filter(|signed_in| !signed_in.is_empty())
    });
    assert_eq!(signed_in[0].body, "a=b");
    let asks = |path: &str| {
        curl(&authority, &["-H", "Authorization: Bearer access", &nginx.https_url(path)])
    };
    assert_eq!(asks("/v1/customers/usagerecords"), r#"{"items":[]}"#);
    assert_eq!(
        asks("/v1/customers/c/subscriptions/usagerecords"),
        r#"{"totalCount":0,"items":[]}"#
    );
    assert!(curl(&authority, &[&nginx.url("/v1/customers/usagerecords")]).contains("401"));

    let body = "{\"name\": \"Ärger \\\"x\\\"\"}";
    assert_eq!(
        curl(&authority, &["-H", "webhook-id: msg_1", "-d", body, &nginx.https_url("/hooks/itsm")]),
        "ok"
    );
    assert_eq!(
        curl(
            &authority,
            &["-o", "/dev/null", "-w", "%{http_code}", "-d", "x", &nginx.url("/refused/itsm")]
        ),
        "400"
    );
    let taken = eventually(Duration::from_secs(5), "two requests in the log", || {
        Some(nginx.taken()).filter(|taken| taken.len() == 2)
    });
    assert_eq!(
        (taken[0].path.as_str(), taken[0].status, taken[0].webhook_id.as_str()),
        ("/hooks/itsm", 200, "msg_1")
    );
    assert_eq!(taken[0].body, body);
    assert_eq!((taken[1].path.as_str(), taken[1].status), ("/refused/itsm", 400));

    nginx.down();
    assert!(!Command::new("curl").args(["-s", &nginx.url("/")]).status().unwrap().success());
    nginx.up();
    assert_eq!(curl(&authority, &["-d", "again", &nginx.url("/hooks/itsm")]), "ok");
}

#[cfg(test)]
fn curl(authority: &Authority, arguments: &[&str]) -> String {
    super::process::succeed(
        Command::new("curl").arg("-sS").arg("--cacert").arg(authority.trust()).args(arguments),
    )
}
