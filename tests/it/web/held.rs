//! Messages to customers that are held after a mass crossing: released, or discarded, from the pages.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use super::site::Site;
use crate::support::process::{SOON, eventually};
use crate::support::world::{Record, World, plan};

const RULE: &str = r#"
[rules.spend]
metric = "percent_used"
notify = ["customers"]
steps = [{ at = 80 }]
[notifiers.customers]
type = "webhook"
audience = "customer"
url = "http://127.0.0.1:9/"
"#;

/// A site that holds what 30 customers would be told.
async fn holding() -> Site {
    Site::of(holding_world().await, Some("secret")).await
}

async fn holding_world() -> World {
    let world = World::new(RULE);
    let all = |cost: &str, day: u32| -> Vec<Record> {
        let date = format!("2026-11-{day:02}T17:00:00Z");
        (0..30).map(|number| plan(&format!("C{number:03}"), cost, "100", &date)).collect()
    };
    world.report("2026-11-13T18:00:00Z", &all("10", 13)).await;
    world.report("2026-11-14T18:00:00Z", &all("90", 14)).await;
    world
}

async fn held(site: &Site) -> Vec<Value> {
    let headers = [("authorization", "Bearer secret")];
    let answer = site.ask("/api/v1/deliveries?state=held", &headers).await;
    serde_json::from_str(&answer.text).unwrap()
}

#[tokio::test]
async fn one_is_sent_another_is_not_and_the_rest_is_sent_together() {
    let site = holding().await;
    let page = site.see("/deliveries").await;
    let words = page.words();
    assert!(words.contains("30 messages to customers are held"), "{words}");
    let rows = held(&site).await;
    assert_eq!(rows.len(), 30);
    let path = |row: usize| format!("/deliveries/{}", rows[row]["id"].as_str().unwrap());
    let one = site.see(&path(0)).await;
    assert!(one.words().contains("Held: suspiciously many"), "{}", one.words());
    assert_eq!(site.press(&one, "/release", "").await.status, 303);
    assert!(!site.see(&path(0)).await.words().contains("Held:"));
    let other = site.see(&path(1)).await;
    assert_eq!(site.press(&other, "/discard", "reason=wrong+price").await.status, 303);
    let words = site.see(&path(1)).await.words();
    assert!(words.contains("discarded by http token: wrong price"), "{words}");
    assert!(!words.contains("Try again"), "{words}");

    // The page shows 30, and 28 are held by now.
    let stale = site.press(&page, "/deliveries/release", "").await;
    assert_eq!(stale.status, 422);
    assert!(stale.words().contains("Meanwhile 28 messages are held."), "{}", stale.words());
    assert_eq!(held(&site).await.len(), 28);
    let page = site.see("/deliveries?state=held").await;
    let done = site.press(&page, "/deliveries/release", "reason=true").await;
    assert_eq!((done.status, done.location()), (303, "/deliveries?state=held"), "{}", done.text);
    assert!(held(&site).await.is_empty());
    assert!(!site.see("/deliveries").await.words().contains("suspiciously"));
}

#[tokio::test]
async fn wrong_data_discards_all() {
    let site = holding().await;
    let page = site.see("/deliveries").await;
    let done = site.press(&page, "/deliveries/discard", "reason=prices+were+wrong").await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert!(held(&site).await.is_empty());
    let words = site.see("/deliveries?state=dead").await.words();
    assert_eq!(words.matches("discarded by http token: prices were wrong").count(), 30, "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ordered_is_done_though_who_ordered_it_hangs_up() {
    let world = holding_world().await;
    let lock = rusqlite::Connection::open(world.config().ledger.path).unwrap();
    let site = Site::of(world, Some("secret")).await;
    let is_told = async || {
        let status = site.ask("/api/v1/status", &[("authorization", "Bearer secret")]).await;
        status.text.contains("mass-crossing")
    };
    assert!(is_told().await);

    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let order = |path: &str, body: &str| {
        let mut stream = TcpStream::connect(site.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let head = "Host: localhost\r\nAuthorization: Bearer secret\r\nConnection: close";
        let length = body.len();
        let asked =
            format!("POST {path} HTTP/1.1\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}");
        stream.write_all(asked.as_bytes()).unwrap();
        stream
    };
    let program = order("/api/v1/deliveries/release", "{\"all\": true}");
    // What wants the ledger's thread waits behind it.
    eventually(SOON, "the order to wait for the ledger", || {
        let mut waiting = order("/api/v1/silence/expire", "{\"id\": 99}");
        waiting.read(&mut [0]).is_err().then_some(())
    });
    drop(program);
    assert_eq!(site.get("/healthz").await.status, 200);
    lock.execute_batch("ROLLBACK").unwrap();
    for _ in 0..1000 {
        if held(&site).await.is_empty() && !is_told().await {
            return;
        }
    }
    panic!("released, and the operator goes on being told that much is held");
}
