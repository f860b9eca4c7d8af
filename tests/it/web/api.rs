//! The API: the objects of the commands, pages by the header `Link`, errors as problem+json.

use std::collections::BTreeSet;

use serde_json::Value;

use super::site::{Answer, Site};
use crate::support::world::{Record, SPEND, World, plan};

const NOW: &str = "2026-11-14T21:41:00Z";
const DATE: &str = "2026-11-14T17:08:00Z";

fn json(answer: &Answer) -> Value {
    assert_eq!(answer.header("content-type"), "application/json", "{}", answer.text);
    serde_json::from_str(&answer.text).unwrap()
}

/// What a command prints of the same world.
fn printed(world: &World, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--format", "json"]).collect();
    serde_json::from_slice(&world.run(&arguments).stdout).unwrap()
}

#[tokio::test]
async fn lists_have_the_objects_of_the_commands() {
    let world = World::new(SPEND);
    world.report(NOW, &[plan("A", "900", "100", DATE), plan("B", "10", "", DATE)]).await;
    let commands = [
        ("alerts", vec!["alerts"]),
        ("deliveries", vec!["deliveries"]),
        ("silences", vec!["silence", "list"]),
        ("security-alerts", vec!["security", "list"]),
    ];
    let expected: Vec<(&str, Value)> =
        commands.into_iter().map(|(path, command)| (path, printed(&world, &command))).collect();
    let customers = printed(&world, &["status"])["customers"].clone();
    let site = Site::of(world, None).await;
    for (path, expected) in expected {
        assert_eq!(json(&site.get(&format!("/api/v1/{path}")).await), expected, "{path}");
    }
    assert_eq!(json(&site.get("/api/v1/customers").await), customers);
    let status = json(&site.get("/api/v1/status").await);
    assert_eq!(status["health"], "ok");
    assert_eq!((&status["daemon"]["running"], &status["owed"]), (&true.into(), &1.into()));
    assert_eq!(status["customers"], customers);
    let customer = json(&site.get("/api/v1/customers/a").await);
    assert_eq!(customer["usage"]["computed_percent"], "900");
    assert_eq!(customer["rules"][0]["reached"], "100");
    let delivery = json(&site.get("/api/v1/deliveries").await)[0]["id"].clone();
    let path = format!("/api/v1/deliveries/{}", delivery.as_str().unwrap());
    let shown = json(&site.get(&path).await);
    assert_eq!((&shown["delivery"]["id"], &shown["message"]), (&delivery, &Value::Null));
}

#[tokio::test]
async fn further_pages_are_named_by_the_header_link() {
    let world = World::new(SPEND);
    let records: Vec<Record> =
        (0..120).map(|number| plan(&format!("C{number:03}"), "90", "100", DATE)).collect();
    world.report(NOW, &records).await;
    let site = Site::of(world, None).await;
    for (start, id) in
        [("/api/v1/customers?plan=azure-plan", "/id"), ("/api/v1/alerts", "/customer/id")]
    {
        assert_eq!(on_all_pages(&site, start, id).await.len(), 120, "{start}");
    }
}

#[tokio::test]
async fn silences_have_further_pages_too() {
    let http = "[http]\nlisten = \"127.0.0.1:1\"\n";
    let site = Site::of(World::new(&format!("{SPEND}{http}")), Some("secret")).await;
    for number in 0..101 {
        let silence = serde_json::json!({
            "customers": ["A"], "until": "2026-11-21T00:00:00Z", "yes": true,
            "reason": number.to_string(),
        });
        site.order("/api/v1/silence/add", &silence, 200).await;
    }
    assert_eq!(on_all_pages(&site, "/api/v1/silences", "/reason").await.len(), 101);
}

/// What all pages of a list have in their rows, each thing once; none may be there twice.
async fn on_all_pages(site: &Site, start: &str, id: &str) -> BTreeSet<String> {
    let (mut path, mut seen, mut count) = (start.to_owned(), BTreeSet::new(), 0);
    loop {
        let page = site.ask(&path, &[("authorization", "Bearer secret")]).await;
        let rows = json(&page);
        let rows = rows.as_array().unwrap();
        count += rows.len();
        seen.extend(rows.iter().map(|row| row.pointer(id).unwrap().to_string()));
        let link = page.header("link").to_owned();
        let Some(next) = link.strip_suffix(">; rel=\"next\"") else { break };
        next.strip_prefix('<').unwrap().clone_into(&mut path);
    }
    assert_eq!(seen.len(), count, "{start}");
    seen
}

#[tokio::test]
async fn errors_are_problems_whoever_asks() {
    let site = Site::of(World::new(SPEND), Some("secret")).await;
    let bearer = ("authorization", "Bearer secret");
    for (path, headers, status) in [
        ("/api/v1/alerts", vec![], 401),
        ("/api/v1/alerts", vec![("accept", "text/html")], 401),
        ("/api/v1/alerts?severity=grave", vec![bearer], 400),
        ("/api/v1/alerts?cursor=x", vec![bearer], 400),
        ("/api/v1/customers?cursor=1", vec![bearer], 400),
        ("/api/v1/customers/nobody", vec![bearer], 404),
        ("/api/v1/deliveries/x", vec![bearer], 404),
        ("/api/v1/nothing", vec![bearer, ("accept", "text/html")], 404),
    ] {
        let answer = site.ask(path, &headers).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        let problem: Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!((&problem["type"], &problem["status"]), (&"about:blank".into(), &status.into()));
        assert!(!problem["detail"].as_str().unwrap().is_empty(), "{path}");
    }
    let wrong = site.post("/api/v1/alerts", "", &[bearer]).await;
    assert_eq!((wrong.status, wrong.header("content-type")), (405, "application/problem+json"));
    let wrong = site.ask("/api/v1/ack", &[bearer]).await;
    assert_eq!((wrong.status, wrong.header("content-type")), (405, "application/problem+json"));
}

#[tokio::test]
async fn the_api_describes_itself_to_programs_and_people() {
    let site = Site::of(World::new(SPEND), None).await;
    let document = json(&site.ask("/api", &[("accept", "application/json")]).await);
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let page = site.get("/api").await;
    assert!(page.words().contains("GET /api/v1/customers/{id}"), "{}", page.words());
    assert!(page.words().contains("POST /api/v1/silence/add"), "{}", page.words());
}
