//! The API on the control socket, and commands and daemons of different versions that meet there.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::HttpReceiver;
use serde_json::{Value, json};

use super::{configuration, over_budget};
use crate::support::process::{House, Process, ask_socket};
use crate::web::described::{Described, known};

/// A daemon that has polled once, with two customers over their budgets.
fn over() -> (House, Process, HttpReceiver) {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(over_budget(0..2));
    let process = house.start_ready(&house.systemd());
    process.wait_for_metric("polls_total{result=\"ok\"}", "1");
    (house, process, receiver)
}

fn read(house: &House, path: &str) -> Value {
    let (status, text) = ask_socket(&house.path("state/control.sock"), "GET", path, b"");
    assert_eq!(status, 200, "{path}: {text}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_answers_what_http_does_and_more() {
    let (house, process, _receiver) = over();
    let socket = house.path("state/control.sock");
    let described = Described::of(&ask_socket(&socket, "GET", "/api", b"").1);
    for path in ["status", "customers", "alerts", "deliveries", "silences", "security-alerts"] {
        let path = format!("/api/v1/{path}");
        described.check("get", &path, &read(&house, &path));
    }
    let status = read(&house, "/api/v1/status");
    assert_eq!(status["daemon"]["pid"], json!(process.id()));
    let printed = house.run(&["alerts", "--format", "json"]);
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(read(&house, "/api/v1/alerts").as_array().unwrap().len(), 2);
    assert_eq!(printed.as_array().unwrap().len(), 2);
    described.check("get", "/api/v1/daemon", &read(&house, "/api/v1/daemon"));
    let (status, text) = ask_socket(&socket, "GET", "/api/v1/customers/nobody", b"");
    assert!(status == 404 && text.contains("\"status\":404"), "{status} {text}");

    for (path, body) in [
        ("/api/v1/poll", json!({"wait_seconds": 0})),
        ("/api/v1/evidence", json!({"incident": printed[0]["ref"]})),
        ("/api/v1/read", json!({"arguments": ["silence", "list"]})),
        ("/api/v1/reload", json!({})),
    ] {
        let (status, text) = ask_socket(&socket, "POST", path, body.to_string().as_bytes());
        assert_eq!(status, 200, "{path}: {text}");
        described.check("post", path, &serde_json::from_str(&text).unwrap());
    }
    for (path, _) in described.orders() {
        let (status, text) = ask_socket(&socket, "POST", &path, b"{\"zzz\": 1}");
        let refused: Value = serde_json::from_str(&text).unwrap();
        let fields = refused["detail"].as_str().unwrap();
        assert_eq!((status, known(fields)), (400, described.taken(&path).0), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_of_an_older_version_is_answered_as_it_knows() {
    let (house, process, _receiver) = over();
    let socket = house.path("state/control.sock");
    let (status, about) = ask_socket(&socket, "GET", "/v1/daemon", b"");
    let about: Value = serde_json::from_str(&about).unwrap();
    assert_eq!((status, &about["pid"]), (200, &json!(process.id())));
    let (status, text) = ask_socket(&socket, "POST", "/v1/deliveries/retry", b"");
    assert_eq!((status, text.as_str()), (200, "{\"owed\":0,\"lost\":[]}"));
    let (status, text) = ask_socket(&socket, "POST", "/v1/silence/expire", b"{\"id\": 3}");
    let refused: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status, 422);
    assert_eq!(
        refused,
        json!({"error": "there is no silence 3: see budget-alertd silence list --all"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_of_an_older_version_is_asked_as_it_knows() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&configuration(&receiver, "1h"));
    let state = house.path("state");
    std::fs::create_dir_all(&state).unwrap();
    let ledger = std::fs::canonicalize(&state).unwrap().join("ledger.db");
    let listener = UnixListener::bind(state.join("control.sock")).unwrap();
    let about = json!({"pid": 1, "version": "0.1.0", "ledger": ledger, "config": "/x"});
    let serving = std::thread::spawn(move || {
        let mut asked = Vec::new();
        while asked.last().is_none_or(|line: &String| !line.starts_with("POST")) {
            let (mut stream, _) = listener.accept().unwrap();
            asked.push(answer(&mut stream, &about));
        }
        asked
    });
    let ended = house.run(&["silence", "expire", "3"]);
    let (out, err) =
        (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
    assert_eq!(ended.status.code(), Some(2), "{out}{err}");
    assert!(err.contains("no silence 3, says an older daemon"), "{err}");
    let asked = serving.join().unwrap();
    assert_eq!(asked, ["GET /api/v1/daemon", "GET /v1/daemon", "POST /v1/silence/expire"]);
}

/// Answers one request as daemons did before; returns what was asked.
fn answer(stream: &mut UnixStream, about: &Value) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    let line = String::from_utf8(head).unwrap().lines().next().unwrap().replace(" HTTP/1.1", "");
    let (status, body) = match line.as_str() {
        "GET /v1/daemon" => ("200 OK", about.to_string()),
        "POST /v1/silence/expire" => {
            ("422 X", json!({"error": "no silence 3, says an older daemon"}).to_string())
        }
        _ => ("404 X", json!({"error": "budget-alertd 0.1.0 knows no such path"}).to_string()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
            Connection: close\r\n\r\n{body}"
    )
    .unwrap();
    line
}
