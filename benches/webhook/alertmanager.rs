//! Alertmanager's side: ten thousand alerts posted to it, each a notification of its own, without
//! waiting.

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::overspend::name;
use crate::process::{Server, eventually, free_port};
use crate::receiver::Receiver;
use crate::{ALERTS, Run};

pub(crate) fn run(receiver: &Receiver) -> Run {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let server = start(folder.path(), &receiver.url);
    post(&server.1);
    eventually(Duration::from_mins(2), "all notifications", || {
        (receiver.count() >= ALERTS).then_some(())
    });
    let peak_kib = peak_kib(server.0.id());
    Run::of(&receiver.take(), peak_kib)
}

fn start(folder: &Path, url: &str) -> (Server, String) {
    let configuration = folder.join("alertmanager.yml");
    std::fs::write(&configuration, include_str!("alertmanager.yml").replace("@URL@", url)).unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let arguments = [
        format!("--config.file={}", configuration.display()),
        format!("--storage.path={}", folder.join("data").display()),
        format!("--web.listen-address={address}"),
        "--cluster.listen-address=".to_owned(),
        "--log.level=warn".to_owned(),
    ];
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut server = Server::start("prometheus-alertmanager", &arguments, &folder.join("log"));
    eventually(Duration::from_secs(20), "Alertmanager to listen", || {
        server.assert_alive();
        TcpStream::connect(&address).ok()
    });
    (server, address)
}

/// Posts all alerts at once, as quickly as it takes them.
fn post(address: &str) {
    let alerts: Vec<Value> = (0..ALERTS).map(alert).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Its time-outs want the runtime as soon as it is told to send.
    let status = runtime.block_on(async {
        let client = budget_alertd::http::client(std::time::Duration::from_secs(30)).unwrap();
        let request = client
            .post(format!("http://{address}/api/v2/alerts"))
            .header("content-type", "application/json")
            .body(Value::Array(alerts).to_string());
        request.send().await.unwrap().status()
    });
    assert!(status.is_success(), "{status}");
}

/// An alert as our `alertmanager` notifiers would word it.
fn alert(number: usize) -> Value {
    json!({
        "labels": { "alertname": "budget", "rule": "spend", "severity": "warning", "customer": name(number), "customer_id": format!("{number:08x}-0000-4000-8000-000000000000") },
        "annotations": { "summary": format!("{} has used 90 % of its budget of 100 SEK", name(number)), "cost": "90", "percent": "90" },
        "startsAt": "2026-11-14T20:08:11Z", "endsAt": "2126-11-14T20:08:11Z",
    })
}

fn peak_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}
