//! `evidence`: a folder about one customer, which names no other.

use std::collections::BTreeMap;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{MailOptions, MailReceiver};
use serde_json::{Value, json};

use super::{BRITAIN, Desk};

/// The customer that evidence is of, and those that must not be named.
const OWN: &str = "Contoso Nord AB";
const OTHERS: [(&str, u32); 6] = [
    ("Contoso", 310),
    ("Fabrikam Maschinenbau & Söhne GmbH", 160),
    ("Wingtip", 120),
    ("Tailspin, Inc.", 101),
    ("Northwind <b>Traders</b>", 230),
    ("A \"quoted\" one", 99),
];

const DIGESTS: &str = r#"
[source]
type = "file"
path = "{dir}/usage.json"
[rules.spend]
metric = "percent_used"
notify = ["hook", "chat", "cards", "worded", "mail"]
steps = [{ at = 80 }, { at = 100, severity = "critical" }]
[notifiers.hook]
type = "webhook"
url = "{receiver}/hook"
[notifiers.chat]
type = "slack"
url = "{receiver}/slack"
[notifiers.cards]
type = "teams"
url = "{receiver}/teams"
[notifiers.worded]
type = "slack"
url = "{receiver}/worded"
body = "All: {% for one in members %}{{ one.name }} {{ one.cost }} {{ reference }}; {% endfor %}"
[notifiers.mail]
type = "email"
from = "alerts@partner.example"
to = ["oncall@partner.example"]
smtp = { host = "127.0.0.1", port = {mail}, tls = "none" }
"#;

fn usage() -> String {
    let record = |(number, (name, percent)): (usize, (&str, u32))| {
        json!({
            "resourceId": format!("{number:08}-6fb9-4b05-8f15-b3d72e0596e6"), "name": name,
            "currencyCode": "SEK", "isUpgraded": true, "budget": { "amount": 100_000 },
            "totalCost": f64::from(percent) * 1000.0 + 0.25, "usdTotalCost": percent, "percentUsed": percent,
            "lastModifiedDate": "2026-11-17T17:08:11Z",
        })
    };
    let all = [(OWN, 900)].into_iter().chain(OTHERS).enumerate().map(record);
    json!({ "items": all.collect::<Vec<_>>() }).to_string()
}

/// The files of a folder, by name.
fn files(desk: &Desk, folder: &str) -> BTreeMap<String, String> {
    std::fs::read_dir(desk.house.path(folder))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            (entry.file_name().into_string().unwrap(), text)
        })
        .collect()
}

fn evidence(desk: &Desk, customer: &str) -> BTreeMap<String, String> {
    let folder = desk.house.path("evidence").display().to_string();
    let written = desk.run(&["evidence", "--customer", customer, "--output", &folder]);
    assert_eq!(written.code, 0, "{}", written.err);
    files(desk, "evidence")
}

/// Every value under this key, at any depth.
fn all<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(key));
            fields.values().for_each(|field| all(field, key, found));
        }
        Value::Array(items) => items.iter().for_each(|item| all(item, key, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_shows_what_was_seen_decided_told_answered_and_acknowledged() {
    let desk = Desk::polled();
    let alerts = desk.json(&["alerts", "--customer", BRITAIN, "--format", "json"]);
    let reference = alerts[0]["ref"].as_str().unwrap();
    desk.told(&["ack", reference]);
    let files = evidence(&desk, "contoso uk");
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    let expected = ["SHA256SUMS", "alerts.csv", "deliveries.csv", "evidence.json", "index.html"];
    assert_eq!(names, expected);
    let whole: Value = serde_json::from_str(&files["evidence.json"]).unwrap();
    assert_eq!(whole["customer"]["id"], BRITAIN);
    assert_eq!(whole["usage"].as_array().unwrap().len(), 1);
    assert_eq!(whole["alerts"][0]["ref"], *reference);
    let by = whole["alerts"][0]["acknowledged"]["by"].as_str().unwrap();
    // The message as `deliveries show` has it.
    let told = &whole["deliveries"][0];
    let id = told["id"].as_str().unwrap();
    let shown = desk.json(&["deliveries", "show", id, "--format", "json"]);
    for same in ["subject", "text", "html", "body", "headers", "sha256"] {
        assert_eq!(told["message"][same], shown["message"][same], "{same}");
    }
    assert_eq!(told["attempts"], shown["attempts"]);
    assert_eq!(told["message"]["redacted"], false);
    // The chain's events about it, with the head that `ledger verify` prints.
    let kinds: Vec<_> =
        whole["record"].as_array().unwrap().iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["raised", "message", "attempt", "acknowledgement"]);
    let head = whole["ledger"]["head"].as_str().unwrap();
    let verified = desk.told(&["ledger", "verify", "--head", head]);
    assert!(verified.contains(head), "{verified}");
    assert_eq!(whole["ledger"]["changed"], Value::Null);
    // The page and the sheets say the same in words.
    assert!(
        files["index.html"].contains("<td>CRITICAL ")
            || files["index.html"].contains("<td>WARNING ")
    );
    for said in [reference, "Contoso UK", by, "200 OK", head, "sha256sum --check"] {
        assert!(files["index.html"].contains(said), "{said}");
    }
    assert!(files["alerts.csv"].contains(reference) && files["deliveries.csv"].contains("200 OK"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checksums_are_those_of_sha256sum() {
    let desk = Desk::polled();
    evidence(&desk, BRITAIN);
    let checked = std::process::Command::new("sha256sum")
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(desk.house.path("evidence"))
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");
    assert_eq!(String::from_utf8(checked.stdout).unwrap().lines().count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_message_about_several_customers_it_shows_what_is_of_this_one() {
    let mail = MailReceiver::start(SystemClock::shared(), MailOptions::default()).unwrap();
    let desk = Desk::with(&DIGESTS.replace("{mail}", &mail.port().to_string()));
    std::fs::write(desk.house.path("usage.json"), usage()).unwrap();
    let polled = desk.run(&["poll"]);
    assert_eq!(polled.code, 0, "{}{}", polled.out, polled.err);
    let files = evidence(&desk, OWN);
    let whole: Value = serde_json::from_str(&files["evidence.json"]).unwrap();
    let deliveries = whole["deliveries"].as_array().unwrap();
    assert_eq!(deliveries.len(), 5, "{whole}");
    for told in deliveries {
        let (notifier, message) = (told["notifier"].as_str().unwrap(), &told["message"]);
        assert_eq!(message["redacted"], true, "{notifier}");
        assert_eq!(told["other_alerts"], 6, "{notifier}");
        let id = told["id"].as_str().unwrap();
        let sent = desk.json(&["deliveries", "show", id, "--format", "json"]);
        assert_eq!(message["sha256"], sent["message"]["sha256"], "{notifier}");
        let said = format!("{}{}", message["text"], message["body"]);
        assert!(said.contains("[another customer]"), "{notifier}: {said}");
        // Words of the user's own that tell all in one line are left out as a whole.
        let expected = notifier != "worded";
        assert_eq!(said.contains(OWN) && said.contains('9'), expected, "{notifier}: {said}");
    }
    let identities: Vec<String> = (1..=6).map(|number| format!("{number:08}-6fb9")).collect();
    let amounts = OTHERS.map(|(_, percent)| format!("{percent}000.25")).to_vec();
    let written = OTHERS.map(|(_, percent)| format!("{percent},000.25")).to_vec();
    let names = OTHERS.map(|(name, _)| name.to_owned());
    let names = names.into_iter().filter(|name| !OWN.contains(name.as_str()));
    let escaped = ["Northwind", "Fabrikam", "Tailspin", "quoted"].map(str::to_owned);
    let hidden: Vec<String> =
        names.chain(escaped).chain(amounts).chain(written).chain(identities).collect();
    for (file, text) in &files {
        assert!(!text.contains('\u{1b}'), "{file} has colours of a terminal");
        for hidden in &hidden {
            assert!(!text.contains(hidden), "{file} says {hidden}");
        }
    }
    let mut customers = Vec::new();
    all(&whole, "name", &mut customers);
    assert!(customers.iter().all(|name| **name == OWN), "{customers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_span_of_time_and_the_folder_are_chosen() {
    let desk = Desk::polled();
    let folder = desk.house.path("of-before").display().to_string();
    let nothing = desk.told(&[
        "evidence",
        "--customer",
        BRITAIN,
        "--until",
        "2020-01-01",
        "--output",
        &folder,
    ]);
    assert!(nothing.contains("0 readings, 0 alerts, 0 messages told"), "{nothing}");
    let again = desk.run(&["evidence", "--customer", BRITAIN, "--output", &folder]);
    assert_eq!(again.code, 2);
    assert!(
        again.err.contains("is there already: name another folder with --output"),
        "{}",
        again.err
    );
    let wrong =
        ["evidence", "--customer", BRITAIN, "--since", "2026-11-02", "--until", "2026-11-01"];
    assert_eq!(desk.run(&wrong).code, 2);
    let several = desk.run(&["evidence", "--customer", "azure customer"]);
    assert_eq!(several.code, 2, "{}", several.err);
    assert!(several.err.contains("; give the id of one"), "{}", several.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_changed_is_said_on_the_page() {
    let desk = Desk::polled();
    let ledger = rusqlite::Connection::open(desk.house.ledger().path).unwrap();
    ledger.execute("UPDATE attempt SET detail = '500 no'", []).unwrap();
    drop(ledger);
    let folder = desk.house.path("evidence").display().to_string();
    let said = desk.told(&["evidence", "--customer", BRITAIN, "--output", &folder]);
    assert!(said.contains(" of the ledger is not as it was recorded."), "{said}");
    let files = files(&desk, "evidence");
    assert!(files["index.html"].contains("class=\"wrong\""));
    let whole: Value = serde_json::from_str(&files["evidence.json"]).unwrap();
    assert!(whole["ledger"]["changed"].is_number());
}
