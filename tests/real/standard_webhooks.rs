//! Webhooks verified by the reference library of the Standard Webhooks specification, in another
//! language: that of Python, as a receiver would use it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::process::{budget_alertd, succeed};

/// The version that the requests are held against.
const LIBRARY: &str = "standardwebhooks==1.1.0";
const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_bWVyZWx5LWEtdGVzdC1rZXktb2YtMzItYnl0ZXMhISE=";
const OTHER: &str = "whsec_dGhpcyBrZXkgaXMgbm90IHRoZSByaWdodCBvbmUh";

/// What a receiver would write; says `ok`, or why not.
const VERIFY: &str = r#"
import json, sys
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
asked = json.load(sys.stdin)
try:
    alerts = Webhook(asked["secret"]).verify(asked["body"], asked["headers"])["data"]["alerts"]
    print("ok", alerts[0]["customer"]["name"])
except WebhookVerificationError as error:
    print(error)
"#;

#[test]
fn the_reference_library_takes_our_signature_and_nothing_that_was_changed() {
    let (headers, body) = posted(&json!(OLD));
    assert_eq!(verified(OLD, &headers, &body), "ok Contoso & \"Söhne\" €");
    assert_eq!(verified(OTHER, &headers, &body), "No matching signature found");
    assert_eq!(
        verified(OLD, &headers, &body.replace("\"90\"", "\"10\"")),
        "No matching signature found"
    );
    for (name, value) in [("webhook-id", "msg_1"), ("webhook-signature", "v1,AAAA")] {
        let mut changed = headers.clone();
        changed[name] = value.into();
        assert_eq!(verified(OLD, &changed, &body), "No matching signature found", "{name}");
    }
    let mut replayed = headers.clone();
    let sent: i64 = headers["webhook-timestamp"].as_str().unwrap().parse().unwrap();
    replayed["webhook-timestamp"] = (sent - 400).to_string().into();
    assert_eq!(verified(OLD, &replayed, &body), "Message timestamp too old");
}

#[test]
fn while_secrets_are_rotated_receivers_with_either_take_it() {
    let (headers, body) = posted(&json!([NEW, OLD]));
    for (secret, answer) in [
        (OLD, "ok Contoso & \"Söhne\" €"),
        (NEW, "ok Contoso & \"Söhne\" €"),
        (OTHER, "No matching signature found"),
    ] {
        assert_eq!(verified(secret, &headers, &body), answer);
    }
}

/// The headers and the body of a real alert, signed with these secrets.
fn posted(secrets: &Value) -> (Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let receiving = std::thread::spawn(move || receive(&listener));
    let usage = json!({ "totalCount": 1, "items": [{
        "resourceId": "c1", "resourceName": "Contoso & \"Söhne\" €", "isUpgraded": true, "totalCost": 90, "percentUsed": 90,
        "budget": { "amount": 100 }, "currencyCode": "SEK", "lastModifiedDate": "2026-11-14T17:08:11Z",
    }] });
    std::fs::write(folder.path().join("usage.json"), usage.to_string()).unwrap();
    let configuration = format!(
        "[source]\ntype = \"file\"\npath = \"usage.json\"\n[daemon]\nstate_dir = \
            \"state\"\n[rules.spend]\nmetric = \"percent_used\"\nnotify = [\"hook\"]\nsteps = \
            [{{ at = 80 }}]\n[notifiers.hook]\ntype = \"webhook\"\nurl = \
            \"http://{address}/hook\"\nsecret = {secrets}\n"
    );
    std::fs::write(folder.path().join("alert-rules.toml"), configuration).unwrap();
    succeed(Command::new(budget_alertd()).current_dir(folder.path()).args([
        "--config",
        "alert-rules.toml",
        "poll",
    ]));
    receiving.join().unwrap()
}

/// Takes one request.
fn receive(listener: &TcpListener) -> (Value, String) {
    let mut stream = BufReader::new(listener.accept().unwrap().0);
    let mut headers = json!({});
    for line in stream.by_ref().lines() {
        let line = line.unwrap();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": ") {
            headers[name.to_ascii_lowercase()] = value.into();
        }
    }
    let mut body = vec![0; headers["content-length"].as_str().unwrap().parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    stream.get_mut().write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").unwrap();
    (headers, String::from_utf8(body).unwrap())
}

/// What the library says of a request.
fn verified(secret: &str, headers: &Value, body: &str) -> String {
    let mut command = Command::new("/usr/bin/python3");
    command.args(["-c", VERIFY]).env("PYTHONPATH", library()).env("PYTHONIOENCODING", "utf-8");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let asked = json!({ "secret": secret, "headers": headers, "body": body });
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The library, installed by the first who needs it.
fn library() -> PathBuf {
    static INSTALL: std::sync::Once = std::sync::Once::new();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("standardwebhooks");
    INSTALL.call_once(|| {
        let mut pip = Command::new("/usr/bin/python3");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--root-user-action=ignore",
            "--upgrade",
            "--target",
        ]);
        succeed(pip.arg(&folder).arg(LIBRARY));
    });
    folder
}
