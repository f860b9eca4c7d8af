//! PostgreSQL servers of the tests' own: Debian's, each in a temporary folder, ended with the test.

use std::process::Command;

use tempfile::TempDir;

use crate::authority::Authority;
use crate::process::{free_port, succeed, traversable};

/// A server.
pub(crate) struct Cluster {
    folder: TempDir,
    pub(crate) port: u16,
}

impl Cluster {
    /// One that is new and runs.
    pub(crate) fn start() -> Self {
        let cluster = Self::place();
        let data = cluster.data();
        succeed(as_postgres("initdb").args(["-A", "trust", "-U", "budget", "-D", &data]));
        cluster.run();
        cluster
    }

    /// One that is spoken to over TLS, with a password.
    pub(crate) fn guarded(authority: &Authority, password: &str) -> Self {
        let cluster = Self::place();
        let secret = cluster.keep("password", password.as_bytes());
        let certificate =
            cluster.keep("cert.pem", &std::fs::read(authority.certificate()).unwrap());
        let key = cluster.keep("key.pem", &std::fs::read(authority.key()).unwrap());
        let data = cluster.data();
        succeed(as_postgres("initdb").args([
            "-A",
            "scram-sha-256",
            "--pwfile",
            &secret,
            "-U",
            "budget",
            "-D",
            &data,
        ]));
        cluster
            .run_with(&format!("-c ssl=on -c ssl_cert_file={certificate} -c ssl_key_file={key}"));
        cluster
    }

    /// A streaming replica of this one.
    pub(crate) fn replica(&self) -> Self {
        let (replica, port) = (Self::place(), self.port.to_string());
        succeed(as_postgres("pg_basebackup").args([
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-U",
            "budget",
            "-R",
            "-D",
            &replica.data(),
        ]));
        replica.run();
        replica
    }

    /// Its address.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts it again.
    pub(crate) fn run(&self) {
        self.run_with("");
    }

    fn run_with(&self, more: &str) {
        let folder = self.folder.path().display();
        let options = format!("-p {} -k {folder} -c listen_addresses=127.0.0.1 {more}", self.port);
        let log = self.folder.path().join("log").display().to_string();
        let data = self.data();
        succeed(
            as_postgres("pg_ctl").args(["-D", &data, "-o", &options, "-l", &log, "-w", "start"]),
        );
    }

    /// Ends it without a word to its clients.
    pub(crate) fn kill(&self) {
        succeed(as_postgres("pg_ctl").args(["-D", &self.data(), "-m", "immediate", "-w", "stop"]));
    }

    /// Makes a replica the one that takes writes.
    pub(crate) fn promote(&self) {
        succeed(as_postgres("pg_ctl").args(["-D", &self.data(), "-w", "promote"]));
    }

    /// What a statement answers, as text.
    pub(crate) fn ask(&self, sql: &str) -> String {
        let port = self.port.to_string();
        let answer = succeed(
            Command::new("psql")
                .args(["-h", "127.0.0.1", "-p", &port, "-U", "budget", "-d", "postgres"])
                .args(["-qtA", "-c", sql]),
        );
        answer.trim().to_owned()
    }

    fn place() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::set_permissions(folder.path(), traversable()).unwrap();
        succeed(Command::new("chown").arg("postgres").arg(folder.path()));
        Self { folder, port: free_port() }
    }

    /// Puts a file beside the server that only it may read; returns its path.
    fn keep(&self, name: &str, content: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let path = path.display().to_string();
        succeed(Command::new("chown").args(["postgres", &path]));
        succeed(Command::new("chmod").args(["600", &path]));
        path
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stop = ["-D", &self.data(), "-m", "immediate", "-w", "stop"];
        let _ended_or_not = as_postgres("pg_ctl").args(stop).output();
    }
}

/// A program of the server, as the user that it wants.
fn as_postgres(program: &str) -> Command {
    let versions = std::fs::read_dir("/usr/lib/postgresql").unwrap().map_while(Result::ok);
    let newest = versions.map(|version| version.path()).max();
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
        .arg(newest.unwrap().join("bin").join(program))
        .current_dir("/");
    command
}
