//! The API's description of itself, held against what it takes and answers.

use std::collections::BTreeSet;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::HttpReceiver;
use serde_json::{Value, json};

use super::site::Site;
use crate::support::Schema;
use crate::support::world::{SPEND, World, plan};

const NOW: &str = "2026-11-14T21:41:00Z";
const DATE: &str = "2026-11-14T17:08:00Z";

/// The document.
pub(crate) struct Described(Value);

impl Described {
    /// As a site has it.
    pub(super) async fn by(site: &Site) -> Self {
        let headers = [("accept", "application/json"), ("authorization", "Bearer secret")];
        Self(serde_json::from_str(&site.ask("/api", &headers).await.text).unwrap())
    }

    /// As a text has it.
    pub(crate) fn of(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap())
    }

    /// That an answer is what the document says, and has nothing that it does not name.
    pub(crate) fn check(&self, method: &str, path: &str, answer: &Value) {
        let operation = &self.0["paths"][path][method];
        let content = &operation["responses"]["200"]["content"]["application/json"];
        let mut schema = content["schema"].clone();
        assert!(schema.is_object(), "{method} {path} is not described");
        schema["components"] = closed(self.0["components"].clone());
        let violations = Schema::new(schema).violations(answer);
        assert!(violations.is_empty(), "{method} {path}: {violations:?}\n{answer:#}");
    }

    /// The keys that are taken, and those of them that are needed.
    pub(crate) fn taken(&self, path: &str) -> (BTreeSet<String>, Value) {
        let body = &self.0["paths"][path]["post"]["requestBody"]["content"]["application/json"];
        let name = body["schema"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        let schema = &self.0["components"]["schemas"][name];
        (
            schema["properties"].as_object().unwrap().keys().cloned().collect(),
            schema["required"].clone(),
        )
    }

    /// Every order: its path, and whether it is taken on the control socket only.
    pub(crate) fn orders(&self) -> Vec<(String, bool)> {
        let paths = self.0["paths"].as_object().unwrap();
        let orders = paths.iter().filter_map(|(path, item)| Some((path, item.get("post")?)));
        let orders = orders.map(|(path, order)| (path.clone(), order.get("description").is_some()));
        orders.collect()
    }
}

/// The same, without room for keys that it does not name.
fn closed(schema: Value) -> Value {
    match schema {
        Value::Object(keys) => {
            let is_object = keys.get("properties").is_some_and(Value::is_object)
                && keys.get("type") == Some(&json!("object"));
            let mut closed: serde_json::Map<_, _> =
                keys.into_iter().map(|(key, value)| (key, self::closed(value))).collect();
            if is_object {
                closed.entry("additionalProperties").or_insert(json!(false));
            }
            closed.into()
        }
        Value::Array(items) => items.into_iter().map(closed).collect(),
        other => other,
    }
}

/// The keys that an action takes, as it says when it gets one that it does not know.
pub(crate) fn known(refusal: &str) -> BTreeSet<String> {
    let (_, expected) = refusal.split_once("unknown field `zzz`").expect(refusal);
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[tokio::test]
async fn what_is_read_and_ordered_fits_its_description() {
    let hook = HttpReceiver::start(SystemClock::shared()).unwrap();
    let (open, gone) = (hook.url("/hook"), "http://127.0.0.1:9/");
    let world = World::new(&format!(
        "{}[notifiers.hook]\ntype = \"webhook\"\nurl = \"{open}\"\n\
         [notifiers.gone]\ntype = \"webhook\"\nurl = \"{gone}\"\n",
        SPEND.replace("notify = [\"hook\"]", "notify = [\"hook\", \"gone\"]")
    ));
    world.report("2026-11-13T21:41:00Z", &[plan("A", "50", "100", "2026-11-13T17:08:00Z")]).await;
    let records = [plan("A", "900", "100", DATE), plan("B", "10", "", DATE)];
    let alert = world.report(NOW, &records).await.alerts[0].alert.reference.clone();
    super::links::deliver(&world).await;
    let site = Site::of(world, Some("secret")).await;
    let described = Described::by(&site).await;

    let orders = [
        ("ack", json!({"alerts": [alert], "reason": "we call them"})),
        ("silence/add", json!({"customers": ["A"], "until": "period-end", "reason": "x"})),
        (
            "silence/add",
            json!({"rules": ["spend"], "until": "2026-12-01T00:00:00Z", "reason": "x",
            "unless_above": "1000.5"}),
        ),
        ("silence/expire", json!({"id": 1})),
        ("deliveries/retry", json!({"all": true})),
        ("deliveries/release", json!({"all": true})),
        ("notify-test", json!({"notifier": "hook", "kind": "digest"})),
        ("notify-test", json!({"notifier": "gone"})),
    ];
    for (name, body) in orders {
        let path = format!("/api/v1/{name}");
        described.check("post", &path, &site.order(&path, &body, 200).await);
    }
    let delivery = read(&site, "/api/v1/deliveries").await[0]["id"].clone();
    for (path, id) in [
        ("status", ""),
        ("customers", ""),
        ("customers/{id}", "A"),
        ("alerts", ""),
        ("deliveries", ""),
        ("deliveries/{id}", delivery.as_str().unwrap()),
        ("silences", ""),
        ("security-alerts", ""),
    ] {
        let path = format!("/api/v1/{path}");
        described.check("get", &path, &read(&site, &path.replace("{id}", id)).await);
    }
    // The silence that is over, too.
    let all = read(&site, "/api/v1/silences?all=yes").await;
    assert_eq!(all.as_array().unwrap().len(), 2);
    described.check("get", "/api/v1/silences", &all);
    assert_eq!(read(&site, "/api/v1/deliveries?state=held").await, json!([]));
}

async fn read(site: &Site, path: &str) -> Value {
    let answer = site.ask(path, &[("authorization", "Bearer secret")]).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    serde_json::from_str(&answer.text).unwrap()
}

#[tokio::test]
async fn every_order_takes_the_keys_that_are_described_and_no_others() {
    let site = Site::of(World::new(SPEND), Some("secret")).await;
    let described = Described::by(&site).await;
    let mut number = 0;
    for (path, is_of_socket) in described.orders() {
        if is_of_socket {
            let refused = site.order(&path, &json!({}), 403).await;
            let why = refused["detail"].as_str().unwrap();
            assert!(why.contains("on the control socket only"), "{path}: {why}");
            continue;
        }
        number += 1;
        let refused = site.order(&path, &json!({"zzz": 1}), 400).await;
        let (taken, needed) = described.taken(&path);
        assert_eq!(known(refused["detail"].as_str().unwrap()), taken, "{path}");
        let empty = site.post(&path, "{}", &[("authorization", "Bearer secret")]).await;
        // Without any alert, an acknowledgement is understood, and makes no sense.
        let is_needed = !needed.is_null() && path != "/api/v1/ack";
        assert_eq!(empty.status == 400, is_needed, "{path}: {}", empty.text);
    }
    assert_eq!(number, 8);
}

#[tokio::test]
async fn every_action_is_described() {
    let site = Site::of(World::new(SPEND), Some("secret")).await;
    let paths: BTreeSet<String> =
        Described::by(&site).await.orders().into_iter().map(|(path, _)| path).collect();
    let actions = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/actions");
    let mut files: Vec<_> = vec![actions.join("push/mod.rs")];
    files.extend(std::fs::read_dir(&actions).unwrap().map(|file| file.unwrap().path()));
    let texts = files.iter().filter(|file| file.is_file());
    let texts: String = texts.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let names = texts.split("const NAME: &'static str = \"").skip(1);
    let names = names.map(|rest| format!("/api/v1/{}", rest.split('"').next().unwrap()));
    assert_eq!(names.collect::<BTreeSet<_>>(), paths);
}
