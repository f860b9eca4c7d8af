//! `schema`: what it prints holds for what is sent.

use serde_json::Value;

use super::{CONFIGURATION, Desk};
use crate::support::Schema;

/// The same schema, but without room for keys that it does not name.
fn strict(mut schema: Value) -> Value {
    fn close(schema: &mut Value) {
        match schema {
            Value::Object(keys) => {
                keys.values_mut().for_each(close);
                if keys.contains_key("properties")
                    && keys.get("type").is_some_and(|kind| kind == "object")
                {
                    keys.insert("additionalProperties".into(), false.into());
                }
            }
            Value::Array(items) => items.iter_mut().for_each(close),
            _ => {}
        }
    }
    close(&mut schema);
    schema
}

#[tokio::test(flavor = "multi_thread")]
async fn what_webhooks_get_is_as_their_schema_says_with_no_key_unnamed() {
    let desk = Desk::polled();
    for kind in ["raised", "reminder", "resolved"] {
        assert_eq!(desk.run(&["notify-test", "hook", "--kind", kind]).code, 0);
    }
    let digesting = Desk::with(
        &CONFIGURATION.replace("type = \"webhook\"", "type = \"webhook\"\ndigest_above = 0"),
    );
    assert_eq!(digesting.run(&["poll"]).code, 0);
    let reporting =
        Desk::with(&format!("{CONFIGURATION}[report]\nevery = \"day\"\nnotify = [\"hook\"]\n"));
    assert_eq!((reporting.run(&["poll"]).code, reporting.run(&["report", "--send"]).code), (0, 0));
    let schema: Value = desk.json(&["schema", "webhook"]);
    let schema = Schema::new(strict(schema));
    let mut kinds = Vec::new();
    for request in desk
        .receiver
        .received()
        .into_iter()
        .chain(digesting.receiver.received())
        .chain(reporting.receiver.received())
    {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let wrong = schema.violations(&body);
        assert!(wrong.is_empty(), "{wrong:#?}\n{body:#}");
        kinds.push(body["type"].as_str().unwrap().to_owned());
        if body["data"]["alerts"].is_null() {
            continue;
        }
        let mut unnamed = body.clone();
        unnamed["data"]["alerts"][0]["more"] = 1.into();
        let mut lacking = body.clone();
        lacking["data"]["alerts"][0].as_object_mut().unwrap().remove("usage_as_of");
        assert!(!schema.violations(&unnamed).is_empty() && !schema.violations(&lacking).is_empty());
    }
    kinds.sort_unstable();
    kinds.dedup();
    let expected = [
        "budget.alert.raised",
        "budget.alert.reminder",
        "budget.alert.resolved",
        "budget.digest",
        "budget.test",
        "operator.report",
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_of_the_configuration_is_printed_without_one() {
    let desk = Desk::new();
    std::fs::remove_file(desk.house.path("alert-rules.toml")).unwrap();
    assert_eq!(desk.json(&["schema", "config"]), budget_alertd::config::schema());
    assert_eq!(desk.run(&["schema"]).code, 2);
}
