//! The daemon on a disk that is full: a tmpfs of four megabytes, filled while it runs.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::HttpReceiver;
use tempfile::TempDir;

use crate::process::{Server, budget_alertd, eventually, free_port, succeed};

const SOON: Duration = Duration::from_mins(1);

/// A file system of its own; unmounted when dropped.
struct Disk {
    folder: TempDir,
}

impl Disk {
    fn mount() -> Self {
        let folder = TempDir::new().unwrap();
        succeed(
            Command::new("mount")
                .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
                .arg(folder.path()),
        );
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        let mut filler = std::fs::File::create(self.path("filler")).unwrap();
        while filler.write_all(&[0; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.path("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}

fn usage(customers: usize) -> String {
    let record = |number: usize| {
        format!(
            "{{\"resourceId\": \"c{number}\", \"resourceName\": \"c{number}\", \"isUpgraded\": true, \"totalCost\": 150, \"percentUsed\": 150,
              \"budget\": {{\"amount\": 100}}, \"currencyCode\": \"SEK\", \"lastModifiedDate\": \"2019-09-17T17:08:11Z\"}}"
        )
    };
    let items: Vec<String> = (0..customers).map(record).collect();
    format!("{{\"totalCount\": {customers}, \"items\": [{}]}}", items.join(","))
}

fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn run(config: &Path, command: &str) -> Output {
    Command::new(budget_alertd()).arg("--config").arg(config).arg(command).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_is_failing_is_told_and_heals_by_itself() {
    let (hook, oncall) = (
        HttpReceiver::start(SystemClock::shared()).unwrap(),
        HttpReceiver::start(SystemClock::shared()).unwrap(),
    );
    let (disk, home, port) = (Disk::mount(), TempDir::new().unwrap(), free_port());
    let (config, collection) =
        (home.path().join("alert-rules.toml"), home.path().join("usage.json"));
    std::fs::write(&collection, usage(1)).unwrap();
    std::fs::write(
        &config,
        format!(
            "[daemon]\nstate_dir = \"{}\"\n[source]\ntype = \"file\"\npath = \"{}\"\npoll_interval \
                = \"1s\"\n[http]\nlisten = \"127.0.0.1:{port}\"\n[operator]\nnotify = \
                [\"oncall\"]\n[rules.spend]\nmetric = \"percent_used\"\nnotify = [\"hook\"]\nsteps \
                = [{{ at = 80 }}]\n[notifiers.hook]\ntype = \"webhook\"\nurl = \
                \"{}\"\n[notifiers.oncall]\ntype = \"webhook\"\nurl = \"{}\"\n",
            disk.path("state").display(),
            collection.display(),
            hook.url("/hook"),
            oncall.url("/oncall"),
        ),
    )
    .unwrap();
    let log = home.path().join("log");
    let mut daemon = Server::start(
        budget_alertd().to_str().unwrap(),
        &["--config", config.to_str().unwrap(), "run"],
        &log,
    );
    hook.wait_for(1).await.unwrap();

    disk.fill();
    std::fs::write(&collection, usage(200)).unwrap();
    let ready = || get(port, "/readyz").unwrap_or_default();
    eventually(SOON, "/readyz to answer 503", || ready().starts_with("HTTP/1.1 503").then_some(()));
    assert!(ready().contains("the disk is full"), "{}", ready());
    assert!(get(port, "/healthz").unwrap().starts_with("HTTP/1.1 200"));
    assert!(get(port, "/metrics").unwrap().contains("\nbudget_alertd_ledger_writable 0\n"));
    let status = run(&config, "status");
    let said = String::from_utf8_lossy(&status.stdout).into_owned();
    assert_eq!(status.status.code(), Some(1), "{said}");
    assert!(said.starts_with("FAILING (ledger-unwritable: "), "{said}");
    eventually(SOON, "the operator to be told", || {
        oncall
            .received()
            .iter()
            .any(|request| request.text().contains("ledger-unwritable"))
            .then_some(())
    });

    disk.make_room();
    hook.wait_for(200).await.unwrap();
    eventually(SOON, "/readyz to answer 200", || ready().starts_with("HTTP/1.1 200").then_some(()));
    eventually(SOON, "the operator to be told of the end", || {
        let end =
            |text: String| text.contains("operator.resolved") && text.contains("ledger-unwritable");
        oncall.received().iter().any(|request| end(request.text())).then_some(())
    });
    daemon.assert_alive();
}
